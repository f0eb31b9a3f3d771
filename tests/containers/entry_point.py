"""The image's entry point, run as a process of this machine."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.containers.declared import entry_point, image_environment
from tests.servers import Database

SLEEPS = """
SELECT count(*) FROM pg_stat_activity
WHERE query LIKE '%pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()
"""
LOCKS = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE locktype = 'advisory' AND datname = current_database()
"""
RUNS = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name LIKE 'pgratchet% up %' AND datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float


class Run:
    """A running entry point; `arguments` take the place of the image's CMD."""

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        program, *command = entry_point()
        assert program == "pgratchet"
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pgratchet", *(arguments or command)],
            env={**image_environment(), "PATH": "/usr/bin:/bin", "PGRATCHET_DIR": str(folder), **variables},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def next_line(self) -> str:
        """Wait for the next line of what it says."""
        assert self.process.stderr is not None
        return self.process.stderr.readline()

    def ended(self, within: float = 60) -> Ended:
        """Wait for the end; a run that goes on for longer fails the test."""
        try:
            stdout, stderr = self.process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            stdout, stderr = self.process.communicate()
            raise AssertionError(f"still running after {within} s:\n{stdout}{stderr}") from None
        return Ended(self.process.returncode, stdout, stderr, time.monotonic() - self.began)


def run(folder: Path, *arguments: str, **variables: str) -> Ended:
    """Start the entry point and wait for its end."""
    return Run(folder, *arguments, **variables).ended()


def eventually(holds: Callable[[], bool], within: float = 30) -> float:
    """Wait until it holds; gives the seconds that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within, f"not so within {within} s"
        time.sleep(0.02)
    return time.monotonic() - began


def count(database: Database, query: str) -> int:
    with database.connect() as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    found: int = row[0]
    return found


def exists(database: Database, table: str) -> bool:
    return bool(count(database, f"SELECT count(*) FROM pg_class WHERE relname = '{table}'"))
