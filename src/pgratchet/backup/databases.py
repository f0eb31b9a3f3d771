"""Whole databases: made, looked at, given their settings, renamed in one step, dropped."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
from psycopg import conninfo

from pgratchet import __version__, db, history, sql
from pgratchet.errors import BackupError, ConfigurationError
from pgratchet.model import Observer, ignore

NAME = f"pgratchet {__version__} restore"
PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}
LOCALE_OPTION = {"i": "ICU_LOCALE", "b": "BUILTIN_LOCALE"}
BYTES = {"datlocprovider": "c", "datcollate": "C", "datctype": "C", "daticurules": None}
MAINTENANCE = ("postgres", "template1")


@contextmanager
def server_of(
    url: str, wait: float = 0.0, observer: Observer = ignore, besides: str = ""
) -> Iterator[db.Connection]:
    """A connection to the server, and not to the database that is to be renamed."""
    names = [name for name in MAINTENANCE if name != besides]
    for name in names:
        try:
            connection = db.connect(of(url, name), name=NAME, wait=wait, observer=observer)
        except ConfigurationError:
            if name == names[-1]:
                raise
        else:
            break
    try:
        yield connection
    finally:
        connection.close()


def of(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return db.with_parameters(url, dbname=name)


def opened(url: str, name: str) -> AbstractContextManager[db.Connection]:
    """A connection to one of the server's databases."""
    return db.opened(of(url, name), name=NAME, wait=0, observer=ignore)


def named(name: str) -> str:
    """A database for a program's `--dbname`, where a bare name could be read as more than that."""
    return conninfo.make_conninfo(dbname=name)


def create(connection: db.Connection, name: str, properties: Mapping[str, Any]) -> None:
    """Make an empty database that sorts and encodes as the one of the backup did."""
    provider = properties["datlocprovider"]
    options = {
        "ENCODING": properties["encoding"],
        "LOCALE_PROVIDER": PROVIDERS[provider],
        "LC_COLLATE": properties["datcollate"],
        "LC_CTYPE": properties["datctype"],
        LOCALE_OPTION.get(provider, ""): properties.get("datlocale") or properties.get("daticulocale"),
        "ICU_RULES": properties.get("daticurules"),
    }
    said = " ".join(f"{key} {sql.literal(value)}" for key, value in options.items() if key and value)
    try:
        connection.execute(f"CREATE DATABASE {sql.quote(name)} TEMPLATE template0 {said}".encode())
    except psycopg.errors.InsufficientPrivilege as error:
        raise BackupError(
            f"may not make a database: {error.diag.message_primary}", "The role needs CREATEDB."
        ) from error
    except psycopg.Error as error:
        raise BackupError(
            f"this server cannot make a database as the backup's was ({said}): {error.diag.message_primary}",
            "Restore on a server that has the same locale.",
        ) from error


def drop(connection: db.Connection, name: str) -> None:
    """Drop a database with whatever is connected to it, and with its subscriptions, which would hold it."""
    statement = f"DROP DATABASE IF EXISTS {sql.quote(name)} WITH (FORCE)".encode()
    try:
        connection.execute(statement)
    except psycopg.errors.ObjectInUse:
        _drop_subscriptions(connection, name)
        connection.execute(statement)


def _drop_subscriptions(connection: db.Connection, name: str) -> None:
    """Drop the subscriptions of a database of ours. Never their slot: it is that of the database they came from."""
    info = connection.info
    with opened(db.with_parameters(info.dsn, password=info.password), name) as inside:
        mine = "SELECT subname FROM pg_catalog.pg_subscription AS held JOIN pg_catalog.pg_database AS own"
        query = f"{mine} ON own.oid = held.subdbid WHERE own.datname = pg_catalog.current_database()"
        for (subscription,) in inside.execute(query.encode()).fetchall():
            quoted = sql.quote(subscription)
            inside.execute(f"ALTER SUBSCRIPTION {quoted} DISABLE".encode())
            inside.execute(f"ALTER SUBSCRIPTION {quoted} SET (slot_name = NONE)".encode())
            inside.execute(f"DROP SUBSCRIPTION {quoted}".encode())


def exists(connection: db.Connection, name: str) -> bool:
    """Whether the server has a database of this name."""
    query = "SELECT FROM pg_catalog.pg_database WHERE datname = %s"
    return connection.execute(query, (name,)).fetchone() is not None


