"""A change of a table beside a running application: who waits, for how long, and what is said of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet import config
from pgratchet.model import Event, Outcome, StatementEnded, StatementStarted, StepEnded, StepStarted, Waiting
from tests.crash.process import at_work, eventually
from tests.folders import write_migrations
from tests.servers import Database

WAITS = "AND wait_event_type = 'Lock' AND state = 'active' AND clock_timestamp() - query_start > interval '300 ms'"


@pytest.fixture
def started(database: Database, folder: Path) -> Path:
    """A database whose tables a, b and c exist."""
    write_migrations(
        folder,
        {
            "V1__a.sql": "CREATE TABLE a (id int);\nCREATE TABLE b (id int);\nCREATE TABLE c (id int);\n"
            "INSERT INTO a VALUES (1);\nINSERT INTO b VALUES (1);\n"
        },
    )
    pgratchet.up(database.url, folder)
    return folder


@contextmanager
def holding(
    database: Database, statement: str = "LOCK TABLE a IN ACCESS SHARE MODE"
) -> Iterator[psycopg.Connection]:
    """Hold what a long report or a dump holds: a lock on table a that a change of the table must wait for."""
    with psycopg.connect(database.url, application_name="nightly report") as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute(statement.encode())
        yield connection


@contextmanager
def run(
    database: Database, folder: Path, events: list[Event], held: str = "LOCK TABLE a IN ACCESS SHARE MODE"
) -> Iterator[Future[Outcome]]:
    """Let a run go on beside the test, which holds something against it until the end."""
    with ThreadPoolExecutor(1) as pool, holding(database, held):
        yield pool.submit(pgratchet.up, database.url, folder, observer=events.append)


def refusals(events: list[Event]) -> int:
    return sum(isinstance(event, StepEnded) and event.error is not None for event in events)


@contextmanager
def readers(database: Database, table: str) -> Iterator[list[None]]:
    """Be an application that reads a table again and again; gives a list as long as it has read."""
    stop, found = threading.Event(), list[None]()

    def read() -> None:
        # A prepared SELECT * would fail where the change lands before the last probe.
        with psycopg.connect(database.url, autocommit=True, prepare_threshold=None) as connection:
            while not stop.wait(0.005):
                connection.execute(f"SELECT * FROM {table}".encode())
                found.append(None)

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        try:
            yield found
        finally:
            stop.set()
            reading.result()


@pytest.mark.parametrize(
    ("file", "table"),
    [
        ("ALTER TABLE a ADD x int;\n", "a"),
        ("CREATE TABLE d ();\nALTER TABLE b ADD x int;\nALTER TABLE a ADD x int;\n", "b"),
        ("UPDATE c SET id = 2;\nALTER TABLE a ADD x int;\nALTER TABLE b ADD x int;\n", "b"),
        ("VACUUM c;\nALTER TABLE b ADD x int;\nALTER TABLE a ADD x int;\n", "b"),
    ],
    ids=["one_table", "two_tables", "rows_first", "in_segments"],
)
def test_readers_do_not_queue_behind_a_change_that_waits_for_a_lock(
    database: Database, started: Path, file: str, table: str
) -> None:
    """The dump goes on until they have read on through several tries: behind a change that queues they never would."""
    write_migrations(started, {"V2__b.sql": file})
    events: list[Event] = []

    with (
        run(database, started, events) as outcome,
        readers(database, table) as reads,
    ):
        eventually(lambda: refusals(events) >= 1)
        before = len(reads)
        eventually(lambda: refusals(events) >= 4 and len(reads) > before + 40)

    assert outcome.result().version == 2
    starts = sum(isinstance(event, StepStarted) for event in events)
    assert starts == sum(isinstance(event, StepEnded) for event in events) or "VACUUM" in file


@pytest.mark.parametrize(
    "file",
    ["ALTER TABLE a ADD x int;\n", "ALTER TABLE a ADD x int;\nALTER TABLE b ADD x int;\n"],
    ids=["of_a_statement", "of_a_step"],
)
def test_those_who_hold_the_lock_are_named_while_it_is_waited_for(
    database: Database, started: Path, file: str
) -> None:
    write_migrations(started, {"V2__b.sql": file})
    events: list[Event] = []

    with run(database, started, events), readers(database, "b"):
        eventually(lambda: any(isinstance(event, Waiting) for event in events))

    waiting = next(event for event in events if isinstance(event, Waiting))
    assert "V2__b.sql" in waiting.what
    [who] = waiting.who
    assert (
        "postgres, nightly report, idle in transaction for 0 s, holds AccessShareLock on a: LOCK TABLE a"
        in who
    )


@pytest.mark.one_version
def test_only_those_are_named_whose_lock_is_in_the_way_also_on_a_partition_and_of_a_prepared_transaction(
    database: Database, started: Path
) -> None:
    write_migrations(
        started,
        {
            "V2__p.sql": "CREATE TABLE p (id int) PARTITION BY RANGE (id);\n"
            "CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (9);\n"
        },
    )
    pgratchet.up(database.url, started)
    write_migrations(started, {"V3__p.sql": "CREATE INDEX ON p (id);\n"})
    patience = pgratchet.Patience("50ms", 0.0)
    with (
        psycopg.connect(database.url) as prepared,
        holding(database, "INSERT INTO p_1 VALUES (1)"),
        psycopg.connect(database.url, application_name="innocent reader") as innocent,
    ):
        innocent.execute("SELECT * FROM p")
        prepared.execute("INSERT INTO p_1 VALUES (2)")
        prepared.execute("PREPARE TRANSACTION 'two phases'")
        with pytest.raises(pgratchet.LockNotAvailable) as failure:
            pgratchet.up(database.url, started, patience=patience, preflight=False)
    with database.connect() as connection:
        connection.execute("ROLLBACK PREPARED 'two phases'")

    assert "holds RowExclusiveLock on p_1: INSERT INTO p_1" in failure.value.message
    assert "prepared transaction 'two phases' of postgres, for 0 s, holds RowExclusiveLock on p_1" in (
        failure.value.message
    )
    assert "innocent reader" not in failure.value.message


def test_a_spent_budget_ends_with_those_who_hold_the_lock_and_nothing_done(
    database: Database, started: Path
) -> None:
    write_migrations(started, {"V2__b.sql": "CREATE TABLE d (id int);\nALTER TABLE a ADD b int;\n"})

    with (
        holding(database),
        pytest.raises(pgratchet.LockNotAvailable, match="nightly report") as failure,
    ):
        pgratchet.up(database.url, started, patience=pgratchet.Patience("50ms", 0.4))

    assert failure.value.exit_code == 6
    with database.connect() as connection:
        assert connection.execute("SELECT to_regclass('d')").fetchone() == (None,)
        assert connection.execute("SELECT max(version) FROM schema_migrations").fetchone() == (1,)


@pytest.mark.one_version
def test_a_file_may_have_a_budget_of_its_own(database: Database, started: Path) -> None:
    write_migrations(started, {"V2__b.sql": "-- pgratchet: lock_budget=1s\nALTER TABLE a ADD b int;\n"})
    with holding(database), pytest.raises(pgratchet.LockNotAvailable, match="no lock after 1 s"):
        pgratchet.up(database.url, started)


@pytest.mark.one_version
def test_the_work_before_the_first_failed_try_costs_nothing_of_the_budget(
    database: Database, started: Path
) -> None:
    write_migrations(
        started,
        {
            "V2__b.sql": "SELECT pg_sleep(0.3);\n",
            "V3__c.sql": "SELECT pg_sleep(0.3);\nALTER TABLE a ADD b int;\n",
        },
    )
    with holding(database) as holder:
        outcome = pgratchet.up(
            database.url,
            started,
            patience=pgratchet.Patience("50ms", 0.5),
            observer=lambda event: holder.rollback() if isinstance(event, Waiting) else None,
        )
    assert outcome.version == 3


def test_a_step_with_several_tables_holds_none_while_it_waits_for_another(
    database: Database, started: Path
) -> None:
    write_migrations(
        started, {"V2__b.sql": "ALTER TABLE b ADD x int;\nSELECT pg_sleep(0.2);\nALTER TABLE a ADD x int;\n"}
    )
    events: list[Event] = []
    held: list[int] = []
    query = "SELECT count(*) FROM pg_locks WHERE relation = 'b'::regclass AND mode = 'AccessExclusiveLock' AND granted"

    with run(database, started, events), database.connect() as connection:

        def look() -> bool:
            held.append(connection.execute(query.encode()).fetchone()[0])  # type: ignore[index]
            return refusals(events) >= 4 and len(held) > 20

        eventually(look)

    assert sum(held) == 0


@pytest.mark.parametrize("more", ["", "VACUUM c;\n"], ids=["a_transaction", "segments"])
def test_a_change_of_rows_waits_for_rows_without_being_started_over(
    database: Database, started: Path, more: str
) -> None:
    write_migrations(started, {"V2__b.sql": f"{more}UPDATE a SET id = 2;\nALTER TABLE b ADD x int;\n"})
    events: list[Event] = []

    with run(database, started, events, "SELECT * FROM a FOR UPDATE"):
        eventually(lambda: at_work(database, WAITS))

    assert not any(isinstance(event, Waiting) for event in events)
    with database.connect() as connection:
        assert connection.execute("SELECT id FROM a").fetchone() == (2,)


@pytest.mark.one_version
def test_a_seed_waits_for_a_lock_in_short_tries_as_well(database: Database, tmp_path: Path) -> None:
    write_migrations(
        tmp_path, {"a.sql": "SELECT 1;\nINSERT INTO kept VALUES (1);\nCREATE INDEX ON kept (id);\n"}
    )
    with database.connect() as connection:
        connection.execute("CREATE TABLE kept (id int)")
    settings = config.load({"url": database.url}, {"PGRATCHET_SEEDS": str(tmp_path.parent)}, str(tmp_path))
    events: list[Event] = []
    with (
        ThreadPoolExecutor(1) as pool,
        holding(database, "LOCK TABLE kept IN ROW EXCLUSIVE MODE"),
    ):
        seeded = pool.submit(pgratchet.seed, tmp_path.name, settings=settings, observer=events.append)
        eventually(lambda: any(isinstance(event, Waiting) for event in events))

    assert len(seeded.result()) == 1
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)


@pytest.mark.parametrize(
    "statement",
    ["ALTER TABLE a ADD b int", "VACUUM FULL a", "VACUUM c;\nALTER TABLE a ADD b int"],
    ids=["a_transaction", "outside_of_one", "segments"],
)
def test_a_file_may_wait_longer_for_a_lock_than_the_run(
    database: Database, started: Path, statement: str
) -> None:
    write_migrations(started, {"V2__b.sql": f"-- pgratchet: lock_timeout=30s\n{statement};\n"})
    events: list[Event] = []

    with run(database, started, events):
        eventually(lambda: at_work(database, WAITS))

    assert not any(isinstance(event, Waiting) for event in events)
    assert all(event.error is None for event in events if isinstance(event, StatementEnded))
    numbers = [event.statement.number for event in events if isinstance(event, StatementStarted)]
    assert len(numbers) == len(set(numbers))


@pytest.mark.one_version
def test_no_time_out_of_the_role_ends_a_build(database: Database, started: Path) -> None:
    role = f"hurried_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 'hurried'".encode())
        for setting in ("statement_timeout", "transaction_timeout", "idle_session_timeout", "lock_timeout"):
            connection.execute(f"ALTER ROLE {role} SET {setting} = '300ms'".encode())
    write_migrations(
        started, {"V2__b.sql": "CREATE INDEX CONCURRENTLY a_id ON a (id);\nSELECT pg_sleep(0.5);\n"}
    )
    url = psycopg.conninfo.make_conninfo(database.url, user=role, password="hurried")
    try:
        with ThreadPoolExecutor(1) as pool, holding(database, "SELECT * FROM b"):
            outcome = pool.submit(pgratchet.up, url, started)
            eventually(lambda: at_work(database, WAITS))
        assert outcome.result().version == 2
    finally:
        with database.connect() as connection:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


TRIES = """
DO $$ BEGIN
    IF nextval('tries') < 3 THEN RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = '{text}'; END IF;
END $$;
"""


@pytest.mark.one_version
@pytest.mark.parametrize(
    ("code", "text", "tries", "more"),
    [
        ("55P03", "no lock", 3, ""),
        ("40P01", "deadlock", 3, "VACUUM a;\n"),
        ("40001", "serialization", 3, "-- pgratchet: transaction=none\n"),
        ("55006", "it is being accessed by other users", 3, ""),
        ("XX000", "tuple concurrently updated", 3, ""),
        ("55006", "it has pending trigger events", 1, ""),
        ("XX000", "something else", 1, ""),
    ],
)
def test_what_passes_by_itself_is_tried_again_and_nothing_else(
    database: Database, started: Path, code: str, text: str, tries: int, more: str
) -> None:
    """A sequence counts the tries: it is not rolled back."""
    database.connect().execute("CREATE SEQUENCE tries")
    write_migrations(started, {"V2__b.sql": more + TRIES.format(code=code, text=text)})

    if tries == 3:
        assert pgratchet.up(database.url, started).version == 2
    else:
        with pytest.raises(pgratchet.StatementFailed, match=text):
            pgratchet.up(database.url, started)

    with database.connect() as connection:
        assert connection.execute("SELECT last_value FROM tries").fetchone() == (tries,)
