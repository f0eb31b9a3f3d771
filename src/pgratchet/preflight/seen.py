"""What the database said of itself: one record a row, and the reading of them in one round trip."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from pgratchet import sql
from pgratchet.db import Connection
from pgratchet.history import Names
from pgratchet.preflight.needs import Needs


class Server(NamedTuple):
    """The server, the database and what our role may do."""

    database: str
    role: str
    superuser: bool
    standby: bool
    read_only: bool
    locks: int
    """How many locks all transactions together may hold."""
    creates_in_database: bool
    creates_in_schema: bool | None
    """In the history's schema; None where that is not there."""
    has_history: bool
    missing_rights: tuple[str, ...]
    """Rights on the history's tables that we lack, as `INSERT ON "public"."schema_migrations"`."""
    provider: bool
    """A managed service, which may let an ordinary role make extensions."""


class Session(NamedTuple):
    """Another session of this database, in a transaction or hidden from us. Ages are in seconds."""

    pid: int
    user: str | None
    application: str
    kind: str | None
    state: str | None
    age: float | None
    """Of its transaction; None where hidden."""
    idle: float | None
    query: str
    hidden: bool


class Prepared(NamedTuple):
    """A transaction that waits for COMMIT PREPARED."""

    name: str
    owner: str
    age: float
    transaction: str
    """Its key among the locks."""


class Held(NamedTuple):
    """A lock that somebody holds on a table of the plan, or on one of its partitions."""

    table: str
    pid: int | None
    transaction: str
    mode: str


class Table(NamedTuple):
    """A relation that the plan names and that exists."""

    table: str
    oid: int
    kind: str
    owner: str
    owns: bool
    owns_schema: bool
    rights: tuple[str, ...]
    relations: int
    """Itself, its partitions, and all their indexes and TOAST tables."""


class Size(NamedTuple):
    """The bytes of a table with its partitions; `place` is a tablespace's folder, empty for the data directory."""

    table: str
    heap: int
    total: int
    place: str


class Index(NamedTuple):
    """An INVALID index."""

    schema: str
    name: str
    table_oid: int
    table: str
    building: bool


class Detach(NamedTuple):
    """A partition whose DETACH CONCURRENTLY was cut short."""

    schema: str
    name: str
    parent: str


class Standby(NamedTuple):
    """A standby or a subscriber that follows this server."""

    name: str
    state: str | None
    bytes: int | None
    seconds: float | None


class Slot(NamedTuple):
    """A replication slot."""

    name: str
    active: bool
    state: str | None
    retained: int | None


