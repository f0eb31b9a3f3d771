"""A new database with more files than one transaction may hold: few transactions, and the truth of each step."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet import apply, history
from tests.folders import write_migrations
from tests.servers import Database


@pytest.fixture(autouse=True)
def three_statements_a_transaction(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(database.url) as connection:
        locks = history.state(connection, history.Names("public", "schema_migrations")).locks
    monkeypatch.setattr(apply, "LOCKS_A_STATEMENT", locks // 3 - 1)


def ask(database: Database, query: str) -> list[tuple[object, ...]]:
    return database.connect().execute(query.encode()).fetchall()


def tables(*numbers: int) -> dict[str, str]:
    return {f"V{number}__t{number}.sql": f"CREATE TABLE t{number} ();" for number in numbers}


def test_as_many_steps_are_in_one_transaction_as_its_locks_allow(database: Database, folder: Path) -> None:
    write_migrations(folder, {**tables(*range(1, 8)), "R__seven.sql": "CREATE VIEW seven AS TABLE t7;"})

    outcome = pgratchet.up(database.url, folder)

    assert len(outcome.done) == 8
    rows = ask(
        database,
        "SELECT array_agg(version ORDER BY version) FROM schema_migrations GROUP BY xmin::text ORDER BY 1",
    )
    assert rows == [([1, 2, 3],), ([4, 5, 6],), ([7],)]
    assert ask(database, "SELECT count(*) FROM schema_migrations_body") == [(8,)]
    assert pgratchet.status(database.url, folder).pending == 0


def test_each_row_says_when_its_own_step_began_and_ended(database: Database, folder: Path) -> None:
    write_migrations(
        folder, {f"V{n}__wait.sql": "SELECT pg_sleep(0.05);" for n in range(1, 4)} | tables(4, 5)
    )

    pgratchet.up(database.url, folder)

    [(ordered, slept, quick)] = ask(
        database,
        "SELECT bool_and(started_at >= before - interval '5 ms' AND applied_at >= started_at), "
        "min(execution_time_ms) FILTER (WHERE version < 4), max(execution_time_ms) FILTER (WHERE version > 4) "
        "FROM (SELECT *, lag(applied_at, 1, '-infinity') OVER (ORDER BY version) AS before "
        "FROM schema_migrations) AS rows",
    )
    assert ordered
    assert slept >= 45  # type: ignore[operator]
    assert quick < 10_000  # type: ignore[operator]


def test_a_failure_keeps_every_step_before_it(database: Database, folder: Path) -> None:
    write_migrations(
        folder, {**tables(1, 2, 3, 4), "V5__no.sql": "CREATE TABLE no (x nosuchtype);", **tables(6, 7)}
    )

    with pytest.raises(pgratchet.StatementFailed, match="nosuchtype") as failure:
        pgratchet.up(database.url, folder)

    assert failure.value.outcome is not None
    assert [item.migration.version for item in failure.value.outcome.done] == [1, 2, 3, 4]
    assert "V4__t4.sql and those before it are applied" in failure.value.state
    assert ask(database, "SELECT version FROM schema_migrations ORDER BY version") == [(1,), (2,), (3,), (4,)]
    assert ask(database, "SELECT to_regclass('t4') IS NOT NULL, to_regclass('t6') IS NULL") == [(True, True)]


def test_what_works_only_in_a_transaction_of_its_own_gets_one(database: Database, folder: Path) -> None:
    files = {
        "V1__mood.sql": "CREATE TYPE mood AS ENUM ('sad');",
        **tables(2, 3),
        "V4__happy.sql": "ALTER TYPE mood ADD VALUE 'happy';",
        "V5__moods.sql": "CREATE TABLE moods (m mood); INSERT INTO moods VALUES ('happy');",
    }
    write_migrations(folder, files)

    pgratchet.up(database.url, folder)

    assert ask(database, "SELECT m::text FROM moods") == [("happy",)]
    assert ask(database, "SELECT count(*) FROM schema_migrations WHERE status = 'applied'") == [(5,)]


def test_an_index_built_concurrently_stands_between_two_of_them(database: Database, folder: Path) -> None:
    index = {"V3__index.sql": "CREATE INDEX CONCURRENTLY t2_id ON t2 (id);"}
    files = {**tables(1, 4, 5), "V2__t2.sql": "CREATE TABLE t2 (id int);", **index}
    write_migrations(folder, files)

    pgratchet.up(database.url, folder)

    assert ask(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 't2_id'::regclass") == [(True,)]
    rows = ask(
        database,
        "SELECT array_agg(version ORDER BY version) FROM schema_migrations GROUP BY xmin::text ORDER BY 1",
    )
    assert rows == [([1, 2],), ([3],), ([4, 5],)]
