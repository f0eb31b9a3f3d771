"""One moment of a database: its tables held, its snapshot exported, every table counted and digested in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, NamedTuple

import psycopg

from pgratchet import db, sql
from pgratchet.backup.manifest import Counter, Table
from pgratchet.errors import BackupError, LockNotAvailable

LOCK_WAIT = "60s"
TRIES = 10
MANY = 500
"""Sequences that are read at once."""

# The text of a row depends on these, and its digest on the text. The rest lets a long transaction live.
SETTINGS = {
    "search_path": "",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_monetary": "C",
    "xmlbinary": "base64",
    "xmloption": "content",
    "row_security": "off",
    "lock_timeout": LOCK_WAIT,
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "transaction_timeout": "0",
    "client_connection_check_interval": "1s",
}


class Relation(NamedTuple):
    """A table, or the head of a partitioned one, whose own rows are none."""

    oid: int
    schema: str
    name: str
    kind: str
    file: int
    """It changes where the table is emptied or rewritten."""
    ancestors: list[int]

    @property
    def quoted(self) -> str:
        """The name as SQL and the patterns of pg_dump write it."""
        return sql.qualified(self.schema, self.name)


class Snapshot(NamedTuple):
    """What pg_dump is told, and the tables that are in it."""

    id: str
    relations: tuple[Relation, ...]


def prepare(connection: db.Connection) -> None:
    """Set a session up so that a row has the same text on every server."""
    for name, value in SETTINGS.items():
        with suppress(psycopg.errors.UndefinedObject, psycopg.errors.InvalidParameterValue):
            connection.execute(f"SET {name} = {sql.literal(value)}".encode())


@contextmanager
def taken(connection: db.Connection) -> Iterator[Snapshot]:
    """Hold every table against change, and then take the snapshot; both until the block ends.

    In this order, since a TRUNCATE or a rewrite that commits after a snapshot empties the table for it: a
    dump would find no rows there, and call that success.
    """
    for _ in range(TRIES):
        if (found := _try(connection, relations(connection))) is not None:
            break
        connection.execute("ROLLBACK")
    else:
        raise BackupError(
            f"tables were made or dropped during each of {TRIES} tries to take a snapshot",
            "Run it again at a quieter time.",
        )
    try:
        yield found
    finally:
        if not connection.closed and not connection.broken:
            connection.execute("ROLLBACK")


def relations(connection: db.Connection) -> tuple[Relation, ...]:
    """The tables that pg_dump would dump, in the order of their names."""
    rows = connection.execute(sql.load("backup_tables").encode()).fetchall()
    return tuple(Relation(*row) for row in rows)


def digest(connection: db.Connection, schema: str, name: str) -> Table:
    """A table's rows: how many, and the sum of their hashes, which no order changes."""
    rows = f"FROM ONLY {sql.qualified(schema, name)} AS r"
    total = 'pg_catalog.sum(pg_catalog.hashtextextended((r.*)::text COLLATE "C", 0)::numeric)'
    query = f"SELECT pg_catalog.count(*), coalesce({total}, 0)::text {rows}"
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return Table(schema, name, *row)


def large_objects(connection: db.Connection) -> Table | None:
    """The same of all large objects; None where we may not read them, as only a superuser may."""
    readable = "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'SELECT')"
    if connection.execute(readable).fetchone() != (True,):
        return None
    row = connection.execute(sql.load("backup_large_objects").encode()).fetchone()
    assert row is not None
    return Table("pg_catalog", "pg_largeobject", *row)


def counters(connection: db.Connection) -> tuple[Counter, ...]:
    """Every sequence that pg_dump would dump, with its value of now: no snapshot holds that."""
    found = connection.execute(sql.load("backup_sequences").encode()).fetchall()
    return tuple(
        counter for at in range(0, len(found), MANY) for counter in _values(connection, found[at : at + MANY])
    )


def moved(before: Sequence[Counter], after: Sequence[Counter]) -> tuple[Counter, ...]:
    """The sequences of before, each with how far it has come meanwhile."""
    now = {(item.schema, item.name): item for item in after}
    ends = ((item, now.get((item.schema, item.name), item)) for item in before)
    return tuple(item if item == end else replace(item, until=end.value) for item, end in ends)


def _values(connection: db.Connection, found: Sequence[tuple[Any, ...]]) -> Iterator[Counter]:
    parts = (
        f"{number}, last_value, is_called FROM {sql.qualified(schema, name)}"
        for number, (schema, name, _) in enumerate(found)
    )
    for number, value, called in connection.execute(
        ("SELECT " + " UNION ALL SELECT ".join(parts)).encode()
    ).fetchall():
        schema, name, cycles = found[number]
        yield Counter(schema, name, value, called, cycles)


def excluded(found: Sequence[Relation], wanted: Sequence[str]) -> tuple[Relation, ...]:
    """The tables that these names mean, `table` or `schema.table`, with their partitions.

    Raises BackupError for a name that means none: a table that is excluded by mistake would be missed too late.
    """
    heads = [relation for name in wanted for relation in _named(found, name)]
    oids = {relation.oid for relation in heads}
    return tuple(item for item in found if item.oid in oids or oids & set(item.ancestors))


def _named(found: Sequence[Relation], name: str) -> list[Relation]:
    names = {name, f"public.{name}"}
    meant = [item for item in found if f"{item.schema}.{item.name}" in names]
    if not meant:
        message = f"there is no table {name} to leave out"
        raise BackupError(message, "Write it as schema.table, without quotes.")
    return meant


def _try(connection: db.Connection, seen: tuple[Relation, ...]) -> Snapshot | None:
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        if seen:
            names = ", ".join(f"ONLY {relation.quoted}" for relation in seen)
            connection.execute(f"LOCK TABLE {names} IN ACCESS SHARE MODE".encode())
        row = connection.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone()
        assert row is not None
        return Snapshot(str(row[0]), seen) if relations(connection) == seen else None
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return None  # dropped a moment ago
    except psycopg.errors.LockNotAvailable as error:
        raise LockNotAvailable(
            f"a table is locked for a change, and was still so after {LOCK_WAIT}: {error.diag.message_primary}",
            "Run it again when the change is done.",
        ) from error
