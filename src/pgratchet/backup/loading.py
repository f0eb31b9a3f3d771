"""Brings a backup into an empty database: pg_restore, and what has to be there before it begins."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg

from pgratchet import db, pgtools, sql
from pgratchet.backup import databases, manifest, programs
from pgratchet.backup.manifest import DATA, Manifest, size
from pgratchet.backup.pulse import pulse
from pgratchet.errors import BackupError
from pgratchet.model import Observer

UNKNOWN = 'unrecognized configuration parameter "transaction_timeout"'
"""What an older server answers to a setting that pg_restore sends from 17 on; all else is compared afterwards."""


def check_files(folder: Path, made: Manifest) -> tuple[str, ...]:
    """What is wrong with the files of a backup: each is read in full."""
    known = {file.path: file for file in made.files}
    there = {file.path: file for file in manifest.files(folder)}
    missing = [f"{path} is missing" for path in known if path not in there]
    other = [f"{path} does not belong to this backup" for path in there if path not in known]
    changed = [
        f"{path} is not what it was: {_changed(known[path], file)}"
        for path, file in there.items()
        if path in known and known[path] != file
    ]
    return (*missing, *changed, *other)


def check_contents(folder: Path, made: Manifest, program: Path) -> tuple[str, ...]:
    """What the archive's own table of contents lacks."""
    text = programs.run([program, "--list", folder / DATA], {**os.environ, "LC_ALL": "C"})
    entries = (line.split(" ", 3)[3] for line in text.splitlines() if line.count(" ") > 3)
    # The owner comes last, and any of the names can hold spaces: so every beginning of the line counts.
    starts = {entry[:end] for entry in entries for end, letter in enumerate(entry) if letter == " "}
    names = (f"{table.schema} {table.name}".replace("\n", " ") for table in made.tables)
    return tuple(
        f"the archive holds no data of {name}" for name in names if f"TABLE DATA {name}" not in starts
    )


def pg_restore(made: Manifest, server: int) -> Path:
    """The pg_restore that can read what pg_dump wrote, and that the server understands."""
    return pgtools.find("pg_restore", at_least=max(made.client, server))


def check_server(connection: db.Connection, made: Manifest, *, roles: bool) -> None:
    """Refuse a server on which the restore would fail half way. Raises BackupError."""
    server = connection.info.server_version // 10_000
    if server < made.major:
        raise BackupError(
            f"the backup is of PostgreSQL {made.major}, and this server is a {server}",
            f"Restore it on PostgreSQL {made.major} or later.",
        )
    if gone := _missing(
        connection, "SELECT name FROM pg_catalog.pg_available_extensions", tuple(made.extensions)
    ):
        raise BackupError(
            f"this server does not have the extension {', '.join(gone)}",
            "Install it, or take another server.",
        )
    if roles and (gone := missing_roles(connection, made)):
        raise BackupError(
            f"this server does not have the roles that own or may use what is in the backup: {', '.join(gone)}",
            "Make them first; globals.sql in the backup has the statements, without passwords. "
            "Or --create-roles makes them, without a login.",
        )


def missing_roles(connection: db.Connection, made: Manifest) -> tuple[str, ...]:
    """The roles of the backup that the server does not have."""
    return _missing(connection, "SELECT rolname FROM pg_catalog.pg_roles", made.roles)


def create_roles(connection: db.Connection, made: Manifest) -> None:
    """Make the roles that are missing; they may own and be granted things, and cannot log in."""
    for name in missing_roles(connection, made):
        try:
            connection.execute(f"CREATE ROLE {sql.quote(name)} NOLOGIN".encode())
        except psycopg.errors.InsufficientPrivilege as error:
            raise BackupError(
                f"may not make the role {name}: {error.diag.message_primary}", "The role needs CREATEROLE."
            ) from error


def load(
    url: str,
    database: str,
    folder: Path,
    made: Manifest,
    *,
    jobs: int,
    options: tuple[str, ...],
    observer: Observer,
) -> None:
    """Restore into an empty database. Raises BackupError at the first thing that fails."""
    with databases.opened(url, database) as connection:
        server = connection.info.server_version // 10_000
        program = pg_restore(made, server)
        too_new = (pgtools.version_of(program) or 0) >= 17 > server
        command: list[str | Path] = [
            program,
            "--format=directory",
            *(() if too_new else ("--exit-on-error",)),
            "--no-password",
            f"--jobs={jobs}",
            f"--dbname={databases.named(database)}",
            *options,
            folder / DATA,
        ]
        environment = programs.environment(url, databases.NAME, database)
        told = pulse(f"for {made.name} to be restored", observer, lambda: _restored(connection))
        with told, programs.running(command, environment, forgiven=UNKNOWN if too_new else None):
            pass


def _restored(connection: db.Connection) -> str:
    row = connection.execute("SELECT pg_catalog.pg_database_size(pg_catalog.current_database())").fetchone()
    assert row is not None
    return f"{size(row[0])} restored"


def _missing(connection: db.Connection, query: str, wanted: tuple[str, ...]) -> tuple[str, ...]:
    there = {row[0] for row in connection.execute(query.encode())}
    return tuple(name for name in wanted if name not in there)


def _changed(before: manifest.File, after: manifest.File) -> str:
    if before.bytes != after.bytes:
        return f"{before.bytes} bytes then, {after.bytes} now"
    return "as long as it was, with other bytes"
