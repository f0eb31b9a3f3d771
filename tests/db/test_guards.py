"""What IF NOT EXISTS hides is told: the object was there, and nobody knows whether it is the same."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

import pgratchet
from tests.folders import write_migrations
from tests.servers import Database

START = {"V1__a.sql": "CREATE TABLE a (id int);\n"}
GUARDS = {
    "table": (
        "CREATE TABLE other (id bigint NOT NULL DEFAULT 7, CHECK (id > 0))",
        "CREATE TABLE IF NOT EXISTS other (id int)",
        'relation "other"',
        "TABLE other (id bigint NOT NULL DEFAULT 7, CHECK ((id > 0)))",
    ),
    "table_as": (
        "CREATE TABLE other AS SELECT 1 AS one",
        "CREATE TABLE IF NOT EXISTS other AS SELECT 2 AS two",
        'relation "other"',
        "TABLE other (one integer)",
    ),
    "column": (
        "ALTER TABLE a ADD b text",
        "ALTER TABLE a ADD COLUMN IF NOT EXISTS b int",
        'column "b"',
        "TABLE a (b text)",
    ),
    "sequence": (
        "CREATE SEQUENCE other AS int",
        "CREATE SEQUENCE IF NOT EXISTS other",
        'relation "other"',
        "SEQUENCE other AS integer START 1 INCREMENT 1",
    ),
    "view": (
        "CREATE MATERIALIZED VIEW other AS SELECT 1 AS one",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS other AS SELECT 2 AS two",
        'relation "other"',
        "VIEW other AS SELECT 1 AS one;",
    ),
    "schema": ("CREATE SCHEMA other", "CREATE SCHEMA IF NOT EXISTS other", 'schema "other"', None),
    "index": (
        "CREATE INDEX i ON a (id)",
        "CREATE INDEX IF NOT EXISTS i ON a (id DESC)",
        'relation "i"',
        "CREATE INDEX i ON public.a USING btree (id)",
    ),
    "index_concurrently": (
        "CREATE INDEX i ON a (id)",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a (id DESC)",
        'relation "i"',
        "CREATE INDEX i ON public.a USING btree (id)",
    ),
}


@pytest.mark.parametrize(("by_hand", "file", "what", "there"), GUARDS.values(), ids=GUARDS)
def test_what_was_there_before_its_migration_is_reported_with_its_place_and_both_definitions(
    database: Database, folder: Path, by_hand: str, file: str, what: str, there: str | None
) -> None:
    write_migrations(folder, START)
    pgratchet.up(database.url, folder)
    database.connect().execute(by_hand.encode())
    write_migrations(folder, {"V2__guarded.sql": f"\n{file};\n"})

    outcome = pgratchet.up(database.url, folder)

    [note] = outcome.notes
    first, *more = note.splitlines()
    assert first.startswith("drift: V2__guarded.sql:2: ")
    assert what in first
    assert more == ([f"  there: {there}", f"  file:  {file}"] if there else [])


@pytest.mark.parametrize("before", ["", "VACUUM a;\n"], ids=["a_transaction", "segments"])
def test_a_guard_without_concurrently_does_not_pass_over_an_invalid_index(
    database: Database, folder: Path, before: str
) -> None:
    write_migrations(folder, {"V1__a.sql": "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1), (1);\n"})
    pgratchet.up(database.url, folder)
    with database.connect() as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("CREATE UNIQUE INDEX CONCURRENTLY i ON a (id)")
    write_migrations(folder, {"V2__i.sql": f"{before}CREATE INDEX IF NOT EXISTS i ON a (id);\n"})

    with pytest.raises(pgratchet.RunFailed, match='the index "i" is there and INVALID') as failure:
        pgratchet.up(database.url, folder)

    assert 'DROP INDEX CONCURRENTLY "i"' in failure.value.message
    with database.connect() as connection:
        connection.execute('DROP INDEX CONCURRENTLY "i"')
    assert pgratchet.up(database.url, folder).version == 2


@pytest.mark.one_version
def test_a_partitioned_index_that_is_not_whole_yet_is_no_leftover(database: Database, folder: Path) -> None:
    files = "CREATE TABLE p (id int) PARTITION BY RANGE (id);\n"
    files += "CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (9);\n"
    write_migrations(folder, {"V1__p.sql": files + "CREATE INDEX IF NOT EXISTS i ON ONLY p (id);\n"})
    assert pgratchet.up(database.url, folder).notes == ()


@pytest.mark.one_version
def test_a_name_that_depends_on_the_search_path_of_its_file_is_not_guessed(
    database: Database, folder: Path
) -> None:
    write_migrations(folder, START)
    pgratchet.up(database.url, folder)
    database.connect().execute("CREATE SCHEMA s; CREATE TABLE s.other (id int); CREATE TABLE other (no int)")
    write_migrations(
        folder, {"V2__b.sql": "SET search_path = s;\nCREATE TABLE IF NOT EXISTS other (id int);\n"}
    )
    [note] = pgratchet.up(database.url, folder).notes
    assert note.startswith("drift: V2__b.sql:2: ")
    assert "there:" not in note


@pytest.mark.one_version
def test_no_guard_fires_where_nothing_was_there(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": "CREATE TABLE IF NOT EXISTS a (id int);\n"})
    assert pgratchet.up(database.url, folder).notes == ()


@pytest.mark.one_version
def test_our_own_tables_an_extension_and_a_repeatable_are_no_drift(database: Database, folder: Path) -> None:
    repeatable = "CREATE TABLE IF NOT EXISTS {} (id int);\n"
    files = {
        "V1__ours.sql": "CREATE EXTENSION IF NOT EXISTS plpgsql;\n"
        "CREATE TABLE IF NOT EXISTS schema_migrations (version bigint);\n",
        "R__again.sql": repeatable.format("again"),
    }
    write_migrations(folder, files)
    assert pgratchet.up(database.url, folder).notes == ()
    write_migrations(folder, {"R__again.sql": repeatable.format("again") + repeatable.format("more")})

    assert pgratchet.up(database.url, folder).notes == ()


@pytest.mark.one_version
def test_a_file_that_is_resumed_finds_its_own_work_and_no_drift(database: Database, folder: Path) -> None:
    guarded = "CREATE TABLE IF NOT EXISTS b (id int);\nVACUUM a;\n{}"
    write_migrations(folder, {**START, "V2__b.sql": guarded.format("SELECT 1 / 0;\n")})
    with pytest.raises(pgratchet.StatementFailed):
        pgratchet.up(database.url, folder)
    write_migrations(folder, {"V2__b.sql": guarded.format("CREATE TABLE IF NOT EXISTS b (id int);\n")})

    assert pgratchet.up(database.url, folder).notes == ()
