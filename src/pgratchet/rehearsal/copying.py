"""The copy that a plan is rehearsed on: which way it is made, said aloud, made, and gone in the end."""

from __future__ import annotations

import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from pgratchet import config, db, embedded, history, pgtools, scratch, sql
from pgratchet.db import MARK
from pgratchet.errors import ConfigurationError, RunFailed
from pgratchet.model import Noticed, Observer, ignore
from pgratchet.rehearsal import databases
from pgratchet.rehearsal.records import Copy

JOBS = 2
LOOKS, PAUSE = 5, 0.2
LISTS = {"search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"}
"""Settings whose value is written down as SQL writes a list."""
PRODUCTION = "production"
PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}


class Source(NamedTuple):
    """The database to be copied."""

    major: int
    name: str
    owner: str
    bytes: int
    others: int
    """Sessions in it beside ours."""
    may_create: bool
    may_clone: bool
    settings: list[str]
    encoding: str
    catalogue: dict[str, Any]
    """Its row in pg_database."""
    roles: list[str]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller wants of the copy; by itself it is chosen."""

    on: str | None = None
    """A database that somebody prepared."""
    server: str | None = None
    """Another server to make it on."""
    embedded: bool = False
    schema_only: bool = False
    may_leave: bool = False
    """The rows of a database marked as production may leave its server."""
    mask: Path | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the copy comes from: how to reach it, what it is, whose history it has, and what it is marked as."""

    url: str
    source: Source
    names: history.Names
    mark: str | None


def look(connection: db.Connection) -> Source:
    """Look at the database to be copied; a session that has just been closed is listed for a moment more."""
    for _ in range(LOOKS):
        [row] = connection.execute(sql.load("rehearse_source").encode()).fetchall()
        source = Source(*row)
        if not source.others:
            break
        time.sleep(PAUSE)
    return source