def is_empty(url: str, name: str, names: history.Names) -> bool:
    """Whether a database holds no object of a user, the history included."""
    with opened(url, name) as connection:
        state = history.state(connection, names)
        return state.empty and not state.has_history


def mark(connection: db.Connection, name: str) -> str | None:
    """The environment that a database is marked as."""
    row = connection.execute(sql.load("environment_of").encode(), {"name": name}).fetchone()
    return str(row[0]) if row else None


def adorn(connection: db.Connection, name: str, properties: Mapping[str, Any]) -> Iterator[str]:
    """Give a database what is not in it but on it: owner, settings, privileges, comment; says what could not be.

    Not the mark of its environment: a restored backup is not production.
    """
    for statement in adornments(sql.quote(name), properties):
        try:
            connection.execute(statement.encode())
        except psycopg.Error as error:
            yield f"could not {statement}: {error.diag.message_primary}"


def adornments(database: str, properties: Mapping[str, Any]) -> Iterator[str]:
    """The statements that give the database of this quoted name what is on it."""
    yield f"ALTER DATABASE {database} OWNER TO {sql.quote(properties['owner'])}"
    if properties["comment"]:
        yield f"COMMENT ON DATABASE {database} IS {sql.literal(properties['comment'])}"
    if properties["datconnlimit"] >= 0:
        yield f"ALTER DATABASE {database} CONNECTION LIMIT {properties['datconnlimit']}"
    for item in properties["settings"] or ():
        name, _, value = item["setting"].partition("=")
        if name != db.MARK:
            whom = (
                f"ROLE {sql.quote(item['role'])} IN DATABASE {database}"
                if item["role"]
                else f"DATABASE {database}"
            )
            yield f"ALTER {whom} SET {sql.qualified(*name.split('.'))} TO {_setting(name, value)}"
    if properties["privileges"] is not None:
        yield f"REVOKE ALL ON DATABASE {database} FROM PUBLIC"
    for item in properties["privileges"] or ():
        role = sql.quote(item["role"]) if item["role"] else "PUBLIC"
        option = " WITH GRANT OPTION" if item["grantable"] else ""
        yield f"GRANT {item['privilege']} ON DATABASE {database} TO {role}{option}"


LISTS = {"search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"}
"""Their stored value is a list as SQL writes it; as one literal it would be a list of one."""


def _setting(name: str, value: str) -> str:
    return value if name in LISTS and value else sql.literal(value)


def rename(connection: db.Connection, name: str, new: str) -> None:
    """Give a database that nobody uses its name."""
    connection.execute(f"ALTER DATABASE {sql.quote(name)} RENAME TO {sql.quote(new)}".encode())


def swap(url: str, connection: db.Connection, made: str, name: str, aside: str) -> None:
    """Give `made` the name `name`, and what had that name the name `aside`: both in one transaction.

    A database cannot be renamed while somebody is connected. The renaming lets nobody in any more and waits;
    meanwhile those who are in are ended, again and again, since an application connects anew at once.
    """
    ended = threading.Event()

    def end_sessions() -> None:
        query = (
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = %s"
        )
        with server_of(url, besides=name) as other:
            while not ended.is_set():
                other.execute(query, (name,))
                ended.wait(0.1)

    thread = threading.Thread(target=end_sessions, name="pgratchet swap", daemon=True)
    thread.start()
    try:
        _rename(connection, made, name, aside)
    finally:
        ended.set()
        thread.join()


def _rename(connection: db.Connection, made: str, name: str, aside: str) -> None:
    environment = mark(connection, name)
    try:
        with connection.transaction():
            connection.execute(f"ALTER DATABASE {sql.quote(name)} RENAME TO {sql.quote(aside)}".encode())
            if environment:
                connection.execute(f"ALTER DATABASE {sql.quote(aside)} RESET {db.MARK}".encode())
                value = sql.literal(environment)
                connection.execute(f"ALTER DATABASE {sql.quote(made)} SET {db.MARK} = {value}".encode())
            connection.execute(f"ALTER DATABASE {sql.quote(made)} RENAME TO {sql.quote(name)}".encode())
    except psycopg.Error as error:
        raise BackupError(
            f"the database {name} could not be put aside: {error.diag.message_primary}",
            "It is as it was. Stop what is connected to it, and run it again; the role must own it and have CREATEDB.",
        ) from error
