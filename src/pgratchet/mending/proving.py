"""Runs the statements of a proposal on a scratch database, twice, and compares what they make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import psycopg

from pgratchet import schema
from pgratchet.db import Connection
from pgratchet.mending.proposing import Way
from pgratchet.mending.records import Mending
from pgratchet.schema import Change, Snapshot

Look = Callable[[Snapshot], Snapshot]


def doubt(
    connection: Connection,
    way: Way,
    mending: Mending,
    *,
    there: Snapshot,
    changed: Snapshot,
    change: Sequence[str],
    look: Look,
) -> str | None:
    """Why the statements are not proven, or None. The scratch database is left changed.

    It has the schema `there`, that of the files; `change` makes it that of the live database, `changed`. The
    statements have to lead from both to one of them. `look` leaves out of a snapshot what is not compared.
    """
    goal = there if way is Way.BACK else changed
    named = _told(one.change for one in mending.unmended)
    connection.execute("SET check_function_bodies = off")  # as the file says for its own transaction
    turns = ((), change) if way is Way.BACK else ((), ())
    for number, before in enumerate(turns):
        if failed := _run(connection, before):
            return f"what was changed by hand cannot be made again there: {failed}"
        if before and (left := _left(connection, changed, look)):
            return f"what was changed by hand cannot be made again there, but for:\n{schema.describe(left)}"
        if failed := _run(connection, mending.statements):
            return failed
        left = _left(connection, goal, look)
        if left and not (_told(left) == named and (number or way is Way.FILES)):
            return f"a difference stays:\n{schema.describe(left)}"
    return None


def _run(connection: Connection, statements: Iterable[str]) -> str | None:
    for statement in statements:
        try:
            connection.execute(statement.encode())
        except psycopg.Error as error:
            return f"{error.sqlstate}: {error.diag.message_primary}, at: {statement}"
    return None


def _left(connection: Connection, goal: Snapshot, look: Look) -> tuple[Change, ...]:
    return schema.difference(look(schema.snapshot(connection)), goal)


def _told(changes: Iterable[Change]) -> set[tuple[str, str | None, str | None, str | None]]:
    return {(change.item.title, change.property, change.old, change.new) for change in changes}
