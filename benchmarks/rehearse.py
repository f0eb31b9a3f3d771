"""What watching costs: a rewrite of a table, applied as `up` does and as a rehearsal does, in turn.

    python -m benchmarks.rehearse

Both run on a new copy of the same database. Watched means: looks at the locks, what each statement moved, and two
clients that try the table all the while; the copy itself and the proofs are not in the figures.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

import pgratchet
from benchmarks import server as servers
from benchmarks.server import Server
from pgratchet import config, history, rehearsal
from pgratchet.ops import preview
from pgratchet.ops.reaching import run_of

SOURCE, COPY = "rehearse_source", "rehearse_copy"
FILL = "INSERT INTO t SELECT n, md5(n::text), n FROM generate_series(1, {rows}) AS n"
CHANGE = "ALTER TABLE t ALTER COLUMN size TYPE bigint;\n"


def main() -> None:
    """Run both in turn, and print a table."""
    asked = _arguments()
    seconds: dict[str, list[float]] = {"unwatched": [], "watched": []}
    with servers.running(None, None) as server, tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _fill(server, asked.rows)
        (folder / "V1__change.sql").write_text(CHANGE)
        for _ in range(asked.runs):
            for name, run in {"unwatched": _unwatched, "watched": _watched}.items():
                seconds[name].append(_measured(server, folder, run))
    plain, watched = seconds["unwatched"], seconds["watched"]
    ratio = statistics.median(one / other for one, other in zip(watched, plain, strict=True))
    print(f"a rewrite of {asked.rows:,} rows, {asked.runs} runs, medians\n")
    print("| run       | seconds | times unwatched |")
    print("|-----------|---------|-----------------|")
    print(f"| unwatched | {statistics.median(plain):7.2f} |            1.00 |")
    print(f"| watched   | {statistics.median(watched):7.2f} | {ratio:15.2f} |")


def _fill(server: Server, rows: int) -> None:
    with psycopg.connect(server.recreate(SOURCE), autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id bigint PRIMARY KEY, name text, size int)")
        connection.execute(FILL.format(rows=rows).encode())
        connection.execute("VACUUM ANALYZE t")
    with tempfile.TemporaryDirectory() as empty:
        pgratchet.baseline(0, server.url(SOURCE), empty)


def _measured(server: Server, folder: Path, run: Callable[[str, Path], None]) -> float:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {COPY}".encode())
        connection.execute(f"CREATE DATABASE {COPY} TEMPLATE {SOURCE} STRATEGY file_copy".encode())
        connection.execute("CHECKPOINT")
    began = time.monotonic()
    run(server.url(COPY), folder)
    return time.monotonic() - began


def _unwatched(url: str, folder: Path) -> None:
    pgratchet.up(url, folder, preflight=False)


def _watched(url: str, folder: Path) -> None:
    settings = config.load({"url": url, "directory": str(folder)})
    names = history.Names(settings.schema, settings.table)
    found = rehearsal.watched(url, names, run_of(settings), preview(settings=settings))
    assert found.failure is None, found.failure


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What watching a rewrite costs.")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--runs", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()
