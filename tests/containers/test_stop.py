"""An orchestrator stops the entry point: politely, in every phase, and not politely."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.containers.entry_point import LOCKS, RUNS, SLEEPS, Run, count, eventually, exists, run
from tests.folders import write_migrations
from tests.servers import Database

pytestmark = pytest.mark.one_version
SLOW = "CREATE TABLE half_done ();\nSELECT pg_sleep(600);\n"
QUICK = "CREATE TABLE half_done ();\n"


def _in_the_slow_statement(database: Database, folder: Path) -> Run:
    write_migrations(folder, {"V1__slow.sql": SLOW})
    started = Run(folder, DATABASE_URL=database.url)
    eventually(lambda: count(database, SLEEPS) == 1)
    return started


def _runs_again(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__slow.sql": QUICK})
    ended = run(folder, DATABASE_URL=database.url)
    assert ended.code == 0, ended.stderr
    assert exists(database, "half_done")


def test_sigterm_in_a_long_statement_cancels_it_and_rolls_back(database: Database, folder: Path) -> None:
    started = _in_the_slow_statement(database, folder)
    started.process.send_signal(signal.SIGTERM)
    ended = started.ended()
    assert ended.code == 143, ended.stderr
    assert "Traceback" not in ended.stderr
    eventually(lambda: count(database, SLEEPS) + count(database, LOCKS) == 0)
    assert not exists(database, "half_done")
    _runs_again(database, folder)


def test_sigkill_frees_the_lock(database: Database, folder: Path) -> None:
    started = _in_the_slow_statement(database, folder)
    started.process.kill()
    assert started.ended().code == -signal.SIGKILL
    eventually(lambda: count(database, SLEEPS) + count(database, LOCKS) == 0)
    assert not exists(database, "half_done")
    _runs_again(database, folder)


def test_sigterm_while_another_replica_migrates_ends_only_the_one_that_waits(
    database: Database, folder: Path
) -> None:
    first = _in_the_slow_statement(database, folder)
    second = Run(folder, DATABASE_URL=database.url)
    eventually(lambda: count(database, RUNS) == 2)
    second.process.send_signal(signal.SIGTERM)
    assert second.ended().code == 143
    assert count(database, SLEEPS) == 1, "the first one must go on"
    first.process.send_signal(signal.SIGTERM)
    assert first.ended().code == 143


def test_sigterm_while_the_database_is_not_there_yet_ends_at_once(folder: Path) -> None:
    write_migrations(folder, {"V1__first.sql": QUICK})
    started = Run(folder, DATABASE_URL="postgresql://user:s3cret@127.0.0.1:1/app")
    assert started.next_line().startswith("waiting for")
    started.process.send_signal(signal.SIGTERM)
    ended = started.ended()
    assert ended.code == 143, ended.stderr
