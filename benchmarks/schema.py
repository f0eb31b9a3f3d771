"""How long the fingerprint of a schema takes, beside `pg_dump -s`.

    python -m benchmarks.schema --tables 200 2000

Every table has nine columns, a key, a foreign key, a check, three indexes and a trigger; every fourth a view and a
function as well. The two take turns; each time on a new connection, since both pay for a cold one. On a busy machine
read the time of the processors, which the others change least.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg

from benchmarks import server as servers
from benchmarks.server import Server
from pgratchet import schema

START = """
CREATE SCHEMA app;
CREATE FUNCTION app.fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
"""
TABLE = """
CREATE TABLE app.t{n} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text NOT NULL DEFAULT '', b int, d jsonb,
    c timestamptz DEFAULT now(), e uuid, f numeric(9, 2), g boolean, parent bigint REFERENCES app.t{n}, CHECK (b > 0));
CREATE INDEX ON app.t{n} (a, b);
CREATE INDEX ON app.t{n} (parent) WHERE g;
CREATE TRIGGER fire BEFORE INSERT ON app.t{n} FOR EACH ROW EXECUTE FUNCTION app.fire();
COMMENT ON TABLE app.t{n} IS 'table {n}';
"""
FOURTH = """
CREATE VIEW app.v{n} AS SELECT id, a, count(*) OVER () FROM app.t{n} WHERE b > 3;
CREATE FUNCTION app.f{n}(a int) RETURNS int LANGUAGE sql AS 'SELECT a + {n}';
"""


class Cost(NamedTuple):
    """What one run took, in seconds: by the clock, and of processors, the server's with it."""

    wall: float
    cpu: float


def main() -> None:
    """Measure each size, and print a table."""
    asked = _arguments()
    with servers.running(asked.server, None) as server:
        print(
            f"PostgreSQL {server.version}, {asked.runs} runs in turn, medians; load {os.getloadavg()[0]:.1f}\n"
        )
        print(
            "| tables | items | fingerprint | its CPU | pg_dump -s | its CPU | pg_dump : fingerprint, CPU |"
        )
        print("|---|---|---|---|---|---|---|")
        for tables in asked.tables:
            items = _fill(server, tables)
            pairs = [(_cost(server, _fingerprint), _cost(server, _dump)) for _ in range(asked.runs)]
            ours, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
            ratio = statistics.median(dump.cpu / fingerprint.cpu for fingerprint, dump in pairs)
            print(f"| {tables:,} | {items:,} | {_cells(ours)} | {_cells(theirs)} | {ratio:.1f} |")


def _cells(costs: list[Cost]) -> str:
    return " | ".join(f"{statistics.median(values) * 1000:,.0f} ms" for values in zip(*costs, strict=True))


def _cost(server: Server, run: Callable[[Server], None]) -> Cost:
    before, began = server.cpu() + _own(), time.perf_counter()
    run(server)
    wall = time.perf_counter() - began
    return Cost(wall, server.cpu() + _own() - before)


def _own() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _fill(server: Server, tables: int) -> int:
    """Make the schema anew; returns how many items it has."""
    with psycopg.connect(server.recreate("schema"), autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        for statement in _statements(tables):
            connection.execute(statement.encode())
        connection.execute("VACUUM ANALYZE")
        return len(schema.snapshot(connection).items)


def _statements(tables: int) -> Iterator[str]:
    yield START
    for n in range(tables):
        yield TABLE.format(n=n)
        if n % 4 == 0:
            yield FOURTH.format(n=n)


def _fingerprint(server: Server) -> None:
    with psycopg.connect(server.url("schema"), autocommit=True) as connection:
        assert schema.snapshot(connection).fingerprint


def _dump(server: Server) -> None:
    command: list[str | Path] = [server.programs / "pg_dump", "-s", server.url("schema")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, nargs="+", default=[200, 2000], help="how many tables")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--server", type=Path, help="the folder of PostgreSQL's programs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