@contextmanager
def copied(origin: Origin, wishes: Wishes, observer: Observer = ignore) -> Iterator[tuple[str, Copy]]:
    """Make the copy, mask its rows, and yield its URL and what it is; it is dropped in the end.

    Raises ConfigurationError where there is no way, or rows would leave a server that they must not leave.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        there, way, said = _made(stack, origin, wishes, observer)
        observer(Noticed("COPY", said))
        _mask(there, wishes.mask)
        yield there, Copy(way, said, _size(there), time.monotonic() - began)


def _made(stack: ExitStack, origin: Origin, wishes: Wishes, observer: Observer) -> tuple[str, str, str]:
    """The first way that is open: its URL, its name, and a sentence about it."""
    if wishes.on is not None:
        there = config.normal_url(wishes.on)
        _refuse_the_same(origin.url, there)
        return there, "prepared", f"on {db.describe(there)}, as it was prepared; it is not dropped"
    source = origin.source
    here = wishes.server is None and not wishes.embedded
    if here and not wishes.schema_only and source.others == 0 and source.may_clone:
        with suppress(databases.Busy):
            there = stack.enter_context(databases.cloned(origin.url, source.name, source.owner))
            _settle(there, source)
            return there, "template", "its files were copied on its own server: nobody was connected to it"
    why = _why(source, wishes)
    if origin.mark == PRODUCTION and not wishes.may_leave and not wishes.schema_only:
        raise ConfigurationError(
            f"a dump would take the rows of a database marked as production off its server ({why})",
            "--data-may-leave allows it; --schema-only takes no rows; --on URL takes a copy that somebody prepared.",
        )
    there = stack.enter_context(_empty(origin, wishes))
    _settle(there, source)
    _dump_and_restore(origin, there, wishes, observer)
    way = "schema" if wishes.schema_only else "dump"
    return there, way, f"{_words(wishes)} by pg_dump and pg_restore: {why}"


@contextmanager
def _empty(origin: Origin, wishes: Wishes) -> Iterator[str]:
    """An empty database where the copy is to be, with the roles that the dump names."""
    source = origin.source
    form = f"ENCODING {sql.literal(source.encoding)}"
    if wishes.server is None and not wishes.embedded:
        owner = source.owner if source.may_clone else None
        with databases.empty(origin.url, source.name, form + _locale(source), owner) as there:
            yield there
        return
    with (
        _server(source, wishes) as server,
        _with_roles(server, source.roles),
        databases.empty(server, "", form) as there,
    ):
        yield there


def _words(wishes: Wishes) -> str:
    what = "its schema, without rows, was restored" if wishes.schema_only else "it was restored"
    if wishes.embedded:
        return f"{what} on an embedded server"
    return f"{what} on {db.describe(wishes.server)}" if wishes.server else f"{what} on its own server"


def _why(source: Source, wishes: Wishes) -> str:
    if wishes.schema_only:
        return "--schema-only"
    if wishes.server is not None or wishes.embedded:
        return "another server was asked for"
    if source.others:
        others = "one session is" if source.others == 1 else f"{source.others} sessions are"
        return f"{others} connected to it, so its files cannot be copied"
    return (
        "this role may not copy its files" if not source.may_clone else "somebody connected to it meanwhile"
    )


@contextmanager
def _server(source: Source, wishes: Wishes) -> Iterator[str]:
    if wishes.server is not None:
        yield config.normal_url(wishes.server)
    elif source.major in embedded.majors():
        with scratch.server(source.major) as url:
            yield url
    else:
        raise ConfigurationError(
            f"there is no embedded PostgreSQL {source.major} here",
            "pip install 'pgratchet[embedded]' has some versions; or name a server with --server URL.",
        )


def _locale(source: Source) -> str:
    row = source.catalogue
    parts = [f" LC_COLLATE {sql.literal(row['datcollate'])} LC_CTYPE {sql.literal(row['datctype'])}"]
    provider = PROVIDERS.get(row.get("datlocprovider", "c"), "libc")
    locale = row.get("datlocale") or row.get("daticulocale")
    if provider != "libc" and locale:
        key = "ICU_LOCALE" if provider == "icu" else "BUILTIN_LOCALE"
        parts.append(f" LOCALE_PROVIDER {provider} {key} {sql.literal(locale)}")
    return "".join(parts)


@contextmanager
def _with_roles(server: str, roles: Sequence[str]) -> Iterator[None]:
    """Make the roles that the other server does not know, without a login; they go with the copy."""
    with db.opened(server, name="pgratchet roles", wait=0, observer=ignore) as connection:
        known = {str(row[0]) for row in connection.execute("SELECT rolname FROM pg_catalog.pg_roles")}
        made = []
        for role in sorted(set(roles) - known):
            with suppress(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"CREATE ROLE {sql.quote(role)}".encode())
                made.append(role)
    try:
        yield
    finally:
        with db.opened(server, name="pgratchet roles", wait=0, observer=ignore) as connection:
            for role in made:
                with suppress(psycopg.Error):
                    connection.execute(f"DROP ROLE {sql.quote(role)}".encode())


def _settle(there: str, source: Source) -> None:
    """Give the copy the settings of its source: a dump and a template leave them behind. The mark is not one."""
    with db.opened(there, name="pgratchet copy", wait=0, observer=ignore) as connection:
        name = sql.quote(str(connection.info.dbname))
        for setting in source.settings:
            key, _, value = setting.partition("=")
            if key != MARK:
                written = value if key in LISTS else sql.literal(value)
                with suppress(psycopg.Error):  # one that only a superuser may set
                    connection.execute(f"ALTER DATABASE {name} SET {key} = {written}".encode())


def _dump_and_restore(origin: Origin, there: str, wishes: Wishes, observer: Observer) -> None:
    major = origin.source.major
    only = ["--schema-only"] if wishes.schema_only else []
    with tempfile.TemporaryDirectory(prefix="pgratchet-rehearsal-") as place:
        folder = Path(place) / "dump"
        dump = [pgtools.find("pg_dump", major), "--format=directory", f"--jobs={JOBS}", "--no-sync"]
        done = _program([*dump, "--no-subscriptions", *only, f"--file={folder}"], origin.url)
        if done.returncode:
            raise RunFailed(f"pg_dump failed: {_last(done)}", "Can this role read every table? Mend that.")
        restore = [pgtools.find("pg_restore", major), f"--jobs={JOBS}", "--no-subscriptions"]
        with db.opened(there, name="pgratchet copy", wait=0, observer=ignore) as connection:
            name = str(connection.info.dbname)
        done = _program([*restore, "--dbname", name, str(folder)], there)
        if done.returncode:
            observer(Noticed("WARNING", f"pg_restore could not restore all of it: {_last(done)}"))
    if wishes.schema_only:
        _move_history(origin.url, there, origin.names)
    with db.opened(there, name="pgratchet copy", wait=0, observer=ignore) as connection:
        connection.execute("ANALYZE")


def _program(command: list[Any], url: str) -> subprocess.CompletedProcess[str]:
    environment = pgtools.environment(url)
    return subprocess.run(command, check=False, env=environment, capture_output=True, text=True)


def _last(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    return lines[0] if lines else done.stderr.strip()[-500:]


def _move_history(url: str, there: str, names: history.Names) -> None:
    """The plan is made from the history: its rows alone go with the schema."""
    with (
        db.opened(url, name="pgratchet copy", wait=0, observer=ignore) as source,
        db.opened(there, name="pgratchet copy", wait=0, observer=ignore) as target,
    ):
        for table in names.tables:
            name = sql.qualified(names.schema, table)
            found = source.execute("SELECT pg_catalog.to_regclass(%s)", (name,)).fetchone()
            if found is None or found[0] is None:
                continue
            with (
                source.cursor().copy(f"COPY {name} TO STDOUT".encode()) as rows,
                target.cursor().copy(f"COPY {name} FROM STDIN".encode()) as into,
            ):
                for piece in rows:
                    into.write(piece)


def _refuse_the_same(url: str, there: str) -> None:
    """A lock of the one database cannot be taken in it a second time, whatever the two URLs look like."""
    key = secrets.randbelow(2**62)
    with (
        db.opened(url, name="pgratchet look", wait=0, observer=ignore) as source,
        db.opened(there, name="pgratchet look", wait=0, observer=ignore) as copy,
    ):
        source.execute(f"SELECT pg_catalog.pg_advisory_lock({key})".encode())
        if copy.execute(f"SELECT pg_catalog.pg_try_advisory_lock({key})".encode()).fetchone() != (True,):
            raise ConfigurationError(
                "--on names the database itself, which a rehearsal never touches",
                "Name a copy of it; without --on one is made.",
            )
        if db.environment(copy) == PRODUCTION:
            raise ConfigurationError(
                "--on names a database marked as production, which a rehearsal never touches",
                "`pgratchet mark --remove` takes the mark from a copy.",
            )


def _mask(there: str, path: Path | None) -> None:
    if path is None:
        return
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigurationError(f"cannot read {path}: {problem}", "Name a file of SQL.") from problem
    with db.opened(there, name="pgratchet mask", wait=0, observer=ignore) as connection:
        try:
            connection.execute(text.encode())
        except psycopg.Error as error:
            raise ConfigurationError(
                f"{path}: {error.diag.message_primary or error}", "Mend the file that masks the rows."
            ) from error


def _size(there: str) -> int:
    with db.opened(there, name="pgratchet copy", wait=0, observer=ignore) as connection:
        query = b"SELECT pg_catalog.pg_database_size(pg_catalog.current_database())"
        [(size,)] = connection.execute(query).fetchall()
        return int(size)
