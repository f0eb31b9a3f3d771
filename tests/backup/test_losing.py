"""What a migration loses for good in production: not without a verified backup of today, whoever waived the rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import pgratchet
from pgratchet import ConfigurationError, PreflightError, Settings, Verdict, embedded, ops
from pgratchet.model import Event, Noticed
from tests.folders import write_migrations
from tests.servers import Database

pytestmark = pytest.mark.one_version
SettingsOf = Callable[[Database], Settings]
FIRST = {"V1__a.sql": "CREATE TABLE a AS SELECT n, n AS m FROM generate_series(1, 100) AS n;"}
LOSS = "CREATE TABLE b (n int);\n-- pgratchet: ignore drop-table nobody reads it\nDROP TABLE a;"
NO_LOSS = """
CREATE TABLE b (n int);
DROP TABLE b;
CREATE FUNCTION empty() RETURNS void LANGUAGE sql AS 'TRUNCATE a';
DELETE FROM a WHERE n = 1;
"""


@pytest.fixture
def production(database: Database, folder: Path, settings_of: SettingsOf) -> Settings:
    """Give the settings of a database marked as production, where a table with rows would be dropped next."""
    settings = settings_of(database)._replace(directory=str(folder))
    write_migrations(folder, FIRST)
    pgratchet.up(settings=settings)
    ops.mark("production", settings=settings)
    write_migrations(folder, {"V2__b.sql": LOSS})
    configured(settings)
    return settings


def configured(settings: Settings, *lines: str) -> None:
    """Let backups be proven on the test's own server, which is fast."""
    text = "\n".join(("[backup]", "same_server = true", *lines))
    (Path(settings.root) / "pgratchet.toml").write_text(text)


def refused(settings: Settings) -> PreflightError:
    """See that nothing runs without a backup, and give the reason."""
    with pytest.raises(PreflightError) as failure:
        pgratchet.up(settings=settings, backup=False, preflight=False)
    assert pgratchet.status(settings=settings).version == 1
    return failure.value


def test_it_is_refused_with_its_place_though_the_file_ignores_the_rule(production: Settings) -> None:
    error = refused(production)
    assert error.exit_code == 4
    place = f"{production.directory}/V2__b.sql:3:1: drop-table: the table a is lost with its rows"
    assert str(error).splitlines() == [
        "backup: production has no verified backup of the last 24 h, and this is lost for good:",
        f"  {place}",
    ]
    assert "pgratchet up --backup" in (error.hint or "")
    configured(production, 'up = "never"')
    with pytest.raises(PreflightError, match="drop-table"):
        pgratchet.up(settings=production)


def test_run_that_takes_a_backup_proves_it_unasked_and_goes_on(production: Settings) -> None:
    heard: list[Event] = []
    assert pgratchet.up(settings=production, observer=heard.append).version == 2
    [made] = pgratchet.backups(settings=production)
    assert made.standing == "verified"
    assert f"backup {made.name} taken, verified" in [
        event.message for event in heard if isinstance(event, Noticed)
    ]


def test_verified_backup_of_today_counts_and_an_unverified_or_damaged_one_does_not(
    production: Settings,
) -> None:
    made = pgratchet.back_up(settings=production)
    assert f"; the newest, {made.name}, is unverified, and 0 h old, and this is" in str(refused(production))
    made = pgratchet.verify_backup(made.name, settings=production)
    toc = Path(made.place) / "data" / "toc.dat"
    whole = toc.read_bytes()
    toc.write_bytes(whole[:-1])
    assert "is damaged" in str(refused(production))
    toc.write_bytes(whole)
    assert pgratchet.up(settings=production, backup=False).version == 2


def test_backup_of_another_database_does_not_count(
    production: Settings, database: Database, run_on: Callable[..., None]
) -> None:
    other = f"{database.name}_other"
    run_on(database.server, f"CREATE DATABASE {other}")
    try:
        there = production._replace(url=database.server.url(other))
        assert pgratchet.back_up(settings=there, verify=True).standing == "verified"
    finally:
        run_on(database.server, f"DROP DATABASE {other}")
    assert "the newest" not in str(refused(production))


def test_what_loses_nothing_that_was_there_needs_no_proof(production: Settings) -> None:
    write_migrations(Path(production.directory), {"V2__b.sql": NO_LOSS})
    assert pgratchet.up(settings=production, backup=False).version == 2


def test_other_databases_and_who_says_so_in_the_settings_go_on_without(production: Settings) -> None:
    configured(production, "max_age_hours = 0")
    assert pgratchet.up(settings=production, backup=False).version == 2
    configured(production)
    ops.mark("staging", settings=production)
    write_migrations(Path(production.directory), {"V3__c.sql": "DROP TABLE b;"})
    assert pgratchet.up(settings=production).version == 3
    assert not pgratchet.backups(settings=production)


def test_preflight_says_beforehand_what_up_will_do(production: Settings) -> None:
    def said() -> dict[str, Verdict]:
        return {check.name: check.verdict for check in ops.preflight(settings=production)}

    assert said()["backup"] is Verdict.PASS
    configured(production, 'up = "never"')
    assert said()["backup"] is Verdict.REFUSE
    configured(production, 'up = "never"', "max_age_hours = 0")
    assert "backup" not in said()


def test_where_no_server_can_prove_it_that_is_told_before_the_dump(
    production: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (Path(production.root) / "pgratchet.toml").unlink()
    monkeypatch.setattr(embedded, "majors", tuple)
    with pytest.raises(ConfigurationError, match="the embedded versions here are: none") as failure:
        pgratchet.up(settings=production)
    assert "V2__b.sql loses data" in (failure.value.hint or "")
    assert not pgratchet.backups(settings=production)


def test_backup_that_something_else_took_counts_by_the_account_in_the_database(
    migrated: Database, folder: Path, settings_of: SettingsOf
) -> None:
    settings = settings_of(migrated)._replace(directory=str(folder))
    write_migrations(folder, FIRST)
    pgratchet.baseline(1, settings=settings)
    ops.mark("production", settings=settings)
    write_migrations(folder, {"V2__b.sql": "TRUNCATE rate_limits CASCADE;"})
    connection = migrated.connect()

    def enter(succeeded: str) -> None:
        connection.execute(f"SELECT record_verification(%s, 'restore_test', {succeeded})", (backup_id,))

    begun = "SELECT backup_id, token FROM begin_backup('physical', 'pgbackrest', '2.5', 'repo1')"
    row = connection.execute(begun).fetchone()
    assert row
    backup_id, token = row
    files = '[{"path": "base", "bytes": 1, "sha256": "%s"}]' % ("ab" * 32)
    connection.execute("SELECT finish_backup(%s, %s, %s)", (backup_id, token, files))
    assert "truncate-table" in str(refused(settings))
    enter("true")
    enter("false")
    refused(settings)
    enter("true")
    connection.execute("UPDATE backups SET started_at = now() - interval '25 hours'")
    refused(settings)
    configured(settings, "max_age_hours = 26")
    assert pgratchet.up(settings=settings, backup=False).version == 2
