"""Behind the real pgbouncer: what needs a session is refused where that is shared, and works where it is not."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet import config
from tests.crash.pgbouncer import pooling, sessions
from tests.crash.process import at_work, blocked, eventually, running
from tests.folders import write_migrations
from tests.servers import Database

pytestmark = [pytest.mark.one_version, pytest.mark.pgbouncer]
FILES = {
    "V1__a.sql": "CREATE TABLE a (id int PRIMARY KEY, x int);\n",
    "V2__index.sql": "CREATE INDEX CONCURRENTLY a_x ON a (x);\n",
    "V3__b.sql": "ALTER TABLE a ADD y int;\n",
}


@pytest.fixture
def filled(folder: Path) -> Path:
    write_migrations(folder, FILES)
    return folder


@contextmanager
def busy(url: str, clients: int) -> Iterator[None]:
    """Be an application that keeps the pool's sessions changing hands."""
    stop = threading.Event()

    def work() -> None:
        with psycopg.connect(url, prepare_threshold=None, autocommit=True) as connection:
            while not stop.is_set():
                connection.execute("SELECT pg_sleep(0.001)")

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def untouched(database: Database) -> bool:
    with database.connect() as connection:
        row = connection.execute(
            "SELECT to_regclass('a') IS NULL AND to_regclass('schema_migrations') IS NULL"
        )
        return row.fetchone() == (True,) and not sessions(database)


@pytest.mark.parametrize(
    ("mode", "size", "clients"),
    [
        ("transaction", 20, 0),
        ("transaction", 20, 8),
        ("transaction", 3, 8),
        ("transaction", 1, 0),
        ("statement", 20, 0),
    ],
)
def test_a_pooler_that_shares_sessions_is_refused_and_the_direct_url_asked_for(
    database: Database, filled: Path, mode: str, size: int, clients: int
) -> None:
    with (
        pooling(database, mode, size) as url,
        busy(url, clients),
        pytest.raises(pgratchet.ConfigurationError, match="pooler") as failure,
    ):
        pgratchet.up(url, filled)

    assert "PGRATCHET_DIRECT_URL" in (failure.value.hint or "")
    assert failure.value.exit_code == 2
    assert untouched(database)


def test_a_refused_run_leaves_no_setting_in_the_sessions_of_the_application(
    database: Database, filled: Path
) -> None:
    with pooling(database, "transaction") as url:
        with pytest.raises(pgratchet.ConfigurationError):
            pgratchet.up(url, filled)
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            query = "SELECT current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')"
            assert connection.execute(query.encode()).fetchone() == ("0", "0")


def test_several_refused_replicas_hold_nothing(database: Database, filled: Path) -> None:
    with pooling(database, "transaction") as url, ExitStack() as stack:
        processes = [stack.enter_context(running(database, filled, DATABASE_URL=url)) for _ in range(4)]
        ended = [process.communicate(timeout=60)[1] for process in processes]
        assert [process.returncode for process in processes] == [2] * 4, ended
    assert untouched(database)


def test_a_pooler_that_keeps_sessions_is_as_good_as_none(database: Database, filled: Path) -> None:
    with pooling(database, "session") as url:
        assert len(pgratchet.up(url, filled).done) == 3
        assert pgratchet.up(url, filled).done == ()


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_what_only_reads_works_through_the_pooler(database: Database, filled: Path, mode: str) -> None:
    with pooling(database, mode) as url, busy(url, 4):
        assert pgratchet.status(url, filled).pending == 3
        assert len(pgratchet.preview(url, filled).plan.steps) == 3
        pgratchet.up(database.url, filled)
        assert pgratchet.status(url, filled).pending == 0
        assert pgratchet.up(url, filled).done == (), "nothing to do needs no session"


def direct(database: Database, folder: Path, url: str) -> config.Settings:
    variables = {"DATABASE_URL": url, "PGRATCHET_DIRECT_URL": database.url, "PGRATCHET_DIR": str(folder)}
    return config.load(None, variables, str(folder))


def test_the_direct_url_leads_around_the_pooler_for_what_changes_the_database(
    database: Database, filled: Path
) -> None:
    with pooling(database, "transaction") as url:
        settings = direct(database, filled, url)
        assert len(pgratchet.up(settings=settings).done) == 3
        assert pgratchet.status(settings=settings).pending == 0


def test_a_database_is_marked_with_a_version_around_the_pooler(database: Database, filled: Path) -> None:
    with pooling(database, "transaction") as url:
        with pytest.raises(pgratchet.ConfigurationError, match="pooler"):
            pgratchet.baseline(1, url, filled)
        assert len(pgratchet.baseline(1, settings=direct(database, filled, url))) == 1


@pytest.mark.parametrize("mode", ["session", "transaction"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_is_killed_while_it_builds_an_index_is_finished_by_the_next(
    database: Database, filled: Path, mode: str, how: signal.Signals
) -> None:
    """Behind a pooler of transactions: with the direct URL."""
    pgratchet.up(database.url, filled, to=1)
    with pooling(database, mode) as url:
        settings = {
            "DATABASE_URL": url,
            **({} if mode == "session" else {"PGRATCHET_DIRECT_URL": database.url}),
        }
        reader = database.connect(autocommit=False)
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT * FROM a")
        with running(database, filled, **settings) as process:
            eventually(lambda: blocked(database))
            process.send_signal(how)
            process.wait(30)
        reader.rollback()
        eventually(lambda: how is signal.SIGKILL or not at_work(database))
        with running(database, filled, **settings) as process:
            _, said = process.communicate(timeout=30)
            assert process.returncode == 0, said
    with database.connect() as connection:
        valid = "SELECT array_agg(indisvalid) FROM pg_index WHERE indrelid = 'a'::regclass"
        assert connection.execute(valid.encode()).fetchone() == ([True, True],)
        assert connection.execute("SELECT count(*) FROM schema_migrations").fetchone() == (3,)
