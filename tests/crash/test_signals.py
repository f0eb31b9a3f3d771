"""SIGTERM in the middle of a statement: it is cancelled on the server and rolled back, and the lock is let go."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

import pgratchet
from tests.crash.pgbouncer import sessions
from tests.crash.process import at_work, blocked, eventually, running
from tests.folders import write_migrations
from tests.servers import Database

pytestmark = pytest.mark.one_version
SLOW_ROWS = """
CREATE TABLE a (id int);
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN new; END $$;
CREATE TRIGGER slow BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION slow();
"""
ROWS = "".join(f"{number}\n" for number in range(200_000))
FILES = {
    "a_statement": "INSERT INTO a VALUES (1);\nSELECT pg_sleep(60);\n",
    "a_copy": f"COPY a FROM stdin;\n{ROWS}\\.\n",
    "a_copy_outside_a_transaction": f"-- pgratchet: transaction=none\nCOPY a FROM stdin;\n{ROWS}\\.\n",
    "a_procedure": "-- pgratchet: transaction=none\nDO $$ BEGIN PERFORM pg_sleep(60); END $$;\n",
}


def stops(database: Database, folder: Path, number: signal.Signals = signal.SIGTERM) -> None:
    with running(database, folder) as process:
        eventually(lambda: at_work(database, "AND wait_event = 'PgSleep'"))
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert process.returncode == {signal.SIGTERM: 143, signal.SIGINT: 130}[number], said
    assert "Traceback" not in said
    assert "none of the 1 steps" in said
    assert not at_work(database)
    assert not sessions(database)
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM a").fetchone() == (0,)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("kind", FILES)
def test_a_long_statement_is_cancelled_and_rolled_back(
    database: Database, folder: Path, kind: str, number: signal.Signals
) -> None:
    write_migrations(folder, {"V1__a.sql": SLOW_ROWS})
    pgratchet.up(database.url, folder)
    write_migrations(folder, {"V2__long.sql": FILES[kind]})
    stops(database, folder, number)
    write_migrations(folder, {"V2__long.sql": "INSERT INTO a VALUES (1);\n"})
    assert pgratchet.up(database.url, folder).version == 2


def test_a_copy_that_waits_for_a_lock_is_cancelled(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": "CREATE TABLE a (id int);\n"})
    pgratchet.up(database.url, folder)
    write_migrations(folder, {"V2__copy.sql": "COPY a FROM stdin;\n1\n\\.\n"})
    with database.connect(autocommit=False) as application, running(database, folder) as process:
        application.execute("LOCK TABLE a IN SHARE MODE")
        eventually(lambda: blocked(database))
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 143, said
        assert not at_work(database)
    assert pgratchet.up(database.url, folder).version == 2
