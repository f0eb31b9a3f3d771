"""Taking a backup: what happens beside it, what it holds, what refuses it, and what a killed one leaves."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgratchet
from pgratchet import BackupError, ConfigurationError, LockNotAvailable, pgtools, schema
from pgratchet.backup import programs, snapshot
from pgratchet.backup.keeping import Standing
from pgratchet.config import Settings
from tests.backup.support import killing, named
from tests.crash.process import eventually
from tests.servers import Database

SettingsOf = Callable[[Database], Settings]


@pytest.fixture
def gated(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let pg_dump wait, once it is started, until a file is there."""
    folder, gate = tmp_path / "gated", tmp_path / "gate"
    folder.mkdir()
    for name in ("pg_dump", "pg_dumpall", "pg_restore"):
        real = pgtools.find(name, at_least=database.server.major)
        wait = (
            f"touch {gate}.reached; while [ ! -e {gate} ]; do sleep 0.05; done" if name == "pg_dump" else ""
        )
        program = folder / name
        program.write_text(f'#!/bin/sh\ncase "$*" in *--snapshot*) {wait or ":"};; esac\nexec {real} "$@"\n')
        program.chmod(0o755)
    monkeypatch.setenv(pgtools.SETTING, str(folder))
    return gate


def test_everything_is_of_one_moment_whatever_happens_meanwhile(
    database: Database, settings_of: SettingsOf, gated: Path
) -> None:
    connection = database.connect(options="-c lock_timeout=200ms")
    connection.execute("CREATE TABLE a AS SELECT n FROM generate_series(1, 100) AS n")
    connection.execute("CREATE TABLE b AS SELECT n FROM generate_series(1, 100) AS n")
    connection.execute("CREATE SEQUENCE s")
    made: list[pgratchet.Backup] = []
    thread = threading.Thread(
        target=lambda: made.append(
            pgratchet.back_up(settings=settings_of(database), verify=True, same_server=True)
        )
    )
    thread.start()
    eventually(lambda: Path(f"{gated}.reached").exists())
    connection.execute("DELETE FROM a WHERE n > 10")
    connection.execute("INSERT INTO b VALUES (101)")
    connection.execute("SELECT nextval('s') FROM generate_series(1, 5)")
    connection.execute("CREATE TABLE later AS SELECT 1 AS n")
    # Both would be empty in a snapshot of before, and so in the dump.
    for statement in ("TRUNCATE a", "ALTER TABLE b ALTER n TYPE bigint"):
        with pytest.raises(psycopg.errors.LockNotAvailable):
            connection.execute(statement)
    gated.touch()
    thread.join()
    assert made[0].standing is Standing.VERIFIED, made[0].problem
    assert made[0].manifest
    assert [(table.name, table.rows) for table in made[0].manifest.tables] == [("a", 100), ("b", 100)]
    assert [(item.value, item.called, item.until) for item in made[0].manifest.counters] == [(1, False, 5)]
    connection.execute("TRUNCATE a")
    connection.execute("ALTER TABLE b ALTER n TYPE bigint")


