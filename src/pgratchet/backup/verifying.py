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


@contextmanager
def tried(
    folder: Path, made: Manifest, *, on: str | None, jobs: int, wait: float, observer: Observer
) -> Iterator[tuple[Proof, str | None]]:
    """Restore a backup and compare; yields the result, and the URL of the restored database where there is one.

    It is restored on the server `on`, in a database that is dropped in the end, or else on a throw-away embedded
    server of its own major version. Raises BackupError or ConfigurationError where it cannot be tried at all.
    """
    began = time.monotonic()
    problems = loading.check_files(folder, made)
    notes: tuple[str, ...] = ()
    server_version, there = None, None
    with ExitStack() as stack:
        if not problems:
            url = stack.enter_context(_server(made, on))
            connection = stack.enter_context(databases.server_of(url, wait, observer))
            loading.check_server(connection, made, roles=on is not None)
            server_version = connection.info.parameter_status("server_version")
            name, notes = _room(stack, connection, made, own=on is None)
            problems, more = _filled(url, connection, name, folder, made, jobs, observer, own=on is None)
            notes, there = (*notes, *more), databases.of(url, name)
        yield (
            Proof(
                manifest=manifest.checksum(folder),
                verified_at=datetime.now(UTC),
                seconds=round(time.monotonic() - began, 3),
                restored=there is not None,
                server_version=server_version,
                problems=problems,
                notes=notes,
            ),
            there,
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


def _room(
    stack: ExitStack, connection: db.Connection, made: Manifest, *, own: bool
) -> tuple[str, tuple[str, ...]]:
    """A database to restore into; on a server of ours that lacks the locale, one that sorts by bytes."""
    if own:
        loading.create_roles(connection, made)
    else:
        restoring.remove_killed(connection)
    try:
        return stack.enter_context(restoring.filling(connection, made.properties)), ()
    except BackupError as error:
        if not own:
            raise
        name = stack.enter_context(restoring.filling(connection, {**made.properties, **databases.BYTES}))
        return name, (f"it was tried with the locale C: {error.message}",)


def _filled(
    url: str,
    connection: db.Connection,
    name: str,
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
        options = ("--no-tablespaces",) if own else ()
        loading.load(url, name, folder, made, jobs=jobs, options=options, observer=observer)
        notes = tuple(databases.adorn(connection, name, made.properties))
        with databases.opened(url, name) as restored:
            found = comparing.differences(restored, folder, made)
        return (*found.rows, *found.catalogue), (*notes, *found.notes)
    except BackupError as error:
        return (f"it cannot be restored: {error.message}",), ()
