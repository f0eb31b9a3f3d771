"""A migrated database for each test, copied from one that psql made once a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest

from tests.database.support import MIGRATIONS, SEEDS, apply
from tests.servers import Database, Server

NUMBERS = count(1)


@pytest.fixture(scope="session")
def template(run_on: Callable[[Server, str], None]) -> Callable[[Server], str]:
    """Give the name of a migrated database with the test seeds; without pgvector, of one without V002."""
    made: dict[int, str] = {}

    def make(server: Server) -> str:
        if server.port not in made:
            name = f"migrated_{server.major}"
            run_on(server, f"CREATE DATABASE {name} TEMPLATE template0")
            database = Database(server, name, ExitStack())
            apply(database, *(file for file in MIGRATIONS if server.has_vector or file.name[:4] != "V002"))
            seeds = sorted((SEEDS / "test").glob("*.sql"))
            apply(database, *(file for file in seeds if server.has_vector or "embeddings" not in file.name))
            made[server.port] = name
        return made[server.port]

    return make


@pytest.fixture
def migrated(
    server: Server, run_on: Callable[[Server, str], None], template: Callable[[Server], str]
) -> Iterator[Database]:
    """Give a database of its own with all migrations and the test seeds."""
    name = f"bundled_{next(NUMBERS)}"
    run_on(server, f"CREATE DATABASE {name} TEMPLATE {template(server)} STRATEGY file_copy")
    try:
        with ExitStack() as opened:
            yield Database(server, name, opened)
    finally:
        run_on(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
