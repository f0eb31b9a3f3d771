"""Databases that are thrown away: named, made, dropped; and what a killed run left is found by its name."""

from __future__ import annotations

import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from pgratchet import db, sql
from pgratchet.errors import ConfigurationError, PgratchetError
from pgratchet.model import ignore

PREFIX = "pgratchet_rehearsal_"
MADE_LIKE_THAT = re.compile(rf"{PREFIX}[a-z0-9]*_\d+_\d+_[0-9a-f]{{6}}")
MAINTENANCE = "postgres"


class Busy(Exception):
    """Somebody is connected to the database that was to be the template."""


@contextmanager
def cloned(url: str, source: str, owner: str | None = None) -> Iterator[str]:
    """Copy the files of a database that nobody is connected to; yields the copy's URL. Raises Busy."""
    form = f"TEMPLATE {sql.quote(source)} STRATEGY file_copy{_of(owner)}"
    with _maker(url, source) as (connection, name), _dropped(connection, url, name):
        try:
            if not _shared(connection, name, form):
                _create(connection, name, form)
        except psycopg.errors.ObjectInUse as error:
            raise Busy from error
        yield db.with_parameters(url, dbname=name)


def _shared(connection: db.Connection, name: str, form: str) -> bool:
    """Let the copy share the blocks of its source, which takes no time: from PostgreSQL 18 on, and not everywhere."""
    try:
        connection.execute("SET file_copy_method = clone")
        _create(connection, name, form)
    except (ConfigurationError, psycopg.errors.ObjectInUse):
        raise
    except psycopg.Error:
        with suppress(psycopg.Error):
            connection.execute("RESET file_copy_method")
        return False
    return True


@contextmanager
def empty(url: str, source: str, form: str, owner: str | None = None) -> Iterator[str]:
    """Make an empty database; `form` are its encoding and its locale. Yields its URL."""
    with _maker(url, source) as (connection, name), _dropped(connection, url, name):
        _create(connection, name, f"TEMPLATE template0{_of(owner)} {form}")
        yield db.with_parameters(url, dbname=name)


def remove_leftovers(connection: db.Connection) -> list[str]:
    """Drop what a run left that was killed: a copy's maker has a session of its name for as long as it lives."""
    query = (
        b"SELECT database.datname::text FROM pg_catalog.pg_database AS database WHERE NOT EXISTS "
        b"(SELECT FROM pg_catalog.pg_stat_activity AS maker WHERE maker.application_name = database.datname)"
    )
    rows = connection.execute(query).fetchall()
    names = [str(row[0]) for row in rows if MADE_LIKE_THAT.fullmatch(str(row[0]))]
    for name in names:
        with suppress(psycopg.Error):  # of another owner
            connection.execute(f"DROP DATABASE IF EXISTS {sql.quote(name)} WITH (FORCE)".encode())
    return names


def new_name() -> str:
    """Who made it, where and when, in a name that no other has."""
    host = re.sub(r"[^a-z0-9]", "", socket.gethostname().lower())[:14]
    return f"{PREFIX}{host}_{os.getpid()}_{int(time.time())}_{secrets.token_hex(3)}"


@contextmanager
def _maker(url: str, source: str) -> Iterator[tuple[db.Connection, str]]:
    """A session that is not in the database to be copied, and a name for the copy, which is the session's as well."""
    name = new_name()
    place = MAINTENANCE if source != MAINTENANCE else "template1"
    with db.opened(
        db.with_parameters(url, dbname=place, application_name=name), name=name, wait=0, observer=ignore
    ) as connection:
        remove_leftovers(connection)
        yield connection, name


def _create(connection: db.Connection, name: str, form: str) -> None:
    try:
        connection.execute(f"CREATE DATABASE {sql.quote(name)} {form}".encode())
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"may not make a copy there: {error.diag.message_primary}",
            "Let this role have CREATEDB, take --server URL or --embedded, or name a prepared copy with --on URL.",
        ) from error


def _of(owner: str | None) -> str:
    return "" if owner is None else f" OWNER {sql.quote(owner)}"


@contextmanager
def _dropped(connection: db.Connection, url: str, name: str) -> Iterator[None]:
    statement = f"DROP DATABASE IF EXISTS {sql.quote(name)} WITH (FORCE)".encode()
    try:
        yield
    finally:
        try:
            connection.execute(statement)
        except psycopg.Error:  # the maker's session was lost
            with suppress(PgratchetError, psycopg.Error):
                place = db.with_parameters(url, dbname=MAINTENANCE)
                with db.opened(place, name=name, wait=5, observer=ignore) as again:
                    again.execute(statement)
