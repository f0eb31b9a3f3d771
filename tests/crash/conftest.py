"""Databases by the dozen, each at the point where a disturbed plan begins."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

import pgratchet
from pgratchet.errors import PgratchetError
from pgratchet.model import Event
from tests.crash.plans import PLANS, Disturbed, picture
from tests.folders import write_migrations
from tests.servers import Database, Server

NUMBERS = count(1)
ROOT = Path(__file__).parent.parent.parent
Driver = Callable[..., str]
"""Writes a line to driver.py, and gives the line that it answers."""
RunOn = Callable[[Server, str], None]


class Arena:
    """A server with a database at the start of a plan, to be copied again and again."""

    def __init__(self, server: Server, run: Callable[[str], None], plan: Disturbed, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self._run = run
        self._opened = ExitStack()
        self._start = self._create("template0")
        write_migrations(folder, plan.before)
        if plan.before:
            pgratchet.up(self._start.url, folder)
        write_migrations(folder, plan.files)
        self._last: Database | None = None
        self.events: list[Event] = []
        undisturbed = self.fresh()
        pgratchet.up(undisturbed.url, folder, observer=self.events.append)
        self.expected = picture(undisturbed)

    def fresh(self) -> Database:
        """Give a new database in place of the one before."""
        if self._last is not None:
            self.drop(self._last)
        self._last = self._create(self._start.name)
        return self._last

    def drop(self, database: Database) -> None:
        self._run(f"DROP DATABASE IF EXISTS {database.name} WITH (FORCE)")

    def close(self) -> None:
        for database in (self._last, self._start):
            if database is not None:
                self.drop(database)

    def _create(self, template: str) -> Database:
        name = f"crash_{next(NUMBERS)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return Database(self.server, name, self._opened)

    def ends_well(self, database: Database, what: object) -> None:
        """Run `up` as anybody would, and find the database as if nothing had happened."""
        pgratchet.up(database.url, self.folder, wait=10)
        assert picture(database) == self.expected, what


def complaint(run: Callable[[], object]) -> str:
    """Run something that may fail; give what it then says, and nothing where it went well."""
    try:
        run()
    except PgratchetError as error:
        return error.message
    return ""


@pytest.fixture
def enter() -> Iterator[Callable[..., Arena]]:
    """Give a function that makes an arena."""
    made: list[Arena] = []

    def make(server: Server, run: Callable[[str], None], plan: str, folder: Path) -> Arena:
        made.append(Arena(server, run, PLANS[plan], folder))
        return made[-1]

    yield make
    for arena in made:
        arena.close()


@pytest.fixture
def arena(
    request: pytest.FixtureRequest, server: Server, run_on: RunOn, enter: Callable[..., Arena], folder: Path
) -> Arena:
    return enter(server, lambda statement: run_on(server, statement), request.param, folder)


@pytest.fixture(scope="session")
def driver() -> Iterator[Driver]:
    command = [sys.executable, "-m", "tests.crash.driver"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def ask(*words: object) -> str:
            assert process.stdin is not None
            assert process.stdout is not None
            print(*words, sep="\t", file=process.stdin, flush=True)
            return process.stdout.readline().rstrip("\n")

        yield ask
