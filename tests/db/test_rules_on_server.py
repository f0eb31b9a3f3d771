"""What the rules of `check` claim of locks, rewrites and scans is what a server does; and its catalogue is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from benchmarks.lint.measure import look
from pgratchet import catalogue, lint, parse
from pgratchet.db import Connection
from pgratchet.lint import RULES, Catalogue, Rule
from pgratchet.lint.catalogue import Column
from pgratchet.model import Kind, Migration
from tests.servers import Database

LOCKS = {
    "AccessExclusiveLock": "ACCESS EXCLUSIVE",
    "ExclusiveLock": "EXCLUSIVE",
    "ShareRowExclusiveLock": "SHARE ROW EXCLUSIVE",
    "ShareLock": "SHARE",
}
WORK = {"rewrites": "rewrite", "scans": "scan", "builds": "build"}
# The bad examples that PostgreSQL refuses, as their rules say it does.
REFUSED = {
    "change-type-of-used-column": "0A000",
    "citus-distribute-concurrently": "42883",  # there is no Citus here
    "commit-in-block": "2D000",
    "concurrently-on-partitioned": "0A000",
    "hnsw-without-operator-class": "42704",
    "pending-trigger-events": "55006",
    "replace-function-refused": "42P13",
    "replace-view-refused": "42P16",
    "unknown-syntax": "42601",
    "vector-index-options": "22023",
    "vector-index-too-wide": "54000",
    "vector-index-without-dimensions": "22023",
    "vector-operator-class-mismatch": "42804",
}
RUN = [pytest.param(rule, id=rule.id) for rule in RULES]
HEAVY = [pytest.param(rule, id=rule.id) for rule in RULES if rule.family in WORK]
LOCKING = [
    pytest.param(rule, id=rule.id)
    for rule in RULES
    if rule.lock and rule.family in {"locks", "compatibility"}
]
LEFT = """
SELECT 'DROP ROLE ' || rolname FROM pg_roles WHERE rolname LIKE 'pgratchet\\_%'
UNION ALL SELECT 'DROP DATABASE ' || datname FROM pg_database WHERE datname = 'pgratchet_old'
UNION ALL SELECT 'DROP TABLESPACE ' || spcname FROM pg_tablespace WHERE spcname LIKE 'pgratchet\\_%'
"""


@pytest.fixture
def example(database: Database) -> Iterator[Connection]:
    """Give a connection for an example, and take back what it leaves behind on the server."""
    connection = database.connect()
    yield connection
    if connection.execute("SELECT 1 FROM pg_tablespace WHERE spcname = 'pgratchet_space'").fetchall():
        connection.execute("ALTER TABLE ALL IN TABLESPACE pgratchet_space SET TABLESPACE pg_default")
        connection.execute("ALTER INDEX ALL IN TABLESPACE pgratchet_space SET TABLESPACE pg_default")
    for role in ("pgratchet_leaver", "pgratchet_reporter", "pgratchet_boss"):
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchall():
            connection.execute(f"DROP OWNED BY {role}".encode())
    for (statement,) in connection.execute(LEFT).fetchall():
        connection.execute(statement.encode())


def run(connection: Connection, sql: str) -> None:
    """Run statements as pgratchet does: what can be one is a transaction."""
    for segment in parse.segments(parse.read_text(sql, "example.sql").statements or ()):
        if segment.alone:
            connection.execute(segment.statements[0].sql.encode())
            continue
        with connection.transaction():
            for statement in segment.statements:
                connection.execute(statement.sql.encode())


def too_new(rule: Rule, connection: Connection) -> bool:
    version = Catalogue(connection.info.server_version)
    texts = enumerate((rule.setup, rule.bad, rule.good), 1)
    files = [
        (
            Migration(Kind.VERSIONED, number, "file", Path(f"V{number}__x.sql"), ""),
            parse.read_text(text, "x.sql"),
        )
        for number, text in texts
        if text
    ]
    return "newer-syntax" in {item.rule for item in lint.check(files, catalogue=version)}


@pytest.mark.pg(">=16")
@pytest.mark.one_version
@pytest.mark.parametrize("rule", RUN)
def test_every_example_runs_or_is_refused_as_its_rule_says(example: Connection, rule: Rule) -> None:
    run(example, rule.setup)
    if rule.id in REFUSED:
        with pytest.raises(psycopg.Error) as refused:
            run(example, rule.bad)
        assert refused.value.sqlstate == REFUSED[rule.id]
    else:
        run(example, rule.bad)


@pytest.mark.pg(">=16")
@pytest.mark.one_version
@pytest.mark.parametrize("rule", RUN)
def test_every_good_example_runs(example: Connection, rule: Rule) -> None:
    run(example, rule.setup)
    if rule.id != "citus-distribute-concurrently":
        run(example, rule.good)


@pytest.mark.pg(">=16")
@pytest.mark.parametrize("rule", HEAVY)
def test_a_server_does_the_work_and_takes_the_lock_that_the_rule_speaks_of(
    database: Database, example: Connection, rule: Rule
) -> None:
    if too_new(rule, example):
        return
    run(example, rule.setup)
    filled(example)
    seen = look(database.url, rule.bad)
    assert "error" not in seen, seen
    assert seen["hazard"], seen
    assert seen["rewrite"] or seen[WORK[rule.family]] or rule.id == "rewrite-twice", seen
    assert {LOCKS[mode] for mode in seen["locks"].values()} & set(_modes(rule.lock)), seen


@pytest.mark.pg(">=16")
@pytest.mark.parametrize("rule", HEAVY)
def test_a_server_does_no_such_work_for_the_good_example(
    database: Database, example: Connection, rule: Rule
) -> None:
    if too_new(rule, example) or rule.id == "rewrite-twice":
        return
    run(example, rule.setup)
    filled(example)
    seen = look(database.url, rule.good)
    assert "error" not in seen, seen
    assert not seen["hazard"], seen


@pytest.mark.pg(">=16")
@pytest.mark.parametrize("rule", LOCKING)
def test_a_server_takes_the_lock_that_the_rule_speaks_of(
    database: Database, example: Connection, rule: Rule
) -> None:
    run(example, rule.setup)
    seen = look(database.url, rule.bad)
    assert "error" not in seen, seen
    wanted = set(_modes(rule.lock))
    assert not wanted or {LOCKS[mode] for mode in seen["locks"].values()} & wanted, seen


def filled(connection: Connection) -> None:
    """Give each table some rows, so that a scan of it can be seen."""
    tables = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND oid >= 16384"
    for (table,) in connection.execute(tables).fetchall():
        if not connection.execute(f"SELECT FROM {table} LIMIT 1".encode()).fetchall():
            connection.execute(_rows(connection, table).encode())


COLUMNS = """
SELECT quote_ident(attname), format_type(atttypid, atttypmod) FROM pg_attribute
 WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