class Available(NamedTuple):
    """A version of an extension that the server has, or could have. One row with nulls where it has none."""

    name: str
    installed: str | None
    default: str | None
    version: str | None
    superuser: bool | None
    trusted: bool | None


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen. What a query could not tell is empty here, and named in `unseen` with its reason."""

    server: Server
    mark: str | None = None
    sessions: tuple[Session, ...] = ()
    prepared: tuple[Prepared, ...] = ()
    held: tuple[Held, ...] = ()
    tables: tuple[Table, ...] = ()
    sizes: tuple[Size, ...] = ()
    indexes: tuple[Index, ...] = ()
    detached: tuple[Detach, ...] = ()
    standbys: tuple[Standby, ...] = ()
    slots: tuple[Slot, ...] = ()
    extensions: tuple[Available, ...] = ()
    free: int | None = None
    """Bytes free where the data directory is, known for a server on this host alone."""
    unseen: tuple[tuple[str, str], ...] = ()

    def why_unseen(self, *names: str) -> str | None:
        """Why one of these fields could not be seen."""
        return next((reason for name, reason in self.unseen if name in names), None)


Row = tuple[Any, ...]
RECORDS: dict[str, Callable[..., Any]] = {
    "server": Server,
    "sessions": Session,
    "prepared": Prepared,
    "held": Held,
    "tables": Table,
    "sizes": Size,
    "indexes": Index,
    "detached": Detach,
    "standbys": Standby,
    "slots": Slot,
    "extensions": Available,
}


def see(connection: Connection, needs: Needs, names: Names) -> Seen:
    """Ask everything that the plan makes worth asking, in one round trip where nothing is refused to us."""
    queries = _queries(needs, names)
    rows, unseen = _ask(connection, queries)
    if sizes := _sizes(needs):
        # Apart, since it is the one that waits where a table is locked: the lock_timeout ends it.
        more, problem = _ask(connection, {"sizes": sizes})
        rows, unseen = rows | more, unseen | problem
    records = {name: tuple(_record(name, row) for row in rows.get(name, ())) for name in RECORDS}
    return Seen(
        server=_record("server", rows["server"][0]),
        mark=next((row[0] for row in rows.get("mark", ()) if row[0]), None),
        free=_free(connection, rows.get("host", ())),
        unseen=tuple(unseen.items()),
        **{name: found for name, found in records.items() if name != "server"},
    )


def _queries(needs: Needs, names: Names) -> dict[str, str]:
    history = ", ".join(sql.literal(sql.qualified(names.schema, table)) for table in names.tables)
    schema = sql.literal(names.schema)
    queries = {
        "server": sql.load("preflight_server").format(history=history, schema=schema),
        "mark": sql.load("environment"),
        "sessions": sql.load("preflight_sessions"),
        "prepared": sql.load("preflight_prepared"),
        "indexes": sql.load("preflight_indexes"),
        "detached": sql.load("preflight_detached"),
        "standbys": sql.load("preflight_standbys"),
        "slots": sql.load("preflight_slots"),
    }
    if needs.tables:
        tables = ", ".join(map(sql.literal, needs.tables))
        queries["tables"] = sql.load("preflight_tables").format(names=tables)
        queries["held"] = sql.load("preflight_held").format(names=tables)
    if needs.bulk:
        queries["host"] = sql.load("preflight_host")
    if wanted := {item.name for item in needs.extensions} | ({"vector"} if needs.features else set()):
        listed = ", ".join(map(sql.literal, sorted(wanted)))
        queries["extensions"] = sql.load("preflight_extensions").format(names=listed)
    return queries


def _sizes(needs: Needs) -> str | None:
    tables = ", ".join(sql.literal(name) for name in sorted({item.table for item in needs.bulk}))
    return sql.load("preflight_sizes").format(names=tables) if tables else None


def _ask(connection: Connection, queries: dict[str, str]) -> tuple[dict[str, list[Row]], dict[str, str]]:
    """The rows of each query, and for those that the server refuses its reason."""
    try:
        with connection.pipeline():
            cursors = {name: connection.execute(query.encode()) for name, query in queries.items()}
            return {name: cursor.fetchall() for name, cursor in cursors.items()}, {}
    except psycopg.Error:
        if connection.broken:
            raise
        return _one_by_one(connection, queries)


def _one_by_one(
    connection: Connection, queries: dict[str, str]
) -> tuple[dict[str, list[Row]], dict[str, str]]:
    """The same where a server refuses a query: one pipeline falls as a whole."""
    rows: dict[str, list[Row]] = {}
    unseen: dict[str, str] = {}
    for name, query in queries.items():
        try:
            rows[name] = connection.execute(query.encode()).fetchall()
        except psycopg.Error as error:
            if connection.broken or name == "server":
                raise
            unseen[name] = error.diag.message_primary or str(error)
    return rows, unseen


def _record(name: str, row: Row) -> Any:
    return RECORDS[name](*(tuple(value) if isinstance(value, list) else value for value in row))


def _free(connection: Connection, rows: Sequence[Row]) -> int | None:
    """Bytes free under a data directory, where it is that of this very server, on this host, and readable."""
    directory, identifier = rows[0] if rows else (None, None)
    if not directory or not _is_here(connection):
        return None
    try:
        with Path(directory, "global", "pg_control").open("rb") as control:
            if int.from_bytes(control.read(8), sys.byteorder) != identifier:
                return None
        space = os.statvfs(directory)
    except OSError:
        return None
    return space.f_bavail * space.f_frsize


def _is_here(connection: Connection) -> bool:
    host = connection.info.host
    return host.startswith("/") or host in {"localhost", "127.0.0.1", "::1", ""}
