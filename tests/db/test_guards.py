"""What IF NOT EXISTS hides is told: the object was there, and nobody knows whether it is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

import pgratchet
from tests.folders import write_migrations
from tests.servers import Database

START = {"V1__a.sql": "CREATE TABLE a (id int);\n"}
GUARDS = {
    "table": (
        "CREATE TABLE other (id bigint)",
        "\nCREATE TABLE IF NOT EXISTS other (id int);\n",
        'relation "other"',
    ),
    "column": ("ALTER TABLE a ADD b text", "\nALTER TABLE a ADD COLUMN IF NOT EXISTS b int;\n", 'column "b"'),
    "schema": ("CREATE SCHEMA other", "\nCREATE SCHEMA IF NOT EXISTS other;\n", 'schema "other"'),
    "index": ("CREATE INDEX i ON a (id)", "\nCREATE INDEX IF NOT EXISTS i ON a (id DESC);\n", 'relation "i"'),
    "index_concurrently": (
        "CREATE INDEX i ON a (id)",
        "\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a (id DESC);\n",
        'relation "i"',
    ),
}


@pytest.mark.parametrize(("by_hand", "file", "what"), GUARDS.values(), ids=GUARDS)
def test_what_was_there_before_its_migration_is_reported_with_its_place(
    database: Database, folder: Path, by_hand: str, file: str, what: str
) -> None:
    write_migrations(folder, START)
    pgratchet.up(database.url, folder)
    database.connect().execute(by_hand.encode())
    write_migrations(folder, {"V2__guarded.sql": file})

    outcome = pgratchet.up(database.url, folder)

    [note] = outcome.notes
    assert note.startswith("drift: V2__guarded.sql:2: ")
    assert what in note


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
