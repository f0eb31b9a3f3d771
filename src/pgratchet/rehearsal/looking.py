"""What a second session sees of the one that runs: its locks, how long each is held, and who waits."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import psycopg

from pgratchet import db, sql, wire
from pgratchet.rehearsal.records import Lock

EVERY = 0.01
"""Seconds between two looks: what is taken and given back in between can be missed."""
SIZE_EVERY = 20
"""Looks between two of the database's size."""
KINDS = {"r": "table", "p": "table", "i": "index", "I": "index", "S": "sequence", "v": "view"} | {
    "m": "materialized view",
    "t": "TOAST table",
    "f": "foreign table",
}
Key = tuple[int, str]


class Relation:
    """A relation as the catalogue has it at one moment."""

    __slots__ = ("file", "kind", "name", "oid", "table")

    def __init__(self, oid: object, name: object, kind: object, file: object, table: object) -> None:
        self.oid, self.file, self.table = int(str(oid)), int(str(file)), int(str(table))
        self.name = str(name)
        self.kind = KINDS.get(str(kind), str(kind))


def relations(connection: db.Connection, *, inside: bool = False) -> dict[int, Relation]:
    """Every relation of a user. `inside`: as the running transaction itself sees them."""
    query = sql.load("rehearse_relations")
    rows: Iterable[tuple[object, ...]]
    rows = wire.ask(connection, query) if inside else connection.execute(query.encode()).fetchall()
    return {relation.oid: relation for relation in (Relation(*row) for row in rows)}


class Look:
    """The locks of one session over time, by looks of a second one; `now` can be called from any thread.

    Its clock stands still while the run waits for us: for so long its locks are held by our doing.
    """

    def __init__(self, connection: db.Connection, pid: int, waiters: Iterable[int]) -> None:
        self.waiting: dict[int, list[float]] = defaultdict(list)
        """When each of the waiters was seen to wait."""
        self.largest = 0
        self.since = 0.0
        """When what runs now began: a lock that is new was not taken before."""
        self._began = time.monotonic()
        self._stops: list[float] = []
        self._stopped: list[float] = [0.0]
        """For how long in all, before each of the stops, and after the last."""
        self._connection = connection
        self._pid = pid
        pids = ", ".join(map(str, (pid, *waiters)))
        self._query = sql.load("rehearse_locks").format(pids=pids).encode()
        self._held: dict[Key, float] = {}
        self._over: dict[Key, list[tuple[float, float]]] = defaultdict(list)
        self._last = 0.0
        self._guard = threading.Lock()

    def clock(self) -> float:
        """Milliseconds since the run began."""
        return self.at(time.monotonic())

    def at(self, moment: float) -> float:
        """What the clock showed at a moment of the monotonic one."""
        stops = list(self._stops)
        number = bisect_right(stops, moment)
        if number == 0:
            return (moment - self._began) * 1000
        before = self._stopped[number - 1]
        over = self._stopped[number] - before if number < len(self._stopped) else float("inf")
        return (moment - self._began - before - min(over, moment - stops[number - 1])) * 1000

    @property
    def waited_for(self) -> float:
        """Milliseconds for which the clock stood still, in all."""
        return self._stopped[-1] * 1000

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let the clock stand still."""
        began = time.monotonic()
        self._stops.append(began)
        try:
            yield
        finally:
            self._stopped.append(self._stopped[-1] + time.monotonic() - began)

    def now(self) -> set[Key]:
        """Look; a lock that is new was taken after the look before, and after `since`. Returns what is held."""
        with self._guard:
            before = self.clock()
            rows = self._connection.execute(self._query).fetchall()
            after = self.clock()
            held = {(int(oid), str(mode)) for pid, oid, mode, granted in rows if pid == self._pid and granted}
            for key in held - self._held.keys():
                self._held[key] = max(self._last, self.since)
            for key in self._held.keys() - held:
                self._over[key].append((self._held.pop(key), after))
            for pid, _, _, granted in rows:
                if pid != self._pid and not granted:
                    self.waiting[pid].append(before)
            self._last = before
            return held

    def size(self) -> tuple[int, int]:
        """The place in the WAL, and the bytes of the database."""
        query = b"SELECT pg_catalog.pg_current_wal_insert_lsn() - '0/0', pg_catalog.pg_database_size(oid)"
        where = b" FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"
        with self._guard:
            [(place, size)] = self._connection.execute(query + where).fetchall()
        self.largest = max(self.largest, int(size))
        return int(place), int(size)

    def locks(self, known: dict[int, Relation], kept: dict[Key, list[float]]) -> list[Lock]:
        """Every lock on what was known before the run; `kept` are the ends of statements that still held them."""
        spans = [(key, span) for key, found in self._over.items() for span in found]
        spans += [(key, (start, self.clock())) for key, start in self._held.items()]
        return sorted(
            (
                Lock(
                    known[key[0]].name,
                    known[key[0]].kind,
                    key[1],
                    start,
                    end,
                    sampled=not any(start <= at <= end for at in kept.get(key, ())),
                )
                for key, (start, end) in spans
                if key[0] in known
            ),
            key=lambda lock: (lock.start, lock.relation),
        )


@contextmanager
def looking(look: Look) -> Iterator[None]:
    """Look again and again, in a thread, until the run is over."""
    stop = threading.Event()

    def again() -> None:
        number = 0
        with suppress(psycopg.Error):  # the connection is closed under us where the run is broken off
            while not stop.wait(EVERY):
                look.now()
                number += 1
                if number % SIZE_EVERY == 0:
                    look.size()

    thread = threading.Thread(target=again, name="pgratchet look", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
