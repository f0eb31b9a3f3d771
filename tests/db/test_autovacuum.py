"""A real autovacuum in the way of a change: it gives way to us, and where it does not, it is named and waited for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

import pgratchet
from pgratchet.model import Event, Waiting
from tests import servers
from tests.crash.process import eventually
from tests.folders import write_migrations
from tests.servers import Server

MORE = "autovacuum = on\nautovacuum_naptime = 1s\nautovacuum_max_workers = 1\n"
SLOW = "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, autovacuum_analyze_threshold = 1000000"
TABLE = f"""
CREATE TABLE a (id int, x text) WITH (autovacuum_enabled = off, {SLOW});
INSERT INTO a SELECT n, repeat('x', 500) FROM generate_series(1, 20000) AS n;
DELETE FROM a WHERE id % 2 = 0;
"""
DEAD_ROWS = (
    "ALTER TABLE a SET (autovacuum_enabled = on, autovacuum_vacuum_threshold = 1, "
    "autovacuum_vacuum_scale_factor = 0)"
)
AGE = """
ALTER TABLE a SET (autovacuum_freeze_max_age = 100000);
CREATE PROCEDURE age() LANGUAGE plpgsql AS
    'BEGIN FOR n IN 1..100001 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END'
"""
AT_WORK = (
    "SELECT query FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' AND query LIKE '%public.a%'"
)


@pytest.fixture
def own() -> Iterator[Server]:
    """Give a server of this test's own, whose autovacuum works."""
    with servers.running(servers.default_majors()[-1], MORE) as found:
        yield found


def prepare(server: Server, folder: Path, *, may_set_deadlock_timeout: bool) -> str:
    """Give the URL of a role that owns table a and is no superuser."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE owner LOGIN PASSWORD 'owner'")
        connection.execute("GRANT CREATE ON SCHEMA public TO owner")
        if may_set_deadlock_timeout:
            connection.execute("GRANT SET ON PARAMETER deadlock_timeout TO owner")
    url = conninfo.make_conninfo(server.url(), user="owner", password="owner")
    write_migrations(folder, {"V1__a.sql": TABLE})
    pgratchet.up(url, folder)
    write_migrations(folder, {"V2__b.sql": "ALTER TABLE a ADD y int;\n"})
    return url


def starts_on_a(server: Server, *statements: str) -> str:
    """Give an autovacuum a reason; returns what it says it does."""
    found: list[str] = []
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())

        def at_work() -> bool:
            found[:] = [row[0] for row in connection.execute(AT_WORK.encode()).fetchall()]
            return bool(found)

        eventually(at_work)
    return found[0]


@pytest.mark.parametrize("allowed", [True, False], ids=["may_set_deadlock_timeout", "may_not"])
def test_an_autovacuum_gives_way_to_a_role_whatever_it_may_set(
    own: Server, folder: Path, *, allowed: bool
) -> None:
    url = prepare(own, folder, may_set_deadlock_timeout=allowed)
    starts_on_a(own, DEAD_ROWS)
    assert pgratchet.up(url, folder, patience=pgratchet.Patience("50ms", 30.0)).version == 2
    assert "canceling autovacuum task" in own.log.read_text()


def test_one_that_prevents_a_wraparound_is_named_and_waited_for(own: Server, folder: Path) -> None:
    prepare(own, folder, may_set_deadlock_timeout=False)
    assert "to prevent wraparound" in starts_on_a(own, AGE, "CALL age()")
    events: list[Event] = []

    with pytest.raises(pgratchet.LockNotAvailable) as failure:
        pgratchet.up(own.url(), folder, patience=pgratchet.Patience("50ms", 0.5), observer=events.append)

    waiting = next(event for event in events if isinstance(event, Waiting))
    for said in (waiting.who[0], failure.value.message):
        assert "autovacuum worker" in said
        assert "VACUUM public.a (to prevent wraparound)" in said
    assert "canceling autovacuum task" not in own.log.read_text()
