"""What a backup costs beside pg_dump alone: wall time, size, peak memory.

    python -m benchmarks.backup --size 140MB --runs 5
    python -m benchmarks.backup --size 1GB --round-trip

With --round-trip a database of a 25th of the size and one of all of it are backed up, verified on another server, and
restored; the rows of both are hashed as COPY writes them, and the peak of memory of each command is told.

Otherwise all three write the same database, in turn, with gzip: `pgratchet backup`, which also digests every row and
checksums every file; `pg_dump --format=directory --jobs`, the floor; and `pg_dump | gzip`, as in many a crontab.
"""

from __future__ import annotations

import argparse
import hashlib
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
RESTORED = "bench_restored"
TEXT, VECTOR = 285, 2100
"""Bytes of a row on the disk."""
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
    if asked.round_trip:
        _round_trips(asked.size, asked.jobs)
        return
    found: dict[str, list[tuple[Sample, int]]] = {}
    with servers.running(embedded.find(), None) as server, measure.launcher(server, LIMIT) as launcher:
        _fill(server, asked.size)
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


def _fill(server: Server, size: int) -> None:
    """Fill the database: four fifths of text, one of vectors."""
    rows, vectors = int(size * 0.8 / TEXT), int(size * 0.2 / VECTOR)
    server.recreate(DATABASE)
    with psycopg.connect(server.url(DATABASE), autocommit=True) as connection:
        connection.execute((MESSAGES % rows).encode())
        connection.execute("CREATE EXTENSION vector")
        connection.execute((VECTORS % vectors).encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _print(found: dict[str, list[tuple[Sample, int]]], head: str) -> None:
    floor = [sample for sample, _ in found[WAYS[1].name]]
    print(f"{head}; in brackets beside pg_dump -Fd -j\n")
    print("| way | wall | processor, the server's too | size | peak memory |\n|---|---|---|---|---|")
    for name, pairs in found.items():
        samples = [sample for sample, _ in pairs]
        wall = _beside([sample.wall for sample in samples], [sample.wall for sample in floor])
        work = _beside([_work(sample) for sample in samples], [_work(sample) for sample in floor])
        size = statistics.median(bytes_ for _, bytes_ in pairs) / 1e6
        peak = statistics.median(sample.peak or 0 for sample in samples) / 1e6
        print(f"| {name} | {wall} | {work} | {size:.1f} MB | {peak:.0f} MB |")


def _work(sample: Sample) -> float:
    return (sample.cpu or 0) + (sample.server or 0)


def _beside(seconds: list[float], floor: list[float]) -> str:
    ratio = statistics.median(one / least for one, least in zip(seconds, floor, strict=True))
    return f"{statistics.median(seconds):.2f} s ({ratio:.2f})"


def _round_trips(size: int, jobs: int) -> None:
    print(f"{jobs} jobs\n\n| data | command | wall | peak memory |\n|---|---|---|---|")
    with servers.running(embedded.find(), None) as server, measure.launcher(server, LIMIT) as launcher:
        for each in (size // 25, size):
            _fill(server, each)
            _round_trip(launcher, server, jobs)


def _round_trip(launcher: Launcher, server: Server, jobs: int) -> None:
    size = server.ask(DATABASE, "SELECT pg_size_pretty(pg_database_size(current_database()))")
    program = [sys.executable, "-m", "pgratchet"]
    with tempfile.TemporaryDirectory(prefix="pgratchet-bench-") as name:
        common = ["--url", server.url(DATABASE), "--to", f"{name}/backups", "--jobs", str(jobs)]

        def run(*words: str) -> None:
            sample = launcher.run(
                [*program, *words, *common], Path(name), {"PGRATCHET_PG_BIN": str(server.programs)}
            )
            print(
                f"| {size} | {words[0]} | {sample.wall:.1f} s | {(sample.peak or 0) / 1e6:.0f} MB |",
                flush=True,
            )

        run("backup")
        run("verify", "--drill")
        [made] = Path(name, "backups").glob("bench-*")
        run("restore", made.name, "--into", RESTORED)
    before, after = (_hashed(server, database) for database in (DATABASE, RESTORED))
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {RESTORED}".encode())
    print(f"\nevery row of {', '.join(before)} {'came' if before == after else 'did NOT come'} back\n")
    if before != after:
        raise SystemExit(1)


def _hashed(server: Server, database: str) -> dict[str, str]:
    """A hash of the rows of each table as COPY writes them, in the order of their ids."""
    found = {}
    with psycopg.connect(server.url(database)) as connection:
        for table in ("messages", "embeddings"):
            digest = hashlib.sha256()
            with connection.cursor().copy(
                f"COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT".encode()
            ) as rows:
                for row in rows:
                    digest.update(row)
            found[table] = digest.hexdigest()
    return found


def _bytes(text: str) -> int:
    number, unit = text[:-2], text[-2:].upper()
    return int(float(number) * {"KB": 1e3, "MB": 1e6, "GB": 1e9}[unit])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=_bytes, default="140MB", help="of the database: 40MB, 1GB")
    parser.add_argument("--round-trip", action="store_true", help="back up, verify, restore, and compare")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
