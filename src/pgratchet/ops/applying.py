"""The verbs that bring a database forward, and those that only look how they would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pgratchet import __version__, apply, db, files, history, lock
from pgratchet.config import Settings
from pgratchet.errors import HistoryError, PreflightError
from pgratchet.model import (
    Check,
    Migration,
    Noticed,
    Observer,
    Outcome,
    Patience,
    Preview,
    Verdict,
    ignore,
)
from pgratchet.ops.deciding import preview_of
from pgratchet.ops.reaching import LOCK_WAIT, connected, database, run_of, session_name, settings_of
from pgratchet.ops.saving import Wanted, before, foreseen
from pgratchet.preflight import Limits, look

PATIENCE = Patience()


def up(
    url: str | None = None,
    directory: str | Path | None = None,
    *,
    to: int | None = None,
    out_of_order: bool = False,
    wait: float = 0.0,
    lock_wait: float = LOCK_WAIT,
    patience: Patience = PATIENCE,
    preflight: bool = True,
    backup: bool | None = None,
    restore_point: bool | None = None,
    require_rehearsal: bool = False,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> Outcome:
    """Bring the database to the newest version of the files, or to version `to`.

    Several processes may call it at once: one runs, the others wait and then find nothing to do.
    `wait` and `lock_wait` are seconds, for a server that is not there yet and for another runner;
    `patience` says how long one try may wait for a lock of the application's, and all tries together.
    `preflight` looks at the live database first; what it warns of is told and noted in the outcome.
    `require_rehearsal` refuses files that were not rehearsed for this schema, or rehearsed with no go.
    `backup` takes a backup before the first step, and `restore_point` names a point of the write-ahead log; without
    them, that is done where the settings say, and in a database that is marked as production.

    Raises a subclass of PgratchetError: FilesError, HistoryError, FindingsError, PreflightError, StatementFailed,
    BackupError, LockNotAvailable, DatabaseUnreachable, ConfigurationError.
    """
    chosen = settings or settings_of(url, directory)
    migrations = files.read(Path(chosen.directory))
    run = run_of(chosen)
    names = history.Names(chosen.schema, chosen.table)
    target = database(chosen, direct=True)
    with db.opened(target, name=session_name("up", run), wait=wait, observer=observer) as connection:
        if to is None and (found := _nothing_to_do(connection, names, migrations)):
            return found
        with lock.hold(connection, target, names.history, wait=lock_wait, observer=observer):
            session = db.session(connection, target, patience.lock_timeout)
            preview = preview_of(connection, names, migrations, to=to, out_of_order=out_of_order)
            if preview.plan.problems:
                raise HistoryError(preview.plan.problems)
            if require_rehearsal and preview.plan.steps:
                from pgratchet.ops.requiring import require

                require(connection, preview, chosen)
            if preflight and preview.plan.steps:
                preview = _checked(preview, _look(connection, names, preview, chosen, patience), observer)
            wanted = Wanted(backup=backup, restore_point=restore_point)
            saved = before(connection, target, chosen, run, preview, wanted, observer)
            if preflight and saved.backup:  # which may have taken long
                _checked(preview, _look(connection, names, preview, chosen, patience), ignore)
            work = replace(_work(session, names, run, preview, observer), patience=patience)
            try:
                return apply.apply(work, preview.plan, history.state(connection, names))
            finally:
                history.name_backup(connection, names, run, saved.backup)


def preflight(
    url: str | None = None,
    directory: str | Path | None = None,
    *,
    to: int | None = None,
    out_of_order: bool = False,
    wait: float = 0.0,
    patience: Patience = PATIENCE,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> tuple[Check, ...]:
    """Look at the live database as `up` does before it runs what is pending; writes nothing. Raises as `up` does.

    Refusals come first, then warnings, then what is well.
    """
    chosen = settings or settings_of(url, directory)
    migrations = files.read(Path(chosen.directory))
    names = history.Names(chosen.schema, chosen.table)
    target = database(chosen, direct=True)
    name = f"pgratchet {__version__} preflight"
    with db.opened(target, name=name, wait=wait, observer=observer) as connection:
        db.session(connection, target, patience.lock_timeout)
        made = preview_of(connection, names, migrations, to=to, out_of_order=out_of_order)
        if made.plan.problems:
            raise HistoryError(made.plan.problems)
        checks = (*foreseen(connection, chosen, made), *_look(connection, names, made, chosen, patience))
        return tuple(sorted(checks, key=lambda check: -list(Verdict).index(check.verdict)))


def preview(
    url: str | None = None,
    directory: str | Path | None = None,
    *,
    to: int | None = None,
    out_of_order: bool = False,
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> Preview:
    """What `up` would run, in order, with each statement; writes nothing. Raises as `up` does."""
    chosen = settings or settings_of(url, directory)
    migrations = files.read(Path(chosen.directory))
    names = history.Names(chosen.schema, chosen.table)
    with connected(chosen, "preview", wait, observer) as connection:
        return preview_of(connection, names, migrations, to=to, out_of_order=out_of_order)


def _work(
    session: db.Session, names: history.Names, run: history.Run, made: Preview, observer: Observer
) -> apply.Work:
    steps = tuple(step.migration.script for step in made.plan.steps)
    return apply.prepare(session, names, run, made.scripts, steps, observer)


def _nothing_to_do(
    connection: db.Connection, names: history.Names, migrations: Sequence[Migration]
) -> Outcome | None:
    """The quick answer: one query, no lock, no file parsed."""
    summary = history.summary(connection, names)
    if summary is None or not summary.finished or not summary.applied:
        return None
    if summary.digest != history.digest(migrations, summary.baseline):
        return None
    return Outcome(version=summary.newest, applied=summary.applied)


def _look(
    connection: db.Connection, names: history.Names, made: Preview, settings: Settings, patience: Patience
) -> tuple[Check, ...]:
    return look(
        connection,
        made.plan.steps,
        made.scripts,
        names,
        environment=settings.environment,
        limits=Limits(budget=patience.budget),
        fresh=made.plan.fresh,
    )


def _checked(made: Preview, checks: tuple[Check, ...], observer: Observer) -> Preview:
    """Refuse, or go on with every warning told, and noted in the plan."""
    if refusals := tuple(check for check in checks if check.verdict is Verdict.REFUSE):
        raise PreflightError(refusals)
    warnings = tuple(f"{check.name}: {check.reason}" for check in checks if check.verdict is Verdict.WARN)
    for warning in warnings:
        observer(Noticed("WARNING", warning))
    return replace(made, plan=replace(made.plan, notes=made.plan.notes + warnings))
