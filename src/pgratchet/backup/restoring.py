"""Restores a backup beside what is there, compares, and only then gives it the name; till then all is as before."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from pgratchet import db, history
from pgratchet.backup import catalogue, comparing, databases, loading
from pgratchet.backup.manifest import Manifest
from pgratchet.errors import BackupError
from pgratchet.model import Observer

PREFIX = "pgratchet_restoring_"
LONGEST = 63
"""Bytes of a name in PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a backup is to be restored, and what may be done for it."""

    database: str
    names: history.Names
    replace: bool = False
    """Put what is there aside."""
    production: str | None = None
    """The name of the database, once more, where it is marked as production."""
    create_roles: bool = False
    jobs: int = 2
    wait: float = 0.0
    """Seconds, for a server that is not there yet."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    name: str
    database: str
    aside: str | None
    """Under what name the database is kept that was there before."""
    version: int | None
    tables: int
    rows: int
    seconds: float
    notes: tuple[str, ...]


def restore(url: str, folder: Path, made: Manifest, target: Target, observer: Observer) -> Restored:
    """Restore a backup. Raises BackupError, and then nothing has changed but for roles that were asked for."""
    began = time.monotonic()
    if problems := loading.check_files(folder, made):
        message = f"{made.name} is damaged: {'; '.join(problems[:5])}"
        raise BackupError(message, "Take another: `pgratchet backups` lists them.")
    with databases.server_of(url, target.wait, observer, besides=target.database) as connection:
        loading.check_server(connection, made, roles=not target.create_roles)
        there = databases.exists(connection, target.database)
        keep = there and _must_be_kept(connection, url, target)
        remove_killed(connection)
        if target.create_roles:
            loading.create_roles(connection, made)
        with catalogue.elsewhere(url, made, target.database), filling(connection, made.properties) as name:
            loading.load(url, name, folder, made, jobs=target.jobs, options=(), observer=observer)
            notes = (
                *databases.adorn(connection, name, made.properties),
                *_settled(url, name, folder, made, target),
            )
            aside = _give_name(url, connection, name, target.database) if there else None
            if not there:
                databases.rename(connection, name, target.database)
        if aside and not keep:
            databases.drop(connection, aside)
    return Restored(
        name=made.name,
        database=target.database,
        aside=aside if keep else None,
        version=made.version,
        tables=len(made.tables),
        rows=sum(table.rows for table in made.tables),
        seconds=round(time.monotonic() - began, 3),
        notes=notes,
    )


@contextmanager
def filling(connection: db.Connection, properties: Mapping[str, Any]) -> Iterator[str]:
    """The name of a new, empty database; dropped in the end unless it has got another name by then.

    A lock tells others that somebody is at work in it; it goes with our session.
    """
    name = f"{PREFIX}{secrets.token_hex(6)}"
    connection.execute(LOCK, (name,))
    databases.create(connection, name, properties)
    try:
        yield name
    finally:
        if not connection.closed and not connection.broken:
            databases.drop(connection, name)
            connection.execute("SELECT pg_catalog.pg_advisory_unlock_all()")


def remove_killed(connection: db.Connection) -> None:
    """Drop what killed restores left half full on this server."""
    query = "SELECT datname FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname, %s)"
    for (name,) in connection.execute(query, (PREFIX,)).fetchall():
        if connection.execute(LOCK, (name,)).fetchone() == (True,):
            databases.drop(connection, name)
    connection.execute("SELECT pg_catalog.pg_advisory_unlock_all()")


LOCK = "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended(%s, 0))"


def _must_be_kept(connection: db.Connection, url: str, target: Target) -> bool:
    """Whether the database that is there holds anything. Raises BackupError where it may not be touched."""
    name = target.database
    if databases.mark(connection, name) == "production" and target.production != name:
        raise BackupError(
            f"{name} is marked as production, and stays as it is",
            f"Restore into a new database and look at it first: --into NAME. Or say --production {name}.",
        )
    if databases.is_empty(url, name, target.names):
        return False
    if not target.replace:
        raise BackupError(
            f"the database {name} is not empty, and stays as it is",
            "Name a new one with --into; or --replace puts this one aside, under a name with the date.",
        )
    return True


def _settled(url: str, name: str, folder: Path, made: Manifest, target: Target) -> Iterator[str]:
    """Compare, and make ready for use: the account true, the planner's statistics there."""
    with databases.opened(url, name) as connection:
        found = comparing.differences(connection, folder, made)
        if found.rows:
            raise BackupError(f"what was restored is not what was backed up: {'; '.join(found.rows[:5])}")
        yield from (*found.catalogue, *found.notes)  # who restores in need gets every row, and is told
        connection.execute("RESET ALL")
        try:
            catalogue.settle(connection, made, target.database)
        except psycopg.Error as error:
            yield f"the account of backups in the restored database could not be closed: {error.diag.message_primary}"
        connection.execute("ANALYZE")


def _give_name(url: str, connection: db.Connection, made: str, name: str) -> str:
    """Swap the names; gives the one under which the old database is kept."""
    suffix = f"_before_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    aside = name.encode()[: LONGEST - len(suffix)].decode(errors="ignore") + suffix
    databases.swap(url, connection, made, name, aside)
    return aside
