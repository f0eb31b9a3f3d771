"""The database's own account of its backups (V005): kept where it is there and we may, done without where not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import NamedTuple

import psycopg

from pgratchet import __version__, db, sql
from pgratchet.backup.manifest import Manifest, Proof
from pgratchet.errors import LockNotAvailable, PgratchetError
from pgratchet.model import ignore

TOOL = "pgratchet"
STALE = "1 minute"
"""A run of ours that gave no sign of life for so long was killed: it gives one every few seconds."""


class Entry(NamedTuple):
    """A running backup or restore in the account; the token lets us, and nobody else, report on it."""

    id: str
    token: str


def begin(connection: db.Connection, target: str) -> Entry | None:
    """Enter a backup as running; None where there is no account, or none for us.

    Raises LockNotAvailable where another one runs.
    """
    if not _kept(connection):
        return None
    _close_killed(connection)
    query = "SELECT backup_id::text, token::text FROM public.begin_backup('logical', %s, %s, %s)"
    try:
        row = connection.execute(query, (TOOL, __version__, target)).fetchone()
    except psycopg.errors.ObjectInUse as error:
        raise LockNotAvailable(
            f"{error.diag.message_primary} of this database", error.diag.message_hint
        ) from error
    return None if row is None else Entry(*row)


def beat(connection: db.Connection, entry: Entry | None) -> None:
    """Give a sign of life."""
    if entry:
        connection.execute("SELECT public.heartbeat_backup(%s::uuid, %s::uuid)", entry)


def finish(connection: db.Connection, entry: Entry | None, manifest: Manifest) -> None:
    """Close a backup as completed, with its files."""
    if entry:
        _finish(connection, entry, manifest)


def fail(connection: db.Connection, entry: Entry | None, reason: str) -> None:
    """Close a backup as failed."""
    if entry:
        connection.execute("SELECT public.fail_backup(%s::uuid, %s::uuid, %s)", (*entry, reason))


def record(url: str, manifest: Manifest, proof: Proof) -> None:
    """Put a verification on record in the database that the backup is of, where that can be reached and knows it."""
    method = "restore_test" if proof.restored else "checksum"
    details = json.dumps({"problems": proof.problems, "notes": proof.notes, "server": proof.server_version})
    query = "SELECT public.record_verification(%s::uuid, %s, %s, %s::jsonb)"
    with suppress(PgratchetError, psycopg.Error), opened(url) as connection:
        if manifest.backup_id and _kept(connection):
            connection.execute(query, (manifest.backup_id, method, not proof.problems, details))


def proven(connection: db.Connection, hours: int, bad: list[str]) -> str | None:
    """Where a backup of the last so many hours lies that was restored to prove it; `bad` are known to be none."""
    with suppress(psycopg.errors.InsufficientPrivilege):
        if _kept(connection):
            query = sql.load("backup_proven").encode()
            row = connection.execute(query, {"hours": str(hours), "bad": ",".join(bad)}).fetchone()
            return None if row is None else str(row[0])
    return None


def opened(url: str) -> AbstractContextManager[db.Connection]:
    """A connection to keep account with; it waits for nobody."""
    return db.opened(url, name="pgratchet account", wait=0, observer=ignore)


@contextmanager
def elsewhere(url: str, manifest: Manifest, target: str) -> Iterator[None]:
    """Keep account of a restore in the database that we were pointed at, where that is another than the target."""
    with ExitStack() as stack:
        with suppress(PgratchetError):  # it may be gone: that can be why somebody restores
            connection = stack.enter_context(opened(url))
            if connection.info.dbname != target:
                stack.enter_context(restoring(connection, manifest, target))
            else:
                connection.close()
        yield


@contextmanager
def restoring(connection: db.Connection, manifest: Manifest, target: str) -> Iterator[None]:
    """Keep account of a restore, in the database that is not being restored."""
    query = "SELECT restore_id::text, token::text FROM public.begin_restore(%s::uuid, %s)"
    entry = None
    if manifest.backup_id and _kept(connection):
        try:
            row = connection.execute(query, (manifest.backup_id, target)).fetchone()
            entry = Entry(*row) if row else None
        except psycopg.Error:  # it does not know the backup: that is no reason not to restore it
            entry = None
    try:
        yield
    except BaseException as error:
        _end_restore(connection, entry, str(error) or type(error).__name__)
        raise
    _end_restore(connection, entry, None)


def settle(connection: db.Connection, manifest: Manifest, target: str) -> None:
    """Make the account in a restored database true: its own backup was completed, and has been restored.

    What else ran when the snapshot was taken does not run here.
    """
    if not (manifest.backup_id and _kept(connection)):
        return
    own = "SELECT backup_id::text, token::text FROM public.backups WHERE backup_id = %s::uuid AND state = 'running'"
    row = connection.execute(own, (manifest.backup_id,)).fetchone()
    if row:
        _finish(connection, Entry(*row), manifest)
        with restoring(connection, manifest, target):
            pass
    connection.execute("SELECT public.abandon_stale_backups('0')")


def _kept(connection: db.Connection) -> bool:
    row = connection.execute(sql.load("backup_account").encode()).fetchone()
    return row == (True,)


def _close_killed(connection: db.Connection) -> None:
    query = "SELECT FROM public.backups WHERE state = 'running' AND tool = %s AND heartbeat_at < now() - %s::interval"
    if connection.execute(query, (TOOL, STALE)).fetchone() is not None:
        connection.execute("SELECT public.abandon_stale_backups(%s::interval)", (STALE,))


def _finish(connection: db.Connection, entry: Entry, manifest: Manifest) -> None:
    files = [{"path": file.path, "bytes": file.bytes, "sha256": file.sha256} for file in manifest.files]
    query = "SELECT public.finish_backup(%s::uuid, %s::uuid, %s::jsonb)"
    connection.execute(query, (*entry, json.dumps(files)))


def _end_restore(connection: db.Connection, entry: Entry | None, error: str | None) -> None:
    if entry and not connection.closed and not connection.broken:
        query = "SELECT public.finish_restore(%s::uuid, %s::uuid, %s)"
        connection.execute(query, (*entry, error))
