"""What a run does before its first step, so that there is a way back: a backup, and a named point of the log."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from pgratchet import db, history
from pgratchet.config import Settings
from pgratchet.errors import BackupError, PgratchetError, PreflightError
from pgratchet.model import Check, Noticed, Observer, Plan, Preview, Verdict

# What type checkers take for true: a run with nothing to back up loads nothing of it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pgratchet.backup.settings import Choices

PRODUCTION = "production"


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
    made: Preview,
    wanted: Wanted,
    observer: Observer,
) -> Saved:
    """Save a database that there is anything to apply to. A new one holds nothing that could be lost.

    The backup is done, and has given back all its locks, before this returns. Raises BackupError where it is not
    good, and PreflightError where none is to be taken though production would lose something; then nothing was applied.
    """
    if not made.plan.steps or made.plan.fresh:
        return Saved()
    production = db.environment(connection) == PRODUCTION
    said, takes = _intended(settings, wanted.backup, production=production)
    refusal = _unsecured(connection, made, said, production=production)
    if refusal and not takes:
        raise PreflightError((refusal,))
    name = _backup(connection, target, settings, run, said, refusal, observer) if takes else None
    if production if wanted.restore_point is None else wanted.restore_point:
        _name_point(connection, made.plan, run, observer)
    return Saved(name)


def foreseen(connection: db.Connection, settings: Settings, made: Preview) -> tuple[Check, ...]:
    """What `before` would say of the backup that a plan needs, where it loses anything."""
    if not made.plan.steps or made.plan.fresh:
        return ()
    production = db.environment(connection) == PRODUCTION
    said, takes = _intended(settings, None, production=production)
    refusal = _unsecured(connection, made, said, production=production)
    if refusal is None:
        return ()
    if takes:
        passed = "a backup is taken, and restored to prove it, before what is lost for good"
        return (Check(refusal.name, Verdict.PASS, passed, None, refusal.script),)
    return (refusal,)


def _intended(settings: Settings, wanted: bool | None, *, production: bool) -> tuple[Choices, bool]:
    """What the settings say of backups, and whether one is to be taken."""
    from pgratchet.backup.settings import choices

    said = choices(settings)
    configured = said.up == "always" or (said.up == PRODUCTION and production)
    return said, configured if wanted is None else wanted


def _unsecured(connection: db.Connection, made: Preview, said: Choices, *, production: bool) -> Check | None:
    if not production or not said.max_age_hours:
        return None
    from pgratchet.ops import losing  # the rules: nobody else has to wait for them

    return losing.unsecured(connection, made, said)


def _backup(
    connection: db.Connection,
    target: str,
    settings: Settings,
    run: history.Run,
    said: Choices,
    refusal: Check | None,
    observer: Observer,
) -> str:
    """Take a backup; one that a refusal asks for is proven, whatever the settings say."""
    from pgratchet.ops import backing_up

    said = replace(said, verify=said.verify or refusal is not None)
    try:
        with db.waiting(connection):
            made = backing_up.take(target, settings, said, wait=0, observer=observer, run_id=run.id)
        if said.verify and not made.usable:
            raise BackupError(f"the backup {made.name} is not good: {made.problem}")
    except PgratchetError as error:
        error.hint = " ".join(filter(None, (error.hint, "Nothing was applied.", _instead(refusal))))
        raise
    observer(Noticed("INFO", f"backup {made.name} taken, {made.standing.value}"))
    return made.name


def _instead(refusal: Check | None) -> str:
    if refusal:
        return (
            f"{refusal.script} loses data: without a verified backup of today it does not run in production. "
            "`pgratchet backup --verify` can take it from another machine, to a place that both of them reach."
        )
    return 'Where something else takes the backups: `up --no-backup`, or up = "never" in [backup].'


def _name_point(connection: db.Connection, plan: Plan, run: history.Run, observer: Observer) -> None:
    versions = [step.migration.version for step in plan.steps if step.migration.version is not None]
    what = f"V{versions[0]}-V{versions[-1]}" if versions else "repeatables"
    name = f"pgratchet before {what} {run.id[:8]}"
    place = db.restore_point(connection, name)
    if place:
        observer(Noticed("INFO", f"restore point '{name}' at {place}"))
    else:
        observer(Noticed("INFO", "no restore point: the role may not name one, or wal_level is minimal"))
