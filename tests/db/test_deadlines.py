"""A build that may wait as long as it likes ends at its deadline, and takes its INVALID index with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet.model import Event, StepEnded, StepStarted
from tests.crash.process import running
from tests.folders import write_migrations
from tests.servers import Database

pytestmark = pytest.mark.one_version
TABLES = """
CREATE TABLE a (id int, x int);
CREATE TABLE other (id int);
CREATE INDEX a_old ON a (x);
INSERT INTO a VALUES (1, 1);
ALTER TABLE a ADD CONSTRAINT positive CHECK (x > 0) NOT VALID;
CREATE FUNCTION slow(x int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN x > 0; END';
ALTER TABLE a ADD CONSTRAINT slow CHECK (slow(x)) NOT VALID;
"""
INDEXES = (
    "SELECT array_agg(indexrelid::regclass || ' ' || indisvalid ORDER BY 1) FROM pg_index "
    "WHERE indrelid = 'a'::regclass"
)


@pytest.fixture
def started(database: Database, folder: Path) -> Path:
    write_migrations(folder, {"V1__a.sql": TABLES})
    pgratchet.up(database.url, folder)
    return folder


@contextmanager
def reader(database: Database, table: str) -> Iterator[psycopg.Connection]:
    """Be an old transaction for which a build has to wait."""
    with psycopg.connect(database.url, application_name="nightly report") as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute(f"SELECT * FROM {table}".encode())
        yield connection


def overdue(database: Database, folder: Path, seconds: float = 1.5) -> pgratchet.StatementFailed:
    with pytest.raises(pgratchet.StatementFailed, match="its deadline, and was cancelled") as failure:
        pgratchet.up(database.url, folder, patience=pgratchet.Patience(deadline=seconds))
    assert "build_deadline=2h" in (failure.value.hint or "")
    assert failure.value.sqlstate == "57014"
    return failure.value


def indexes(database: Database) -> list[str]:
    with database.connect() as connection:
        found: list[str] = connection.execute(INDEXES.encode()).fetchall()[0][0]
        return found


@pytest.mark.parametrize(
    ("statement", "left", "after"),
    [
        ("CREATE INDEX CONCURRENTLY a_x ON a (x)", ["a_old true"], ["a_old true", "a_x true"]),
        ("REINDEX INDEX CONCURRENTLY a_old", ["a_old true"], ["a_old true"]),
    ],
    ids=["create", "reindex"],
)
def test_its_index_is_dropped_and_the_next_run_builds_it(
    database: Database, started: Path, statement: str, left: list[str], after: list[str]
) -> None:
    write_migrations(started, {"V2__build.sql": f"{statement};\n"})

    with reader(database, "other"):
        failure = overdue(database, started)

    assert "nightly report" in failure.primary
    assert "that it had left was dropped" in failure.primary
    assert "INVALID" not in failure.state
    assert indexes(database) == left
    assert pgratchet.up(database.url, started).version == 2
    assert indexes(database) == after


def test_where_its_table_is_held_the_index_stays_and_that_is_said(
    database: Database, started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgratchet.apply.segmented.LEFT_OVER", 0.5)
    write_migrations(started, {"V2__build.sql": "CREATE INDEX CONCURRENTLY a_x ON a (x);\n"})

    with reader(database, "a"):
        failure = overdue(database, started)

    assert "was dropped" not in failure.primary
    assert "The index public.a_x is INVALID: the next run drops it" in failure.state
    assert indexes(database) == ["a_old true", "a_x false"]
    assert pgratchet.up(database.url, started).version == 2
    assert indexes(database) == ["a_old true", "a_x true"]


def test_what_a_build_waits_for_is_said_while_it_waits(database: Database, started: Path) -> None:
    write_migrations(started, {"V2__build.sql": "CREATE INDEX CONCURRENTLY a_x ON a (x);\n"})
    with reader(database, "a") as connection, running(database, started) as process:
        assert process.stderr is not None
        said = next(line for line in process.stderr if line.startswith("waiting in"))
        connection.rollback()
        process.communicate()
        assert process.returncode == 0
    assert re.match(r"waiting in V2__build\.sql:1 \(\d\.\d s\): pid \d+, postgres, nightly report, ", said)
    assert "s, holds a transaction open that began before ours: SELECT * FROM a" in said


def test_a_file_says_its_own_deadline_and_only_its_builds_have_it(database: Database, started: Path) -> None:
    write_migrations(
        started,
        {"V2__build.sql": "-- pgratchet: build_deadline=1s\nSELECT pg_sleep(1.6);\nREINDEX INDEX a_old;\n"},
    )
    assert pgratchet.up(database.url, started, patience=pgratchet.Patience(deadline=0.1)).version == 2
    write_migrations(
        started,
        {"V3__build.sql": "-- pgratchet: build_deadline=1s\nCREATE INDEX CONCURRENTLY a_x ON a (x);\n"},
    )
    with reader(database, "other"):
        assert "after 1 s" in overdue(database, started, 60.0).primary


def test_a_validation_waits_for_its_table_in_one_try_and_ends_at_its_deadline(
    database: Database, started: Path
) -> None:
    write_migrations(started, {"V2__valid.sql": "ALTER TABLE a VALIDATE CONSTRAINT positive;\n"})
    with psycopg.connect(database.url, application_name="nightly vacuum") as connection:
        connection.execute("LOCK TABLE a IN SHARE UPDATE EXCLUSIVE MODE")
        failure = overdue(database, started)
        assert "nightly vacuum" in failure.primary
        assert "holds ShareUpdateExclusiveLock on a" in failure.primary
    assert pgratchet.up(database.url, started).version == 2

    write_migrations(started, {"V3__slow.sql": "ALTER TABLE a VALIDATE CONSTRAINT slow;\n"})
    events: list[Event] = []
    with pytest.raises(pgratchet.StatementFailed, match="its deadline"):
        pgratchet.up(database.url, started, patience=pgratchet.Patience(deadline=0.6), observer=events.append)
    assert [type(event) for event in events if isinstance(event, StepStarted | StepEnded)] == [
        StepStarted,
        StepEnded,
    ]
    with database.connect() as connection:
        valid = "SELECT convalidated FROM pg_constraint WHERE conname = 'slow'"
        assert connection.execute(valid).fetchone() == (False,)
