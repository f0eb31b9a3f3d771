"""What the parser says of a statement in a transaction is what a server says of it."""

from __future__ import annotations

import psycopg
import pytest

from pgratchet import parse
from tests.servers import Database

REFUSED = "25001"

PREPARED = """
    CREATE TABLE t (a int);
    CREATE INDEX i ON t (a);
    CREATE TABLE p (a int) PARTITION BY RANGE (a);
    CREATE TABLE q PARTITION OF p FOR VALUES FROM (1) TO (2);
    CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
    CREATE UNIQUE INDEX ON m (a);
    CREATE TYPE mood AS ENUM ('sad');
    CREATE SUBSCRIPTION s CONNECTION 'host=/nowhere' PUBLICATION p, o WITH (connect = false, slot_name = 'x');
    ALTER SUBSCRIPTION s ENABLE;
"""
REMOVED = "ALTER SUBSCRIPTION s DISABLE; ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s"
STATEMENTS = [
    "CREATE INDEX CONCURRENTLY ON t (a)",
    "CREATE INDEX ON t (a)",
    "CREATE INDEX concurrently_made ON t (a)",
    "DROP INDEX CONCURRENTLY i",
    "DROP INDEX i",
    "REINDEX INDEX CONCURRENTLY i",
    "REINDEX (VERBOSE, CONCURRENTLY ON) TABLE t",
    "REINDEX (CONCURRENTLY false) TABLE t",
    "REINDEX TABLE t",
    "REINDEX INDEX i",
    "REINDEX SCHEMA public",
    "REINDEX DATABASE {database}",
    "REINDEX SYSTEM {database}",
    "ALTER TABLE p DETACH PARTITION q CONCURRENTLY",
    "ALTER TABLE p DETACH PARTITION q",
    "VACUUM",
    "VACUUM (FULL) t",
    "VACUUM ANALYZE t",
    "ANALYZE",
    "ANALYZE t",
    "CLUSTER",
    "CLUSTER t USING i",
    "CREATE DATABASE another",
    "DROP DATABASE nowhere",
    "DROP DATABASE IF EXISTS nowhere",
    "ALTER DATABASE {database} SET TABLESPACE pg_default",
    "ALTER DATABASE {database} SET work_mem = '4MB'",
    "CREATE TABLESPACE another LOCATION '/nowhere'",
    "DROP TABLESPACE nowhere",
    "ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE pg_default",
    "ALTER SYSTEM SET work_mem = '4MB'",
    "ALTER SYSTEM RESET ALL",
    "CREATE SUBSCRIPTION r CONNECTION 'dbname=x' PUBLICATION p",
    "CREATE SUBSCRIPTION r CONNECTION 'dbname=x' PUBLICATION p WITH (create_slot = true)",
    "CREATE SUBSCRIPTION r CONNECTION 'dbname=x' PUBLICATION p WITH (connect = off)",
    "CREATE SUBSCRIPTION r CONNECTION 'dbname=x port=1' PUBLICATION p WITH (create_slot = 0)",
    "DROP SUBSCRIPTION s",
    "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
    "ALTER SUBSCRIPTION s SET PUBLICATION q",
    "ALTER SUBSCRIPTION s ADD PUBLICATION q WITH (copy_data = false)",
    "ALTER SUBSCRIPTION s DROP PUBLICATION p",
    "ALTER SUBSCRIPTION s SET PUBLICATION q WITH (refresh = false)",
    "ALTER SUBSCRIPTION s ADD PUBLICATION q WITH (refresh = false)",
    "ALTER SUBSCRIPTION s SET (synchronous_commit = off)",
    "ALTER SUBSCRIPTION s CONNECTION 'dbname=y'",
    "ALTER SUBSCRIPTION s DISABLE",
    "DISCARD ALL",
    "DISCARD TEMP",
    "DISCARD PLANS",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
    "CHECKPOINT",
    "ALTER TYPE mood ADD VALUE 'ok'",
    "ALTER TYPE mood RENAME VALUE 'sad' TO 'glad'",
    "LOCK TABLE t",
    "CREATE TABLE vacuum_log (concurrently_built int)",
]


def test_a_statement_is_alone_if_and_only_if_the_server_refuses_it_in_a_transaction(
    database: Database,
) -> None:
    connection = database.connect()
    run(connection, "SET client_min_messages = error;" + PREPARED)
    statements = [statement.format(database=database.name) for statement in STATEMENTS]
    try:
        by_server = {statement: refused(connection, statement) for statement in statements}
    finally:
        run(connection, REMOVED)
    assert {statement: alone(statement) for statement in statements} == by_server


@pytest.mark.pg(">=18")
@pytest.mark.parametrize("option", ["failover", "two_phase = false"])
def test_an_option_of_the_slot_of_a_subscription_is_set_alone(database: Database, option: str) -> None:
    connection = database.connect()
    run(connection, "SET client_min_messages = error;" + PREPARED + "ALTER SUBSCRIPTION s DISABLE")
    sql = f"ALTER SUBSCRIPTION s SET ({option})"
    try:
        assert refused(connection, sql)
    finally:
        run(connection, REMOVED)
    assert alone(sql)


def run(connection: psycopg.Connection[tuple[object, ...]], sql: str) -> None:
    """Run statements one after the other, each in a transaction of its own."""
    for statement in filter(str.strip, sql.split(";")):
        connection.execute(statement.encode())


def alone(sql: str) -> bool:
    kept = parse.read_text(sql, "V1__x.sql").statements
    assert kept is not None
    return kept[0].alone


def refused(connection: psycopg.Connection[tuple[object, ...]], sql: str) -> bool:
    """Tell whether the server refuses a statement because of the transaction that it is in."""
    connection.execute("BEGIN")
    try:
        connection.execute(sql.encode())
    except psycopg.Error as error:
        return error.sqlstate == REFUSED
    finally:
        connection.execute("ROLLBACK")
    return False
