"""The lock of the one runner of a database: taken by polling, proven from outside, given back with a look.

It belongs to the server's session, so it goes when that ends, however that came about. Behind a proxy that
pools transactions a session is nobody's: there it is refused, before anything was set or taken.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import uniform
from typing import NoReturn

import psycopg

from pgratchet import db, sql
from pgratchet.db import Connection
from pgratchet.errors import ConfigurationError, DatabaseUnreachable, LockNotAvailable
from pgratchet.model import Noticed, Observer, Waiting, ignore

FIRST_PAUSE, PAUSE = 0.02, 0.4
"""Seconds between two tries: few at first, as the other run may be at its end."""
SAY_EVERY = 5.0
CLASS = zlib.crc32(b"pgratchet") & 0x7FFFFFFF
LOOKS = 20
"""How often we look whether a proxy gives our session away: the busier it is, the sooner it shows."""
DIRECT = "Give the URL of the server itself as PGRATCHET_DIRECT_URL; everything else may stay on the pooler."


@contextmanager
def hold(
    connection: Connection, url: str, history: str, *, wait: float, observer: Observer
) -> Iterator[bool]:
    """Hold the lock of the one runner of this database's history; yields whether we had to wait for it.

    Polled, on a connection with no open transaction and no bound parameter: a blocking wait would
    deadlock CREATE INDEX CONCURRENTLY, and a bound parameter would pin a snapshot that it waits for.
    Raises LockNotAvailable after `wait` seconds, ConfigurationError where no lock can be relied on.
    """
    refuse_shared_sessions(connection, url)
    key = _key(history)
    waited = _take(connection, key, wait, observer)
    try:
        _prove(connection, url, key)
        yield waited
    finally:
        _give_back(connection, key, observer)


def refuse_shared_sessions(connection: Connection, url: str) -> None:
    """Raise ConfigurationError behind a proxy that gives each transaction another session of the server.

    A proxy makes up the process number of its greeting, so only then there is a second look: while
    another client of the proxy holds a transaction, is our session still the one that it was?
    """
    session = _pid(connection)
    if session == connection.info.backend_pid:
        return
    with db.opened(url, name="pgratchet look", wait=0, observer=ignore) as other:
        for _ in range(LOOKS):
            try:
                other.execute("BEGIN")
            except psycopg.errors.ProtocolViolation as error:  # a pooler of single statements
                _refuse_pooler(error)
            # Where the pool has one session only, we would wait for ourselves.
            other.execute("SET LOCAL idle_in_transaction_session_timeout = '2s'")
            if _pid(other) == session or _pid(connection) != session:
                _refuse_pooler()
            other.execute("ROLLBACK")


def holder_ended(connection: Connection, history: str, pid: int, *, wait: float) -> bool:
    """Wait until a session of ours that we lost holds the lock no more: then all that it did is known."""
    deadline = time.monotonic() + wait
    while pid in {row[0] for row in _holders(connection, _key(history))}:
        if time.monotonic() >= deadline:
            return False
        time.sleep(FIRST_PAUSE)
    return True


def _key(history: str) -> str:
    return f"{CLASS}, {zlib.crc32(history.encode()) - 2**31}"


def _take(connection: Connection, key: str, wait: float, observer: Observer) -> bool:
    began = time.monotonic()
    said = -SAY_EVERY
    pause = FIRST_PAUSE
    while not _yes(connection, f"SELECT pg_catalog.pg_try_advisory_lock({key})"):
        passed = time.monotonic() - began
        if passed >= wait:
            raise LockNotAvailable(
                f"another run holds the lock of this database: {'; '.join(_told(connection, key)) or 'it just let go'}",
                "Wait until it is done and run again; --lock-wait sets how long we wait.",
            )
        if passed - said >= SAY_EVERY:
            observer(Waiting("for another run to end", passed, _told(connection, key)))
            said = passed
        time.sleep(min(pause * uniform(0.5, 1.5), max(0.0, wait - passed)))  # noqa: S311 - jitter, not a secret
        pause = min(PAUSE, pause * 1.5)
    return said >= 0


def _prove(connection: Connection, url: str, key: str) -> None:
    """A lock that a second session can take as well is none: a stub, another node, a pooler."""
    try:
        with db.opened(url, name="pgratchet proof", wait=0, observer=ignore) as second:
            taken = _yes(second, f"SELECT pg_catalog.pg_try_advisory_lock({key})")
            if taken:
                _yes(second, f"SELECT pg_catalog.pg_advisory_unlock({key})")
    except DatabaseUnreachable:
        if _pid(connection) == connection.info.backend_pid:
            return  # no slot is left for a second one, and this is the server itself
        raise
    if taken:
        raise ConfigurationError(
            f"{db.describe(url)} gives the lock of the one runner to two sessions at once: its advisory "
            "locks do not work, or the URL leads to more than one server",
            DIRECT,
        )


def _give_back(connection: Connection, key: str, observer: Observer) -> None:
    """The answer counts: a session that says it held nothing was not the one that took the lock."""
    if connection.broken or connection.closed:
        return
    with suppress(psycopg.Error):
        if not _yes(connection, f"SELECT pg_catalog.pg_advisory_unlock({key})"):
            observer(Noticed("WARNING", "the lock of the one runner was no longer ours when we gave it back"))


def _told(connection: Connection, key: str) -> tuple[str, ...]:
    return tuple(
        f"pid {pid}, {name}, from {host}, connected for {age} s"
        for pid, name, host, age in _holders(connection, key)
    )


def _holders(connection: Connection, key: str) -> list[tuple[object, ...]]:
    classid, objid = (int(part) for part in key.split(","))
    query = sql.load("lock_holder").format(classid=classid, objid=objid % 2**32)
    return connection.execute(query.encode()).fetchall()


def _yes(connection: Connection, query: str) -> bool:
    row = connection.execute(query.encode()).fetchone()
    return bool(row and row[0])


def _pid(connection: Connection) -> int:
    row = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def _refuse_pooler(cause: psycopg.Error | None = None) -> NoReturn:
    raise ConfigurationError(
        "there is a pooler in between that gives each transaction another session of the server; "
        "the lock of the one runner, settings and CREATE INDEX CONCURRENTLY need one session",
        DIRECT,
    ) from cause
