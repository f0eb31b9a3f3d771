"""Cut off in the middle of a statement that runs outside a transaction, when half of its work is in the catalogue."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet.model import Event, Noticed, StatementStarted, Waiting
from tests.crash.plans import LOCKS, START, picture
from tests.crash.process import at_work, blocked, eventually, running
from tests.folders import write_migrations
from tests.servers import Database

# What a reader makes them wait for: with a snapshot, what is built waits before it is valid; with a lock alone, what is
# replaced waits before it is dropped.
SNAPSHOT, LOCK = "REPEATABLE READ", "READ COMMITTED"
SCENES = {
    "create_index": ("CREATE INDEX CONCURRENTLY item_x ON item (x)", SNAPSHOT),
    "create_index_if_not_exists": ("CREATE INDEX CONCURRENTLY IF NOT EXISTS item_x ON item (x)", SNAPSHOT),
    "create_index_without_a_name": ("CREATE INDEX CONCURRENTLY ON item (x)", SNAPSHOT),
    "drop_index": ("DROP INDEX CONCURRENTLY item_old", LOCK),
    "reindex_index_new": ("REINDEX INDEX CONCURRENTLY item_old", SNAPSHOT),
    "reindex_index_old": ("REINDEX INDEX CONCURRENTLY item_old", LOCK),
    "reindex_table_new": ("REINDEX TABLE CONCURRENTLY item", SNAPSHOT),
    "detach": ("ALTER TABLE event DETACH PARTITION event_1 CONCURRENTLY", LOCK),
}


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
    def reader(self) -> Iterator[int]:
        """Be an old transaction that has read both tables; the statement waits for the end of this session."""
        with psycopg.connect(self.database.url) as connection:
            connection.execute(f"SET TRANSACTION ISOLATION LEVEL {self._level}".encode())
            connection.execute("SELECT count(*) FROM item, event")
            yield connection.info.backend_pid

    def ends_well(self) -> list[Event]:
        """Run `up` as anybody would; the database is then as it is where nothing happened."""
        events: list[Event] = []
        pgratchet.up(self.database.url, self.folder, observer=events.append)
        found = picture(self.database)
        with self.database.connect() as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        pgratchet.up(self.database.url, self.folder)
        assert found == picture(self.database)
        return events


@pytest.fixture
def scene(request: pytest.FixtureRequest, database: Database, folder: Path) -> Scene:
    return Scene(database, folder, *SCENES[request.param])


@contextmanager
def in_the_middle(scene: Scene) -> Iterator[subprocess.Popen[str]]:
    """Give a run that waits in its statement for a reader."""
    with scene.reader() as reader, running(scene.database, scene.folder) as process:
        eventually(lambda: blocked(scene.database, reader))
        yield process


@pytest.mark.pg(">=16")
@pytest.mark.parametrize("scene", SCENES, indirect=True)
def test_the_backend_is_killed(scene: Scene) -> None:
    with in_the_middle(scene) as process:
        [pid] = at_work(scene.database)
        with scene.database.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        _, said = process.communicate(timeout=30)
        assert process.returncode == 8, said
        assert "the connection was lost" in said
    scene.ends_well()


@pytest.mark.one_version
@pytest.mark.parametrize("scene", SCENES, indirect=True)
def test_sigterm_ends_it_while_it_still_waits_and_the_next_run_goes_on(scene: Scene) -> None:
    with in_the_middle(scene) as process:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 143, said
        assert "Traceback" not in said
        assert not at_work(scene.database)
        with scene.database.connect() as connection:
            assert connection.execute(LOCKS.encode()).fetchone() == (0,)
    scene.ends_well()


@pytest.mark.one_version
@pytest.mark.parametrize("scene", ["create_index"], indirect=True)
def test_ctrl_c_ends_it_as_well(scene: Scene) -> None:
    with in_the_middle(scene) as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130, said
        assert not at_work(scene.database)
    assert any("INVALID" in event.message for event in scene.ends_well() if isinstance(event, Noticed))


@pytest.mark.one_version
@pytest.mark.parametrize(
    ("scene", "lingering"),
    [(name, name == "create_index") for name in SCENES],
    indirect=["scene"],
    ids=SCENES,
)
def test_the_client_is_killed_and_its_orphan_is_seen_and_waited_for(scene: Scene, *, lingering: bool) -> None:
    events: list[Event] = []
    with in_the_middle(scene) as process:
        [orphan] = at_work(scene.database)
        process.kill()
        second = threading.Thread(
            target=pgratchet.up, args=(scene.database.url, scene.folder), kwargs={"observer": events.append}
        )
        second.start()
        eventually(lambda: any(isinstance(event, Waiting) for event in events))
        if lingering:
            time.sleep(2.5)  # longer than the server takes to notice the end of the client, where it looks
        assert at_work(scene.database, f"AND pid = {orphan}") == [orphan]
    second.join(30)
    waiting = next(event for event in events if isinstance(event, Waiting))
    assert f"pid {orphan}" in waiting.who[0]
    # What the orphan has built is not thrown away.
    assert not [event for event in events if isinstance(event, Noticed) and "INVALID" in event.message]
    scene.ends_well()


@pytest.mark.one_version
@pytest.mark.parametrize("scene", ["create_index", "drop_index", "detach"], indirect=True)
def test_it_waits_as_long_as_it_takes_in_a_single_try(scene: Scene) -> None:
    events: list[Event] = []
    arguments = {"observer": events.append}
    with scene.reader() as reader:
        run = threading.Thread(target=pgratchet.up, args=(scene.database.url, scene.folder), kwargs=arguments)
        run.start()
        eventually(lambda: blocked(scene.database, reader))
        time.sleep(0.5)  # longer than a try may wait for a lock
    run.join(30)
    assert sum(isinstance(event, StatementStarted) for event in events) == 1
    assert not any(isinstance(event, Waiting) for event in events)
