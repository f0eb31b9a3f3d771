"""Cut off in the middle of a statement that runs outside a transaction, when half of its work is in the catalogue."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet.model import Event, Noticed, Waiting
from tests.crash.plans import LOCKS, START, picture
from tests.crash.process import at_work, blocked, eventually, running
from tests.folders import write_migrations
from tests.servers import Database, Server

STATEMENTS = {
    "create_index": "CREATE INDEX CONCURRENTLY item_x ON item (x)",
    "create_index_if_not_exists": "CREATE INDEX CONCURRENTLY IF NOT EXISTS item_x ON item (x)",
    "create_index_without_a_name": "CREATE INDEX CONCURRENTLY ON item (x)",
    "drop_index": "DROP INDEX CONCURRENTLY item_old",
    "reindex_index": "REINDEX INDEX CONCURRENTLY item_old",
    "reindex_table": "REINDEX TABLE CONCURRENTLY item",
    "detach": "ALTER TABLE event DETACH PARTITION event_1 CONCURRENTLY",
}
# With a snapshot, what is built waits before it is valid; with a lock alone, what is replaced before it is dropped.
READERS = ("REPEATABLE READ", "READ COMMITTED")


class Scene:
    """A database with a file of one statement to come, and a copy of it where that went undisturbed."""

    def __init__(self, database: Database, folder: Path, statement: str, level: str) -> None:
        write_migrations(folder, START)
        pgratchet.up(database.url, folder)
        write_migrations(folder, {"V2__alone.sql": f"{statement};\n"})
        self.database = database
        self.folder = folder
        self.statement = statement
        self._level = level

    @contextmanager
    def reader(self) -> Iterator[None]:
        """Be an old transaction that has read both tables; the statement waits for its end."""
        with psycopg.connect(self.database.url) as connection:
            connection.execute(f"SET TRANSACTION ISOLATION LEVEL {self._level}".encode())
            connection.execute("SELECT count(*) FROM item, event")
            yield

    def ends_well(self) -> list[Event]:
        events: list[Event] = []
        pgratchet.up(self.database.url, self.folder, observer=events.append)
        assert picture(self.database) == self.undisturbed()
        return events

    def undisturbed(self) -> list[object]:
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            before = picture(self.database)
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        for only in (START, None):
            pgratchet.up(self.database.url, self.folder, to=1 if only else None)
        after = picture(self.database)
        assert len(before) == len(after), (before, after)
        return after if before == after else before + ["differs from"] + after


@pytest.fixture(params=READERS, ids=["snapshot", "lock"])
def level(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(params=STATEMENTS.values(), ids=STATEMENTS)
def scene(request: pytest.FixtureRequest, database: Database, folder: Path, level: str) -> Scene:
    return Scene(database, folder, request.param, level)


def waits(scene: Scene) -> bool:
    """Wait until the run waits in its statement, or is through: not every one waits for every reader."""
    ended = "SELECT count(*) FROM schema_migrations WHERE version = 2 AND status = 'applied'"
    found: list[bool] = []

    def settled() -> bool:
        with psycopg.connect(scene.database.url, autocommit=True) as connection:
            row = connection.execute(ended.encode()).fetchone()
        found[:] = [blocked(scene.database)]
        return found[0] or bool(row and row[0])

    eventually(settled)
    return found[0]


def test_the_backend_is_killed(scene: Scene) -> None:
    with scene.reader(), running(scene.database, scene.folder) as process:
        if waits(scene):
            [pid] = at_work(scene.database)
            with psycopg.connect(scene.database.url, autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            _, said = process.communicate(timeout=30)
            assert process.returncode == 1, said
            assert "the connection was lost" in said
    scene.ends_well()


@pytest.mark.parametrize(("signal_number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_it_is_told_to_stop(scene: Scene, signal_number: signal.Signals, code: int) -> None:
    with scene.reader(), running(scene.database, scene.folder) as process:
        if waits(scene):
            process.send_signal(signal_number)
            _, said = process.communicate(timeout=5)
            assert process.returncode == code, said
            assert "Traceback" not in said
            assert not at_work(scene.database)
            with psycopg.connect(scene.database.url) as connection:
                assert connection.execute(LOCKS.encode()).fetchone() == (0,)
    scene.ends_well()


def test_the_client_is_killed_and_the_orphan_is_seen_and_waited_for(scene: Scene) -> None:
    events: list[Event] = []
    with scene.reader(), running(scene.database, scene.folder) as process:
        if not waits(scene):
            return
        os.kill(process.pid, signal.SIGKILL)
        [orphan] = at_work(scene.database)
        second = threading.Thread(
            target=pgratchet.up, args=(scene.database.url, scene.folder), kwargs={"observer": events.append}
        )
        second.start()
        eventually(lambda: any(isinstance(event, Waiting) for event in events))
        assert at_work(scene.database, f"AND pid = {orphan}") == [orphan]
    second.join(30)
    waiting = next(event for event in events if isinstance(event, Waiting))
    assert f"pid {orphan}" in waiting.who[0]
    # What the orphan has built is not thrown away.
    assert not [event for event in events if isinstance(event, Noticed) and "INVALID" in event.message]
    scene.ends_well()
