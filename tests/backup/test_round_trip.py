"""A backup that is restored is the database that it was taken of: catalogue, rows, settings, history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import pgratchet
from pgratchet import pgtools
from pgratchet.backup.keeping import Standing
from pgratchet.config import Settings
from tests import servers
from tests.backup.support import databases, load, named, rows, same
from tests.folders import write_migrations
from tests.servers import Database, Server

SettingsOf = Callable[[Database], Settings]


def droppable(database: Database) -> None:
    """Drop what nobody could drop the database with."""
    with database.connect() as connection:
        connection.execute("DROP SUBSCRIPTION IF EXISTS from_afar")


def of_the_account(database: Database) -> dict[str, str]:
    """The rows of the account of backups, which tells in each of the two databases what happened there."""
    return {
        name: found for name, found in rows(database).items() if name in {"public.backups", "public.restores"}
    }


def test_bundled_database_comes_back_with_every_row(migrated: Database, settings_of: SettingsOf) -> None:
    settings = settings_of(migrated)
    made = pgratchet.back_up(settings=settings, verify=True, same_server=True)
    assert made.standing is Standing.VERIFIED
    done = pgratchet.restore(made.name, into=f"{migrated.name}_again", settings=settings)
    again = named(migrated.server, done.database)
    try:
        with again.connect() as restored, migrated.connect() as connection:
            # The account of backups tells of the backup in both, and of the restore.
            told = "SELECT state, total_bytes FROM backups"
            assert restored.execute(told).fetchall() == connection.execute(told).fetchall()
            assert restored.execute("SELECT state FROM restores").fetchall() == [("completed",)]
            for table in ("backup_files", "backup_verifications", "restores", "backups"):
                restored.execute(f"TRUNCATE {table} CASCADE")
                connection.execute(f"TRUNCATE {table} CASCADE")
            setting = "SELECT current_setting('hnsw.ef_search', true)"
            assert restored.execute(setting).fetchall() == connection.execute(setting).fetchall()
        same(migrated, again)
    finally:
        migrated.connect().execute(f"DROP DATABASE {again.name} WITH (FORCE)")


def test_many_kinds_of_objects_and_values_come_back(database: Database, settings_of: SettingsOf) -> None:
    load(database, "torture.sql")
    if database.server.major >= 18:
        load(database, "newer.sql")
    settings = settings_of(database)
    made = pgratchet.back_up(settings=settings, verify=True, same_server=True, jobs=3)
    assert (made.standing, made.problem) == (Standing.VERIFIED, None)
    assert made.manifest
    assert made.manifest.large_objects
    assert made.manifest.large_objects.rows == 1  # the other one has no page
    done = pgratchet.restore(made.name, into=f"{database.name}_again", settings=settings)
    try:
        same(database, named(database.server, done.database))
    finally:
        for name in (database.name, done.database):
            droppable(named(database.server, name))
        database.connect().execute(f"DROP DATABASE {done.database} WITH (FORCE)")


@pytest.mark.pg(">=16")
def test_throw_away_server_proves_a_backup_and_is_gone(
    migrated: Database, settings_of: SettingsOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "t"
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    monkeypatch.setattr("tempfile.tempdir", str(place))
    made = pgratchet.back_up(settings=settings_of(migrated), verify=True)
    assert made.proof
    assert (made.standing, made.proof.problems) == (Standing.VERIFIED, ())
    assert made.proof.server_version
    assert made.proof.server_version.startswith(f"{migrated.server.major}.")
    assert not list(place.iterdir())
    with migrated.connect() as connection:
        told = "SELECT method, succeeded FROM backup_verifications"
        assert connection.execute(told).fetchall() == [("restore_test", True)]
    assert not [name for name in databases(migrated.server) if name.startswith("pgratchet_")]


@pytest.mark.pg("==16")
def test_backup_of_16_is_restored_on_18_and_not_the_other_way(
    migrated: Database,
    settings_of: SettingsOf,
    start_server: Callable[[int], Server],
    run_on: Callable[[Server, str], None],
) -> None:
    newer = start_server(18)
    load(migrated, "torture.sql")
    made = pgratchet.back_up(settings=settings_of(migrated))
    there = settings_of(named(newer, "postgres"))
    done = pgratchet.restore(made.name, into=migrated.name, create_roles=True, settings=there)
    try:
        # From 18 on a subscription streams in parallel where nothing is said.
        assert not [
            note for note in done.notes if not note.endswith("subscription from_afar: streaming: f -> p")
        ]
        assert rows(migrated) == rows(named(newer, migrated.name)) | of_the_account(migrated)
        back = pgratchet.back_up(settings=settings_of(named(newer, migrated.name)))
        with pytest.raises(pgratchet.BackupError, match="is of PostgreSQL 18, and this server is a 16"):
            pgratchet.restore(back.name, into="never", settings=settings_of(migrated))
    finally:
        droppable(migrated)
        droppable(named(newer, done.database))
        run_on(newer, f"DROP DATABASE {done.database} WITH (FORCE)")


def test_history_comes_with_it_and_status_is_true(
    database: Database, folder: Path, settings_of: SettingsOf
) -> None:
    write_migrations(folder, {"V1__a.sql": "CREATE TABLE a (id int);"})
    pgratchet.up(database.url, folder)
    settings = settings_of(database)._replace(directory=str(folder))
    made = pgratchet.back_up(settings=settings)
    assert made.manifest
    assert (made.manifest.version, made.manifest.script) == (1, "V1__a.sql")
    write_migrations(folder, {"V2__b.sql": "CREATE TABLE b (id int);"})
    pgratchet.up(database.url, folder)
    done = pgratchet.restore(made.name, replace=True, settings=settings)
    assert done.database == database.name
    overview = pgratchet.status(database.url, folder)
    assert (overview.version, overview.pending, overview.problems) == (1, 1, ())
    assert done.aside
    assert pgratchet.status(database.server.url(done.aside), folder).version == 2
    database.connect(dbname="postgres").execute(f"DROP DATABASE {done.aside} WITH (FORCE)")


@pytest.mark.one_version
def test_names_with_spaces_are_found_in_the_table_of_contents(
    database: Database, settings_of: SettingsOf
) -> None:
    connection = database.connect()
    connection.execute(f'CREATE ROLE "an  owner of {database.name}"')
    connection.execute('CREATE TABLE "a  b \n c" (n int)')
    connection.execute(f'ALTER TABLE "a  b \n c" OWNER TO "an  owner of {database.name}"')
    made = pgratchet.back_up(settings=settings_of(database), verify=True, same_server=True)
    connection.execute('DROP TABLE "a  b \n c"')
    connection.execute(f'DROP ROLE "an  owner of {database.name}"')
    assert (made.standing, made.problem) == (Standing.VERIFIED, None)


@pytest.mark.pg("<18")
def test_newer_client_does_for_an_older_server(
    database: Database, settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(pgtools.SETTING, str(servers.binaries(18)))
    database.connect().execute("CREATE TABLE a AS SELECT n FROM generate_series(1, 100) AS n")
    made = pgratchet.back_up(settings=settings_of(database), verify=True, same_server=True)
    assert made.manifest
    assert (made.standing, made.problem, made.manifest.client) == (Standing.VERIFIED, None, 18)


@pytest.mark.pg("==16")
def test_what_an_older_server_refuses_of_a_newer_client_is_found(
    database: Database, settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One error of pg_restore is forgiven there, and no other."""
    monkeypatch.setenv(pgtools.SETTING, str(servers.binaries(18)))
    connection = database.connect()
    connection.execute("CREATE FUNCTION fine(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0'")
    connection.execute("CREATE TABLE a (n int CHECK (fine(n)))")
    connection.execute("INSERT INTO a VALUES (1)")
    connection.execute(
        "CREATE OR REPLACE FUNCTION fine(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < 0'"
    )
    made = pgratchet.back_up(settings=settings_of(database), verify=True, same_server=True)
    assert made.standing is Standing.FAILED
    assert "violates check constraint" in (made.problem or "")
