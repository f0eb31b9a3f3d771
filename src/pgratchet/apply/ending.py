"""How a run ends, well or not: what it has done, as the history tells it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg

from pgratchet import db, history, lock, sql
from pgratchet.apply import guards
from pgratchet.apply.failure import AGAIN
from pgratchet.apply.work import Work, follow, roll_back
from pgratchet.errors import ConnectionLost, DatabaseUnreachable, PgratchetError, RunFailed, Terminated
from pgratchet.model import Done, Kind, Outcome, Plan, Status
from pgratchet.wire import Command

LOST_AGAIN = (
    "{scripts}: committed by this run, and not in the history of the server that answers now. It is behind the one "
    "that was lost, as after a failover or a restore."
)
COME_BACK = 30.0
"""Seconds to wait for a server that we lost, before we say that we do not know."""


def outcome(work: Work, plan: Plan, done: list[Done]) -> Outcome:
    """What a run has done, and what people should know of it."""
    versions = [item.migration.version for item in done if item.migration.version is not None]
    known = [plan.version] if plan.version is not None else []
    notes = (*plan.notes, *_guards(work, plan, done))
    return Outcome(tuple(done), notes, max([*known, *versions], default=None), plan.applied + len(done))


def _guards(work: Work, plan: Plan, done: list[Done]) -> Iterator[str]:
    """What a guard such as IF NOT EXISTS kept quiet about, where a file has run for the first time."""
    ended = {item.migration for item in done}
    for step in plan.steps:
        migration = step.migration
        if migration in ended and step.row is None and migration.kind is not Kind.REPEATABLE:
            fired = work.guarded.get(migration.script, ())
            yield from guards.notes(work.session.connection, migration, work.scripts[migration.script], fired)


def stopped(work: Work, plan: Plan, told: Terminated) -> Terminated:
    """We were told to stop: cancel what runs, and say what is applied."""
    ended = type(told)(told.message, "Nothing is half done that the next run does not finish: run it again.")
    with suppress(psycopg.Error):  # the connection may be gone as well
        roll_back(work)
        follow(work, (Command(text) for text in work.session.reset), [])
        applied = _recorded(work, plan, work.session.connection)
        ended.outcome = outcome(work, plan, applied)
        ended.message = f"{told.message}: {_progress(plan, applied)}"
    return ended


def refused_by_the_way(work: Work, plan: Plan, done: list[Done], error: psycopg.Error) -> RunFailed:
    """The server refused something that we do beside the statements of a file: a right is missing, say."""
    roll_back(work)
    reason = error.diag.message_primary or str(error)
    failed = RunFailed(
        f"{reason} (SQLSTATE {error.sqlstate})\n{_progress(plan, done)}", f"Mend the cause, and {AGAIN}"
    )
    failed.outcome = outcome(work, plan, done)
    return failed


def after_loss(work: Work, plan: Plan, done: list[Done], lost: psycopg.Error) -> Outcome:
    """The connection broke, perhaps at a COMMIT: the history tells on a new one what was committed.

    The lost session may still be at it. It holds the runner's lock until it has ended. Where another server
    answers since, it counts as soon as it is the primary: a standby may not have all yet.
    """
    reason = str(lost).strip().splitlines()[0] if str(lost).strip() else "no reason given"
    try:
        with db.opened(
            work.session.url, name="pgratchet in doubt", wait=COME_BACK, observer=work.observer
        ) as connection:
            _await_primary(connection)
            pid = work.session.pid
            over = lock.holder_ended(connection, work.names.history, pid, wait=COME_BACK)
            applied = _recorded(work, plan, connection)
    except PgratchetError as error:
        raise DatabaseUnreachable(
            f"the connection was lost ({reason}), and the server does not come back: {error.message}",
            "What was committed stands in the history; `pgratchet status` tells, and `pgratchet up` goes on.",
        ) from lost
    gone = [
        item.migration.script for item in done if item.migration not in {one.migration for one in applied}
    ]
    if len(applied) == len(plan.steps):
        return outcome(work, plan, applied)
    still = "" if over else f"\nThe server's process {pid} still works for the lost connection."
    behind = f"\n{LOST_AGAIN.format(scripts=', '.join(gone))}" if gone else ""
    failed = ConnectionLost(
        f"the connection was lost: {reason}\n{_progress(plan, applied)}{still}{behind}",
        "Is it the right server? `pgratchet status` shows what it has, and `pgratchet up` applies the rest."
        if gone
        else "Run `pgratchet up` again; it goes on there.",
    )
    failed.outcome = outcome(work, plan, applied)
    raise failed from lost


def _await_primary(connection: db.Connection) -> None:
    """Wait for a standby that answers to be promoted, or say that it was not."""
    deadline = time.monotonic() + COME_BACK
    while connection.execute("SELECT pg_catalog.pg_is_in_recovery()").fetchone() == (True,):
        if time.monotonic() >= deadline:
            raise DatabaseUnreachable("what answers is a standby")
        time.sleep(db.PAUSE)


def _recorded(work: Work, plan: Plan, connection: db.Connection) -> list[Done]:
    """The steps of this very run that the history calls applied."""
    table = sql.literal(work.names.history)
    there = connection.execute(f"SELECT pg_catalog.to_regclass({table})".encode()).fetchone()
    if there is None or there[0] is None:
        return []
    rows = {row.script: row for row in history.read(connection, work.names) if row.run_id == work.run.id}
    steps = [step.migration for step in plan.steps if step.migration.script in rows]
    return [
        Done(
            migration,
            (rows[migration.script].execution_time_ms or 0) / 1000,
            rows[migration.script].statements_total,
        )
        for migration in steps
        if rows[migration.script].status is Status.APPLIED
    ]


def _progress(plan: Plan, applied: list[Done]) -> str:
    if not applied:
        return f"none of the {len(plan.steps)} steps of this run is applied."
    return f"{len(applied)} of {len(plan.steps)} steps are applied, the last {applied[-1].migration.script}."
