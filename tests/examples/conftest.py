"""Fixtures of the example's tests: a migrated database with the development seeds, and the service on it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest

import pgratchet
from tests.database.support import MIGRATIONS, SEEDS, apply
from tests.servers import Database, Server

if importlib.util.find_spec("semantic_kernel") is None:
    raise pytest.UsageError("the tests of the example need its packages; run them with: make test-examples")

NUMBERS = count(1)


@pytest.fixture(scope="session")
def template(run_on: Callable[[Server, str], None]) -> Callable[[Server], str]:
    """Give the name of a migrated database with the development seeds."""
    made: dict[int, str] = {}

    def make(server: Server) -> str:
        if server.port not in made:
            made[server.port] = "seeded"
            run_on(server, "CREATE DATABASE seeded TEMPLATE template0")
            with ExitStack() as opened:
                database = Database(server, "seeded", opened)
                pgratchet.up(database.url, MIGRATIONS[0].parent)
                apply(database, *sorted((SEEDS / "development").glob("*.sql")))
        return made[server.port]

    return make


@pytest.fixture
def seeded(
    server: Server, run_on: Callable[[Server, str], None], template: Callable[[Server], str]
) -> Iterator[Database]:
    """Give a database of its own with all migrations and the development seeds."""
    name = f"example_{next(NUMBERS)}"
    run_on(server, f"CREATE DATABASE {name} TEMPLATE {template(server)} STRATEGY file_copy")
    # ALTER DATABASE ... SET does not come with a copy: what is tested are the settings of the connection.
    try:
        with ExitStack() as opened:
            yield Database(server, name, opened)
    finally:
        run_on(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
