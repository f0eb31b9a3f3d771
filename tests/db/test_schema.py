"""A snapshot sees every change of a schema, and nothing else."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from pgratchet import schema
from pgratchet.errors import LockNotAvailable
from pgratchet.schema import reading
from tests.db.schema_changes import NOTHING, READER, known
from tests.servers import Database

STEP = 1 if os.environ.get("CI") else 5
"""A pg_dump for each change takes a minute: CI takes it, by hand every fifth one does."""

Connection = psycopg.Connection[tuple[object, ...]]


def after(connection: Connection, statements: str, database: str) -> schema.Snapshot:
    """Give the schema as it is after statements that are taken back."""
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL allow_system_table_mods = on; SET LOCAL client_min_messages = error")
        connection.execute(statements.replace("{database}", database).encode())
        return schema.snapshot(connection)


def test_every_change_changes_the_fingerprint_and_is_named(filled: Database) -> None:
    connection = filled.connect()
    before = schema.snapshot(connection)
    missed = []
    for made in known(filled):
        now = after(connection, made.statement, filled.name)
        told = schema.describe(schema.difference(before, now))
        if now.fingerprint == before.fingerprint or made.line not in told:
            missed.append(f"{made.statement}\n    wanted: {made.line}\n    told: {told}")
    assert not missed, "\n".join(missed)


def test_what_changes_nothing_changes_no_fingerprint(filled: Database) -> None:
    connection = filled.connect()
    before = schema.snapshot(connection)
    seen = []
    for statements in NOTHING:
        now = after(connection, statements, filled.name)
        if now.fingerprint != before.fingerprint:
            seen.append(f"{statements}\n    told: {schema.describe(schema.difference(before, now))}")
    assert not seen, "\n".join(seen)


def dump(database: Database, name: str, *options: str) -> str:
    """Give what pg_dump says of a database, without the key that is another each time."""
    command: list[str | Path] = [database.server.bin / "pg_dump", *options, database.server.url(name)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return "\n".join(
        line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))
    )


def restore(database: Database, name: str, text: str) -> None:
    command: list[str | Path] = [
        database.server.bin / "psql",
        "-qX",
        "-v",
        "ON_ERROR_STOP=1",
        database.server.url(name),
    ]
    environment = {**os.environ, "PGOPTIONS": "-c client_min_messages=error"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, input=text, env=environment)
    assert done.returncode == 0, done.stderr


@contextmanager
def clone(database: Database, template: str) -> Iterator[str]:
    """Give a copy of a database, always of the same name."""
    name = f"{database.name}_clone"
    with psycopg.connect(database.server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy".encode())
        try:
            yield name
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def changed(database: Database, statements: str, before: str) -> bool:
    """Whether pg_dump sees that something was changed."""
    with clone(database, database.name) as name:
        with psycopg.connect(database.server.url(name), autocommit=True) as connection:
            connection.execute("SET allow_system_table_mods = on; SET client_min_messages = error")
            connection.execute(statements.replace("{database}", name).encode())
        return dump(database, name, "-s", "-C") != before


@pytest.mark.one_version
def test_whatever_pg_dump_sees_is_seen_and_what_it_does_not_see_is_known(filled: Database) -> None:
    with clone(filled, filled.name) as name:
        before = dump(filled, name, "-s", "-C")
    made = [
        item for item in known(filled)[::STEP] if "SUBSCRIPTION" not in item.statement
    ]  # which no copy has
    filled.opened.close()
    filled.opened.close()
    wrong = [item.statement for item in made if changed(filled, item.statement, before) != item.dumped]
    wrong += [statements for statements in NOTHING if changed(filled, statements, before)]
    assert not wrong, "\n".join(wrong)


def test_a_dump_restored_has_the_same_fingerprint(filled: Database) -> None:
    connection = filled.connect()
    connection.execute(
        "DROP LANGUAGE other"
    )  # pg_dump writes one whose handler is in pg_catalog as an extension
    before = schema.snapshot(connection, ignore=["subscription *"])
    text = dump(filled, filled.name, "--no-subscriptions")
    with clone(filled, "template0") as name:
        restore(filled, name, text)
        with psycopg.connect(filled.server.url(name), autocommit=True) as connection:
            now = schema.snapshot(connection)
    assert not schema.describe(schema.difference(before, now))
    assert before.fingerprint == now.fingerprint


def test_no_two_items_have_one_title(filled: Database) -> None:
    titles = [item.title for item in schema.snapshot(filled.connect()).items]
    assert len(titles) > 90
    assert len(titles) == len(set(titles))


@pytest.mark.one_version
def test_nothing_that_looks_like_a_secret_is_in_it(filled: Database) -> None:
    told = schema.describe(schema.difference(schema.Snapshot(()), schema.snapshot(filled.connect())))
    whole = repr(schema.snapshot(filled.connect()))
    assert "password=***" in whole
    assert "hidden" not in whole + told


@pytest.mark.one_version
def test_the_session_is_left_as_it_was_found(filled: Database) -> None:
    connection = filled.connect(autocommit=False)
    connection.execute("SET search_path = app; SET LOCAL timezone = 'Asia/Tokyo'; CREATE TABLE mine (a int)")
    seen = schema.snapshot(connection)
    shown = [connection.execute(f"SHOW {name}".encode()).fetchone() for name in ("search_path", "timezone")]
    assert shown == [("app",), ("Asia/Tokyo",)]
    assert "table app.mine" in [item.title for item in seen.items]
    connection.rollback()


@pytest.mark.one_version
def test_an_ordinary_role_sees_the_same(filled: Database) -> None:
    with psycopg.connect(filled.url, options=f"-c role={READER}", autocommit=True) as connection:
        seen = schema.snapshot(connection, ignore=["user mapping *: server options"])
    whole = schema.snapshot(filled.connect(), ignore=["user mapping *: server options"])
    assert seen == whole


@pytest.mark.one_version
def test_other_roles_are_no_difference_where_they_are_left_out(filled: Database) -> None:
    connection = filled.connect()
    before = schema.snapshot(connection, owners=False, grants=False)
    connection.execute("ALTER TABLE app.loose OWNER TO schema_writer; GRANT SELECT ON app.orders TO PUBLIC")
    assert schema.snapshot(connection, owners=False, grants=False).fingerprint == before.fingerprint


@pytest.mark.one_version
def test_a_table_that_is_locked_is_not_waited_for_without_end(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(reading.NEUTRAL, "lock_timeout", "50ms")
    filled.connect(autocommit=False).execute("LOCK TABLE app.users IN ACCESS EXCLUSIVE MODE")
    with pytest.raises(LockNotAvailable, match="the schema cannot be read"):
        schema.snapshot(filled.connect())
