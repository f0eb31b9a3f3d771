"""A rehearsal that is ended in the middle: the database is as it was, and no copy stays."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

import pgratchet
from tests.crash.process import ROOT, eventually
from tests.folders import write_migrations
from tests.rehearsal.conftest import BASE, copies, picture
from tests.servers import Database

FILES = {
    "V2__slow.sql": "ALTER TABLE users ALTER COLUMN size TYPE bigint;\nSELECT pg_sleep(0.3);\n",
    "V3__index.sql": "CREATE INDEX CONCURRENTLY quiet ON users (name);\n",
}
SLOW = {"V2__slow.sql": "SELECT pg_sleep(60);\n"}
MOMENTS = (0, *random.Random(18).sample(range(50, 2500), 3))
"""Milliseconds after the copy is there."""


@contextmanager
def process(database: Database, folder: Path, home: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, "-m", "pgratchet", "rehearse", "--dir", str(folder), *options],
        env={
            "PATH": "/usr/bin:/bin",
            "DATABASE_URL": database.url,
            "PYTHONPATH": str(ROOT / "src"),
            "TMPDIR": tempfile.gettempdir(),
        },
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def new_copies(database: Database, seen: set[str]) -> set[str]:
    return set(copies(database)) - seen


def sessions(database: Database, name: str = "pgratchet%") -> int:
    with psycopg.connect(database.server.url(), autocommit=True) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s"
        [(number,)] = connection.execute(query, (name,)).fetchall()
        return int(number)


@pytest.mark.one_version
@pytest.mark.usefixtures("_at_home")
def test_killed_at_any_moment_it_leaves_nothing_after_the_next_run(
    database: Database, folder: Path, tmp_path: Path
) -> None:
    write_migrations(folder, {"V1__base.sql": BASE})
    pgratchet.up(database.url, folder, preflight=False)
    write_migrations(folder, FILES)
    before = picture(database)
    seen: set[str] = set()
    for moment in MOMENTS:
        with process(database, folder, tmp_path) as started:
            eventually(partial(new_copies, database, seen))
            time.sleep(moment / 1000)
            started.send_signal(signal.SIGKILL)
        eventually(lambda: not sessions(database))
        seen |= set(copies(database))
        assert picture(database) == before
    assert seen, "no moment was within the life of a copy"
    assert pgratchet.rehearse(database.url, folder) is not None
    assert not copies(database)
    assert picture(database) == before


WAYS = {
    "sample": ["--rows", "50"],
    "backup": ["--from-backup", "newest"],
    "cluster": ["--base-backup"],
    "embedded": ["--embedded"],
}


@pytest.mark.one_version
@pytest.mark.usefixtures("_at_home")
@pytest.mark.parametrize("way", WAYS)
def test_killed_while_it_makes_or_uses_another_kind_of_copy_it_leaves_nothing_either(
    database: Database, folder: Path, tmp_path: Path, temporary: Path, way: str
) -> None:
    write_migrations(folder, {"V1__base.sql": BASE})
    pgratchet.up(database.url, folder, preflight=False)
    pgratchet.back_up(database.url)
    write_migrations(folder, SLOW)
    before = picture(database)

    def there() -> set[str]:
        return {*copies(database), *(path.name for path in temporary.glob("pgratchet*"))}

    with process(database, folder, tmp_path, *WAYS[way]) as started:
        eventually(lambda: there() or started.poll() is not None, 300)
        time.sleep(random.Random(way).uniform(0, 1.5))
        started.send_signal(signal.SIGKILL)
    eventually(lambda: not sessions(database), 300)
    assert there()
    assert picture(database) == before
    write_migrations(folder, FILES)
    with process(database, folder, tmp_path, *WAYS[way]) as started:
        assert started.wait(600) in {0, 4}
    assert not there()
    assert picture(database) == before


@pytest.mark.one_version
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_workload_ends_with_the_rehearsal(
    database: Database, folder: Path, tmp_path: Path, number: signal.Signals
) -> None:
    write_migrations(folder, {"V1__base.sql": BASE})
    pgratchet.up(database.url, folder, preflight=False)
    write_migrations(folder, {"V2__slow.sql": "SELECT pg_sleep(60);\n"})
    script = tmp_path / "load.sql"
    script.write_text("SELECT count(*) FROM users;\n")
    with process(database, folder, tmp_path, "--workload", str(script), "--seconds", "60") as started:
        eventually(lambda: sessions(database, "pgratchet % workload"))
        started.send_signal(number)
        eventually(lambda: not sessions(database))


@pytest.mark.one_version
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_takes_its_copies_away(
    database: Database, folder: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    write_migrations(folder, {"V1__base.sql": BASE})
    pgratchet.up(database.url, folder, preflight=False)
    write_migrations(folder, SLOW)
    before = picture(database)
    with process(database, folder, tmp_path) as started:
        eventually(lambda: at_the_statement(database))
        os.kill(started.pid, number)
        started.wait(60)
        assert started.returncode == code
    assert not copies(database)
    assert picture(database) == before


@pytest.mark.one_version
@pytest.mark.usefixtures("_at_home")
def test_interrupted_it_takes_its_cluster_away(
    database: Database, folder: Path, tmp_path: Path, temporary: Path
) -> None:
    write_migrations(folder, {"V1__base.sql": BASE})
    pgratchet.up(database.url, folder, preflight=False)
    write_migrations(folder, SLOW)
    with process(database, folder, tmp_path, "--base-backup") as started:
        eventually(lambda: list(temporary.glob("pgratchet*/data/postmaster.pid")), 300)
        started.terminate()
        assert started.wait(300) == 143
    assert not list(temporary.iterdir())


def at_the_statement(database: Database) -> bool:
    with psycopg.connect(database.server.url(), autocommit=True) as connection:
        query = "SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND state = 'active'"
        return bool(connection.execute(query).fetchall())
