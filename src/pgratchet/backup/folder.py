"""The folder of a backup: made under another name and locked, renamed when whole; and what killed ones left."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pgratchet.backup import manifest
from pgratchet.errors import BackupError

PARTIAL = ".partial"
SYNCED = 16
"""Files at once."""


def new_name(place: Path, database: str) -> str:
    """A name that says which database and when; in UTC, so that the order of names is that of time."""
    stem = re.sub(r"[^A-Za-z0-9_-]", "_", database)
    name = first = f"{stem}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    number = 1
    while (place / name).exists() or _partial(place, name).exists():
        number += 1
        name = f"{first}-{number}"
    return name


@contextmanager
def partial(place: Path, name: str) -> Iterator[tuple[Path, int]]:
    """A folder for a backup in the making, and its lock, which the programs that write in it hold as well.

    It is gone in the end, however that comes about: `publish` has renamed it, or the backup failed.
    """
    with _explained(place):
        _prepare(place)
        _remove_killed(place)
        folder = _partial(place, name)
        folder.mkdir(mode=0o700)
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder, lock
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def publish(folder: Path, name: str) -> None:
    """Give a whole backup its name; on the disk before anybody relies on it."""
    with ThreadPoolExecutor(SYNCED) as syncing:  # a disk does many in the time of one
        for _ in syncing.map(manifest.sync, folder.rglob("*")):
            pass
    manifest.sync(folder)
    folder.rename(folder.with_name(name))
    manifest.sync(folder.parent)


def _partial(place: Path, name: str) -> Path:
    return place / f".{name}{PARTIAL}"


@contextmanager
def _explained(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise BackupError(
            f"cannot keep a backup in {place}: {problem.strerror}",
            "Make room, or name another place with --to.",
        ) from problem


def _prepare(place: Path) -> None:
    """Make the place. It holds all data of a database: nobody else reads it, and no repository takes it in."""
    if not place.is_dir():
        place.mkdir(mode=0o700, parents=True)
        (place / ".gitignore").write_text("*\n")


def _remove_killed(place: Path) -> None:
    """Remove what killed runs left: nobody holds its lock, neither the run nor its pg_dump."""
    for folder in place.glob(f".*{PARTIAL}"):
        with suppress(OSError):
            lock = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)
