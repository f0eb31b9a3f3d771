"""Statements outside a transaction: what an interrupted one left behind, and whether one truly succeeded.

PostgreSQL keeps an INVALID index after a failed CREATE INDEX CONCURRENTLY, and calls the next
`IF NOT EXISTS` over it a success. The catalogue decides here, never the command's tag.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from pgratchet import sql
from pgratchet.db import Connection
from pgratchet.model import Concurrent, Noticed, Observer, Waiting

PAUSE = 0.5
SAY_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class Index:
    """An index as the catalogue has it; `name` is qualified and quoted."""

    oid: int
    name: str
    valid: bool
    building: bool


@dataclass(frozen=True, slots=True)
class Cleared:
    """What is still to be run, one statement after the other, each outside a transaction."""

    commands: tuple[str, ...] = ()
    done: bool = False
    """After these, nothing is left of the statement to do."""


def before(connection: Connection, work: Concurrent) -> tuple[int, ...]:
    """The indexes that are there before the statement runs, for the journal."""
    return tuple(index.oid for index in _indexes(connection, work))


def clear(connection: Connection, work: Concurrent, known: Sequence[int], observer: Observer) -> Cleared:
    """What to run to take away what an interrupted run left, and whether that run had done all of the statement.

    `known` are the indexes that were there before it was first begun. An index that a backend still
    builds is waited for.
    """
    match work.action:
        case "create_index":
            return _clear_created(connection, work, known, observer)
        case "reindex":
            _wait_for_builder(connection, work, observer)
            left = (index for index in _indexes(connection, work) if not index.valid)
            return Cleared(tuple(_drop(index, observer) for index in left if _is_copy(index)))
        case "drop_index":
            return Cleared(done=not any(_oid(connection, name) for name in work.names))
        case "detach":
            return _clear_detached(connection, work)
    return Cleared()


def invalid(connection: Connection, work: Concurrent, known: Sequence[int]) -> tuple[str, ...]:
    """The indexes that the statement should have made valid and did not."""
    if work.action != "create_index":
        return ()
    named = {_oid(connection, name) for name in work.names}
    return tuple(
        index.name
        for index in _indexes(connection, work)
        if not index.valid and (index.oid in named or (not work.names and index.oid not in known))
    )


def left_over(connection: Connection, work: Concurrent, known: Sequence[int]) -> tuple[str, ...]:
    """The INVALID indexes that a cancelled statement has left, and that nobody needs."""
    if work.action == "create_index":
        return invalid(connection, work, known)
    named = {_oid(connection, name) for name in work.names} if work.action == "drop_index" else set()
    return tuple(
        index.name
        for index in _indexes(connection, work)
        if not index.valid and (index.oid in named or _is_copy(index))
    )


def _clear_created(
    connection: Connection, work: Concurrent, known: Sequence[int], observer: Observer
) -> Cleared:
    _wait_for_builder(connection, work, observer)
    named = {_oid(connection, name) for name in work.names}
    ours = [
        index
        for index in _indexes(connection, work)
        if (index.oid in named if work.names else index.oid not in known)
    ]
    drops = tuple(_drop(index, observer) for index in ours if not index.valid)
    return Cleared(drops, any(index.valid and index.oid not in known for index in ours))


def _clear_detached(connection: Connection, work: Concurrent) -> Cleared:
    """Finish a DETACH PARTITION CONCURRENTLY that was interrupted between its two transactions."""
    child = _oid(connection, work.names[0])
    row = connection.execute(
        "SELECT inhparent::regclass::text, inhdetachpending FROM pg_catalog.pg_inherits WHERE inhrelid = %s",
        (child,),
    ).fetchone()
    if row is None:
        return Cleared(done=child is not None)
    finish = f"ALTER TABLE {row[0]} DETACH PARTITION {work.names[0]} FINALIZE"
    return Cleared((finish,), done=True) if row[1] else Cleared()


def _is_copy(index: Index) -> bool:
    """Tell whether REINDEX CONCURRENTLY made it, to take an index's place or to give it up."""
    return index.name.rstrip('"0123456789').endswith(("_ccnew", "_ccold"))


def _wait_for_builder(connection: Connection, work: Concurrent, observer: Observer) -> None:
    began, said = time.monotonic(), -SAY_EVERY
    while building := [index for index in _indexes(connection, work) if index.building]:
        passed = time.monotonic() - began
        if passed - said >= SAY_EVERY:
            observer(Waiting(f"for the backend that still builds {building[0].name}", passed))
            said = passed
        time.sleep(PAUSE)


def _drop(index: Index, observer: Observer) -> str:
    observer(Noticed("INFO", f"dropping the INVALID index {index.name} that an interrupted run left"))
    return f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}"


def _indexes(connection: Connection, work: Concurrent) -> list[Index]:
    relations = [name for name in (work.table, *work.names) if name]
    wanted = ", ".join(f"pg_catalog.to_regclass({sql.literal(name)})" for name in relations) or "NULL"
    rows = connection.execute(sql.load("indexes").format(relations=wanted).encode()).fetchall()
    return [Index(*row) for row in rows]


def _oid(connection: Connection, name: str) -> int | None:
    row = connection.execute(f"SELECT pg_catalog.to_regclass({sql.literal(name)})::oid".encode()).fetchone()
    return None if row is None else row[0]
