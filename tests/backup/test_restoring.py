"""Restoring: beside what is there, nothing taken away that nobody named, and whole or not at all."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import psycopg
import pytest

import pgratchet
from pgratchet import Backup, BackupError, ops
from pgratchet.config import Settings
from tests.backup.support import databases, killing, named, rows
from tests.crash.process import eventually
from tests.servers import Database, Server

SettingsOf = Callable[[Database], Settings]
RunOn = Callable[[Server, str], None]


@pytest.fixture
def made(database: Database, settings_of: SettingsOf) -> Backup:
    """Give a backup of a small database, whose rows are others by now."""
    connection = database.connect()
    connection.execute("CREATE TABLE a AS SELECT n FROM generate_series(1, 500) AS n")
    backup = pgratchet.back_up(settings=settings_of(database))
    connection.execute("DELETE FROM a WHERE n > 3")
    return backup


@pytest.fixture(autouse=True)
def no_database_left(server: Server, run_on: RunOn) -> Iterator[None]:
    """See that no test leaves a half restored database, and drop those that it made."""
    before = databases(server)
    yield
    new = databases(server) - before
    for name in new:
        run_on(server, f'DROP DATABASE "{name}" WITH (FORCE)')
    assert not [name for name in new if name.startswith("pgratchet_")]


def count(database: Database) -> int:
    with psycopg.connect(database.url) as connection:
        row = connection.execute("SELECT count(*) FROM a").fetchone()
        assert row
        return int(row[0])


def test_it_goes_into_a_new_database_where_nothing_is_said(
    database: Database, made: Backup, settings_of: SettingsOf
) -> None:
    done = pgratchet.restore(settings=settings_of(database))
    assert done.database == made.name.lower().replace("-", "_")
    assert (count(named(database.server, done.database)), count(database)) == (500, 3)
    with pytest.raises(BackupError, match=f"the database {done.database} is not empty"):
        pgratchet.restore(settings=settings_of(database))


@pytest.mark.one_version
def test_database_with_anything_in_it_stays_unless_it_is_to_be_replaced(
    database: Database, made: Backup, settings_of: SettingsOf
) -> None:
    settings = settings_of(database)
    with pytest.raises(BackupError, match="is not empty, and stays as it is"):
        pgratchet.restore(made.name, into=database.name, settings=settings)
    assert count(database) == 3
    done = pgratchet.restore(made.name, into=database.name, replace=True, settings=settings)
    assert count(database) == 500
    assert done.aside
    assert count(named(database.server, done.aside)) == 3


@pytest.mark.one_version
def test_empty_database_is_filled(
    database: Database, made: Backup, settings_of: SettingsOf, run_on: RunOn
) -> None:
    run_on(database.server, f"CREATE DATABASE {database.name}_empty")
    done = pgratchet.restore(made.name, into=f"{database.name}_empty", settings=settings_of(database))
    assert (count(named(database.server, done.database)), done.aside) == (500, None)


@pytest.mark.one_version
def test_production_stays_unless_its_name_is_given_and_stays_marked(
    database: Database, made: Backup, settings_of: SettingsOf
) -> None:
    settings = settings_of(database)
    ops.mark("production", settings=settings)
    for named_so in (None, "another"):
        with pytest.raises(BackupError, match="is marked as production, and stays as it is"):
            pgratchet.restore(made.name, replace=True, production=named_so, settings=settings)
    assert count(database) == 3
    done = pgratchet.restore(made.name, replace=True, production=database.name, settings=settings)
    assert count(database) == 500
    assert ops.mark(None, settings=settings) == "production"
    assert done.aside
    assert ops.mark(None, settings=settings._replace(url=database.server.url(done.aside))) is None


@pytest.mark.one_version
def test_copy_of_production_is_not_production(database: Database, settings_of: SettingsOf) -> None:
    settings = settings_of(database)
    ops.mark("production", settings=settings)
    made = pgratchet.back_up(settings=settings, verify=True, same_server=True)
    assert made.standing == "verified"
    done = pgratchet.restore(made.name, settings=settings)
    assert ops.mark(None, settings=settings._replace(url=database.server.url(done.database))) is None


def test_names_are_swapped_under_an_application_that_connects_again_and_again(
    database: Database, made: Backup, settings_of: SettingsOf
) -> None:
    ended = threading.Event()
    seen: set[int] = set()

    def application() -> None:
        while not ended.is_set():
            with suppress(psycopg.Error):
                seen.add(count(database))

    threads = [threading.Thread(target=application) for _ in range(3)]
    for thread in threads:
        thread.start()
    eventually(lambda: seen == {3})
    pgratchet.restore(made.name, replace=True, settings=settings_of(database))
    eventually(lambda: 500 in seen)
    ended.set()
    for thread in threads:
        thread.join()
    assert seen == {3, 500}


@pytest.mark.one_version
def test_roles_that_are_not_there_are_named_before_anything_is_made(
    database: Database, settings_of: SettingsOf, start_server: Callable[[int], Server], run_on: RunOn
) -> None:
    owner = f"{database.name}_owner"
    connection = database.connect()
    connection.execute(f"CREATE ROLE {owner}")
    connection.execute("CREATE TABLE a (n int)")
    connection.execute(f"ALTER TABLE a OWNER TO {owner}")
    made = pgratchet.back_up(settings=settings_of(database))
    connection.execute("DROP TABLE a")
    connection.execute(f"DROP ROLE {owner}")
    with pytest.raises(BackupError, match=f"does not have the roles .*: {owner}$"):
        pgratchet.restore(made.name, settings=settings_of(database))
    done = pgratchet.restore(made.name, create_roles=True, settings=settings_of(database))
    with named(database.server, done.database).connect() as restored:
        told = "SELECT tableowner, rolcanlogin FROM pg_tables, pg_roles WHERE rolname = tableowner AND tablename = 'a'"
        assert restored.execute(told).fetchall() == [(owner, False)]
        restored.execute("DROP TABLE a")
        restored.execute(f"DROP ROLE {owner}")


@pytest.mark.one_version
def test_settings_and_privileges_of_the_database_itself_come_with_it(
    database: Database, settings_of: SettingsOf
) -> None:
    connection = database.connect()
    for change in (
        "SET search_path = \"$user\", 'odd, one', public",
        "SET application_name = 'it''s \\ it'",
        "SET work_mem = '7MB'",
        "CONNECTION LIMIT 40",
    ):
        connection.execute(f"ALTER DATABASE {database.name} {change}")
    connection.execute(f"REVOKE ALL ON DATABASE {database.name} FROM PUBLIC")
    connection.execute(f"GRANT TEMPORARY ON DATABASE {database.name} TO pg_monitor WITH GRANT OPTION")
    connection.execute(f"COMMENT ON DATABASE {database.name} IS 'it''s this'")
    made = pgratchet.back_up(settings=settings_of(database))
    done = pgratchet.restore(made.name, settings=settings_of(database))
    assert not done.notes
    about = (
        "SELECT datconnlimit, datacl::text, shobj_description(oid, 'pg_database'), "
        "(SELECT array_agg(setting ORDER BY setting) FROM pg_db_role_setting, unnest(setconfig) AS setting "
        "WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = %s"
    )
    before, after = (connection.execute(about, (name,)).fetchone() for name in (database.name, done.database))
    assert before == after


@pytest.mark.one_version
def test_killed_at_any_point_the_target_is_as_it_was_or_restored(
    database: Database, made: Backup, settings_of: SettingsOf
) -> None:
    settings = settings_of(database)
    before = rows(database)
    with killing() as killed_at:
        total = killed_at(0, "restore", settings, into="counted")
        for number in sorted(random.Random(20260131).sample(range(1, total), 10)):
            killed_at(number, "restore", settings, into=database.name, replace=True)
            found = rows(database)
            assert found == before or count(database) == 500, number
            before = found
    pgratchet.restore(made.name, into=database.name, replace=True, settings=settings)
    assert count(database) == 500
