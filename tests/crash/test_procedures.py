"""Statements that commit by themselves: what took effect is said, and nothing is run twice on a guess."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

import pgratchet
from tests.crash.process import eventually, running
from tests.folders import write_migrations
from tests.servers import Database

pytestmark = pytest.mark.one_version
START = """
CREATE TABLE a (id int);
CREATE PROCEDURE batches(fails bool) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO a VALUES (1);
    COMMIT;
    IF fails THEN RAISE 'no more'; END IF;
    PERFORM pg_sleep(60);
END $$;
"""
CALL = "-- pgratchet: transaction=none\nINSERT INTO a VALUES (0);\nCALL batches({});\n"


@pytest.fixture
def started(database: Database, folder: Path) -> Path:
    write_migrations(folder, {"V1__a.sql": START})
    pgratchet.up(database.url, folder)
    return folder


def rows(database: Database) -> list[int]:
    with database.connect() as connection:
        return [row[0] for row in connection.execute("SELECT id FROM a ORDER BY id").fetchall()]


def test_a_procedure_that_fails_is_told_with_what_took_effect(database: Database, started: Path) -> None:
    write_migrations(started, {"V2__call.sql": CALL.format("true")})

    with pytest.raises(pgratchet.StatementFailed, match="no more") as failure:
        pgratchet.up(database.url, started)

    assert "the first 1 of 2 statements have taken effect" in failure.value.state
    assert "Line 3 ran outside a transaction: what it had committed by itself" in failure.value.state
    assert rows(database) == [0, 1]


def test_a_procedure_that_was_cut_off_is_not_run_again_before_a_person_has_looked(
    database: Database, started: Path
) -> None:
    write_migrations(started, {"V2__call.sql": CALL.format("false")})
    with running(database, started) as process:
        eventually(lambda: rows(database) == [0, 1])
        process.send_signal(signal.SIGKILL)
        process.wait()

    for _ in range(2):
        with pytest.raises(pgratchet.StatementFailed, match="was cut off while this ran") as failure:
            pgratchet.up(database.url, started)
        assert failure.value.line == 3
        assert "the first 1 of 2 statements have taken effect" in failure.value.state
        assert "again from its beginning" not in failure.value.state
        assert rows(database) == [0, 1]

    write_migrations(
        started, {"V2__call.sql": CALL.format("false").replace("CALL batches(false)", "SELECT 1")}
    )
    assert pgratchet.up(database.url, started).version == 2
    assert rows(database) == [0, 1]


def test_a_change_of_rows_outside_a_transaction_is_recorded_with_it_and_never_made_twice(
    database: Database, started: Path
) -> None:
    write_migrations(
        started,
        {"V2__rows.sql": "-- pgratchet: transaction=none\nINSERT INTO a VALUES (0);\nSELECT 1 / 0;\n"},
    )
    for _ in range(2):
        with pytest.raises(pgratchet.StatementFailed, match="division by zero"):
            pgratchet.up(database.url, started)
    assert rows(database) == [0]


def test_an_empty_transaction_of_a_file_is_passed_over(database: Database, started: Path) -> None:
    write_migrations(started, {"V2__empty.sql": "BEGIN;\nCOMMIT;\nVACUUM a;\nINSERT INTO a VALUES (5);\n"})
    assert pgratchet.up(database.url, started).version == 2
    assert rows(database) == [5]