@pytest.mark.one_version
def test_schema_that_changes_beside_the_dump_is_in_it_as_it_was(
    database: Database, settings_of: SettingsOf, gated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No lock on a table holds these changes back."""
    connection = database.connect()
    connection.execute("CREATE TABLE a AS SELECT n FROM generate_series(1, 100) AS n")
    connection.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    connection.execute("CREATE VIEW v AS SELECT f() AS n")
    made: list[pgratchet.Backup] = []
    settings = settings_of(database)
    read = threading.Event()

    def look(connection: psycopg.Connection[tuple[Any, ...]]) -> schema.Snapshot:
        try:
            return whole(connection)
        finally:
            read.set()

    whole = schema.snapshot
    monkeypatch.setattr(schema, "snapshot", look)
    thread = threading.Thread(target=lambda: made.append(pgratchet.back_up(settings=settings)))
    thread.start()
    eventually(lambda: Path(f"{gated}.reached").exists() and read.is_set())
    connection.execute("CREATE INDEX i ON a (n)")
    connection.execute("CREATE TABLE later (n int)")
    connection.execute("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'")
    connection.execute("CREATE OR REPLACE VIEW v AS SELECT f() + 1 AS n")
    connection.execute("CREATE TYPE t AS ENUM ('x')")
    gated.touch()
    thread.join()
    found = pgratchet.verify_backup(made[0].name, same_server=True, settings=settings)
    assert (found.standing, found.problem) == (Standing.VERIFIED, None)
    done = pgratchet.restore(made[0].name, settings=settings)
    try:
        with named(database.server, done.database).connect() as restored:
            there = "SELECT (SELECT n FROM v), to_regclass('i'), to_regclass('later'), to_regtype('t')"
            assert restored.execute(there).fetchone() == (1, None, None, None)
    finally:
        connection.execute(f"DROP DATABASE {done.database} WITH (FORCE)")


@pytest.mark.one_version
def test_table_that_is_being_changed_is_waited_for_and_then_named(
    database: Database, settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.connect().execute("CREATE TABLE a (n int)")
    monkeypatch.setattr("pgratchet.backup.snapshot.LOCK_WAIT", "100ms")
    monkeypatch.setitem(snapshot.SETTINGS, "lock_timeout", "100ms")
    holder = database.connect(autocommit=False)
    holder.execute("LOCK TABLE a")
    with pytest.raises(LockNotAvailable, match="locked for a change"):
        pgratchet.back_up(settings=settings_of(database))
    holder.rollback()
    assert pgratchet.back_up(settings=settings_of(database)).manifest


def test_data_of_tables_that_can_be_made_again_are_left_out(
    database: Database, settings_of: SettingsOf
) -> None:
    connection = database.connect()
    connection.execute('CREATE SCHEMA "A b"')
    connection.execute('CREATE TABLE "A b"."c.d" AS SELECT 1 AS n')
    connection.execute("CREATE TABLE part (n int) PARTITION BY LIST (n)")
    connection.execute("CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1)")
    connection.execute("INSERT INTO part VALUES (1)")
    connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    settings = settings_of(database)
    made = pgratchet.back_up(
        settings=settings, exclude_data=("part", "A b.c.d"), verify=True, same_server=True
    )
    assert made.manifest
    assert made.standing is Standing.VERIFIED, made.problem
    assert made.manifest.excluded == ('"A b"."c.d"', '"public"."part_1"')
    assert [table.name for table in made.manifest.tables] == ["kept"]
    with pytest.raises(BackupError, match="no table kepd"):
        pgratchet.back_up(settings=settings, exclude_data=("kepd",))


@pytest.mark.one_version
def test_pg_dump_older_than_the_server_is_refused_by_name(
    database: Database, settings_of: SettingsOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 14.1'\n")
    old.chmod(0o755)
    monkeypatch.setenv(pgtools.SETTING, str(tmp_path))
    with pytest.raises(ConfigurationError, match=f"no pg_dump {database.server.major} or newer in"):
        pgratchet.back_up(settings=settings_of(database))
    assert not pgratchet.backups(settings=settings_of(database))


@pytest.mark.one_version
@pytest.mark.parametrize("built_with", ["zstd", "lz4", "gzip"])
def test_best_compression_that_the_client_has_is_taken(tmp_path: Path, built_with: str) -> None:
    program = tmp_path / "pg_dump"
    known = f"*--compress={built_with}*) echo 'pg_dump: error: could not create directory' >&2; exit 1;;"
    program.write_text(f'#!/bin/sh\ncase "$*" in {known} *) echo "does not support" >&2; exit 1;; esac\n')
    program.chmod(0o755)
    assert programs.codec(program) == built_with


@pytest.mark.one_version
def test_role_that_may_not_read_everything_is_told_so(
    database: Database, settings_of: SettingsOf, run_on: Callable[..., None]
) -> None:
    connection = database.connect()
    connection.execute("CREATE TABLE secret AS SELECT 1 AS n")
    connection.execute(f"CREATE ROLE {database.name}_reader LOGIN PASSWORD 'x'")
    try:
        url = database.url.replace(f"postgres:{database.server.password}", f"{database.name}_reader:x")
        settings = settings_of(database)._replace(url=url)
        with pytest.raises(BackupError, match="permission denied for table secret"):
            pgratchet.back_up(settings=settings)
        connection.execute(f"GRANT pg_read_all_data TO {database.name}_reader")
        made = pgratchet.back_up(settings=settings)
        found = pgratchet.verify_backup(made.name, on=database.url, settings=settings)
        assert found.standing is Standing.VERIFIED, found.problem
        connection.execute("ALTER TABLE secret ENABLE ROW LEVEL SECURITY")
        with pytest.raises(BackupError, match="row-level security"):
            pgratchet.back_up(settings=settings)
    finally:
        connection.execute(f"DROP OWNED BY {database.name}_reader")
        connection.execute(f"DROP ROLE {database.name}_reader")


@pytest.mark.one_version
def test_failure_is_kept_in_the_account_of_the_database(
    migrated: Database, settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "pgratchet.backup.folder.publish", lambda *_: (_ for _ in ()).throw(OSError(28, "full"))
    )
    with pytest.raises(BackupError, match="full"):
        pgratchet.back_up(settings=settings_of(migrated))
    rows = migrated.connect().execute("SELECT state, error FROM backups").fetchall()
    assert rows == [("failed", "[Errno 28] full")]
    assert not pgratchet.backups(settings=settings_of(migrated))


@pytest.mark.one_version
def test_second_backup_at_once_is_refused_and_a_killed_one_is_not_in_the_way(
    migrated: Database, settings_of: SettingsOf
) -> None:
    connection = migrated.connect()
    connection.execute("SELECT begin_backup('logical', 'pgratchet', '0', 'x')")
    with pytest.raises(LockNotAvailable, match="a logical backup is running already"):
        pgratchet.back_up(settings=settings_of(migrated))
    connection.execute("UPDATE backups SET heartbeat_at = now() - interval '2 minutes'")
    pgratchet.back_up(settings=settings_of(migrated))
    states = connection.execute("SELECT state FROM backups ORDER BY started_at").fetchall()
    assert states == [("abandoned",), ("completed",)]


@pytest.mark.one_version
def test_killed_at_any_point_it_is_there_whole_or_not_at_all(
    database: Database, settings_of: SettingsOf
) -> None:
    database.connect().execute("CREATE TABLE a AS SELECT n FROM generate_series(1, 1000) AS n")
    settings = settings_of(database)
    place = Path(settings.root) / "backups"
    with killing() as killed_at:
        total = killed_at(0, "back_up", settings)
        for number in sorted(random.Random(20260131).sample(range(1, total), 12)):
            killed_at(number, "back_up", settings)
            for item in pgratchet.backups(settings=settings):
                assert item.standing is Standing.UNVERIFIED, (number, item.problem)
    eventually(lambda: pgratchet.back_up(settings=settings) and not list(place.glob(".*.partial")))
    newest = pgratchet.verify_backup(same_server=True, settings=settings)
    assert newest.standing is Standing.VERIFIED, newest.problem
