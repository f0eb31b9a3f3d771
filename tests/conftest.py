"""Fixtures of all tests: a real PostgreSQL of each version, and a database of its own for each test."""

from __future__ import annotations

import operator
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import psycopg
import pytest

# Tests are not a package (importlib mode), yet they share `tests.servers` and its types.
sys.path.insert(0, str(Path(__file__).parent.parent))

from tests import servers
from tests.database.support import MIGRATIONS, SEEDS, apply
from tests.servers import Database, Server

COMPARE = {">=": operator.ge, "<=": operator.le, "==": operator.eq, ">": operator.gt, "<": operator.lt}
NUMBERS = count(1)
BUNDLED = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pg", metavar="16,18", help="run the database tests on these PostgreSQL versions only")


def pytest_configure(config: pytest.Config) -> None:
    if (
        signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    ):  # as in a shell's background: our processes would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line(
        "markers", "pg(range): only on these versions of PostgreSQL, as '>=16' or '>=15,<18'"
    )
    config.addinivalue_line("markers", "pgbouncer: needs Debian's pgbouncer on this machine")
    config.addinivalue_line("markers", "chromium: needs Debian's chromium on this machine")
    config.addinivalue_line("markers", "one_version: only on the newest version, for what no version changes")


def pytest_report_header(config: pytest.Config) -> str:
    found = ((major, servers.binaries(major)) for major in _majors(config))
    return "postgresql: " + ", ".join(f"{major} ({path or 'NOT FOUND'})" for major, path in found)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" in metafunc.fixturenames:
        majors = [major for major in _majors(metafunc.config) if _wanted(metafunc.definition, major)]
        if metafunc.definition.get_closest_marker("one_version"):
            majors = majors[-1:]
        metafunc.parametrize(
            "server", majors, indirect=True, ids=[f"pg{major}" for major in majors], scope="session"
        )


def _majors(config: pytest.Config) -> tuple[int, ...]:
    chosen = config.getoption("--pg")
    if not chosen:
        return servers.default_majors()
    try:
        return tuple(sorted({int(major) for major in chosen.split(",")}))
    except ValueError:
        raise pytest.UsageError(f"--pg wants major versions such as 16,18, not {chosen!r}") from None


def _wanted(item: pytest.Item, major: int) -> bool:
    return all(_within(mark.args[0], major) for mark in item.iter_markers("pg"))


def _within(versions: str, major: int) -> bool:
    """Tell whether a version is in a range such as '>=15,<18'."""
    conditions = [re.fullmatch(r"\s*(>=|<=|==|>|<)\s*(\d+)\s*", part) for part in versions.split(",")]
    if None in conditions:
        raise pytest.UsageError(f"the marker pg wants a range such as '>=15,<18', not {versions!r}")
    return all(COMPARE[found[1]](major, int(found[2])) for found in conditions if found)


@pytest.fixture(scope="session")
def start_server() -> Iterator[Callable[[int], Server]]:
    """Start each version once, when first asked for; pytest ends a parametrised fixture at each change."""
    started: dict[int, Server] = {}
    with ExitStack() as stack:

        def start(major: int) -> Server:
            if major not in started:
                started[major] = stack.enter_context(servers.running(major))
            return started[major]

        yield start


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, start_server: Callable[[int], Server]) -> Server:
    """Give a running PostgreSQL; the test runs once for each version."""
    major: int = request.param
    return start_server(major)


@pytest.fixture(scope="session")
def run_on() -> Iterator[Callable[[Server, str], None]]:
    """Run a statement as superuser in the database `postgres`, over one connection a server."""
    connections: dict[int, psycopg.Connection] = {}

    def run(server: Server, statement: str) -> None:
        if server.port not in connections or connections[server.port].closed:
            connections[server.port] = _connect(server)
        try:
            connections[server.port].execute(statement.encode())
        except psycopg.OperationalError:  # a test has crashed the server, or ended every session
            connections[server.port].close()
            connections[server.port] = _connect(server)
            connections[server.port].execute(statement.encode())

    yield run
    for connection in connections.values():
        connection.close()


def _connect(server: Server) -> psycopg.Connection:
    deadline = time.monotonic() + 30
    while True:
        try:
            return psycopg.connect(server.url(), autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.fixture
def database(server: Server, run_on: Callable[[Server, str], None]) -> Iterator[Database]:
    """Give a fresh, empty database; it is dropped after the test, with whatever is connected to it."""
    name = f"test_{next(NUMBERS)}"
    # Copying files takes 7 ms here, the default strategy 21 ms (fsync off, in memory).
    run_on(server, f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
    try:
        with ExitStack() as opened:
            yield Database(server, name, opened)
    finally:
        run_on(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an empty folder for migrations; `tests.folders.write_migrations` fills it."""
    path = tmp_path / "migrations"
    path.mkdir()
    return path


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
    name = f"bundled_{next(BUNDLED)}"
    run_on(server, f"CREATE DATABASE {name} TEMPLATE {template(server)} STRATEGY file_copy")
    try:
        with ExitStack() as opened:
            yield Database(server, name, opened)
    finally:
        run_on(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
