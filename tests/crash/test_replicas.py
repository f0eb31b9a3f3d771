"""Many replicas start at once, and some of them are killed: each file is applied exactly once."""

from __future__ import annotations

import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

import pgratchet
from tests.crash.pgbouncer import pooling
from tests.crash.process import eventually, running
from tests.folders import write_migrations
from tests.servers import Database

pytestmark = pytest.mark.one_version
# The test holds this lock until all that it does to the replicas is done: until then none of them is at an end.
GATE = 7


def fifty() -> dict[str, str]:
    """Fifty files that cannot be applied twice, with a CONCURRENTLY among them."""
    files = {
        f"V{number}__step.sql": f"CREATE TABLE t{number} ();\nINSERT INTO ran SELECT {number} FROM pg_sleep(0.02);\n"
        for number in range(2, 51)
    }
    files["V1__step.sql"] = "CREATE TABLE ran (version int NOT NULL);\nINSERT INTO ran VALUES (1);\n"
    files["V25__step.sql"] = (
        "INSERT INTO ran VALUES (25);\nCREATE INDEX CONCURRENTLY ran_version ON ran (version);\n"
    )
    files["V50__step.sql"] += f"SELECT pg_advisory_xact_lock({GATE});\n"
    return files


class Replicas:
    """Processes that all run `up`, found by the name that each gives its session."""

    def __init__(self, database: Database, processes: list[subprocess.Popen[str]]) -> None:
        self.processes = processes
        self._connection = database.connect()

    def applied(self) -> int:
        """Give how many files are applied."""
        try:
            return self._number("SELECT count(*) FROM schema_migrations WHERE status = 'applied'") or 0
        except psycopg.errors.UndefinedTable:
            return 0

    def runner(self) -> int | None:
        """Give the number of the replica that holds the lock, and is alive."""
        found = self._number(
            "SELECT split_part(application_name, '_', 2)::int FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND datname = current_database() "
            "AND application_name LIKE 'replica%'"
        )
        return found if found is not None and self.processes[found].returncode is None else None

    def kill_the_runner(self) -> None:
        eventually(lambda: self.runner() is not None, within=120)
        self._kill(self.runner())

    def kill_one_that_waits(self, chosen: random.Random) -> None:
        runner = self.runner()
        living = [number for number, process in enumerate(self.processes) if process.returncode is None]
        self._kill(chosen.choice([number for number in living if number != runner]))

    def _kill(self, number: int | None) -> None:
        assert number is not None
        self.processes[number].kill()
        self.processes[number].wait()

    def _number(self, query: str) -> int | None:
        row = self._connection.execute(query.encode()).fetchone()
        return None if row is None else int(row[0])


@contextmanager
def replicas(database: Database, folder: Path, count: int, url: str, **settings: str) -> Iterator[Replicas]:
    """Start replicas, with the gate closed; in the end it is open, and all of them have ended."""
    pgratchet.up(database.url, folder, to=1)  # all of a new database could be one transaction
    with ExitStack() as stack:
        with database.connect() as gate:
            gate.execute(f"SELECT pg_advisory_lock({GATE})".encode())
            processes = [
                stack.enter_context(
                    running(
                        database,
                        folder,
                        **{key: f"{value}?application_name=replica_{n}" for key, value in settings.items()},
                        DATABASE_URL=f"{url}?application_name=replica_{n}",
                    )
                )
                for n in range(count)
            ]
            yield Replicas(database, processes)
        for process in processes:
            process.said = process.communicate(timeout=120)[1]  # type: ignore[attr-defined]


def each_file_was_applied_once(database: Database, found: Replicas, *, killed: int) -> None:
    codes = [process.returncode for process in found.processes]
    assert codes.count(-signal.SIGKILL) == killed
    assert set(codes) <= {0, -signal.SIGKILL}, [process.said for process in found.processes]  # type: ignore[attr-defined]
    with database.connect() as connection:
        for applied in ("ran", "schema_migrations WHERE status = 'applied'"):
            counts = f"SELECT count(*), count(DISTINCT version) FROM {applied}"
            assert connection.execute(counts.encode()).fetchone() == (50, 50)
        invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
        assert connection.execute(invalid.encode()).fetchone() == (0,)


def test_twenty_replicas_of_which_three_are_killed_apply_each_of_fifty_files_once(
    database: Database, folder: Path
) -> None:
    write_migrations(folder, fifty())
    chosen = random.Random(4)
    with replicas(database, folder, 20, database.url) as found:
        for number in sorted(chosen.sample(range(2, 49), 2)):
            eventually(lambda: found.applied() >= number, within=120)  # noqa: B023 - called in this turn
            found.kill_the_runner()
        found.kill_one_that_waits(chosen)
    each_file_was_applied_once(database, found, killed=3)


@pytest.mark.pgbouncer
@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_replicas_behind_a_pooler_of_which_three_are_killed_apply_each_of_fifty_files_once(
    database: Database, folder: Path, mode: str
) -> None:
    """Behind one of transactions: with the direct URL."""
    write_migrations(folder, fifty())
    chosen = random.Random(5)
    with pooling(database, mode, size=40) as url:
        plain = to_url(url)
        settings = {"PGRATCHET_DIRECT_URL": database.url} if mode == "transaction" else {}
        with replicas(database, folder, 6, plain, **settings) as found:
            for number in sorted(chosen.sample(range(2, 49), 2)):
                eventually(lambda: found.applied() >= number, within=120)  # noqa: B023 - called in this turn
                found.kill_the_runner()
            found.kill_one_that_waits(chosen)
    each_file_was_applied_once(database, found, killed=3)


def to_url(conninfo: str) -> str:
    """Give what pgbouncer is reached by as a URL, to which a name can be added."""
    parts = psycopg.conninfo.conninfo_to_dict(conninfo)
    return "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**parts)
