"""Connections: how they are made, how long we wait for them, and what we say of them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import conninfo

from pgratchet import sql
from pgratchet.errors import ConfigurationError, DatabaseUnreachable
from pgratchet.model import Observer, Waiting

Connection = psycopg.Connection[tuple[Any, ...]]

# Seconds between two tries.
PAUSE = 0.5
SAY_EVERY = 5.0

# A refusal by the server says FATAL; these are the ones that pass by themselves.
PASSING = re.compile(
    r"starting up|shutting down|in recovery mode|not yet accepting|too many (?:clients|connections)|"
    r"remaining connection slots|terminating connection|57P0[123]|53300"
)

# What every file finds when it starts. client_connection_check_interval (below) frees the locks of a killed client
# in a second, the time-outs those of one that is frozen in a minute: at work, a run never is idle for so long.
SETTINGS = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "60s",
    "idle_session_timeout": "60s",
    "client_min_messages": "notice",
    "standard_conforming_strings": "on",
    "default_transaction_isolation": "read committed",
}
# PostgreSQL has transaction_timeout from 17 on, and not every operating system of a server can check a connection.
# An autovacuum in our way is cancelled after deadlock_timeout, which must be shorter than our lock_timeout for that;
# it takes a right to set it. The keep-alives are the server's own: they free what a client holds whose network is gone.
WHERE_PERMITTED = {
    "transaction_timeout": "0",
    "client_connection_check_interval": "1s",
    "deadlock_timeout": "20ms",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20s",
}
MARK = "pgratchet.environment"
PARAMETERS = {
    "client_encoding": "UTF8",
    "connect_timeout": "10",
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}


@dataclass(frozen=True, slots=True)
class Session:
    """A connection that runs migrations, and what brings it back to how every file finds it."""

    connection: Connection
    url: str
    pid: int
    """Of the server's process; what a proxy says in its greeting is its own invention."""
    reset: tuple[str, ...]
    """Statements that leave nothing of a file's settings, role, temporary tables or cursors behind."""


def connect(url: str, *, name: str, wait: float, observer: Observer) -> Connection:
    """Connect in autocommit mode, trying again until `wait` seconds are over.

    A server that is not there yet, starts, or has no free slot is tried again; a wrong password or
    database is not. Raises ConfigurationError for those, DatabaseUnreachable when the time is over.
    """
    parameters = _parameters(url, name)
    began = time.monotonic()
    said = 0.0
    while True:
        try:
            connection: Connection = psycopg.connect(**parameters, autocommit=True)
        except psycopg.Error as error:
            passed = time.monotonic() - began
            reason = _reason(error)
            if not _passes(reason):
                raise ConfigurationError(
                    f"{describe(url)} refuses us: {reason}", _refusal_hint(reason)
                ) from error
            if passed >= wait:
                raise _unreachable(url, reason, wait) from error
            if said == 0.0 or passed - said >= SAY_EVERY:
                observer(Waiting(f"for {describe(url)}", passed, (reason,)))
                said = passed or 0.001
            time.sleep(min(PAUSE, max(0.0, wait - passed)))
        else:
            connection.prepare_threshold = None
            return connection


@contextmanager
def opened(url: str, *, name: str, wait: float, observer: Observer) -> Iterator[Connection]:
    """A connection as `connect` makes it, closed in the end; its loss is told as DatabaseUnreachable."""
    connection = connect(url, name=name, wait=wait, observer=observer)
    try:
        yield connection
    except psycopg.OperationalError as error:
        if not connection.broken:
            raise
        raise DatabaseUnreachable(
            f"the connection to {describe(url)} was lost: {_reason(error)}",
            "What was committed stands in the history; run it again.",
        ) from error
    finally:
        connection.close()


def session(
    connection: Connection,
    url: str,
    lock_timeout: str = "50ms",
    *,
    where_permitted: Mapping[str, str] = WHERE_PERMITTED,
) -> Session:
    """Set a connection up to run migrations; `lock_timeout` as PostgreSQL writes it.

    What is `where_permitted` is left out where we may not set it.
    """
    settings = {**SETTINGS, "lock_timeout": lock_timeout}
    # Behind a pooler, what RESET finds is the pooler's own.
    settings["application_name"] = connection.info.parameter_status("application_name") or ""
    for setting, value in where_permitted.items():
        with suppress(psycopg.Error):
            connection.execute(f"SET {setting} = {sql.literal(value)}".encode())
            settings[setting] = value
    assign = ", ".join(
        f"pg_catalog.set_config({sql.literal(name)}, {sql.literal(value)}, false)"
        for name, value in settings.items()
    )
    reset = (
        "SET SESSION AUTHORIZATION DEFAULT",
        "RESET ROLE",
        "RESET ALL",
        "DISCARD TEMP",
        "DEALLOCATE ALL",
        "CLOSE ALL",
        "UNLISTEN *",
        f"SELECT {assign}",
    )
    connection.execute(reset[-1].encode())
    row = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    assert row is not None
    return Session(connection, url, int(row[0]), reset)


