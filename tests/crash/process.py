"""`python -m pgratchet up` as a process, to be killed while it is at work."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from tests.servers import Database

ROOT = Path(__file__).parent.parent.parent
AT_WORK = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name LIKE 'pgratchet% up %'"
)


@contextmanager
def running(database: Database, folder: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Start a run; it is ended in the end."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "PGRATCHET_DIR": str(folder),
        "DATABASE_URL": database.url,
        **settings,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "pgratchet", "up"],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        with suppress(ValueError):
            process.communicate()


def eventually(holds: Callable[[], object], within: float = 30) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not so within {within} s"
        time.sleep(0.02)


def at_work(database: Database, more: str = "") -> list[int]:
    """Give the server's processes of runs, of those that `more` is true of."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        return [row[0] for row in connection.execute(f"{AT_WORK} {more}".encode()).fetchall()]


def blocked(database: Database, by: int | None = None) -> bool:
    """Tell whether a run waits for a lock in the server, in the middle of a statement; `by`: for this session's end."""
    whose = "" if by is None else f"AND {by} = ANY (pg_blocking_pids(pid))"
    return bool(at_work(database, f"AND wait_event_type = 'Lock' AND state = 'active' {whose}"))
