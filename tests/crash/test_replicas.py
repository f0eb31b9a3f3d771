"""Twenty replicas start at once, and some of them are killed: each file is applied exactly once."""

from __future__ import annotations

import random
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.crash.process import running
from tests.folders import write_migrations
from tests.servers import Database

FILES = {
    "V1__ran.sql": "CREATE TABLE ran (version int NOT NULL);\nINSERT INTO ran VALUES (1);\n",
    **{
        f"V{number}__step.sql": f"CREATE TABLE t{number} (id int);\nINSERT INTO ran SELECT {number} FROM pg_sleep(0.05);\n"
        for number in range(2, 51)
    },
    "V25__index.sql": "INSERT INTO ran VALUES (25);\nCREATE INDEX CONCURRENTLY ran_version ON ran (version);\n",
}
FILES.pop("V25__step.sql")


@pytest.mark.one_version
def test_twenty_replicas_of_which_three_are_killed_apply_each_of_fifty_files_once(
    database: Database, folder: Path
) -> None:
    write_migrations(folder, FILES)
    chosen = random.Random(4)
    with ExitStack() as stack:
        processes = [stack.enter_context(running(database, folder)) for _ in range(20)]
        for victim in chosen.sample(processes, 3):
            time.sleep(chosen.uniform(0.5, 2))
            victim.kill()
        ended = [process.communicate(timeout=120) for process in processes]
        codes = [process.returncode for process in processes]

    assert codes.count(-signal.SIGKILL) <= 3
    assert set(codes) <= {0, -signal.SIGKILL}, [said for _, said in ended]
    with database.connect() as connection:
        applied = "SELECT count(*), count(DISTINCT version) FROM {} "
        assert connection.execute(applied.format("ran").encode()).fetchone() == (50, 50)
        assert connection.execute(applied.format("schema_migrations WHERE status = 'applied'").encode()).fetchone() == (
            50,
            50,
        )
        invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
        assert connection.execute(invalid.encode()).fetchone() == (0,)
