"""What a backup costs beside pg_dump alone: wall time, size, peak memory.

    python -m benchmarks.backup --rows 400000 --vectors 20000 --runs 5

All three write the same database, in turn, with gzip: `pgratchet backup`, which also digests every row and checksums
every file; `pg_dump --format=directory --jobs`, the floor; and `pg_dump | gzip`, which many people have in a crontab.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks import measure
from benchmarks import server as servers
from benchmarks.measure import Launcher, Sample
from benchmarks.server import Server
from pgratchet import embedded

DATABASE = "bench"
LIMIT = 3600.0
MESSAGES = """
CREATE TABLE messages AS
SELECT n AS id, md5(n::text)::uuid AS conversation, now() - n * interval '1 s' AS created_at,
       (SELECT string_agg(md5((n * k)::text), ' ') FROM generate_series(1, 5) AS k) AS content,
       jsonb_build_object('tokens', n %% 4000, 'model', 'model ' || n %% 5) AS metadata
  FROM generate_series(1, %s) AS n
"""
VECTORS = """
CREATE TABLE embeddings AS
SELECT n AS id, (SELECT array_agg(sin(n * k)::real) FROM generate_series(1, 384) AS k)::vector(384) AS embedding
  FROM generate_series(1, %s) AS n
"""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to take a backup: the command, given the server and an empty folder."""

    name: str
    command: Callable[[Server, Path, int], list[str]]


def main() -> None:
    """Fill a database, take each kind of backup in turn, and print a table."""
    asked = _arguments()
    found: dict[str, list[tuple[Sample, int]]] = {}
    with servers.running(embedded.find(), None) as server, measure.launcher(server, LIMIT) as launcher:
        _fill(server, asked.rows, asked.vectors)
        _take(launcher, server, WAYS[0], asked.jobs)  # does not count: all else is read from memory after it
        for _ in range(asked.runs):
            for way in WAYS:
                found.setdefault(way.name, []).append(_take(launcher, server, way, asked.jobs))
        size = server.ask(DATABASE, "SELECT pg_size_pretty(pg_database_size(current_database()))")
    _print(
        found, f"{size} of data, {asked.jobs} jobs, {asked.runs} runs, PostgreSQL {server.version}, medians"
    )


def _take(launcher: Launcher, server: Server, way: Way, jobs: int) -> tuple[Sample, int]:
    with tempfile.TemporaryDirectory(prefix="pgratchet-bench-") as name:
        place = Path(name)
        sample = launcher.run(
            way.command(server, place, jobs), place, {"PGRATCHET_PG_BIN": str(server.programs)}
        )
        return sample, sum(path.stat().st_size for path in place.rglob("*") if path.is_file())


def _ours(server: Server, place: Path, jobs: int) -> list[str]:
    command = [sys.executable, "-m", "pgratchet", "backup", "--url", server.url(DATABASE)]
    return [*command, "--to", str(place / "backups"), "--jobs", str(jobs)]


def _directory(server: Server, place: Path, jobs: int) -> list[str]:
    program = str(server.programs / "pg_dump")
    return [program, "-Fd", f"-j{jobs}", "-Zgzip", "-f", str(place / "data"), server.url(DATABASE)]


def _pipe(server: Server, place: Path, _: int) -> list[str]:
    program = server.programs / "pg_dump"
    return ["sh", "-c", f"{program} {server.url(DATABASE)} | {shutil.which('gzip')} > {place}/dump.gz"]


WAYS = (
    Way("pgratchet backup", _ours),
    Way("pg_dump -Fd -j", _directory),
    Way("pg_dump \\| gzip", _pipe),
)


def _fill(server: Server, rows: int, vectors: int) -> None:
    server.recreate(DATABASE)
    with psycopg.connect(server.url(DATABASE), autocommit=True) as connection:
        connection.execute((MESSAGES % rows).encode())
        if vectors:
            connection.execute("CREATE EXTENSION vector")
            connection.execute((VECTORS % vectors).encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _print(found: dict[str, list[tuple[Sample, int]]], head: str) -> None:
    floor = [sample.wall for sample, _ in found[WAYS[1].name]]
    print(f"{head}\n\n| way | wall | beside pg_dump -Fd -j | size | peak memory |\n|---|---|---|---|---|")
    for name, samples in found.items():
        walls = [sample.wall for sample, _ in samples]
        ratio = statistics.median(wall / least for wall, least in zip(walls, floor, strict=True))
        size = statistics.median(bytes_ for _, bytes_ in samples) / 1e6
        peak = statistics.median(sample.peak or 0 for sample, _ in samples) / 1e6
        print(f"| {name} | {statistics.median(walls):.2f} s | {ratio:.2f} | {size:.1f} MB | {peak:.0f} MB |")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=400_000, help="rows of text")
    parser.add_argument(
        "--vectors", type=int, default=20_000, help="rows with a vector of 384 numbers; 0: none"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
