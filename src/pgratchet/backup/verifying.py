"""Proves a backup: every byte read, the archive's contents listed, all of it restored, and what came back compared."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from pgratchet import db, embedded, scratch
from pgratchet.backup import comparing, databases, loading, manifest, restoring
from pgratchet.backup.manifest import Manifest, Proof
from pgratchet.errors import BackupError, ConfigurationError
from pgratchet.model import Observer


def verify(
    folder: Path, made: Manifest, *, on: str | None, jobs: int, wait: float, observer: Observer
) -> Proof:
    """Verify a backup.

    It is restored on the server `on`, in a database that is dropped again, or else on a throw-away embedded
    server of its own major version. Raises BackupError or ConfigurationError where it cannot be tried at all.
    """
    began = time.monotonic()
    problems = loading.check_files(folder, made)
    notes: tuple[str, ...] = ()
    server_version, restored = None, False
    if not problems:
        with _server(made, on) as url, databases.server_of(url, wait, observer) as connection:
            loading.check_server(connection, made, roles=on is not None)
            server_version = connection.info.parameter_status("server_version")
            problems, notes = _tried(url, connection, folder, made, jobs, observer, own=on is None)
            restored = True
    return Proof(
        manifest=manifest.checksum(folder),
        verified_at=datetime.now(UTC),
        seconds=round(time.monotonic() - began, 3),
        restored=restored,
        server_version=server_version,
        problems=problems,
        notes=notes,
    )


def check_possible(major: int, on: str | None) -> None:
    """Refuse to verify where there is no server to do it on. Raises ConfigurationError."""
    if on is None and major not in embedded.majors():
        here = " and ".join(map(str, embedded.majors())) or "none"
        raise ConfigurationError(
            f"the backup is of PostgreSQL {major}, and the embedded versions here are: {here}",
            "Name a server to verify on with --on, or `on` in [backup]; or with --same-server, or `same_server`, a "
            "database is made beside the database itself, and dropped again.",
        )


def _server(made: Manifest, on: str | None) -> AbstractContextManager[str]:
    check_possible(made.major, on)
    return scratch.server(made.major) if on is None else nullcontext(on)


def _tried(
    url: str,
    connection: db.Connection,
    folder: Path,
    made: Manifest,
    jobs: int,
    observer: Observer,
    *,
    own: bool,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is wrong, and what to know: `own` is a server where nothing is that could be in the way."""
    try:
        program = loading.pg_restore(made, connection.info.server_version // 10_000)
        if problems := loading.check_contents(folder, made, program):
            return problems, ()
        if own:
            loading.create_roles(connection, made)
        with _database(connection, made, own=own) as (name, notes):
            options = ("--no-tablespaces",) if own else ()
            loading.load(url, name, folder, made, jobs=jobs, options=options, observer=observer)
            more = tuple(databases.adorn(connection, name, made.properties))
            with databases.opened(url, name) as restored:
                found = comparing.differences(restored, folder, made)
            return (*found.rows, *found.catalogue), (*notes, *more, *found.notes)
    except BackupError as error:
        return (f"it cannot be restored: {error.message}",), ()


@contextmanager
def _database(
    connection: db.Connection, made: Manifest, *, own: bool
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A database to restore into; on a server of ours that lacks the locale, one that sorts by bytes."""
    with ExitStack() as stack:
        notes: tuple[str, ...] = ()
        try:
            name = stack.enter_context(restoring.filling(connection, made.properties))
        except BackupError as error:
            if not own:
                raise
            name = stack.enter_context(restoring.filling(connection, {**made.properties, **databases.BYTES}))
            notes = (f"it was tried with the locale C: {error.message}",)
        yield name, notes
