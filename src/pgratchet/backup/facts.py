"""What the database says of itself in the snapshot: the part of the manifest that is neither rows nor files."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psycopg

from pgratchet import db, history, sql
from pgratchet.errors import BackupError
from pgratchet.model import Status

# The row of pg_database has these under other names before PostgreSQL 17.
LOCALE = ("datlocale", "daticulocale")


def read(connection: db.Connection, names: history.Names) -> dict[str, Any]:
    """The fields of the manifest that the server knows, by their names there."""
    server, server_version, made_at, extensions, roles = _row(connection, "backup_server")
    properties = _row(connection, "backup_database")[0]
    newest = _newest(connection, names)
    return {
        "database": properties["datname"],
        "made_at": made_at,
        "server": server,
        "server_version": server_version,
        "system": system(connection),
        "version": newest and newest.version,
        "script": newest and newest.script,
        "applied_at": newest and newest.applied_at,
        "properties": properties,
        "extensions": extensions or {},
        "roles": tuple(roles),
    }


def _newest(connection: db.Connection, names: history.Names) -> Any:
    if not history.state(connection, names).has_history:
        return None
    rows = [
        row
        for row in history.read(connection, names)
        if row.status is Status.APPLIED and row.version is not None
    ]
    return rows[-1] if rows else None


def system(connection: db.Connection) -> str | None:
    """The identifier of the cluster, where we may read it; a failure must not end the transaction."""
    with suppress(psycopg.Error), connection.transaction():
        row = connection.execute(
            "SELECT system_identifier::text FROM pg_catalog.pg_controlsystem()"
        ).fetchone()
        return str(row[0]) if row else None
    return None


def _row(connection: db.Connection, resource: str) -> tuple[Any, ...]:
    row = connection.execute(sql.load(resource).encode()).fetchone()
    if row is None:
        raise BackupError("the database does not know itself: is this a PostgreSQL server?")
    return row
