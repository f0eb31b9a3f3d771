"""Client, backend or server are killed at every event of a run; the next run ends as an undisturbed one."""

from __future__ import annotations

import signal
from collections.abc import Callable
from itertools import count

import psycopg
import pytest

import pgratchet
from pgratchet.errors import Terminated
from pgratchet.model import Event
from tests.crash.conftest import Arena, Driver, complaint
from tests.crash.plans import PLANS, TRANSACTIONAL
from tests.servers import Database

SEGMENTED = pytest.mark.pg(">=16")
"""CONCURRENTLY leaves the same behind in 15 as in 16; each of these runs a hundred times."""


def at_event(number: int, action: Callable[[], object]) -> Callable[[Event], None]:
    heard = count(1)

    def observer(_: Event) -> None:
        if next(heard) == number:
            action()

    return observer


def terminate_the_run(database: Database) -> None:
    query = (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = %s AND application_name LIKE 'pgratchet%% up %%'"
    )
    with psycopg.connect(database.server.url(), autocommit=True) as connection:
        assert connection.execute(query, (database.name,)).fetchall()


@pytest.mark.one_version
@pytest.mark.parametrize("arena", TRANSACTIONAL, indirect=True)
def test_the_client_is_killed_at_every_event_of_transactions(arena: Arena, driver: Driver) -> None:
    kill_the_client(arena, driver)


@SEGMENTED
@pytest.mark.parametrize("arena", ["segments"], indirect=True)
def test_the_client_is_killed_at_every_event_of_segments(arena: Arena, driver: Driver) -> None:
    kill_the_client(arena, driver)


def kill_the_client(arena: Arena, driver: Driver) -> None:
    for number in range(1, len(arena.events) + 1):
        database = arena.fresh()
        assert driver(database.url, arena.folder, number, signal.SIGKILL.value) == "-9"
        arena.ends_well(database, arena.events[number - 1])


@pytest.mark.one_version
@pytest.mark.parametrize("arena", TRANSACTIONAL, indirect=True)
def test_the_backend_is_killed_at_every_event_of_transactions(arena: Arena) -> None:
    kill_the_backend(arena)


@SEGMENTED
@pytest.mark.parametrize("arena", ["segments"], indirect=True)
def test_the_backend_is_killed_at_every_event_of_segments(arena: Arena) -> None:
    kill_the_backend(arena)


def kill_the_backend(arena: Arena) -> None:
    for number in range(1, len(arena.events) + 1):
        database = arena.fresh()
        observer = at_event(number, lambda: terminate_the_run(database))  # noqa: B023 - called in this turn
        said = complaint(lambda: pgratchet.up(database.url, arena.folder, observer=observer))  # noqa: B023
        assert not said or "the connection was lost" in said, arena.events[number - 1]
        arena.ends_well(database, arena.events[number - 1])


@pytest.mark.one_version
@pytest.mark.parametrize(
    ("arena", "told"),
    [*((plan, Terminated) for plan in PLANS), ("new_database", KeyboardInterrupt)],
    indirect=["arena"],
)
def test_the_run_is_told_to_stop_at_every_event(arena: Arena, told: type[BaseException]) -> None:
    for number in range(1, len(arena.events) + 1):
        database = arena.fresh()

        def stop() -> None:
            raise told("stop")

        with pytest.raises(Terminated) as stopped:
            pgratchet.up(database.url, arena.folder, observer=at_event(number, stop))
        assert stopped.value.exit_code == (143 if told is Terminated else 130)
        assert stopped.value.outcome is not None, stopped.value
        assert "of this run" in stopped.value.message or "are applied" in stopped.value.message
        arena.ends_well(database, arena.events[number - 1])
