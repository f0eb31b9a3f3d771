"""Takes a backup: one snapshot, pg_dump and the digests side by side in it, a manifest, and one rename in the end."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from pgratchet import __version__, db, history, pgtools, schema
from pgratchet.backup import (
    catalogue,
    comparing,
    facts,
    folder,
    manifest,
    programs,
    shelf,
    snapshot,
    verifying,
)
from pgratchet.backup.manifest import Manifest, Table
from pgratchet.backup.pulse import pulse, written
from pgratchet.backup.shelf import Shelf
from pgratchet.errors import BackupError, ConfigurationError
from pgratchet.model import Noticed, Observer

NAME = f"pgratchet {__version__} backup"


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of a backup."""

    shelf: Shelf
    names: history.Names
    jobs: int = 2
    exclude: tuple[str, ...] = ()
    """Tables without their data, as `table` or `schema.table`."""
    codec: str = ""
    """Empty: the best that pg_dump has."""
    run_id: str | None = None
    """The run that it is made before."""
    verify: bool = False
    """It will be proven on the server `on`, or on an embedded one: refuse beforehand where that cannot be."""
    on: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A backup in the making."""

    url: str
    order: Order
    connection: db.Connection
    """Holds the tables and the snapshot."""
    name: str
    folder: Path
    lock: int
    began: float


def take(url: str, order: Order, *, wait: float, observer: Observer) -> Manifest:
    """Take a backup of a database. It is there under its name whole, or not at all; all locks are given back.

    Raises BackupError, LockNotAvailable where another backup runs or a table is being changed, ConfigurationError
    where no pg_dump is new enough.
    """
    with (
        ExitStack() as stack,
        db.opened(url, name=NAME, wait=wait, observer=observer) as connection,
        db.opened(url, name=NAME, wait=0, observer=observer) as account,
    ):
        place = stack.enter_context(shelf.workplace(order.shelf))
        name = folder.new_name(place, connection.info.dbname)
        with folder.partial(place, name) as (path, lock):
            work = Work(url, order, connection, name, path, lock, time.monotonic())
            entry = catalogue.begin(account, f"{order.shelf.place.rstrip('/')}/{name}")
            try:
                told = pulse(f"for the backup {name}", observer, lambda: _beat(account, entry, path))
                with told, _explained(connection):
                    made = _make(work, entry, observer)
                    manifest.write(path, made)
                    shelf.deliver(order.shelf, path, made)
            except BaseException as error:
                _tell_failure(account, entry, error)
                raise
            catalogue.finish(account, entry, made)
    return made


@contextmanager
def _explained(connection: db.Connection) -> Iterator[None]:
    """Turn what the server refuses into a sentence; a lost connection is explained where it was opened."""
    try:
        yield
    except psycopg.Error as error:
        if connection.broken:
            raise
        right = "The role must be a superuser, or a member of pg_read_all_data that may bypass row-level security."
        refused = isinstance(error, psycopg.errors.InsufficientPrivilege)
        message = f"the database cannot be read: {error.diag.message_primary or error}"
        raise BackupError(message, right if refused else None) from error


def _beat(account: db.Connection, entry: catalogue.Entry | None, path: Path) -> str:
    catalogue.beat(account, entry)
    return written(path)


def _tell_failure(account: db.Connection, entry: catalogue.Entry | None, error: BaseException) -> None:
    with suppress(psycopg.Error):  # the failure itself counts for more
        catalogue.fail(account, entry, str(error) or type(error).__name__)


def _make(work: Work, entry: catalogue.Entry | None, observer: Observer) -> Manifest:
    """Everything but the manifest's own file. The snapshot and its locks end before the files are read again.

    What waits for programs, and for nothing of the snapshot, is done beside it.
    """
    major = work.connection.info.server_version // 10_000
    if work.order.verify:
        verifying.check_possible(major, work.order.on)
    snapshot.prepare(work.connection)
    with ThreadPoolExecutor(2) as beside:
        client = beside.submit(_client, major, work.order.codec)
        roles = beside.submit(_globals, work, major)
        with snapshot.taken(work.connection) as taken:
            left_out = snapshot.excluded(taken.relations, work.order.exclude)
            known = facts.read(work.connection, work.order.names)
            begun = snapshot.counters(work.connection)
            pg_dump, codec = client.result()
            with _dumping(work, pg_dump, codec, taken, left_out) as process:
                # First: the server reads some definitions as they are now, whatever the snapshot says.
                shape = schema.snapshot(work.connection)
                tables = tuple(_digests(work.connection, taken, left_out, process))
                objects = snapshot.large_objects(work.connection)
            counters = snapshot.moved(begun, snapshot.counters(work.connection))
        notes = roles.result()
    for note in notes:
        observer(Noticed("WARNING", note))
    comparing.keep(work.folder, shape)
    return Manifest(
        **known,
        name=work.name,
        tool=f"pgratchet {__version__}",
        client=pgtools.version_of(pg_dump) or 0,
        codec=codec,
        schema=shape.fingerprint,
        tables=tables,
        excluded=tuple(relation.quoted for relation in left_out if relation.kind == "r"),
        large_objects=objects,
        counters=counters,
        run_id=work.order.run_id,
        backup_id=entry and entry.id,
        notes=notes,
        sealed=work.order.shelf.key is not None,
        files=manifest.files(work.folder),
        seconds=round(time.monotonic() - work.began, 3),
    )


def _dumping(
    work: Work,
    pg_dump: Path,
    codec: str,
    taken: snapshot.Snapshot,
    left_out: Sequence[snapshot.Relation],
) -> AbstractContextManager[subprocess.Popen[str]]:
    """pg_dump at work in the snapshot. It waits for no lock longer than we did: somebody may wait for us by then."""
    command: list[str | Path] = [
        pg_dump,
        "--format=directory",
        f"--file={work.folder / manifest.DATA}",
        f"--jobs={work.order.jobs}",
        *(() if codec == programs.GZIP else (f"--compress={codec}",)),
        f"--snapshot={taken.id}",
        f"--lock-wait-timeout={snapshot.LOCK_WAIT}",
        "--no-password",
        "--no-sync",  # publishing does that, once for all files
        *(f"--exclude-table-data={relation.quoted}" for relation in left_out),
    ]
    return programs.running(command, programs.environment(work.url, NAME), work.lock)


def _digests(
    connection: db.Connection,
    taken: snapshot.Snapshot,
    left_out: Sequence[snapshot.Relation],
    process: subprocess.Popen[str],
) -> Iterator[Table]:
    """Each table's digest while pg_dump works; none any more where that has failed."""
    out = {relation.oid for relation in left_out}
    for relation in taken.relations:
        if process.poll():
            return
        if relation.kind == "r" and relation.oid not in out:
            yield snapshot.digest(connection, relation.schema, relation.name)


def _client(major: int, codec: str) -> tuple[Path, str]:
    """The pg_dump for a server, and how it is to compress."""
    pg_dump = pgtools.find("pg_dump", at_least=major)
    return pg_dump, programs.codec(pg_dump, codec)


def _globals(work: Work, major: int) -> tuple[str, ...]:
    """Write roles and tablespaces beside the data; a note where we may not."""
    try:
        program = pgtools.find("pg_dumpall", at_least=major)
        command: list[str | Path] = [program, "--globals-only", "--no-role-passwords", "--no-password"]
        database = f"--database={work.connection.info.dbname}"
        file = f"--file={work.folder / manifest.GLOBALS}"
        programs.run([*command, database, file], programs.environment(work.url, NAME), work.lock)
    except (BackupError, ConfigurationError) as error:
        (work.folder / manifest.GLOBALS).unlink(missing_ok=True)
        reason = error.message.splitlines()[-1].strip()
        return (f"roles and tablespaces are not in this backup: {reason}",)
    return ()
