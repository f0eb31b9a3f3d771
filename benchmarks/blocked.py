"""Blocked time as a rehearsal tells it, beside what an outside observer's own clients measure on the same copy.

    python -m benchmarks.blocked

Each case runs on a copy of its own of a database of 1,000,000 users, as `rehearse --on`. All the while two clients in
processes of their own read and write a row of the table, and sum up their slow answers. They wait for the looks
of the rehearsal as well, which its own times leave out: what it says to have looked for is added.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import psycopg

import pgratchet
from benchmarks import server as servers
from benchmarks.server import Server

SOURCE, COPY = "blocked_source", "blocked_copy"
FLOOR = 0.05
"""Seconds: a shorter answer is no wait for a lock."""
BASE = """
CREATE TABLE users (id int PRIMARY KEY, name text, code varchar(50), size int, gone int);
CREATE TABLE orders (id int PRIMARY KEY, buyer int);
CREATE TABLE visits (id int PRIMARY KEY);
INSERT INTO users SELECT n, md5(n::text), n, n, n FROM generate_series(1, {rows}) AS n;
INSERT INTO orders SELECT n, n FROM generate_series(1, {rows} / 10) AS n;
INSERT INTO visits SELECT generate_series(1, 1000);
CREATE INDEX users_gone ON users (gone);
"""
CASES = {
    "a column with a volatile default": (
        "ALTER TABLE users ADD COLUMN flags int NOT NULL DEFAULT 0;\n"
        "ALTER TABLE users ADD COLUMN uid uuid DEFAULT gen_random_uuid();"
    ),
    "rows, SET NOT NULL, a foreign key": (
        "UPDATE users SET size = size + 1 WHERE id <= {rows} / 10;\n"
        "ALTER TABLE users ALTER COLUMN name SET NOT NULL;\n"
        "ALTER TABLE orders ADD CONSTRAINT buyer FOREIGN KEY (buyer) REFERENCES users;"
    ),
    "NOT VALID, VALIDATE and SET NOT NULL at once": (
        "ALTER TABLE users ADD CONSTRAINT named CHECK (name IS NOT NULL) NOT VALID;\n"
        "ALTER TABLE users VALIDATE CONSTRAINT named;\n"
        "ALTER TABLE users ALTER COLUMN name SET NOT NULL;\nALTER TABLE users DROP CONSTRAINT named;"
    ),
    "changes of type": (
        "ALTER TABLE users ALTER COLUMN code TYPE varchar(200);\nALTER TABLE users ALTER COLUMN size TYPE bigint;"
    ),
    "CREATE INDEX CONCURRENTLY": "CREATE INDEX CONCURRENTLY quiet ON users (name);",
    "CREATE INDEX": "CREATE INDEX plain ON users (name);",
    "short locks": (
        "ALTER TABLE users DROP COLUMN gone;\nTRUNCATE visits;\nDROP TABLE visits;\n"
        "CREATE TABLE badges (id int PRIMARY KEY, owner int REFERENCES users);"
    ),
}
# The row that is written is none that a case changes: a wait for a row is another matter.
QUERIES = {
    "reads": "SELECT name FROM users WHERE id = 42",
    "writes": "UPDATE users SET name = name WHERE id = (SELECT max(id) FROM users)",
}


def main() -> None:
    """Run each case, and print a table."""
    asked = _arguments()
    os.environ.pop("PGRATCHET_DATABASE_URL", None)
    print("| case | blocked | rehearsal | its looks | clients of our own | difference |")
    print("|---|---|---|---|---|---|")
    with servers.running(None, None) as server:
        with psycopg.connect(server.recreate(SOURCE), autocommit=True) as connection:
            connection.execute(BASE.format(rows=asked.rows).encode())
            connection.execute("VACUUM ANALYZE")
            # Who waits for a processor waits for no lock: an index is built by one process.
            connection.execute("ALTER SYSTEM SET max_parallel_maintenance_workers = 0")
            connection.execute("SELECT pg_reload_conf()")
        with tempfile.TemporaryDirectory() as empty:
            pgratchet.baseline(0, server.url(SOURCE), empty)
        for name, change in CASES.items():
            for line in _case(server, name, change.format(rows=asked.rows)):
                print(line, flush=True)


def _case(server: Server, name: str, change: str) -> Iterator[str]:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {COPY} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {COPY} TEMPLATE {SOURCE} STRATEGY file_copy".encode())
        connection.execute("CHECKPOINT")
    with tempfile.TemporaryDirectory() as place, _clients(server.url(COPY)) as measured:
        Path(place, "V1__change.sql").write_text(f"{change}\n")
        with chdir(place):  # where results are kept
            found = pgratchet.rehearse(server.url(SOURCE), place, on=server.url(COPY), prove=False)
    assert found is not None
    assert found.run.failure is None, found.run.failure
    for kind, outside in measured.items():
        told = sum(getattr(item, kind) for item in found.run.blocked if item.table == "public.users")
        looked = found.run.looked if told else 0.0
        off = (
            f"{(outside / (told + looked) - 1):+.1%}"
            if told + looked >= 100
            else f"{outside - told - looked:+.0f} ms"
        )
        yield f"| {name} | {kind} | {told:,.0f} ms | {looked:,.0f} ms | {outside:,.0f} ms | {off} |"


@contextmanager
def _clients(url: str) -> Iterator[dict[str, float]]:
    """Let two processes read and write; in the end how many milliseconds of slow answers each has met."""
    context = multiprocessing.get_context("spawn")
    over = context.Event()
    told: dict[str, Any] = {kind: context.Queue() for kind in QUERIES}
    processes = [
        context.Process(target=_try, args=(url, query, over, told[kind])) for kind, query in QUERIES.items()
    ]
    for process in processes:
        process.start()
    for queue in told.values():
        queue.get()  # it is connected
    measured: dict[str, float] = {}
    try:
        yield measured
    finally:
        over.set()
        measured |= {kind: queue.get() for kind, queue in told.items()}
        for process in processes:
            process.join()


def _try(url: str, query: str, over: Any, told: Any) -> None:
    slow = 0.0
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")  # a slow disk is no lock
        connection.execute(query.encode())
        told.put(0.0)
        while not over.wait(0.005):
            began = time.monotonic()
            connection.execute(query.encode())
            took = time.monotonic() - began
            slow += took if took > FLOOR else 0.0
    told.put(slow * 1000)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Blocked time, told and measured.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
