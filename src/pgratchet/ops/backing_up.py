"""The verbs about backups: take one, list and prune them, prove one, restore one."""

from __future__ import annotations

from pathlib import Path

from pgratchet import embedded, history
from pgratchet.backup import keeping, proving, restoring, shelf, taking
from pgratchet.backup.keeping import Backup
from pgratchet.backup.restoring import Restored
from pgratchet.backup.settings import Choices, choices
from pgratchet.config import Settings
from pgratchet.errors import BackupError
from pgratchet.model import Observer, ignore
from pgratchet.ops.reaching import database, settings_of


def back_up(
    url: str | None = None,
    *,
    to: str | Path | None = None,
    jobs: int | None = None,
    exclude_data: tuple[str, ...] | None = None,
    codec: str | None = None,
    verify: bool | None = None,
    on: str | None = None,
    same_server: bool | None = None,
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> Backup:
    """Take a backup of the database; with `verify`, prove it by a restore. What is None is as the settings say.

    Raises BackupError, LockNotAvailable, DatabaseUnreachable, ConfigurationError. A backup that cannot be verified
    is there all the same, and its `standing` says so.
    """
    chosen = settings or settings_of(url, None)
    said = choices(
        chosen,
        to=to,
        jobs=jobs,
        exclude_data=exclude_data or None,
        codec=codec,
        verify=verify,
        on=on,
        same_server=same_server or None,
    )
    return take(database(chosen, direct=True), chosen, said, wait=wait, observer=observer)


def take(
    target: str,
    settings: Settings,
    said: Choices,
    *,
    wait: float,
    observer: Observer,
    run_id: str | None = None,
) -> Backup:
    """Take a backup as the choices say, and verify it where they want that."""
    names = history.Names(settings.schema, settings.table)
    order = taking.Order(
        said.shelf,
        names,
        jobs=said.jobs,
        exclude=said.exclude,
        codec=said.codec,
        run_id=run_id,
        verify=said.verify,
        on=_server(said, target),
    )
    made = taking.take(target, order, wait=wait, observer=observer)
    found = shelf.look(said.shelf, made.name)
    return _prove(said, found, target, wait, observer) if said.verify else found


def backups(*, to: str | Path | None = None, settings: Settings | None = None) -> tuple[Backup, ...]:
    """The backups that are there, of every database, newest first, and how far each can be relied on."""
    return shelf.listed(choices(settings or settings_of(None, None), to=to).shelf)


def prune_backups(
    *,
    to: str | Path | None = None,
    keep_last: int | None = None,
    keep_daily: int | None = None,
    keep_weekly: int | None = None,
    keep_monthly: int | None = None,
    settings: Settings | None = None,
) -> tuple[Backup, ...]:
    """Delete the backups that no rule keeps, and give them; never the newest, nor the newest verified one."""
    said = choices(
        settings or settings_of(None, None),
        to=to,
        keep_last=keep_last,
        keep_daily=keep_daily,
        keep_weekly=keep_weekly,
        keep_monthly=keep_monthly,
    )
    gone = keeping.unneeded(shelf.listed(said.shelf), said.keep)
    for item in gone:
        shelf.remove(said.shelf, item)
    return gone


def verify_backup(
    name: str | None = None,
    url: str | None = None,
    *,
    to: str | Path | None = None,
    on: str | None = None,
    same_server: bool | None = None,
    jobs: int | None = None,
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> Backup:
    """Prove a backup (None: the newest) by a restore, and keep the result beside it.

    `on` is the URL of a server to restore on, `same_server` the one that the URL of the database names; without
    either, a throw-away embedded server is started. The result is entered in the database of the URL as well, where
    that keeps account of its backups.
    Raises BackupError or ConfigurationError where it cannot be tried; a bad backup is no error, see its `standing`.
    """
    chosen = settings or settings_of(url, None)
    said = choices(chosen, to=to, jobs=jobs, on=on, same_server=same_server or None)
    found = keeping.find(shelf.listed(said.shelf), said.shelf.place, name)
    target = database(chosen, direct=True) if said.same_server else _origin(chosen)
    return found if found.manifest is None else _prove(said, found, target, wait, observer)


def restore(
    name: str | None = None,
    url: str | None = None,
    *,
    into: str | None = None,
    replace: bool = False,
    production: str | None = None,
    create_roles: bool = False,
    to: str | Path | None = None,
    jobs: int | None = None,
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> Restored:
    """Restore a backup (None: the newest) into a new database of the server that the URL names.

    `into` is the database's name; without it, one like the backup's. `replace`, without `into`, means the database of
    the backup; what is there is kept under another name. `production` is its name once more, where it is marked so.
    Raises BackupError, DatabaseUnreachable, ConfigurationError; the database that is there is then as before.
    """
    chosen = settings or settings_of(url, None)
    said = choices(chosen, to=to, jobs=jobs)
    found = keeping.find(shelf.listed(said.shelf), said.shelf.place, name)
    if found.manifest is None:
        raise BackupError(
            found.problem or f"{found.name} is damaged", "`pgratchet backups` lists the others."
        )
    names = history.Names(chosen.schema, chosen.table)
    target = restoring.Target(
        into or (found.manifest.database if replace else found.name.lower().replace("-", "_")),
        names,
        replace=replace,
        production=production,
        create_roles=create_roles,
        jobs=said.jobs,
        wait=wait,
    )
    with shelf.opened(said.shelf, found) as folder:
        return restoring.restore(database(chosen, direct=True), folder, found.manifest, target, observer)


def _prove(said: Choices, found: Backup, origin: str | None, wait: float, observer: Observer) -> Backup:
    on = _server(said, origin)
    with proving.proven(said.shelf, found, on, origin, said.jobs, wait, observer) as (backup, _):
        return backup


def _server(said: Choices, origin: str | None) -> str | None:
    """The server to prove a backup on; None: one that is thrown away."""
    return origin if said.same_server else said.on or None


def _origin(settings: Settings) -> str | None:
    """The database, where it can be reached without starting one: it keeps account of its backups."""
    if settings.direct_url or settings.url is not None:
        return settings.direct_url or settings.url
    return embedded.url(Path(settings.root) / ".pgratchet")
