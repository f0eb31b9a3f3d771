"""What each kind of copy costs a rehearsal: seconds until it can be used, of one database, in turn.

    python -m benchmarks.copies

The copy is made by the code of `rehearse` and dropped again; dropping it is not in the figures. Beside them stands how
the server copied files for a template: from PostgreSQL 18 on with its method clone, by which a file system that can
lets both share their blocks.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg

import pgratchet
from benchmarks import server as servers
from benchmarks.server import Server
from pgratchet import history
from pgratchet.rehearsal import Origin, Wishes, copied, look

SOURCE = "copies_source"
ROWS_OF_A_MEGABYTE = 5_970
FILL = """
    CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL);
    CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint NOT NULL REFERENCES users, note text NOT NULL);
    INSERT INTO users SELECT n, md5(n::text) FROM generate_series(1, {parents}) AS n;
    INSERT INTO orders SELECT n, n % {parents} + 1, md5(n::text) || md5(n::text)
        FROM generate_series(1, {rows}) AS n;
    CREATE INDEX ON orders (buyer);
"""
WAYS = {
    "template": Wishes(),
    "sample of 10,000 rows": Wishes(rows=10_000),
    "base backup": Wishes(cluster=True),
    "dump and restore": Wishes(),
}


def main() -> None:
    """Make each copy in turn, and print a table."""
    asked = _arguments()
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    with servers.running(asked.server, None) as server:
        size = _fill(server, asked.megabytes)
        for _ in range(asked.runs):
            for way, wishes in WAYS.items():
                seconds[way].append(_measured(server, way, wishes))
        method = _method(server)
        print(
            f"PostgreSQL {server.version}, a database of {size / 1e6:,.0f} MB, {asked.runs} runs; {method}\n"
        )
    print("| copy                  | median | fastest | slowest |")
    print("|-----------------------|--------|---------|---------|")
    for way, found in seconds.items():
        print(f"| {way:21} | {statistics.median(found):4.2f} s | {min(found):5.2f} s | {max(found):5.2f} s |")


def _fill(server: Server, megabytes: int) -> int:
    rows = max(1, megabytes) * ROWS_OF_A_MEGABYTE
    with psycopg.connect(server.recreate(SOURCE), autocommit=True) as connection:
        connection.execute(FILL.format(rows=rows, parents=max(1, rows // 10)).encode())
        connection.execute("VACUUM ANALYZE")
    with tempfile.TemporaryDirectory() as empty:
        pgratchet.baseline(0, server.url(SOURCE), empty)
    return int(str(server.ask("postgres", f"SELECT pg_database_size('{SOURCE}')")))


def _measured(server: Server, way: str, wishes: Wishes) -> float:
    url = server.url(SOURCE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        source = look(connection)._replace(others=1 if way == "dump and restore" else 0)
    origin = Origin(url, source, history.Names("public", "schema_migrations"), None)
    with copied(origin, wishes) as (_, copy):
        assert copy.way == {"sample of 10,000 rows": "sample", "base backup": "cluster"}.get(
            way, way.split(maxsplit=1)[0]
        )
        return copy.seconds


def _method(server: Server) -> str:
    """How the server copies files here."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection, suppress(psycopg.Error):
        connection.execute("SET file_copy_method = clone")
        connection.execute(f"CREATE DATABASE cloned TEMPLATE {SOURCE} STRATEGY file_copy".encode())
        return "by the server's method clone"
    return "by the server's method copy"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What each kind of copy costs a rehearsal.")
    parser.add_argument("--megabytes", type=int, default=145)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--server", type=Path, help="the folder of PostgreSQL's programs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
