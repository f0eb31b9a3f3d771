"""The statements that lead one schema to another lead there, whatever the change was, in both directions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress

import psycopg
import pytest

from pgratchet import schema
from pgratchet.mending import Mending, mend
from tests.db.schema_chains import CHAINS, SETUP
from tests.db.schema_changes import READER, WRITER, Made, known
from tests.servers import Database

Connection = psycopg.Connection[tuple[object, ...]]
STEP = 1 if os.environ.get("CI") else 4
"""Of the older versions CI takes every change, and a run by hand every fourth one."""
EQUAL = 0.95
"""The part of all changes that can be taken back with nothing left."""


def changed(connection: Connection, made: Made, database: str) -> schema.Snapshot:
    """Make a change, and give the schema that it makes."""
    connection.execute("SET LOCAL allow_system_table_mods = on; SET LOCAL client_min_messages = error")
    connection.execute(made.statement.replace("{database}", database).encode())
    return schema.snapshot(connection)


def left(connection: Connection, found: Mending, want: schema.Snapshot) -> tuple[schema.Change, ...]:
    """Run the statements, and give what is still another."""
    connection.execute("SET LOCAL client_min_messages = error")
    for statement in found.statements:
        try:
            connection.execute(statement.encode())
        except psycopg.Error as error:
            error.add_note("\n".join(found.statements))
            raise
    now = schema.snapshot(connection)
    changes = schema.difference(now, want)
    assert (now.fingerprint == want.fingerprint) == (not changes)
    return changes


def told(changes: Iterable[schema.Change]) -> set[tuple[str, str | None, str | None, str | None]]:
    return {(change.item.title, change.property, change.old, change.new) for change in changes}


def taken(database: Database) -> list[Made]:
    """Give every change on the newest version, and some on the others."""
    newest = database.server.major >= 18
    return known(database)[:: 1 if newest else STEP]


def test_every_change_is_taken_back_and_made_again_or_what_stays_is_named(filled: Database) -> None:
    connection, major = filled.connect(), filled.server.major
    before, wrong, equal = schema.snapshot(connection), [], 0
    forms = taken(filled)
    for made in forms:
        with connection.transaction(force_rollback=True):
            after = changed(connection, made, filled.name)
            back = mend(after, before, role="postgres", major=major)
            rest = left(connection, back, before)
        equal += not rest
        if told(rest) != told(one.change for one in back.unmended):
            wrong.append(f"back: {made.statement}\n{schema.describe(rest)}\n{back}")
        with connection.transaction(force_rollback=True):
            forth = mend(before, after, role="postgres", major=major)
            rest = left(connection, forth, after)
        if told(rest) != told(one.change for one in forth.unmended):
            wrong.append(f"forth: {made.statement}\n{schema.describe(rest)}\n{forth}")
    assert not wrong, "\n\n".join(wrong)
    assert equal >= EQUAL * len(forms)
    assert len(forms) >= 130 or major < 18


@pytest.fixture
def chained(database: Database) -> Iterator[Connection]:
    """Give a connection to the schema whose parts hang on each other; roles stay for as long as the server does."""
    connection = database.connect()
    for role in (READER, WRITER):
        with suppress(psycopg.errors.DuplicateObject):
            connection.execute(f"CREATE ROLE {role}".encode())
    connection.execute("SET client_min_messages = error")
    connection.execute(SETUP.encode())
    yield connection
    for role in (READER, WRITER):
        connection.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}".encode())


def test_what_hangs_on_a_change_is_taken_back_with_it(chained: Connection) -> None:
    major, wrong = chained.info.server_version // 10_000, []
    before = schema.snapshot(chained)
    for chain in CHAINS[:: 1 if major >= 18 else STEP]:
        back = {new: old for old, new in chain.renames.items()}
        with chained.transaction(force_rollback=True):
            if not chain.rows:
                chained.execute("TRUNCATE app.users CASCADE")
            chained.execute(chain.statement.encode())
            after = schema.snapshot(chained)
            found = mend(after, before, role="postgres", major=major, renames=back)
            rest = left(chained, found, before)
        if told(rest) != told(one.change for one in found.unmended) or (chain.renames and found.loses):
            wrong.append(f"back: {chain.statement}\n{schema.describe(rest)}\n{found}")
        with chained.transaction(force_rollback=True):
            found = mend(before, after, role="postgres", major=major, renames=chain.renames)
            rest = left(chained, found, after)
        if told(rest) != told(one.change for one in found.unmended):
            wrong.append(f"forth: {chain.statement}\n{schema.describe(rest)}\n{found}")
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.one_version
def test_a_whole_schema_goes_and_comes(chained: Connection) -> None:
    whole = schema.snapshot(chained)
    kept = {"schema public", "extension plpgsql", "database itself"}
    nothing = schema.Snapshot(tuple(item for item in whole.items if item.title in kept))
    assert not left(chained, mend(whole, nothing, role="postgres"), nothing)
    assert not left(chained, mend(nothing, whole, role="postgres"), whole)


@pytest.mark.one_version
def test_what_both_have_keeps_its_rows(chained: Connection) -> None:
    before = schema.snapshot(chained)
    chained.execute(
        "ALTER TABLE app.users RENAME TO people; ALTER TABLE app.people ALTER score TYPE int USING 7"
    )
    found = mend(
        schema.snapshot(chained), before, role="postgres", renames={"table app.people": "table app.users"}
    )
    assert not left(chained, found, before)
    assert not found.loses
    assert chained.execute("SELECT email, score FROM app.users ORDER BY email").fetchall() == [
        ("a", 7),
        ("b", 7),
    ]


@pytest.mark.one_version
def test_a_column_that_may_not_be_null_comes_back_where_there_are_rows(chained: Connection) -> None:
    before = schema.snapshot(chained)
    chained.execute("ALTER TABLE app.up DROP COLUMN a CASCADE; INSERT INTO app.up (b) VALUES (1)")
    found = mend(schema.snapshot(chained), before, role="postgres")
    left(chained, found, before)
    assert chained.execute("SELECT a FROM app.up").fetchall() == [(0,)]
    assert "column app.up.a may not be null: rows that are there get 0 until they get values" in found.notes


@pytest.mark.one_version
def test_online_forms_lead_to_the_same(chained: Connection) -> None:
    before = schema.snapshot(chained)
    chained.execute(
        "DROP INDEX app.orders_amount; ALTER TABLE app.users DROP CONSTRAINT users_email_key; "
        "ALTER TABLE app.orders DROP CONSTRAINT orders_buyer_fkey, DROP CONSTRAINT orders_amount_check"
    )
    found = mend(schema.snapshot(chained), before, role="postgres", online=True)
    text = "\n".join(found.statements)
    assert "CREATE INDEX CONCURRENTLY orders_amount" in text
    assert "CREATE UNIQUE INDEX CONCURRENTLY users_email_key" in text
    assert "ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key" in text
    assert text.count("NOT VALID") == text.count("VALIDATE CONSTRAINT") == 2
    assert not left(chained, found, before)


@pytest.mark.one_version
def test_of_nothing_nothing_is_made(filled: Database) -> None:
    before = schema.snapshot(filled.connect())
    assert mend(before, before) == Mending(())
