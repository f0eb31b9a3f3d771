"""Blocked time is what an application sees: clients of the test's own try the same copy at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet import Blocked, Rehearsal
from tests.folders import write_migrations
from tests.rehearsal.conftest import Rehearse
from tests.servers import Database, Server

BASE = """
    CREATE TABLE big (id int PRIMARY KEY, name text, size int);
    INSERT INTO big SELECT n, md5(n::text), n FROM generate_series(1, 2000) AS n;
"""
# At its own statement the plan waits for those that it keeps waiting: our clients, and the two of the rehearsal.
GATE = """DO $$ BEGIN
  FOR turn IN 1..6000 LOOP
    EXIT WHEN (
      SELECT count(*) = {waiting} FROM pg_locks WHERE relation = 'big'::regclass AND NOT granted
    );
    PERFORM pg_sleep(0.01);
  END LOOP;
  PERFORM pg_sleep(0.3);
END $$"""
QUERIES = {
    "reads": b"SELECT name FROM big WHERE id = 42",
    "writes": b"UPDATE big SET name = name WHERE id = 42",
}


class Client(threading.Thread):
    """An application's client: it tries again and again, and remembers its slowest answer."""

    def __init__(self, url: str, query: bytes, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.slowest = 0.0
        self._connection = psycopg.connect(url, autocommit=True)
        self._query = query
        self._over = over

    def run(self) -> None:
        with self._connection as connection:
            while not self._over.wait(0.005):
                began = time.monotonic()
                connection.execute(self._query)
                self.slowest = max(self.slowest, (time.monotonic() - began) * 1000)


@pytest.fixture
def prepared(database: Database, folder: Path, run_on: Callable[[Server, str], None]) -> Iterator[str]:
    """Give the URL of a prepared copy, on which others can be connected as well."""
    write_migrations(folder, {"V1__base.sql": BASE})
    pgratchet.up(database.url, folder, preflight=False)
    name = f"{database.name}_prepared"
    run_on(database.server, f"CREATE DATABASE {name} TEMPLATE {database.name}")
    yield database.server.url(name)
    run_on(database.server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def clients(url: str) -> Iterator[dict[str, Client]]:
    over = threading.Event()
    found = {name: Client(url, query, over) for name, query in QUERIES.items()}
    for client in found.values():
        client.start()
    try:
        yield found
    finally:
        over.set()
        for client in found.values():
            client.join()


def blocked(rehearsal: Rehearsal) -> Blocked:
    [found] = [item for item in rehearsal.run.blocked if item.table == "public.big"]
    assert found.measured
    return found


@pytest.mark.one_version
@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        pytest.param("ALTER TABLE big ADD COLUMN more int", ("reads", "writes"), id="alter"),
        pytest.param("CREATE INDEX plain ON big (name)", ("writes",), id="index"),
        pytest.param("ALTER TABLE big ALTER COLUMN name SET STATISTICS 50", (), id="statistics"),
    ],
)
def test_who_waits_by_our_own_clients_waits_by_the_rehearsal(
    rehearse: Rehearse, prepared: str, sql: str, kept: tuple[str, ...]
) -> None:
    gate = GATE.format(waiting=2 * len(kept))
    with clients(prepared) as outside:
        found = rehearse({"V2__change.sql": f"{sql};\n{gate};\n"}, base=BASE, on=prepared, prove=False)
    item = blocked(found)
    told = {"reads": (item.reads, item.read_spans), "writes": (item.writes, item.write_spans)}
    for name, (milliseconds, spans) in told.items():
        if name in kept:  # all of them waited while the gate slept
            assert outside[name].slowest >= 300
            assert milliseconds >= 300
            assert sum(end - start for start, end in spans) == pytest.approx(milliseconds)
        else:
            assert milliseconds == 0


@pytest.mark.one_version
def test_a_table_that_no_file_names_is_told_from_its_locks(rehearse: Rehearse, database: Database) -> None:
    change = (
        "DO $$ BEGIN EXECUTE 'ALTER TABLE ' || 'us' || 'ers ADD COLUMN x int'; PERFORM pg_sleep(0.2); END $$"
    )
    found = rehearse({"V2__hidden.sql": f"{change};\n"}, prove=False)
    [item] = [item for item in found.run.blocked if item.table == "public.users"]
    assert not item.measured
    assert item.reads > 150
    assert item.writes > 150


@pytest.mark.one_version
def test_the_clock_stands_still_while_we_look(rehearse: Rehearse) -> None:
    files = {"V2__many.sql": "".join(f"ALTER TABLE users ADD COLUMN c{n} int;\n" for n in range(20))}
    run = rehearse(files, prove=False).run
    assert run.looked > 0
    ends = [(seen.start, seen.start + seen.milliseconds) for seen in run.statements]
    assert all(one[1] <= other[0] for one, other in pairwise(ends))
    gaps = sum(other[0] - one[1] for one, other in pairwise(ends))
    assert gaps < run.looked
