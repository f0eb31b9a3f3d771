"""What a run does before its first step, so that there is a way back: a backup, and a named point of the log."""

from __future__ import annotations

from typing import NamedTuple

from pgratchet import db, history
from pgratchet.config import Settings
from pgratchet.errors import BackupError, ConfigurationError, PgratchetError
from pgratchet.model import Noticed, Observer, Plan

PRODUCTION = "production"
UP = (PRODUCTION, "always", "never")


class Wanted(NamedTuple):
    """What the caller says; None: nothing, so that the settings and the mark of the database count."""

    backup: bool | None
    restore_point: bool | None


class Saved(NamedTuple):
    """What there is to go back to."""

    backup: str | None = None
    """Its name."""


def before(
    connection: db.Connection,
    target: str,
    settings: Settings,
    run: history.Run,
    plan: Plan,
    wanted: Wanted,
    observer: Observer,
) -> Saved:
    """Save a database that there is anything to apply to. A new one holds nothing that could be lost.

    The backup is done, and has given back all its locks, before this returns. Raises BackupError where it is not
    good; then nothing was applied.
    """
    if not plan.steps or plan.fresh:
        return Saved()
    production = db.environment(connection) == PRODUCTION
    name = _backup(connection, target, settings, run, wanted.backup, observer, production=production)
    if production if wanted.restore_point is None else wanted.restore_point:
        _name_point(connection, plan, run, observer)
    return Saved(name)


def _backup(
    connection: db.Connection,
    target: str,
    settings: Settings,
    run: history.Run,
    wanted: bool | None,
    observer: Observer,
    *,
    production: bool,
) -> str | None:
    from pgratchet.ops import backing_up

    said = backing_up.choices(settings)
    if said.up not in UP:
        raise ConfigurationError(f"backup.up is {said.up!r}", f"It is one of {', '.join(UP)}.")
    configured = said.up == "always" or (said.up == PRODUCTION and production)
    if not (configured if wanted is None else wanted):
        return None
    try:
        with db.waiting(connection):
            made = backing_up.take(target, settings, said, wait=0, observer=observer, run_id=run.id)
        if said.verify and not made.usable:
            raise BackupError(f"the backup {made.name} is not good: {made.problem}")
    except PgratchetError as error:
        more = "Nothing was applied; `up --no-backup` goes on without a backup."
        error.hint = f"{error.hint} {more}" if error.hint else more
        raise
    observer(Noticed("INFO", f"backup {made.name} taken, {made.standing.value}"))
    return made.name


def _name_point(connection: db.Connection, plan: Plan, run: history.Run, observer: Observer) -> None:
    versions = [step.migration.version for step in plan.steps if step.migration.version is not None]
    what = f"V{versions[0]}-V{versions[-1]}" if versions else "repeatables"
    name = f"pgratchet before {what} {run.id[:8]}"
    place = db.restore_point(connection, name)
    if place:
        observer(Noticed("INFO", f"restore point '{name}' at {place}"))
    else:
        observer(Noticed("INFO", "no restore point: the role may not name one, or wal_level is minimal"))
