"""The connection is lost at every statement that a run sends: before the server has it, and before its answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

import pgratchet
from pgratchet.model import Event, StatementStarted
from tests import servers
from tests.crash.conftest import Arena, complaint
from tests.crash.plans import PLANS
from tests.crash.process import at_work, eventually
from tests.crash.proxy import Cut, between
from tests.crash.test_server import control
from tests.folders import write_migrations
from tests.servers import Database, Server

Enter = Callable[..., Arena]
RunOn = Callable[[Server, str], None]


# What only sets the session, and ends with it: to lose the connection there is to lose it at the next statement.
OF_THE_SESSION = re.compile(rb"(SET|RESET|DISCARD|DEALLOCATE|CLOSE|UNLISTEN|SELECT pg_catalog.set_config)\b")


def commit(number: int) -> Callable[[int, bytes], bool]:
    seen: list[bytes] = []

    def wanted(_: int, statement: bytes) -> bool:
        seen.extend([statement] * (b"COMMIT\0" in statement))
        return len(seen) == number

    return wanted


@pytest.fixture(params=PLANS)
def arena(request: pytest.FixtureRequest, server: Server, run_on: RunOn, enter: Enter, folder: Path) -> Arena:
    return enter(server, lambda statement: run_on(server, statement), request.param, folder)


@pytest.mark.one_version
@pytest.mark.parametrize("cut", Cut, ids=["lost", "delivered"])
def test_at_every_statement_the_next_run_ends_as_an_undisturbed_one(arena: Arena, cut: Cut) -> None:
    with between(arena.fresh(), lambda *_: False, cut) as (url, proxy):
        pgratchet.up(url, arena.folder)
    places = [at for at, statement in enumerate(proxy.run, 1) if not OF_THE_SESSION.search(statement)]
    assert len(places) > 15
    for place in places:
        database = arena.fresh()
        with between(database, lambda at, _: at == place, cut) as (url, proxy):  # noqa: B023 - used in this turn
            said = complaint(lambda: pgratchet.up(url, arena.folder))
        assert not said or "lost" in said or "cannot be reached" in said, proxy.run[-1]
        arena.ends_well(database, proxy.run[-1])


@pytest.mark.parametrize("slow", [False, True], ids=["quick", "slow"])
def test_a_commit_that_went_through_is_found_out(database: Database, folder: Path, *, slow: bool) -> None:
    """Slow: the commit itself is still at work when we look."""
    first = {"V1__a.sql": "CREATE TABLE a (id int);\n" + (SLOW_COMMIT if slow else "")}
    write_migrations(folder, first)
    pgratchet.up(database.url, folder)
    write_migrations(folder, {"V2__b.sql": "INSERT INTO a VALUES (1);\n"})

    with between(database, commit(1), Cut.DELIVERED) as (url, proxy):
        outcome = pgratchet.up(url, folder)

    assert proxy.done
    assert [done.migration.version for done in outcome.done] == [2]
    assert pgratchet.up(database.url, folder).done == ()


SLOW_COMMIT = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.7); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow();
"""


def test_a_commit_that_did_not_reach_the_server_is_found_out(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": "CREATE TABLE a (id int);\n"})
    pgratchet.up(database.url, folder)
    write_migrations(folder, {"V2__b.sql": "INSERT INTO a VALUES (1);\n", "V3__c.sql": "SELECT 1;\n"})

    with (
        between(database, commit(2), Cut.LOST) as (url, proxy),
        pytest.raises(pgratchet.RunFailed, match=r"1 of 2 steps are applied, the last V2__b\.sql") as failure,
    ):
        pgratchet.up(url, folder)

    assert proxy.done
    assert failure.value.outcome is not None
    assert failure.value.outcome.version == 2
    assert [done.migration.version for done in pgratchet.up(database.url, folder).done] == [3]


def test_a_new_database_whose_one_commit_went_through_is_found_out(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": "CREATE TABLE a (id int);\n", "V2__b.sql": "CREATE TABLE b ();\n"})

    with between(database, commit(1), Cut.DELIVERED) as (url, proxy):
        outcome = pgratchet.up(url, folder)

    assert proxy.done
    assert [done.migration.version for done in outcome.done] == [1, 2]


@pytest.mark.one_version
def test_the_last_words_of_a_session_are_no_verdict_on_its_statement(
    database: Database, folder: Path
) -> None:
    """They come as the answer to it, here some time before the connection itself is gone."""
    write_migrations(folder, {"V1__a.sql": "SELECT pg_sleep(30);\n"})

    def terminate(_: Event) -> None:
        with database.connect() as connection:
            for pid in at_work(database):
                connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    with (
        between(database, linger=1.0) as (url, _),
        pytest.raises(pgratchet.PgratchetError, match="the connection was lost") as failure,
    ):
        pgratchet.up(
            url,
            folder,
            observer=lambda event: terminate(event) if isinstance(event, StatementStarted) else None,
        )

    assert failure.value.exit_code == 8


@pytest.mark.one_version
def test_after_a_failover_the_new_primary_is_asked_and_what_it_lacks_is_named(folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": "CREATE TABLE a (id int);\n"})
    with (
        servers.running(servers.default_majors()[-1]) as primary,
        servers.standby_of(primary, "next") as standby,
        psycopg.connect(standby, autocommit=True) as connection,
        ThreadPoolExecutor(1) as pool,
    ):
        pgratchet.up(primary.url(), folder)
        eventually(lambda: there(connection, "SELECT to_regclass('schema_migrations') IS NOT NULL"))
        eventually(lambda: there(connection, "SELECT FROM schema_migrations"))
        connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
        connection.execute("SELECT pg_reload_conf()")
        eventually(lambda: not there(connection, "SELECT FROM pg_stat_wal_receiver"))
        write_migrations(
            folder, {"V2__b.sql": "INSERT INTO a VALUES (1);\n", "V3__c.sql": "SELECT pg_sleep(60);\n"}
        )
        ports = f"{primary.port},{conninfo.conninfo_to_dict(standby)['port']}"
        url = conninfo.make_conninfo(primary.url(), host="127.0.0.1,127.0.0.1", port=ports)

        def stop_the_primary(event: Event) -> None:
            if isinstance(event, StatementStarted) and event.migration.version == 3:
                control(primary, "stop")

        run = pool.submit(pgratchet.up, url, folder, observer=stop_the_primary)
        asked = (
            "SELECT FROM pg_stat_activity WHERE application_name = 'pgratchet in doubt' "
            "AND query LIKE '%pg_is_in_recovery%'"
        )
        eventually(lambda: there(connection, asked))
        connection.execute("SELECT pg_promote()")
        with pytest.raises(
            pgratchet.RunFailed, match="none of the 2 steps of this run is applied"
        ) as failure:
            run.result()
        write_migrations(folder, {"V3__c.sql": "SELECT 1;\n"})
        assert pgratchet.up(url, folder).version == 3
        assert there(connection, "SELECT count(*) = 1 FROM a")
    assert "V2__b.sql: committed by this run, and not in the history of the server that answers now" in (
        failure.value.message
    )


def there(connection: psycopg.Connection, query: str) -> bool:
    row = connection.execute(query.encode()).fetchone()
    return row is not None and row != (False,)
