"""The copy: which way it is made, what goes with it, and that nothing of it stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet import Answer
from pgratchet.errors import ConfigurationError
from tests.folders import write_migrations
from tests.rehearsal.conftest import BASE, Rehearse, copies
from tests.servers import Database, Server

CHANGE = {"V2__note.sql": "ALTER TABLE users ADD COLUMN note text;\n"}
LOOK = "SELECT count(*) FROM users"


def rows_seen(rehearse: Rehearse, database: Database, query: str, **wishes: object) -> int | None:
    """Rehearse a file with a query, and give how many rows it had on the copy."""
    found = rehearse({"V2__look.sql": f"CREATE TABLE found AS {query};\n"}, prove=False, **wishes)
    return found.run.statements[0].rows


def test_where_nobody_is_connected_the_files_are_copied(rehearse: Rehearse) -> None:
    found = rehearse(CHANGE)
    assert (found.copy.way, found.answer) == ("template", Answer.GO)
    assert [proof.holds for proof in found.proofs] == [False]  # ADD COLUMN without a guard, refused at once


def test_where_somebody_is_connected_it_is_dumped_and_restored(
    rehearse: Rehearse, database: Database
) -> None:
    database.connect().execute("SELECT 1")
    assert rows_seen(rehearse, database, "SELECT id FROM users") == 2000


def test_the_copy_has_the_settings_of_the_database(rehearse: Rehearse, database: Database) -> None:
    database.connect().execute(
        f'ALTER DATABASE {database.name} SET search_path = "$user", app, public'.encode()
    )
    base = "CREATE SCHEMA app;\nCREATE TABLE app.hidden (id int);\nINSERT INTO app.hidden VALUES (1), (2);\n"
    found = rehearse({"V2__look.sql": "UPDATE hidden SET id = id + 1;\n"}, base=base, prove=False)
    assert found.run.statements[0].rows == 2


def test_without_rows_no_time_is_meant(rehearse: Rehearse, database: Database) -> None:
    assert rows_seen(rehearse, database, "SELECT id FROM users", schema_only=True) == 0


@pytest.mark.pg(">=18")
def test_without_rows_the_planner_still_knows_them(rehearse: Rehearse, database: Database) -> None:
    base = f"{BASE}ANALYZE users;"
    query = "SELECT FROM pg_stats JOIN pg_class ON relname = tablename WHERE tablename = 'users' AND reltuples = 2000"
    found = rehearse({"V2__look.sql": f"CREATE TABLE found AS {query};\n"}, base=base, schema_only=True)
    assert found.run.statements[0].rows == 3  # one for each column
    assert "with the planner's statistics" in found.copy.said


@pytest.mark.one_version
def test_a_prepared_copy_of_another_time_is_refused(
    rehearse: Rehearse, database: Database, folder: Path, run_on: Callable[[Server, str], None]
) -> None:
    rehearse(CHANGE, prove=False)
    name = f"{database.name}_prepared"
    run_on(database.server, f"CREATE DATABASE {name} TEMPLATE {database.name}")
    try:
        pgratchet.rehearse(database.url, folder, on=database.server.url(name), prove=False)
        with pytest.raises(ConfigurationError, match=r"of another time: it has V2__note\.sql applied"):
            pgratchet.rehearse(database.url, folder, on=database.server.url(name))
    finally:
        run_on(database.server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.one_version
def test_without_rows_it_is_at_best_a_go_with_care(rehearse: Rehearse) -> None:
    found = rehearse(CHANGE, schema_only=True)
    assert found.copy.way == "schema"
    assert found.answer is Answer.CARE
    assert "without rows" in found.reasons[0].what


@pytest.mark.one_version
def test_rows_of_production_leave_the_server_only_where_that_is_said(
    rehearse: Rehearse, database: Database
) -> None:
    pgratchet.mark("production", settings=settings_of(database))
    database.connect().execute("SELECT 1")
    with pytest.raises(ConfigurationError, match="marked as production") as caught:
        rehearse(CHANGE)
    assert "--data-may-leave" in (caught.value.hint or "")
    assert not copies(database)


@pytest.mark.one_version
def test_with_consent_they_do(rehearse: Rehearse, database: Database) -> None:
    pgratchet.mark("production", settings=settings_of(database))
    database.connect().execute("SELECT 1")
    assert rehearse(CHANGE, data_may_leave=True).copy.way == "dump"


@pytest.mark.one_version
def test_a_copy_is_made_on_another_server_where_one_is_named(rehearse: Rehearse, database: Database) -> None:
    found = rehearse(CHANGE, server=database.server.url())
    assert found.copy.way == "dump"
    assert "another server was asked for" in found.copy.said


@pytest.mark.one_version
def test_a_copy_is_made_on_an_embedded_server(rehearse: Rehearse, database: Database) -> None:
    base = f"{BASE}CREATE ROLE rehearsed_owner; ALTER TABLE users OWNER TO rehearsed_owner;"
    try:
        found = rehearse({"V2__role.sql": "CREATE ROLE rehearsed_new;\n"}, base=base, embedded=True)
        assert "on an embedded server" in found.copy.said
        assert found.run.failure is None
    finally:
        connection = database.connect()
        assert connection.execute("SELECT FROM pg_roles WHERE rolname = 'rehearsed_new'").fetchone() is None
        connection.execute("REASSIGN OWNED BY rehearsed_owner TO postgres")
        connection.execute("DROP ROLE rehearsed_owner")


@pytest.mark.one_version
@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("CREATE ROLE rehearsed_new", "CREATE ROLE"),
        ("ALTER SYSTEM SET work_mem = '5MB'", "ALTER SYSTEM"),
        ("DO $$ BEGIN CREATE ROLE rehearsed_new; END $$", "CREATE ROLE"),
        ("CREATE SUBSCRIPTION sub CONNECTION '' PUBLICATION pub", "CREATE SUBSCRIPTION"),
    ],
)
def test_what_reaches_beyond_the_database_is_not_run_on_its_own_server(
    rehearse: Rehearse, sql: str, told: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"V2__out\.sql:1: {told} reaches beyond"):
        rehearse({"V2__out.sql": f"{sql};\n"})


@pytest.mark.one_version
def test_a_prepared_copy_is_used_and_stays(
    rehearse: Rehearse, database: Database, run_on: Callable[[Server, str], None], folder: Path
) -> None:
    write_migrations(folder, {"V1__base.sql": BASE})
    pgratchet.up(database.url, folder, preflight=False)
    name = f"{database.name}_prepared"
    run_on(database.server, f"CREATE DATABASE {name} TEMPLATE {database.name}")
    try:
        found = rehearse(CHANGE, on=database.server.url(name))
        assert found.copy.way == "prepared"
        with psycopg.connect(database.server.url(name)) as connection:
            connection.execute("SELECT note FROM users")
    finally:
        run_on(database.server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.one_version
def test_the_database_itself_is_never_the_copy(rehearse: Rehearse, database: Database) -> None:
    other_words = f"{database.url}?application_name=other"
    with pytest.raises(ConfigurationError, match="names the database itself"):
        rehearse(CHANGE, on=other_words)


@pytest.mark.one_version
def test_a_mask_changes_the_rows_of_the_copy_first(
    rehearse: Rehearse, database: Database, tmp_path: Path
) -> None:
    mask = tmp_path / "mask.sql"
    mask.write_text("UPDATE users SET name = 'somebody'; DELETE FROM orders;")
    query = "SELECT FROM users WHERE name = 'somebody'"
    assert rows_seen(rehearse, database, query, mask=mask) == 2000


@pytest.mark.one_version
def test_a_mask_that_cannot_be_read_is_refused_before_anything_is_copied(
    rehearse: Rehearse, tmp_path: Path
) -> None:
    told: list[object] = []
    with pytest.raises(ConfigurationError, match=r"cannot read .*nowhere.sql"):
        rehearse(CHANGE, mask=tmp_path / "nowhere.sql", observer=told.append)
    assert not told


@pytest.mark.one_version
def test_a_role_that_may_not_make_a_database_is_told_what_would_do(
    rehearse: Rehearse, database: Database, folder: Path, run_on: Callable[[Server, str], None]
) -> None:
    rehearse(CHANGE, prove=False)
    run_on(database.server, "CREATE ROLE nobody_much LOGIN PASSWORD 'nobody'")
    try:
        database.connect().execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO nobody_much")
        url = database.url.replace(f"postgres:{database.server.password}", "nobody_much:nobody")
        with pytest.raises(ConfigurationError, match="may not make a copy") as caught:
            pgratchet.rehearse(url, folder)
        assert "CREATEDB" in (caught.value.hint or "")
    finally:
        database.connect().execute("DROP OWNED BY nobody_much")
        run_on(database.server, "DROP ROLE nobody_much")


def settings_of(database: Database) -> pgratchet.Settings:
    from pgratchet import config

    return config.load({"url": database.url})
