"""The database to be copied, and what the caller wants of the copy."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pgratchet import db, history, sql
from pgratchet.backup.keeping import Backup
from pgratchet.backup.shelf import Shelf

LOOKS, PAUSE = 5, 0.2
PRODUCTION = "production"


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


class Kept(NamedTuple):
    """A backup, and the shelf that it is on."""

    shelf: Shelf
    backup: Backup
    jobs: int


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller wants of the copy; by itself it is chosen."""

    on: str | None = None
    """A database that somebody prepared."""
    server: str | None = None
    """Another server to make it on."""
    embedded: bool = False
    schema_only: bool = False
    rows: int | None = None
    """Of each table so many, with those that they refer to."""
    backup: Kept | None = None
    """To be restored, and so proven."""
    cluster: bool = False
    """A copy of the whole cluster, by pg_basebackup."""
    may_leave: bool = False
    """The rows of a database marked as production may leave its server."""
    mask: Path | None = None

    @property
    def here(self) -> bool:
        """Whether the copy is to be on the database's own server."""
        return self.server is None and not self.embedded and not self.cluster

    @property
    def thrown_away(self) -> bool:
        """Whether the copy's server is gone in the end, with all that a file has done to it."""
        return self.embedded or self.cluster


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
