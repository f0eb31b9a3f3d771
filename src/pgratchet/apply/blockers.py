"""Those who are in the way of a lock: pid, user, application, state, age, what they hold, query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

import psycopg

from pgratchet import sql
from pgratchet.db import Connection
from pgratchet.parse.lock_targets import CONFLICTS, Target

IN_VAIN = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.UndefinedTable,
)


class Holder(NamedTuple):
    """A session, or a prepared transaction, which is none's, that holds a table against us."""

    pid: int | None
    autovacuum: bool
    wraparound: bool
    """It keeps the server from running out of transactions, and gives way to nobody."""
    table: str
    words: str


def of_tables(connection: Connection, targets: Iterable[Target]) -> tuple[Holder, ...]:
    """Who holds a lock that excludes one of these, on the table or on a partition of it."""
    rows = (
        f"({sql.literal(name)}, {sql.literal(theirs)})"
        for name, mode in targets
        for theirs in sorted(CONFLICTS[mode])
    )
    if not (wanted := ", ".join(rows)):
        return ()
    found = connection.execute(sql.load("lock_holders").format(targets=wanted).encode()).fetchall()
    return tuple(Holder(*row) for row in found)


def of_backend(connection: Connection, pid: int) -> tuple[str, ...]:
    """Those that a backend of the server waits for, at this moment."""
    rows = connection.execute(sql.load("blockers").format(pid=pid).encode()).fetchall()
    return tuple(str(row[0]) for row in rows)


def cancel_autovacuum(connection: Connection, holders: Sequence[Holder]) -> bool:
    """Have an autovacuum give way that is all there is in the way; False where nothing of that kind is.

    The server cancels it for whoever has waited through deadlock_timeout, which our tries do not where we may
    not make that shorter. So we wait in a mode that excludes an autovacuum, and neither readers nor writers.
    """
    workers = {holder.pid: holder.table for holder in holders if holder.autovacuum and not holder.wraparound}
    if not workers or len(workers) < len({holder.pid for holder in holders}):
        return False
    timeout = (
        "SELECT pg_catalog.set_config('lock_timeout', (setting::int + 100)::text || 'ms', true) "
        "FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'"
    )
    with suppress(*IN_VAIN), connection.transaction():
        connection.execute(timeout.encode())
        for table in workers.values():
            connection.execute(f"LOCK TABLE ONLY {table} IN SHARE UPDATE EXCLUSIVE MODE".encode())
    return True
