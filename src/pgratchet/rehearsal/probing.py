"""Clients that try to read and to write a table all the while: for how long it would have kept an application waiting.

A try is an EXPLAIN of the statement: it takes the locks of the table and its indexes as planning one does, and touches
no row. It waits as an application would; what counts is a wait that a look from outside has seen.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import psycopg
from psycopg.errors import LockNotAvailable

from pgratchet import __version__, db
from pgratchet.errors import PgratchetError
from pgratchet.model import ignore
from pgratchet.rehearsal.beside import beside
from pgratchet.rehearsal.looking import Look
from pgratchet.rehearsal.records import CHANGES, Blocked, Lock, blocks

TABLES = 8
"""Two clients a table: the server has few slots, and this process one interpreter."""
PAUSE = 0.005
READ, WRITE = "SELECT 1 FROM", "DELETE FROM"
NOTICEABLE = 0.002
"""Seconds: a shorter answer has not waited for any lock that counts."""
READERS = frozenset({"AccessExclusiveLock"})
WRITERS = READERS | {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock"}
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Probe:
    """One client: of which table, what it tries, and when it waited (seconds of the monotonic clock)."""

    table: str
    tries: str
    connection: db.Connection
    waits: list[Span] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    """The longest time between two tries, once there was an answer at all."""

    @property
    def pid(self) -> int:
        """Of its session at the server."""
        return self.connection.info.backend_pid


@contextmanager
def clients(url: str, tables: Sequence[str]) -> Iterator[tuple[Probe, ...]]:
    """Connect two clients for each of the tables, for as many of these as there is room for."""
    with ExitStack() as opened:
        probes: list[Probe] = []
        with suppress(PgratchetError):  # no slot is left: the other tables are told from their locks
            for table in tables[:TABLES]:
                pair = [_connect(url, opened) for _ in (READ, WRITE)]
                probes += [Probe(table, what, one) for what, one in zip((READ, WRITE), pair, strict=True)]
        yield tuple(probes)


def _connect(url: str, opened: ExitStack) -> db.Connection:
    connection = db.connect(url, name=f"pgratchet {__version__} probe", wait=0, observer=ignore)
    opened.callback(connection.close)
    # A wait is cut after a second and begun again: should it ever stand in the run's way, it is gone soon.
    connection.execute("SET lock_timeout = '1s'")
    return connection


@contextmanager
def probing(probes: Sequence[Probe]) -> Iterator[None]:
    """Let the clients try, each in a thread, until the run is over."""
    stop = threading.Event()
    pause = PAUSE * max(1, len(probes) // 2)
    work = [(probe.connection, partial(_try, probe, stop, pause)) for probe in probes]
    with beside(work, stop, "pgratchet probe"):
        yield


def _try(probe: Probe, stop: threading.Event, pause: float) -> None:
    query = f"EXPLAIN {probe.tries} {probe.table}".encode()
    began = last = time.monotonic()
    while not stop.is_set():
        state = _answer(probe, query)
        ended = time.monotonic()
        if ended - began > NOTICEABLE:
            probe.waits.append((began, ended))
        if state is None:
            probe.answers[:] = [max([began - last, *probe.answers])]
            stop.wait(pause)
        elif state != LockNotAvailable.sqlstate:  # dropped, renamed, or not ours to read
            return
        last = ended
        began = time.monotonic() if state is None else ended


def _answer(probe: Probe, query: bytes) -> str | None:
    try:
        probe.connection.execute(query)
    except psycopg.Error as error:
        return error.sqlstate or "the connection is lost"
    return None


def blocked(probes: Sequence[Probe], look: Look, locks: Sequence[Lock]) -> Iterator[Blocked]:
    """For each table that a lock kept from anybody: how long, by the clients, or by its locks where none tried."""
    tried = {
        (probe.table, probe.tries): _seen(probe, look) for probe in probes if probe.answers or probe.waits
    }
    held = {lock.relation for lock in locks if lock.kind != "index" and blocks(lock) not in {None, CHANGES}}
    for table in sorted(held | {table for table, _ in tried}):
        measured = (table, READ) in tried and (table, WRITE) in tried
        reads = tried.get((table, READ), _by_locks(table, locks, READERS))
        writes = tried.get((table, WRITE), _by_locks(table, locks, WRITERS))
        yield Blocked(table, _total(reads), _total(writes), measured, tuple(reads), tuple(writes))


def _by_locks(table: str, locks: Sequence[Lock], modes: Collection[str]) -> list[Span]:
    """When the locks on a table kept others from it."""
    return joined((lock.start, lock.end) for lock in locks if lock.relation == table and lock.mode in modes)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans of time without those that overlap or touch."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _seen(probe: Probe, look: Look) -> list[Span]:
    """The waits for a lock: a look from outside has seen them. A client can be slow for other reasons."""
    waiting = look.waiting[probe.pid]
    spans = ((look.at(start), look.at(end)) for start, end in probe.waits)
    return joined(
        (start, end)
        for start, end in spans
        if (place := bisect_left(waiting, start)) < len(waiting) and waiting[place] <= end
    )


def _total(spans: Sequence[Span]) -> float:
    return sum(end - start for start, end in spans)
