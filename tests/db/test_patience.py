"""A change of a table beside a running application: who waits, for how long, and what is said of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet.model import Event, Waiting
from tests.folders import write_migrations
from tests.servers import Database


@pytest.fixture
def started(database: Database, folder: Path) -> Path:
    """A database whose tables a and b exist."""
    write_migrations(
        folder,
        {"V1__a.sql": "CREATE TABLE a (id int);\nCREATE TABLE b (id int);\nINSERT INTO a VALUES (1);\n"},
    )
    pgratchet.up(database.url, folder)
    return folder


@contextmanager
def reader(database: Database, seconds: float) -> Iterator[None]:
    """Hold what a long report holds: a lock on table a that a change of the table must wait for."""
    ready = threading.Event()

    def read() -> None:
        with psycopg.connect(database.url, application_name="nightly report") as connection:
            connection.execute("SELECT * FROM a")
            ready.set()
            time.sleep(seconds)

    thread = threading.Thread(target=read)
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        thread.join()


def longest_wait(database: Database, stop: threading.Event, found: list[float]) -> None:
    # A prepared SELECT * would fail where the change lands before the last probe.
    with psycopg.connect(database.url, autocommit=True, prepare_threshold=None) as connection:
        while not stop.is_set():
            began = time.monotonic()
            connection.execute("SELECT * FROM a")
            found.append(time.monotonic() - began)
            time.sleep(0.01)


def test_readers_do_not_queue_behind_a_change_that_waits_for_a_lock(
    database: Database, started: Path
) -> None:
    write_migrations(started, {"V2__b.sql": "ALTER TABLE a ADD b int;\n"})
    stop, waits = threading.Event(), [0.0]
    prober = threading.Thread(target=longest_wait, args=(database, stop, waits))

    with reader(database, 3):
        prober.start()
        outcome = pgratchet.up(database.url, started)
    stop.set()
    prober.join()

    assert outcome.version == 2
    assert len(waits) > 20
    # A try waits 50 ms, and the machine may be busy; a change that queued would stall them for 3 s.
    assert max(waits) < 1.0


def test_those_who_hold_the_lock_are_named_while_it_is_waited_for(database: Database, started: Path) -> None:
    write_migrations(started, {"V2__b.sql": "ALTER TABLE a ADD b int;\n"})
    events: list[Event] = []

    with reader(database, 2):
        pgratchet.up(database.url, started, observer=events.append)

    waiting = next(event for event in events if isinstance(event, Waiting))
    assert "V2__b.sql" in waiting.what
    assert "nightly report" in waiting.who[0]
    assert "idle in transaction" in waiting.who[0]


def test_a_spent_budget_ends_with_those_who_hold_the_lock_and_nothing_done(
    database: Database, started: Path
) -> None:
    write_migrations(started, {"V2__b.sql": "CREATE TABLE c (id int);\nALTER TABLE a ADD b int;\n"})

    with (
        reader(database, 3),
        pytest.raises(pgratchet.LockNotAvailable, match="nightly report") as failure,
    ):
        pgratchet.up(database.url, started, patience=pgratchet.Patience("50ms", 1.0))

    assert failure.value.exit_code == 6
    with database.connect() as connection:
        assert connection.execute("SELECT to_regclass('c')").fetchone() == (None,)
        assert connection.execute("SELECT max(version) FROM schema_migrations").fetchone() == (1,)


def test_a_step_with_several_tables_holds_none_while_it_waits_for_another(
    database: Database, started: Path
) -> None:
    write_migrations(
        started, {"V2__b.sql": "ALTER TABLE b ADD x int;\nSELECT pg_sleep(0.2);\nALTER TABLE a ADD x int;\n"}
    )
    tries: list[Event] = []
    stop = threading.Event()
    held: list[int] = []

    def look() -> None:
        query = (
            "SELECT count(*) FROM pg_locks WHERE relation = 'b'::regclass AND mode = 'AccessExclusiveLock' "
            "AND granted"
        )
        with psycopg.connect(database.url, autocommit=True) as connection:
            while not stop.is_set():
                held.append(connection.execute(query).fetchone()[0])  # type: ignore[index]
                time.sleep(0.005)

    watcher = threading.Thread(target=look)
    with reader(database, 2):
        watcher.start()
        thread = threading.Thread(
            target=pgratchet.up, args=(database.url, started), kwargs={"observer": tries.append}
        )
        thread.start()
        time.sleep(1.5)
        stop.set()
        watcher.join()
    thread.join()

    assert any(isinstance(event, Waiting) for event in tries)
    assert len(held) > 20
    assert sum(held) == 0


def test_a_change_of_rows_waits_for_rows_without_being_started_over(
    database: Database, started: Path
) -> None:
    write_migrations(started, {"V2__b.sql": "UPDATE a SET id = 2;\nALTER TABLE b ADD x int;\n"})
    events: list[Event] = []
    locked = threading.Event()

    def hold() -> None:
        with psycopg.connect(database.url) as connection:
            connection.execute("UPDATE a SET id = 1")
            locked.set()
            time.sleep(1)

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait()
    pgratchet.up(database.url, started, observer=events.append)
    thread.join()

    assert not any(isinstance(event, Waiting) for event in events)
    with database.connect() as connection:
        assert connection.execute("SELECT id FROM a").fetchone() == (2,)


def test_a_concurrent_index_build_waits_for_an_old_transaction_and_is_not_left_invalid(
    database: Database, started: Path
) -> None:
    write_migrations(started, {"V2__b.sql": "CREATE INDEX CONCURRENTLY a_id ON a (id);\n"})

    with reader(database, 2):
        pgratchet.up(database.url, started)

    with database.connect() as connection:
        query = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_id'::regclass"
        assert connection.execute(query).fetchone() == (True,)


def test_a_file_may_wait_longer_for_a_lock_than_the_run(database: Database, started: Path) -> None:
    write_migrations(started, {"V2__b.sql": "-- pgratchet: lock_timeout=30s\nALTER TABLE a ADD b int;\n"})
    events: list[Event] = []

    with reader(database, 2):
        pgratchet.up(database.url, started, observer=events.append)

    # One try was enough: with the run's 50 ms there would have been several, and a word about the first.
    assert not any(isinstance(event, Waiting) for event in events)
