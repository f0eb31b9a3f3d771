"""Twenty replicas start at once, and some of them are killed: each file is applied exactly once."""

from __future__ import annotations

import random
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.crash.process import eventually, running
from tests.folders import write_migrations
from tests.servers import Database

FILES = {
    "V1__ran.sql": "CREATE TABLE ran (version int NOT NULL);\nINSERT INTO ran VALUES (1);\n",
    **{
        f"V{number}__step.sql": f"CREATE TABLE t{number} ();\nINSERT INTO ran SELECT {number} FROM pg_sleep(0.1);\n"
        for number in range(2, 51)
    },
    "V25__index.sql": "INSERT INTO ran VALUES (25);\nCREATE INDEX CONCURRENTLY ran_version ON ran (version);\n",
}
FILES.pop("V25__step.sql")


def runner(database: Database) -> int | None:
    """Give the number of the replica that holds the lock."""
    query = (
        "SELECT split_part(application_name, '_', 2)::int FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND datname = current_database() "
        "AND application_name LIKE 'replica%'"
    )
    with database.connect() as connection:
        row = connection.execute(query.encode()).fetchone()
    return None if row is None else int(row[0])


@pytest.mark.one_version
def test_twenty_replicas_of_which_three_are_killed_apply_each_of_fifty_files_once(
    database: Database, folder: Path
) -> None:
    write_migrations(folder, FILES)
    chosen = random.Random(4)
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                running(database, folder, DATABASE_URL=f"{database.url}?application_name=replica_{n}")
            )
            for n in range(20)
        ]
        for _ in range(2):
            eventually(lambda: runner(database) is not None)
            time.sleep(chosen.uniform(0.2, 0.8))
            processes[runner(database) or 0].kill()
        chosen.choice(processes).kill()
        ended = [process.communicate(timeout=120) for process in processes]
        codes = [process.returncode for process in processes]

    assert codes.count(-signal.SIGKILL) in {2, 3}
    assert set(codes) <= {0, -signal.SIGKILL}, [said for _, said in ended]
    with database.connect() as connection:
        applied = "SELECT count(*), count(DISTINCT version) FROM {} "
        assert connection.execute(applied.format("ran").encode()).fetchone() == (50, 50)
        assert connection.execute(
            applied.format("schema_migrations WHERE status = 'applied'").encode()
        ).fetchone() == (
            50,
            50,
        )
        invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
        assert connection.execute(invalid.encode()).fetchone() == (0,)
