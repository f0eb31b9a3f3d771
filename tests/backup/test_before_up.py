"""`up` with a backup before its first step: done with before any lock, named by the history, never skipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import pgratchet
from pgratchet import BackupError, ConfigurationError, Settings, StatementFailed, ops, pgtools
from pgratchet.model import Event, Noticed
from tests.folders import write_migrations
from tests.servers import Database, running

pytestmark = pytest.mark.one_version
SettingsOf = Callable[[Database], Settings]
FIRST = {"V1__a.sql": "CREATE TABLE a AS SELECT n FROM generate_series(1, 100) AS n;"}
SECOND = {"V2__b.sql": "DROP TABLE a;", "R__c.sql": "CREATE OR REPLACE VIEW c AS SELECT 1 AS n;"}


@pytest.fixture
def begun(database: Database, folder: Path, settings_of: SettingsOf) -> Settings:
    """Give the settings of a project whose first migration is applied, and whose second drops a table."""
    settings = settings_of(database)._replace(directory=str(folder))
    write_migrations(folder, FIRST)
    pgratchet.up(settings=settings, backup=True)
    assert not pgratchet.backups(settings=settings)  # a new database holds nothing that could be lost
    write_migrations(folder, SECOND)
    return settings


def named(database: Database) -> dict[str, str | None]:
    query = (
        "SELECT script, journal ->> 'backup' FROM schema_migrations UNION ALL "
        "SELECT script, journal ->> 'backup' FROM schema_migrations_repeatable"
    )
    return dict(database.connect().execute(query).fetchall())


def test_what_was_dropped_can_be_had_back_from_the_backup_that_the_history_names(
    database: Database, begun: Settings
) -> None:
    pgratchet.up(settings=begun, backup=True)
    [made] = pgratchet.backups(settings=begun)
    assert named(database) == {"V1__a.sql": None, "V2__b.sql": made.name, "R__c.sql": made.name}
    assert made.manifest
    assert made.manifest.version == 1
    run = (
        database.connect().execute("SELECT run_id::text FROM schema_migrations WHERE version = 2").fetchone()
    )
    assert run == (made.manifest.run_id,)
    done = pgratchet.restore(made.name, replace=True, settings=begun)
    rows = database.connect().execute("SELECT count(*) FROM a").fetchone()
    database.connect(dbname="postgres").execute(f"DROP DATABASE {done.aside}".encode())
    assert rows == (100,)


def test_every_lock_of_the_backup_is_given_back_before_the_first_step(
    database: Database, begun: Settings
) -> None:
    held: list[object] = []

    def hear(event: Event) -> None:
        if isinstance(event, Noticed) and "taken" in event.message:
            query = "SELECT count(*) FROM pg_locks WHERE relation = 'a'::regclass AND pid <> pg_backend_pid()"
            held.append(database.connect().execute(query).fetchone())
            query = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgratchet % backup%'"
            held.append(database.connect().execute(query).fetchone())

    pgratchet.up(settings=begun, backup=True, observer=hear)
    assert held == [(0,), (0,)]


def test_production_is_backed_up_without_a_word_and_gets_a_restore_point(
    database: Database, begun: Settings
) -> None:
    ops.mark("production", settings=begun)
    write_migrations(Path(begun.directory), {"V2__b.sql": "CREATE TABLE b (n int);"})
    heard: list[Event] = []
    pgratchet.up(settings=begun, observer=heard.append)
    assert [item.standing for item in pgratchet.backups(settings=begun)] == ["unverified"]
    told = [event.message for event in heard if isinstance(event, Noticed)]
    assert any(line.startswith("restore point 'pgratchet before V2-V2 ") for line in told), told
    assert "restore point" in database.server.log.read_text()


def test_other_databases_are_backed_up_as_the_settings_say(begun: Settings) -> None:
    file = Path(begun.root) / "pgratchet.toml"
    file.write_text('[backup]\nup = "always"\nto = "elsewhere"\n')
    pgratchet.up(settings=begun)
    assert len(list((Path(begun.root) / "elsewhere").glob("test_*"))) == 1
    file.write_text('[backup]\nup = "sometimes"\n')
    write_migrations(Path(begun.directory), {"V3__d.sql": "CREATE TABLE d (n int);"})
    with pytest.raises(ConfigurationError, match=r"backup\.up cannot be 'sometimes'"):
        pgratchet.up(settings=begun)
    file.unlink()
    pgratchet.up(settings=begun)
    assert not pgratchet.backups(settings=begun)


def test_nothing_is_applied_where_no_backup_can_be_taken(
    database: Database, begun: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in ("pg_dump", "pg_dumpall"):
        (broken / name).write_text(
            f"#!/bin/sh\n[ $# = 1 ] && echo '{name} (PostgreSQL) 18.1' && exit\nexit 3\n"
        )
        (broken / name).chmod(0o755)
    monkeypatch.setenv(pgtools.SETTING, str(broken))
    with pytest.raises(BackupError, match="pg_dump failed") as failure:
        pgratchet.up(settings=begun, backup=True)
    assert "Nothing was applied" in (failure.value.hint or "")
    assert named(database) == {"V1__a.sql": None}
    pgratchet.up(settings=begun)
    assert set(named(database)) == {"V1__a.sql", "V2__b.sql", "R__c.sql"}


def test_step_that_fails_names_the_backup_too_and_the_next_run_goes_on(
    database: Database, begun: Settings
) -> None:
    half = "CREATE INDEX CONCURRENTLY i ON a (n); CREATE INDEX CONCURRENTLY j ON a (nn);"
    folder = Path(begun.directory)
    write_migrations(folder, {"V2__b.sql": half})
    with pytest.raises(StatementFailed):
        pgratchet.up(settings=begun, backup=True)
    [made] = pgratchet.backups(settings=begun)
    assert named(database) == {"V1__a.sql": None, "V2__b.sql": made.name}
    write_migrations(folder, {"V2__b.sql": half.replace("nn", "n")})
    outcome = pgratchet.up(settings=begun)
    assert outcome.version == 2


def test_restore_point_is_one_that_a_physical_backup_can_be_brought_back_to(folder: Path) -> None:
    with running(18, "wal_level = minimal\nmax_wal_senders = 0\n") as server:
        write_migrations(folder, FIRST)
        url = server.url()
        pgratchet.up(url, folder)
        write_migrations(folder, SECOND)
        heard: list[Event] = []
        pgratchet.up(url, folder, restore_point=True, observer=heard.append)
        told = [event.message for event in heard if isinstance(event, Noticed)]
        assert "no restore point: the role may not name one, or wal_level is minimal" in told
