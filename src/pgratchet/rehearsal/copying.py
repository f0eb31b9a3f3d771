"""The copy that a plan is rehearsed on: which way it is made, said aloud, made, and gone in the end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psycopg

from pgratchet import config, db, history
from pgratchet.backup import proving
from pgratchet.errors import BackupError, ConfigurationError
from pgratchet.model import Noticed, Observer, ignore
from pgratchet.rehearsal import cluster, databases, dumping, places, sampling
from pgratchet.rehearsal.records import Copy, Sample
from pgratchet.rehearsal.sources import PRODUCTION, Kept, Origin, Source, Wishes


class _Made(NamedTuple):
    """A copy: its URL, the way, a sentence about it, and of what it is a sample."""

    there: str
    way: str
    said: str
    sample: Sample | None = None


@contextmanager
def copied(origin: Origin, wishes: Wishes, observer: Observer = ignore) -> Iterator[tuple[str, Copy]]:
    """Make the copy, mask its rows, and yield its URL and what it is; it is dropped in the end.

    Raises ConfigurationError where there is no way, or rows would leave a server that they must not leave.
    """
    began = time.monotonic()
    masking = "" if wishes.mask is None else _read(wishes.mask)
    with ExitStack() as stack:
        made = _made(stack, origin, wishes, observer)
        observer(Noticed("COPY", made.said))
        if wishes.mask is not None:
            _mask(made.there, wishes.mask, masking)
        size = _size(made.there)
        yield made.there, Copy(made.way, made.said, size, time.monotonic() - began, made.sample)


def _made(stack: ExitStack, origin: Origin, wishes: Wishes, observer: Observer) -> _Made:
    """The copy that was asked for; or by itself, the first way that is open."""
    if wishes.on is not None:
        return _prepared(origin, config.normal_url(wishes.on))
    if wishes.backup is not None:
        return _restored(stack, origin, wishes, wishes.backup, observer)
    if wishes.cluster:
        _refuse_to_leave(origin, wishes, "pg_basebackup would take")
        there = stack.enter_context(cluster.copied(origin, observer))
        return _Made(there, "cluster", "its whole cluster was copied by pg_basebackup, and started here")
    source = origin.source
    if (
        wishes.here
        and wishes.rows is None
        and not wishes.schema_only
        and not source.others
        and source.may_clone
    ):
        with suppress(databases.Busy):
            there = stack.enter_context(databases.cloned(origin.url, source.name, source.owner))
            places.settle(there, source)
            return _Made(
                there, "template", "its files were copied on its own server: nobody was connected to it"
            )
    return _dumped(stack, origin, wishes, observer)


def _dumped(stack: ExitStack, origin: Origin, wishes: Wishes, observer: Observer) -> _Made:
    """All of it, its schema, or a sample, in a new database."""
    why = _why(origin.source, wishes)
    if not wishes.schema_only:
        what = "a dump would take" if wishes.rows is None else "a sample would take"
        _refuse_to_leave(origin, wishes, what, f" ({why})")
    there = stack.enter_context(places.empty(origin, wishes))
    where = _where(wishes)
    if wishes.schema_only:
        carried = dumping.schema(origin, there, observer)
        statistics = "the planner's statistics" if carried else "no statistics of the planner"
        said = f"its schema, without rows, with {statistics}, was restored {where}"
        return _Made(there, "schema", f"{said} by pg_dump and pg_restore: {why}")
    if wishes.rows is not None:
        sample = sampling.sample(origin, there, wishes.rows, observer)
        said = f"a sample of {wishes.rows:,} rows of each table, and of what they refer to, was made {where}"
        return _Made(there, "sample", said, sample)
    dumping.whole(origin, there, observer)
    return _Made(there, "dump", f"it was restored {where} by pg_dump and pg_restore: {why}")


def _prepared(origin: Origin, there: str) -> _Made:
    _refuse_the_same(origin.url, there)
    _refuse_another_history(origin, there, "the copy that --on names")
    return _Made(there, "prepared", f"on {db.describe(there)}, as it was prepared; it is not dropped")


def _restored(stack: ExitStack, origin: Origin, wishes: Wishes, kept: Kept, observer: Observer) -> _Made:
    """A backup, which is proven on the way."""
    name = kept.backup.name
    if not wishes.here:
        _refuse_to_leave(origin, wishes, "a restore would take")
    server = origin.url if wishes.here else None
    if wishes.server:
        server = stack.enter_context(places.elsewhere(origin.source, wishes))
    tried = proving.proven(kept.shelf, kept.backup, server, origin.url, kept.jobs, 0.0, observer)
    backup, there = stack.enter_context(tried)
    if there is None or not backup.usable:
        raise BackupError(
            f"the backup {name} is not good: {backup.problem}", "`pgratchet backups` lists the others."
        )
    _refuse_another_history(origin, there, f"the backup {name}")
    dumping.analyze(there)
    return _Made(there, "backup", f"the backup {name} was restored {_where(wishes)}, and so verified")


def _where(wishes: Wishes) -> str:
    if wishes.embedded:
        return "on an embedded server"
    return f"on {db.describe(wishes.server)}" if wishes.server else "on its own server"


def _why(source: Source, wishes: Wishes) -> str:
    if wishes.schema_only:
        return "--schema-only"
    if wishes.rows is not None:
        return "--rows"
    if not wishes.here:
        return "another server was asked for"
    if source.others:
        others = "one session is" if source.others == 1 else f"{source.others} sessions are"
        return f"{others} connected to it, so its files cannot be copied"
    return (
        "this role may not copy its files" if not source.may_clone else "somebody connected to it meanwhile"
    )


def _refuse_to_leave(origin: Origin, wishes: Wishes, what: str, why: str = "") -> None:
    if origin.mark == PRODUCTION and not wishes.may_leave:
        raise ConfigurationError(
            f"{what} the rows of a database marked as production off its server{why}",
            "--data-may-leave allows it; --schema-only takes no rows; --on URL takes a copy that somebody prepared.",
        )


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


def _refuse_another_history(origin: Origin, there: str, what: str) -> None:
    """A copy of another time has another schema: what is pending for the database is not what is pending there."""
    wanted, found = _applied(origin.url, origin.names), _applied(there, origin.names)
    if other := sorted(wanted ^ found):
        script, _ = other[0]
        side = "the database has" if other[0] in wanted else "it has"
        raise ConfigurationError(
            f"{what} is of another time: {side} {script} applied, and the other has not",
            "Take a copy or a backup that is as new as the database's history.",
        )


def _applied(url: str, names: history.Names) -> set[tuple[str, str]]:
    with db.opened(url, name="pgratchet look", wait=0, observer=ignore) as connection:
        if not history.state(connection, names).has_history:
            return set()
        return {(row.script, f"{row.checksum} {row.status}") for row in history.read(connection, names)}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigurationError(f"cannot read {path}: {problem}", "Name a file of SQL.") from problem


def _mask(there: str, path: Path | None, text: str) -> None:
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
