"""The checks before a run, each in a real situation on a real server."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgratchet
from pgratchet import config, files, history, ops, parse, preflight
from pgratchet.model import Check, Event, Noticed, Step, Verdict
from pgratchet.parse import lock_targets
from pgratchet.preflight import Limits
from tests import servers
from tests.folders import write_migrations
from tests.servers import Database, Server

NAMES = history.Names("public", "schema_migrations")
TABLES = (
    "CREATE TABLE a (id int PRIMARY KEY, b text);\nCREATE TABLE b (id int);\nINSERT INTO a VALUES (1, 'x');\n"
)
ADD = "ALTER TABLE a ADD c int;\n"
MODES = (
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)
QUICK = Limits(budget=0.2, long=0.2, idle=0.2)
"""For situations that take a minute to arise."""


@pytest.fixture
def started(database: Database, folder: Path) -> Path:
    """A database whose tables a and b exist, and a step that changes a."""
    write_migrations(folder, {"V1__a.sql": TABLES})
    pgratchet.up(database.url, folder)
    write_migrations(folder, {"V2__b.sql": ADD})
    return folder


@pytest.fixture
def role(database: Database, run_on: Callable[[Server, str], None]) -> Iterator[str]:
    """An ordinary role, which may connect and owns nothing."""
    name = f"ordinary_{database.name}"
    run_on(database.server, f"CREATE ROLE {name} LOGIN PASSWORD 'word'")
    yield name
    with database.connect() as connection:
        connection.execute(f"DROP OWNED BY {name}".encode())
    run_on(database.server, f"DROP ROLE {name}")


def may_keep_the_history(database: Database, role: str) -> None:
    with database.connect() as connection:
        connection.execute(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}".encode())


def as_role(database: Database, role: str) -> str:
    return f"postgresql://{role}:word@127.0.0.1:{database.server.port}/{database.name}"


def of(checks: tuple[Check, ...]) -> dict[str, Check]:
    """The first check of each name, which is the gravest."""
    return {check.name: check for check in reversed(checks)}


def looked(url: str, folder: Path) -> dict[str, Check]:
    return of(ops.preflight(url, folder))


def looked_closely(database: Database, folder: Path, limits: Limits = QUICK) -> dict[str, Check]:
    """Look at what is behind the first file, with limits that a test can wait for."""
    pending = [item for item in files.read(folder) if item.version != 1]
    scripts = {item.script: parse.read(item.path) for item in pending}
    with database.connect() as connection:
        steps = [Step(item) for item in pending]
        return of(preflight.look(connection, steps, scripts, NAMES, limits=limits))


@contextmanager
def session(database: Database, *statements: str, **settings: Any) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.url, **settings) as connection:
        for statement in statements:
            connection.execute(statement.encode())
        yield connection
        if not connection.closed:
            connection.rollback()


def test_an_idle_server_has_nothing_in_the_way(database: Database, started: Path) -> None:
    found = ops.preflight(database.url, started)
    assert {check.name for check in found} == {rule.name for rule in preflight.RULES}
    assert {check.verdict for check in found} == {Verdict.PASS}


def test_an_old_transaction_that_holds_our_table_for_too_long_is_refused(
    database: Database, started: Path
) -> None:
    with session(database, "SELECT * FROM a", application_name="nightly report"):
        time.sleep(0.3)
        found = looked_closely(database, started)["transactions"]
        beside = looked_closely(database, started, QUICK._replace(budget=600))["transactions"]

    assert (found.verdict, beside.verdict) == (Verdict.REFUSE, Verdict.WARN)
    for word in ("nightly report", "idle in transaction", "SELECT * FROM a", "AccessShareLock", "V2__b.sql"):
        assert word in found.reason


def test_an_old_transaction_on_another_table_is_warned_of(database: Database, started: Path) -> None:
    with session(database, "SELECT * FROM b"):
        time.sleep(0.3)
        assert looked_closely(database, started)["transactions"].verdict is Verdict.WARN


def test_a_reader_of_a_partition_is_in_the_way_of_a_change_of_its_table(
    database: Database, folder: Path
) -> None:
    parts = (
        "CREATE TABLE a (id int) PARTITION BY LIST (id);\nCREATE TABLE a1 PARTITION OF a FOR VALUES IN (1);\n"
    )
    write_migrations(folder, {"V1__a.sql": parts, "V2__b.sql": ADD})
    pgratchet.up(database.url, folder, to=1)

    with session(database, "SELECT * FROM a1"):
        time.sleep(0.3)
        assert looked_closely(database, folder)["transactions"].verdict is Verdict.REFUSE


@pytest.mark.parametrize(
    ("change", "verdict"),
    [(ADD, Verdict.REFUSE), ("ALTER TABLE b ADD c int;\n", Verdict.WARN)],
)
def test_a_prepared_transaction_on_our_table_is_refused_and_any_other_warned_of(
    database: Database, started: Path, change: str, verdict: Verdict
) -> None:
    write_migrations(started, {"V2__b.sql": change})
    name = f"two phases of {database.name}"
    with database.connect() as connection:
        connection.execute(f"BEGIN; UPDATE a SET b = 'y'; PREPARE TRANSACTION '{name}'".encode())
        try:
            found = looked(database.url, started)["prepared-transactions"]
        finally:
            connection.execute(f"ROLLBACK PREPARED '{name}'".encode())

    assert found.verdict is verdict
    assert f"ROLLBACK PREPARED '{name}';" in str(found.hint)


@contextmanager
def dump(database: Database) -> Iterator[None]:
    """A real pg_dump, kept at its start by a lock on a table that it comes to last."""
    where = ["-h", "127.0.0.1", "-p", str(database.server.port), "-U", "postgres", database.name]
    environment = {**os.environ, "PGPASSWORD": database.server.password}
    with session(database, "LOCK TABLE b IN ACCESS EXCLUSIVE MODE"):
        process = subprocess.Popen(
            [database.server.bin / "pg_dump", *where],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            waited_for(database, "pg_dump")
            yield
        finally:
            process.terminate()
            process.wait()


def waited_for(database: Database, name: str) -> None:
    query = (
        "SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE relation = 'a'::regclass "
        "AND application_name = %s AND datname = current_database()"
    )
    with database.connect() as connection:
        deadline = time.monotonic() + 20
        while connection.execute(query, (name,)).fetchone() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_running_dump_is_warned_of_and_one_that_goes_on_is_refused(
    database: Database, started: Path
) -> None:
    with dump(database):
        young = looked(database.url, started)
        time.sleep(0.3)
        old = looked_closely(database, started)

    assert young["dumps"].verdict is Verdict.WARN
    assert young["transactions"].verdict is Verdict.PASS
    assert old["dumps"].verdict is Verdict.REFUSE
    assert "pg_dump" in old["dumps"].reason


def test_an_export_is_known_by_what_it_runs(database: Database, started: Path) -> None:
    export = "COPY (SELECT a.*, pg_sleep(30) FROM a) TO STDOUT"
    with session(database, application_name="warehouse") as connection:
        connection.pgconn.send_query(export.encode())
        waited_for(database, "warehouse")
        found = looked(database.url, started)["dumps"]
        connection.cancel_safe()
        connection.pgconn.get_result()
        connection.close()

    assert found.verdict is Verdict.WARN
    assert "warehouse" in found.reason


def invalid_index(database: Database) -> None:
    """Leave one as PostgreSQL does: a unique index over a value that is there twice."""
    with database.connect() as connection:
        connection.execute("INSERT INTO b VALUES (1), (1)")
        with suppress(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY b_id ON b (id)")


def test_an_invalid_index_is_warned_of_unless_the_plan_builds_it(database: Database, started: Path) -> None:
    invalid_index(database)
    found = looked(database.url, started)["indexes"]
    write_migrations(started, {"V2__b.sql": "CREATE INDEX CONCURRENTLY b_id ON b (id);\n"})

    assert found.verdict is Verdict.WARN
    assert 'DROP INDEX CONCURRENTLY "public"."b_id";' in str(found.hint)
    assert looked(database.url, started)["indexes"].verdict is Verdict.PASS


def test_a_half_detached_partition_is_warned_of(database: Database, started: Path) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE p (id int) PARTITION BY LIST (id)")
        connection.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)")
        with session(database, "SELECT * FROM p"):
            connection.execute("SET statement_timeout = '300ms'")
            with suppress(psycopg.errors.QueryCanceled):
                connection.execute("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY")
    found = looked(database.url, started)["partitions"]
    assert found.verdict is Verdict.WARN
    assert found.hint == 'ALTER TABLE p DETACH PARTITION "public"."p1" FINALIZE;'


def test_a_table_of_another_role_is_refused_with_its_owner(
    database: Database, started: Path, role: str
) -> None:
    with pytest.raises(pgratchet.ConfigurationError, match="may not read the history"):
        ops.preflight(as_role(database, role), started)
    with database.connect() as connection:
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}".encode())
    found = looked(as_role(database, role), started)

    assert found["history"].verdict is Verdict.REFUSE
    assert "INSERT ON" in str(found["history"].hint)
    assert found["privileges"].verdict is Verdict.REFUSE
    assert "which postgres owns" in found["privileges"].reason


def test_what_a_dba_is_told_to_run_is_enough(database: Database, folder: Path, role: str) -> None:
    write_migrations(folder, {"V1__a.sql": TABLES})
    url = as_role(database, role)
    with database.connect() as connection:
        connection.execute("REVOKE CREATE ON SCHEMA public FROM public")
        refused = looked(url, folder)["history"]
        assert refused.verdict is Verdict.REFUSE
        connection.execute(str(refused.hint).partition("run: ")[2].encode())
    assert looked(url, folder)["history"].verdict is Verdict.PASS
    assert pgratchet.up(url, folder).version == 1


def test_a_member_of_the_owner_may_change_its_tables(database: Database, started: Path, role: str) -> None:
    group = f"owner_{database.name}"
    with database.connect() as connection:
        for statement in (
            f"CREATE ROLE {group}",
            f"ALTER TABLE a OWNER TO {group}",
            f"GRANT ALL ON SCHEMA public TO {group}",
            f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
            f"GRANT {group} TO {role}",
        ):
            connection.execute(statement.encode())
        try:
            assert looked(as_role(database, role), started)["privileges"].verdict is Verdict.PASS
            assert pgratchet.up(as_role(database, role), started).version == 2
        finally:
            connection.execute(f"REASSIGN OWNED BY {group} TO postgres".encode())
            connection.execute(f"DROP OWNED BY {group}".encode())
            connection.execute(f"DROP ROLE {group}".encode())


def test_what_is_hidden_from_an_ordinary_role_is_said(database: Database, started: Path, role: str) -> None:
    may_keep_the_history(database, role)
    with session(database, "SELECT * FROM a", application_name="nightly report"):
        found = looked(as_role(database, role), started)

    assert found["visibility"].verdict is Verdict.WARN
    assert f'GRANT pg_monitor TO "{role}"' in str(found["visibility"].hint)
    assert found["transactions"].verdict is Verdict.WARN
    assert "nightly report" in found["transactions"].reason


def test_a_table_of_a_schema_that_we_may_not_use_is_refused_and_no_accident(
    database: Database, started: Path, role: str
) -> None:
    may_keep_the_history(database, role)
    write_migrations(started, {"V2__b.sql": "ALTER TABLE hidden.c ADD d int;\n"})
    with database.connect() as connection:
        connection.execute("CREATE SCHEMA hidden")
        connection.execute("CREATE TABLE hidden.c (id int)")
    found = looked(as_role(database, role), started)
    assert found["privileges"].verdict is Verdict.REFUSE
    assert '"hidden"."c"' in found["privileges"].reason


def test_an_extension_is_looked_for_before_a_step_needs_it(
    database: Database, started: Path, role: str
) -> None:
    untrusted = "vector" if database.server.has_vector else "file_fdw"
    may_keep_the_history(database, role)
    write_migrations(started, {"V2__b.sql": "CREATE EXTENSION no_such_extension;\n"})
    assert looked(database.url, started)["extensions"].verdict is Verdict.REFUSE

    write_migrations(started, {"V2__b.sql": f"CREATE EXTENSION IF NOT EXISTS {untrusted};\n"})
    refused = looked(as_role(database, role), started)["extensions"]
    assert refused.verdict is Verdict.REFUSE
    assert "takes a superuser" in refused.reason
    assert looked(database.url, started)["extensions"].verdict is Verdict.PASS
    with database.connect() as connection:
        connection.execute(str(refused.hint).partition(": ")[2].encode())
    assert looked(as_role(database, role), started)["extensions"].verdict is Verdict.PASS

    with database.connect() as connection:
        connection.execute("DROP EXTENSION plpgsql")
    write_migrations(started, {"V2__b.sql": "CREATE EXTENSION plpgsql;\n"})
    trusted = looked(as_role(database, role), started)["extensions"]
    assert trusted.verdict is Verdict.REFUSE
    assert "lacks CREATE on database" in trusted.reason


@pytest.mark.pg(">=16")
def test_the_version_of_pgvector_is_looked_at(database: Database, started: Path) -> None:
    if not database.server.has_vector:
        pytest.skip("this server has no pgvector")
    write_migrations(
        started, {"V2__b.sql": "CREATE EXTENSION vector VERSION '0.6.0';\nCREATE TABLE e (v halfvec(3));\n"}
    )
    found = looked(database.url, started)["extensions"]
    assert found.verdict is Verdict.REFUSE


def test_a_read_only_database_is_refused(database: Database, started: Path) -> None:
    with database.connect() as connection:
        connection.execute(f"ALTER DATABASE {database.name} SET default_transaction_read_only = on".encode())
    refused = looked(database.url, started)["writable"]

    assert refused.verdict is Verdict.REFUSE
    with pytest.raises(pgratchet.PreflightError, match="default_transaction_read_only"):
        pgratchet.up(database.url, started)


def test_a_database_marked_as_another_environment_is_refused(database: Database, started: Path) -> None:
    def settings(environment: str) -> config.Settings:
        flags = {"url": database.url, "directory": str(started)}
        return config.load(flags, {"PGRATCHET_ENVIRONMENT": environment})

    ops.mark("production", settings=settings(""))
    assert of(ops.preflight(settings=settings("")))["environment"].verdict is Verdict.PASS
    assert of(ops.preflight(settings=settings("production")))["environment"].verdict is Verdict.PASS
    with pytest.raises(pgratchet.PreflightError, match="is marked production"):
        pgratchet.up(settings=settings("staging"))


@pytest.mark.one_version
def test_the_free_room_of_a_server_on_this_host_is_known(database: Database, started: Path) -> None:
    write_migrations(started, {"V2__b.sql": "ALTER TABLE a ALTER b TYPE varchar(9);\n"})
    found = looked(database.url, started)["disk"]
    assert ("is free" in found.reason) == os.access(database.server.folder / "data", os.R_OK | os.X_OK)


def test_a_table_that_is_locked_leaves_its_size_unknown_and_is_not_waited_for(
    database: Database, started: Path
) -> None:
    write_migrations(started, {"V2__b.sql": "CREATE INDEX ON a (b);\n"})
    with session(database, "LOCK TABLE a IN ACCESS EXCLUSIVE MODE"):
        found = looked(database.url, started)
    assert found["disk"].verdict is Verdict.WARN
    assert "lock timeout" in found["disk"].reason
    assert found["indexes"].verdict is Verdict.PASS


@pytest.mark.one_version
def test_standbys_lost_slots_and_autovacuum_against_wraparound(server: Server, folder: Path) -> None:
    more = "wal_keep_size = 0\nautovacuum = on\nautovacuum_naptime = 1s\n"
    write_migrations(folder, {"V1__a.sql": TABLES})
    with servers.running(server.major, more) as primary:
        pgratchet.up(primary.url(), folder)
        write_migrations(folder, {"V2__b.sql": ADD})
        with standby(primary) as url:
            refused = looked(url, folder)
            followed = looked(primary.url(), folder)
            with pytest.raises(pgratchet.PreflightError, match="the server is a standby"):
                pgratchet.up(url, folder)
        with psycopg.connect(primary.url(), autocommit=True) as connection:
            _lose_a_slot(connection)
            _need_a_vacuum(connection)
        vacuumed = _until_vacuumed(primary, folder)

    assert refused["writable"].verdict is Verdict.REFUSE
    assert "the_standby keeps up" in followed["standbys"].reason
    assert vacuumed["replication-slots"].verdict is Verdict.WARN
    assert "behind is lost" in vacuumed["replication-slots"].reason
    assert vacuumed["autovacuum"].verdict is Verdict.WARN
    assert "to prevent wraparound" in vacuumed["autovacuum"].reason


def _lose_a_slot(connection: psycopg.Connection) -> None:
    connection.execute("SELECT pg_create_physical_replication_slot('behind', true)")
    connection.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
    connection.execute("SELECT pg_reload_conf()")
    for _ in range(4):
        connection.execute("SELECT pg_switch_wal()")
        connection.execute("CREATE TABLE IF NOT EXISTS filler (id int)")
        connection.execute("INSERT INTO filler VALUES (1)")
    connection.execute("CHECKPOINT")


def _need_a_vacuum(connection: psycopg.Connection) -> None:
    """Let table a be older than it may be, and its vacuum slow; nothing but its age is a reason for one."""
    connection.execute(
        "ALTER TABLE a SET (autovacuum_freeze_max_age = 100000, autovacuum_vacuum_cost_delay = 100, "
        "autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 1000000, "
        "autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 1000000)"
    )
    connection.execute("INSERT INTO a SELECT n, repeat('x', 500) FROM generate_series(2, 20000) n")
    connection.execute(
        "CREATE PROCEDURE age() LANGUAGE plpgsql AS 'BEGIN FOR n IN 1..100001 LOOP "
        "PERFORM pg_current_xact_id(); COMMIT; END LOOP; END'"
    )
    connection.execute("CALL age()")


def _until_vacuumed(primary: Server, folder: Path) -> dict[str, Check]:
    deadline = time.monotonic() + 30
    while (found := looked(primary.url(), folder))["autovacuum"].verdict is Verdict.PASS:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


@contextmanager
def standby(primary: Server) -> Iterator[str]:
    """A real standby of a server, made by pg_basebackup."""
    with servers.standby_of(primary, "the_standby") as url, psycopg.connect(primary.url()) as connection:
        query = "SELECT FROM pg_stat_replication WHERE state = 'streaming'"
        deadline = time.monotonic() + 30
        while connection.execute(query).fetchone() is None:
            connection.rollback()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        connection.rollback()
        yield url


@pytest.mark.parametrize("ours", lock_targets.CONFLICTS)
def test_which_locks_exclude_ours_is_what_the_server_says(database: Database, ours: str) -> None:
    excluded = set()
    with database.connect() as connection, psycopg.connect(database.url) as other:
        connection.execute("CREATE TABLE a (id int)")
        for theirs in MODES:
            other.execute(f"LOCK TABLE a IN {theirs} MODE".encode())
            try:
                connection.execute(f"BEGIN; LOCK TABLE a IN {ours} MODE NOWAIT; COMMIT".encode())
            except psycopg.errors.LockNotAvailable:
                connection.rollback()
                excluded.add(f"{theirs.title().replace(' ', '')}Lock")
            other.rollback()
    assert lock_targets.CONFLICTS[ours] == excluded


# What `up` makes of it.


def test_a_refusal_lists_every_check_that_refuses_and_nothing_is_run(
    database: Database, started: Path
) -> None:
    write_migrations(
        started, {"V2__b.sql": "CREATE TABLE c (id int);\n", "V3__c.sql": "CREATE EXTENSION nope;\n"}
    )
    with database.connect() as connection:
        connection.execute(f"ALTER DATABASE {database.name} SET default_transaction_read_only = on".encode())

    with pytest.raises(pgratchet.PreflightError) as failure:
        pgratchet.up(database.url, started)

    assert {check.name for check in failure.value.checks} == {"writable", "extensions"}
    assert failure.value.exit_code == 4
    with database.connect() as connection:
        assert connection.execute("SELECT to_regclass('c')").fetchone() == (None,)


def test_a_warning_is_told_and_noted_and_the_run_goes_on(database: Database, started: Path) -> None:
    invalid_index(database)
    events: list[Event] = []

    outcome = pgratchet.up(database.url, started, observer=events.append)

    assert outcome.version == 2
    [warning] = [event for event in events if isinstance(event, Noticed)]
    assert (warning.severity, warning.message) == ("WARNING", outcome.notes[0])
    assert '"public"."b_id"' in warning.message


def test_without_the_checks_a_run_meets_what_they_would_have_told(database: Database, started: Path) -> None:
    write_migrations(started, {"V2__b.sql": "CREATE EXTENSION nope;\n"})
    with pytest.raises(pgratchet.StatementFailed):
        pgratchet.up(database.url, started, preflight=False)


def test_a_run_with_nothing_to_do_looks_at_nothing(database: Database, started: Path) -> None:
    pgratchet.up(database.url, started)
    with database.connect() as connection:
        connection.execute(f"ALTER DATABASE {database.name} SET default_transaction_read_only = on".encode())
    assert pgratchet.up(database.url, started).done == ()
    assert looked(database.url, started)["writable"].verdict is Verdict.REFUSE


def test_a_history_with_problems_is_told_of_and_not_looked_at(database: Database, started: Path) -> None:
    write_migrations(started, {"V1__a.sql": "CREATE TABLE other (id int);\n"})
    with pytest.raises(pgratchet.HistoryError):
        ops.preflight(database.url, started)
