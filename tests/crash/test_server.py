"""The server stops at once, as it does when its machine goes down, at every event of a run, and comes back."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet.model import Event
from tests import servers
from tests.crash.conftest import Arena, complaint
from tests.crash.plans import TRANSACTIONAL
from tests.servers import Server, _account

# A commit that was confirmed has to be there after a crash.
SETTINGS = "synchronous_commit = on\nrestart_after_crash = on\nshared_buffers = 8MB\nmax_connections = 20\n"


MAJORS = servers.default_majors()[-2:]


@pytest.fixture(scope="module")
def own(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Give a server of this module's own."""
    with servers.running(request.param, SETTINGS) as found:
        yield found
        control(found, "stop")


def control(server: Server, action: str) -> None:
    command: list[str | Path] = [
        server.bin / "pg_ctl",
        action,
        "-m",
        "immediate",
        "-w",
        "-D",
        server.folder / "data",
    ]
    if action == "restart":
        command += ["-l", server.folder / "again.log"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **_account())


def as_superuser(server: Server, statement: str) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("own", "plan"),
    [*((major, "segments") for major in MAJORS), *((MAJORS[-1], plan) for plan in TRANSACTIONAL)],
    indirect=["own"],
)
def test_the_server_stops_at_every_event(
    own: Server, enter: Callable[..., Arena], folder: Path, plan: str
) -> None:
    arena = enter(own, lambda statement: as_superuser(own, statement), plan, folder)
    for number in range(1, len(arena.events) + 1):
        database = arena.fresh()
        heard = count(1)

        def observer(_: Event) -> None:
            if next(heard) == number:  # noqa: B023 - used in this turn
                control(own, "restart")

        said = complaint(lambda: pgratchet.up(database.url, folder, observer=observer))  # noqa: B023
        assert not said or "lost" in said, arena.events[number - 1]
        arena.ends_well(database, arena.events[number - 1])
