"""Scratch databases and scratch servers: made, used, and gone in the end; what a killed run left goes with the next."""

from __future__ import annotations

import fcntl
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from pgratchet import __version__, db, embedded, sql
from pgratchet.db import Connection
from pgratchet.embedded import account as accounts
from pgratchet.errors import ConfigurationError, PgratchetError
from pgratchet.model import ignore

PREFIX = "pgratchet_scratch_"
MADE_LIKE_THAT = rf"{PREFIX}(\d+)_[0-9a-f]{{8}}"
HELD = "held"
NO_ROLES: Mapping[str, bool] = {}
KEPT = 24 * 3600
"""Seconds for which a scratch database may still be in use by whoever made it."""


@contextmanager
def server(major: int) -> Iterator[str]:
    """Run a server of its own, of the embedded PostgreSQL, for as long as it is wanted; yields its URL."""
    with place() as folder:
        accounts.give(folder, accounts.choose(folder))
        yield embedded.start(folder, major)


@contextmanager
def place() -> Iterator[Path]:
    """A folder for what is thrown away; a server that runs on data in there is ended, and all of it deleted.

    We hold a lock in it. What nobody holds was left by a run that was killed, and goes now.
    """
    _remove_servers()
    hidden = Path(tempfile.mkdtemp(prefix=f".{PREFIX}"))
    with (hidden / HELD).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # before anybody can find the folder by its name
        folder = hidden.with_name(_name())
        hidden.rename(folder)
        try:
            yield folder
        finally:
            _remove_server(folder)


@contextmanager
def database(url: str, *, role: str | None = None, roles: Mapping[str, bool] = NO_ROLES) -> Iterator[str]:
    """Make an empty database on the server of a URL; yields a URL of it, in which we are `role`, where we may be.

    Of `roles` those that the server does not know are dropped in the end; before, those that are true are made, without
    a login.
    Raises ConfigurationError where we may not make a database.
    """
    with db.opened(url, name=f"pgratchet {__version__} scratch", wait=0, observer=ignore) as connection:
        _remove_databases(connection)
        strange = _strange(connection, roles)
        name = _name()
        try:
            _make_roles(connection, [item for item in strange if roles[item]], role)
            owner = _make(connection, name, role)
            with _dropped(connection, name):
                yield db.with_parameters(url, dbname=name, **({"options": _as(owner)} if owner else {}))
        finally:
            for item in strange:
                with suppress(psycopg.Error):  # one that a file has given something outside of the database
                    connection.execute(f"DROP ROLE IF EXISTS {sql.quote(item)}".encode())


def _name() -> str:
    return f"{PREFIX}{int(time.time())}_{secrets.token_hex(4)}"


def _is_old(name: str) -> bool:
    found = re.fullmatch(MADE_LIKE_THAT, name)
    return found is not None and time.time() - int(found[1]) > KEPT


def _is_left(folder: Path) -> bool:
    """Whether the run that made it is gone; one that cannot be asked is given a day."""
    if not re.fullmatch(MADE_LIKE_THAT, folder.name):
        return False
    try:
        with (folder / HELD).open() as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # of another account, or of a version that held none
        return _is_old(folder.name)
    return True


def _as(role: str) -> str:
    """What lets a session begin as a role; also what a file leaves is reset to that."""
    escaped = re.sub(r"([\\ ])", r"\\\1", role)
    return f"-c role={escaped}"


def _make(connection: Connection, name: str, role: str | None) -> str | None:
    """Make the database for the role, or for ourselves where we may not act as it; returns whose it is."""
    statement = f"CREATE DATABASE {sql.quote(name)}"
    if role is not None:
        with suppress(psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedObject):
            connection.execute(f"{statement} OWNER {sql.quote(role)}".encode())
            return role
    try:
        connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"may not make a scratch database there: {error.diag.message_primary}",
            "Let this role have CREATEDB, or name a server where one may be made with --on URL.",
        ) from error
    return None


@contextmanager
def _dropped(connection: Connection, name: str) -> Iterator[None]:
    try:
        yield
    finally:
        connection.execute(f"DROP DATABASE IF EXISTS {sql.quote(name)} WITH (FORCE)".encode())


def _strange(connection: Connection, roles: Collection[str]) -> list[str]:
    known = {str(row[0]) for row in connection.execute("SELECT rolname FROM pg_catalog.pg_roles")}
    return sorted(set(roles) - known)


def _make_roles(connection: Connection, roles: Collection[str], mighty: str | None) -> None:
    """Make roles; the one that everything is done as a superuser, since what it may do elsewhere must not fail here."""
    may = connection.execute("SELECT pg_catalog.current_setting('is_superuser')").fetchone() == ("on",)
    for role in roles:
        with suppress(psycopg.errors.InsufficientPrivilege):
            superuser = " SUPERUSER" if may and role == mighty else ""
            connection.execute(f"CREATE ROLE {sql.quote(role)}{superuser}".encode())


def _remove_databases(connection: Connection) -> None:
    names = [str(row[0]) for row in connection.execute("SELECT datname FROM pg_catalog.pg_database")]
    for name in filter(_is_old, names):
        with suppress(psycopg.Error):  # of another owner
            connection.execute(f"DROP DATABASE {sql.quote(name)} WITH (FORCE)".encode())


def _remove_servers() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_left(folder):
            with suppress(PgratchetError, OSError):
                _remove_server(folder)


def _remove_server(folder: Path) -> None:
    """End a server and delete its data, which lie elsewhere where its account cannot enter the folder."""
    if not folder.exists():
        return
    data = (folder / "data").resolve()
    try:
        embedded.end(data)
    finally:
        if (folder / "data").is_symlink():
            shutil.rmtree(data.parent, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
