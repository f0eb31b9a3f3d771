"""A client that is frozen holds its locks for as long as the server's time-outs for idle sessions, and no longer."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

import pgratchet
from tests.crash.conftest import Arena, Driver
from tests.crash.process import at_work, eventually
from tests.folders import write_migrations
from tests.servers import Database

pytestmark = pytest.mark.one_version
STATE = "AND state NOT IN ('idle', 'idle in transaction', 'idle in transaction (aborted)')"


def freeze(driver: Driver, database: Database, folder: Path, number: int) -> None:
    assert driver(database.url, folder, number, signal.SIGSTOP.value) == "frozen"


@pytest.mark.parametrize("arena", ["transactions", "new_database", "segments"], indirect=True)
def test_at_every_event_the_server_sees_that_a_frozen_client_is_idle(arena: Arena, driver: Driver) -> None:
    for number in range(1, len(arena.events) + 1):
        database = arena.fresh()
        freeze(driver, database, arena.folder, number)
        eventually(lambda: not at_work(database, STATE))  # noqa: B023 - called in this turn
        assert driver("kill") == "-9"


@pytest.mark.parametrize(("arena", "number"), [("transactions", 2), ("segments", 2)], indirect=["arena"])
def test_another_run_goes_on_in_place_of_a_frozen_one_which_then_does_nothing(
    arena: Arena, number: int, driver: Driver
) -> None:
    database = arena.fresh()
    freeze(driver, database, arena.folder, number)
    arena.ends_well(database, arena.events[number - 1])
    assert driver("go on") in {"0", "8"}
    arena.ends_well(database, arena.events[number - 1])


def test_a_transaction_of_a_frozen_client_is_rolled_back(
    database: Database, folder: Path, driver: Driver
) -> None:
    """More statements than are in flight at once: what comes after them is not sent any more."""
    write_migrations(folder, {"V1__a.sql": "CREATE TABLE a (id int);\n"})
    pgratchet.up(database.url, folder)
    write_migrations(folder, {"V2__rows.sql": "INSERT INTO a VALUES (1);\n" * 1000})
    freeze(driver, database, folder, 4)
    eventually(lambda: at_work(database, "AND state = 'idle in transaction'"))
    eventually(lambda: not at_work(database))
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM a").fetchone() == (0,)
    assert driver("go on") == "8"
    assert pgratchet.up(database.url, folder).version == 2