VALUES = {
    "date": "date '2025-05-05'",
    "bigint": "n",
    "integer": "n",
    "uuid": "gen_random_uuid()",
    "text": "n::text",
}


def _rows(connection: Connection, table: str) -> str:
    columns = connection.execute(COLUMNS, [table]).fetchall()
    names = ", ".join(name for name, _ in columns)
    chosen = ", ".join(VALUES.get(kind, "NULL") for _, kind in columns)
    rows = f"SELECT {chosen} FROM generate_series(1, 20) AS n"
    return f"INSERT INTO {table} ({names}) {rows} ON CONFLICT DO NOTHING"


def _modes(lock: str) -> Iterator[str]:
    """The modes that a sentence about a lock names."""
    rest = lock
    for mode in ("ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE"):
        if mode in rest:
            yield mode
            rest = rest.replace(mode, "")


SCHEMA = """
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE FUNCTION one() RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE TABLE users (
    id bigint PRIMARY KEY, name varchar(50) COLLATE "C", age positive,
    twice integer GENERATED ALWAYS AS (id * 2) STORED,
    sure text CONSTRAINT users_sure CHECK (sure IS NOT NULL)
);
CREATE TABLE orders (id bigint, user_id bigint REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX users_lower ON users (lower(name)) WHERE age > 1;
CREATE TABLE events (day date) PARTITION BY RANGE (day);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE VIEW names AS SELECT name FROM users;
INSERT INTO orders SELECT n FROM generate_series(1, 500) AS n;
ANALYZE orders;
"""


def test_the_catalogue_is_read_as_it_is(database: Database) -> None:
    connection = database.connect()
    connection.execute(SCHEMA.encode())
    facts = catalogue.read(connection)
    tables = {table.name[1]: table for table in facts.tables}
    assert facts.version // 10000 == database.server.major
    assert (facts.timezone, facts.search_path, facts.superuser) == ("UTC", ("public",), True)
    assert tables["users"].columns[:2] == (
        Column("id", "bigint", not_null=True),
        Column("name", "character varying(50)", collation="C"),
    )
    assert tables["users"].columns[3].stored
    used = dict(tables["users"].used_by)
    assert "names" in used["name"]
    assert "twice" in used["id"]
    assert (tables["orders"].rows, tables["orders"].kind, tables["events"].kind) == (500, "r", "p")
    assert (tables["events_rest"].partition_of, tables["events_rest"].default) == (("public", "events"), True)
    assert tables["events"].partition_key == ("day",)
    constraints = {item.name: item for item in facts.constraints}
    assert constraints["users_sure"].check == "(sure IS NOT NULL)"
    key = constraints["orders_user_id_fkey"]
    assert (key.references, key.columns, key.deferred) == (("public", "users"), ("user_id",), True)
    indexes = {item.name[1]: item for item in facts.indexes}
    assert (indexes["users_lower"].computed, set(indexes["users_lower"].reads)) == (True, {"name", "age"})
    assert (indexes["users_pkey"].columns, indexes["users_pkey"].unique) == (("id",), True)
    assert [(item.name[1], item.volatile, item.inlined) for item in facts.functions] == [("one", True, "1")]
    assert [(item.name[1], item.base, item.constrained) for item in facts.domains] == [
        ("positive", "integer", True)
    ]


@pytest.mark.pg(">=18")
def test_a_column_with_a_not_null_that_is_not_valid_may_hold_nulls(database: Database) -> None:
    connection = database.connect()
    connection.execute("CREATE TABLE t (a text, b text); ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID")
    [table] = catalogue.read(connection).tables
    assert [column.not_null for column in table.columns] == [False, False]


def test_the_catalogue_is_read_beside_a_locked_table(database: Database) -> None:
    other, connection = database.connect(autocommit=False), database.connect()
    connection.execute("CREATE TABLE t (a text)")
    other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
    connection.execute("SET lock_timeout = '1ms'")
    assert [table.name[1] for table in catalogue.read(connection).tables] == ["t"]
