"""The verbs about what a database is: how files and history stand, where it begins, what it is marked as; and seeds."""

from __future__ import annotations

from pathlib import Path

from pgratchet import apply, db, files, history, lock, parse, plan
from pgratchet.config import Settings
from pgratchet.errors import ConfigurationError
from pgratchet.model import Kind, Migration, Observer, Overview, ignore
from pgratchet.ops.deciding import plan_of
from pgratchet.ops.reaching import LOCK_WAIT, connected, database, run_of, session_name, settings_of


def status(
    url: str | None = None,
    directory: str | Path | None = None,
    *,
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> Overview:
    """Files and history side by side; writes nothing, and needs only SELECT. Raises as `up` does."""
    chosen = settings or settings_of(url, directory)
    migrations = files.read(Path(chosen.directory))
    names = history.Names(chosen.schema, chosen.table)
    with connected(chosen, "status", wait, observer) as connection:
        made, rows, state = plan_of(connection, names, migrations, to=None, out_of_order=False)
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
    chosen = settings or settings_of(url, directory)
    migrations = files.read(Path(chosen.directory))
    marked = [m for m in migrations if m.kind is Kind.VERSIONED and (m.version or 0) <= version]
    if version and not any(m.version == version for m in marked):
        newest = max((m.version or 0 for m in migrations if m.kind is Kind.VERSIONED), default=0)
        raise ConfigurationError(
            f"no file has version {version}",
            f"Name the version that the schema is at: 0 is none, and the newest file has {newest}.",
        )
    run = run_of(chosen)
    names = history.Names(chosen.schema, chosen.table)
    target = database(chosen, direct=True)
    with (
        db.opened(target, name=session_name("baseline", run), wait=wait, observer=observer) as connection,
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
    chosen = settings or settings_of(None, None)
    with connected(chosen, "mark", wait, observer) as connection:
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
    chosen = settings or settings_of(None, None)
    found = files.seeds(Path(chosen.seeds), environment)
    run = run_of(chosen)
    target = database(chosen, direct=True)
    with db.opened(target, name=session_name("seed", run), wait=wait, observer=observer) as connection:
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


def _refuse_second_baseline(connection: db.Connection, names: history.Names) -> None:
    if history.state(connection, names).has_history and history.read(connection, names):
        raise ConfigurationError(
            "the database has a history already; a baseline is for one without",
            "`pgratchet status` shows it; `pgratchet up` goes on from there.",
        )
