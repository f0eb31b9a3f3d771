"""The statements that lead one schema to another lead there, whatever the change was, in both directions."""

from __future__ import annotations

import os
from collections.abc import Iterable

import psycopg
import pytest

from pgratchet import schema
from pgratchet.mending import Mending, mend
from tests.db.schema_changes import Made, known
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


def test_every_change_can_be_taken_back_or_what_stays_is_named(filled: Database) -> None:
    connection, major = filled.connect(), filled.server.major
    before, wrong, equal = schema.snapshot(connection), [], 0
    forms = taken(filled)
    for made in forms:
        with connection.transaction(force_rollback=True):
            after = changed(connection, made, filled.name)
            found = mend(after, before, role="postgres", major=major)
            rest = left(connection, found, before)
        equal += not rest
        if told(rest) != told(one.change for one in found.unmended):
            wrong.append(f"{made.statement}\n{schema.describe(rest)}\n{found}")
    assert not wrong, "\n\n".join(wrong)
    assert equal >= EQUAL * len(forms)
    assert len(forms) >= 130 or major < 18


def test_every_change_can_be_made_from_the_schema_that_it_makes(filled: Database) -> None:
    connection, major = filled.connect(), filled.server.major
    before, wrong = schema.snapshot(connection), []
    for made in taken(filled):
        with connection.transaction(force_rollback=True):
            after = changed(connection, made, filled.name)
        found = mend(before, after, role="postgres", major=major)
        with connection.transaction(force_rollback=True):
            rest = left(connection, found, after)
        if told(rest) != told(one.change for one in found.unmended):
            wrong.append(f"{made.statement}\n{schema.describe(rest)}\n{found}")
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.one_version
def test_of_nothing_nothing_is_made(filled: Database) -> None:
    before = schema.snapshot(filled.connect())
    assert mend(before, before) == Mending(())
