"""The same apply as production, on the copy, with everything that watches it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace

import psycopg

from pgratchet import __version__, apply, db, history, lock
from pgratchet.errors import LockNotAvailable, PgratchetError, RunFailed, StatementFailed
from pgratchet.model import Observer, Patience, Preview, ignore
from pgratchet.rehearsal import driving, probing, timing
from pgratchet.rehearsal.looking import Look, Relation, looking, relations
from pgratchet.rehearsal.records import Run
from pgratchet.rehearsal.watching import Watch, attributed, since

PATIENCE = Patience("5s", 60.0)
"""Nobody but our own clients is on a copy; a short try would only be cut by them."""
LOCK_WAIT = 60.0
TALKATIVE = {
    **db.WHERE_PERMITTED,
    "client_min_messages": "debug1",
    "log_temp_files": "0",
    "lc_messages": "C",
    # Where one of our own clients stands in the way, it is the one that gives up.
    "deadlock_timeout": "10s",
}


def watched(
    url: str,
    names: history.Names,
    run: history.Run,
    made: Preview,
    observer: Observer = ignore,
    load: driving.Load | None = None,
) -> Run:
    """Apply the plan to the copy and tell what each statement did. Raises no failure of a statement: it is a result.

    A workload runs all the while, and for some time before and after.
    """
    with (
        _connected(url, "rehearse") as connection,
        _connected(url, "look") as second,
        lock.hold(connection, url, names.history, wait=LOCK_WAIT, observer=observer),
    ):
        session = db.session(connection, url, PATIENCE.lock_timeout, where_permitted=TALKATIVE)
        known = _without_history(relations(second), names)
        with ExitStack() as stack:
            probes = stack.enter_context(probing.clients(url, _named(made, known.values())))
            done = stack.enter_context(driving.driven(url, load)) if load else []
            look = Look(second, session.pid, [probe.pid for probe in probes])
            watch = Watch(connection, look, known, observer)
            steps = tuple(step.migration.script for step in made.plan.steps)
            work = apply.prepare(session, names, run, made.scripts, steps, watch.hear)
            work = replace(work, patience=PATIENCE, window=1)
            state = history.state(second, names)
            with looking(look), probing.probing(probes):
                failure = _applied(work, made, state)
            found = _told(look, watch, probes, failure)
            with suppress(psycopg.Error):
                found = replace(found, wal_own=since(watch.first_own, connection))
        return timing.beside(found, load, done, look.at) if load else found


def _connected(url: str, verb: str) -> AbstractContextManager[db.Connection]:
    return db.opened(url, name=f"pgratchet {__version__} {verb}", wait=0, observer=ignore)


def _applied(work: apply.Work, made: Preview, state: history.State) -> PgratchetError | None:
    try:
        apply.apply(work, made.plan, state)
    except (StatementFailed, RunFailed, LockNotAvailable) as error:
        return error
    return None


def _told(look: Look, watch: Watch, probes: Sequence[probing.Probe], failure: PgratchetError | None) -> Run:
    look.now()
    wal, _ = look.size()
    milliseconds = look.clock()
    locks = look.locks(watch.known, watch.kept)
    place = f"{failure.migration.path}:{failure.line}" if isinstance(failure, StatementFailed) else None
    return Run(
        milliseconds=milliseconds,
        statements=attributed(watch.seen, locks),
        blocked=tuple(probing.blocked(probes, look, locks)),
        wal=wal - watch.first_wal,
        disk=look.largest - watch.first_size,
        failure=failure.message if failure else None,
        failed_at=place,
        looked=look.waited_for,
        interval=max((answer * 1000 for probe in probes for answer in probe.answers), default=0.0),
    )


def _without_history(known: dict[int, Relation], names: history.Names) -> dict[int, Relation]:
    """Without the history's own tables, which nobody but a runner uses."""
    own = {f"{names.schema}.{table}" for table in names.tables}
    tables = {oid for oid, relation in known.items() if relation.name.replace('"', "") in own}
    return {oid: item for oid, item in known.items() if oid not in tables and item.table not in tables}


def _named(made: Preview, known: Iterable[Relation]) -> list[str]:
    """The tables whose names the plan's text has, those that it names most often first."""
    counts: dict[str, int] = {}
    for script in made.scripts.values():
        for statement in script.statements or ():
            for word in set(re.findall(r"[^\W\d][\w$]*", statement.sql.lower())):
                counts[word] = counts.get(word, 0) + 1
    tables = [relation.name for relation in known if relation.kind == "table"]
    found = {name: counts.get(name.split(".")[-1].strip('"').lower(), 0) for name in tables}
    return sorted((name for name, count in found.items() if count), key=lambda name: (-found[name], name))