@contextmanager
def waiting(connection: Connection) -> Iterator[None]:
    """Let a session be idle for as long as other work takes that it waits for."""
    connection.execute("SET idle_session_timeout = 0")
    yield
    connection.execute(f"SET idle_session_timeout = {sql.literal(SETTINGS['idle_session_timeout'])}".encode())


def describe(url: str) -> str:
    """The database that a URL names, for people; never its password, also when it cannot be parsed."""
    try:
        parts = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        return "the database"
    host = parts.get("host") or os.environ.get("PGHOST") or "the local socket"
    port = parts.get("port") or os.environ.get("PGPORT") or 5432
    name = parts.get("dbname") or os.environ.get("PGDATABASE")
    place = f"{host}:{port}" if not str(host).startswith("/") else f"socket {host} port {port}"
    return f"database {name} at {place}" if name else f"the server at {place}"


def with_parameters(url: str, **parameters: str) -> str:
    """The same server with other parameters; `options` are added to those that the URL has."""
    given = _parsed(url)
    if "options" in parameters and given.get("options"):
        parameters["options"] = f"{given['options']} {parameters['options']}"
    return conninfo.make_conninfo("", **{**given, **parameters})


def _parameters(url: str, name: str) -> dict[str, Any]:
    return {**PARAMETERS, "application_name": name, **_parsed(url)}


def _parsed(url: str) -> dict[str, Any]:
    try:
        return dict(conninfo.conninfo_to_dict(url))
    except psycopg.Error as error:
        raise ConfigurationError(
            "the database's URL cannot be parsed (it is not shown, since it may hold a password)",
            "Write postgresql://user:password@host:5432/database; "
            "encode special characters of the password, @ as %40 and / as %2F.",
        ) from error


def _reason(error: psycopg.Error) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return re.sub(r"^connection failed: ", "", text)


def _passes(reason: str) -> bool:
    return "FATAL" not in reason or bool(PASSING.search(reason))


def _refusal_hint(reason: str) -> str:
    if "does not exist" in reason and "database" in reason:
        return "Create the database, or mend its name in the URL."
    return "Mend user, password or database in the URL; trying again will not help."


def _unreachable(url: str, reason: str, wait: float) -> DatabaseUnreachable:
    return DatabaseUnreachable(
        f"{describe(url)} cannot be reached: {reason}",
        f"Waited {wait:g} s; --wait SECONDS waits for a server that is still starting."
        if wait
        else "Is it running, and is this its address? --wait SECONDS waits for one that starts.",
    )


def environment(connection: Connection) -> str | None:
    """The mark of the database, from its own settings: no session can pretend another."""
    row = connection.execute(sql.load("environment").encode()).fetchone()
    return None if row is None or row[0] is None else str(row[0])


def set_environment(connection: Connection, name: str) -> None:
    """Mark the database; an empty name takes the mark away. Needs its owner."""
    row = connection.execute("SELECT pg_catalog.current_database()").fetchone()
    database = sql.quote(str(row[0] if row else ""))
    change = f"SET {MARK} = {sql.literal(name)}" if name else f"RESET {MARK}"
    try:
        connection.execute(f"ALTER DATABASE {database} {change}".encode())
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"may not mark this database: {error.diag.message_primary}", "Ask the owner of the database."
        ) from error


def restore_point(connection: Connection, name: str) -> str | None:
    """Name a point of the write-ahead log, to which a physical backup can be brought back; gives its place there.

    None where the role may not, or the log holds too little for that.
    """
    may = (
        "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_create_restore_point(text)', 'EXECUTE') "
        "AND pg_catalog.current_setting('wal_level') <> 'minimal' AND NOT pg_catalog.pg_is_in_recovery()"
    )
    if connection.execute(may).fetchone() != (True,):
        return None
    row = connection.execute("SELECT pg_catalog.pg_create_restore_point(%s)::text", (name,)).fetchone()
    return None if row is None else str(row[0])
