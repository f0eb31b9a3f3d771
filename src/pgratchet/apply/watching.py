"""Looks at a statement that takes long, from a second connection: how far it is, and whom it waits for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from pgratchet import db, sql
from pgratchet.apply import blockers
from pgratchet.errors import ConfigurationError, DatabaseUnreachable
from pgratchet.model import Migration, Observer, Progressed, Statement, ignore

PATIENCE = 1.0
"""Seconds that a statement runs before anybody looks."""
EVERY = 1.0

Look = Callable[[Migration, Statement, float], tuple[str, ...]]
"""Gives those that the statement waited for when last looked at."""


@contextmanager
def watcher(session: db.Session, observer: Observer) -> Iterator[Look]:
    """A function to call while a statement runs; it connects only when one takes longer than a second."""
    connections: list[db.Connection] = []
    last = [0.0]
    who: tuple[str, ...] = ()

    def look(migration: Migration, statement: Statement, seconds: float) -> tuple[str, ...]:
        nonlocal who
        now = time.monotonic()
        if seconds < PATIENCE:
            who = ()
        if seconds < PATIENCE or now - last[0] < EVERY:
            return who
        last[0] = now
        try:
            if not connections:
                connections.append(db.connect(session.url, name="pgratchet watch", wait=0, observer=ignore))
            figures, who = _seen(connections[0], session.pid)
            observer(Progressed(migration, statement, seconds, figures, who))
        except (psycopg.Error, ConfigurationError, DatabaseUnreachable):
            # No slot left for a second connection, say: the run itself goes on.
            last[0] = float("inf")
        return who

    try:
        yield look
    finally:
        for connection in connections:
            connection.close()


def _seen(connection: db.Connection, pid: int) -> tuple[str, tuple[str, ...]]:
    """How far an index build is, in words, and who is in a backend's way."""
    query = sql.load("index_progress").format(pid=pid)
    row = connection.execute(query.encode()).fetchone()
    return _words(*row) if row else "", blockers.of_backend(connection, pid)


def _words(phase: str, blocks: int, of_blocks: int, tuples: int, of_tuples: int) -> str:
    done, whole = (blocks, of_blocks) if of_blocks else (tuples, of_tuples)
    return f"{phase}, {done * 100 // whole} %" if whole else phase
