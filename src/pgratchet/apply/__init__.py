"""Runs a plan: (work, plan) -> Outcome. The same for production and for a rehearsal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, groupby

import psycopg

from pgratchet import db, history, parse
from pgratchet.apply import ending, failure, guards, patience, segmented
from pgratchet.apply.patience import patiently
from pgratchet.apply.work import Work, follow, roll_back, statement
from pgratchet.errors import Interrupted, PgratchetError, Terminated
from pgratchet.model import Done, Kind, Migration, Observer, Outcome, Plan, Script, Statement, Step
from pgratchet.wire import Command, Refused

__all__ = ["Work", "apply", "mark", "prepare", "run_files"]

LOCKS_A_STATEMENT = 8
"""A guess from above: a table with a key, an index and a TOAST table takes six or seven."""


def prepare(
    session: db.Session,
    names: history.Names,
    run: history.Run,
    scripts: Mapping[str, Script],
    steps: Sequence[str],
    observer: Observer,
) -> Work:
    """All that running needs; `steps` are the files' names in the order of the plan."""
    positions = {script: number for number, script in enumerate(steps, 1)}
    return Work(session, names, run, scripts, positions, observer, {})


def apply(work: Work, plan: Plan, state: history.State) -> Outcome:
    """Run the plan's steps in order; the caller holds the runner's lock.

    A new database gets them all in one transaction where each step allows that, or, where they are too many
    for it, as many in one as may be; otherwise each step is a transaction with its history row, or, where
    PostgreSQL forbids that, segments with a journal.
    Raises StatementFailed, RunFailed or Terminated, each with the outcome up to then.
    """
    done: list[Done] = []
    try:
        _ask_the_server(work, plan)
        if _fits_one_transaction(work, plan, state):
            _all_at_once(work, plan, done)
        else:
            _one_by_one(work, plan, state, done)
    except Terminated as told:
        raise ending.stopped(work, plan, told) from None
    except KeyboardInterrupt:
        raise ending.stopped(work, plan, Interrupted("interrupted")) from None
    except PgratchetError as error:
        error.outcome = ending.outcome(work, plan, done)
        raise
    except psycopg.Error as error:
        if work.session.connection.closed:
            return ending.after_loss(work, plan, done, error)
        raise ending.refused_by_the_way(work, plan, done, error) from error
    return ending.outcome(work, plan, done)


def mark(work: Work, migrations: Sequence[Migration], *, zero: bool) -> None:
    """Record files as applied which were not run: their changes are in the database already.

    `zero`: none of the files is; one row says so.
    """
    try:
        patiently(work, lambda: follow(work, _marks(work, migrations, zero=zero), []))
    except Refused as refused:
        raise failure.explain(refused, "Nothing was marked.") from refused


def run_files(work: Work, migrations: Sequence[Migration]) -> None:
    """Run files that leave no row in the history, each in a transaction of its own."""
    done: list[Done] = []
    try:
        patiently(work, lambda: follow(work, _unrecorded(work, migrations[len(done) :]), done))
    except Refused as refused:
        roll_back(work)
        state = f"{len(done)} of {len(migrations)} files were run; this one was rolled back as a whole."
        raise failure.explain(refused, state) from refused


def _marks(work: Work, migrations: Sequence[Migration], *, zero: bool) -> Iterator[Command]:
    yield Command("BEGIN")
    yield from (Command(text) for text in history.create(work.names))
    yield from history.keep_bodies(work.names, migrations)
    for migration in migrations:
        yield history.record(
            work.names, work.run, migration, work.scripts[migration.script], kind=Kind.MARKED
        )
    if zero:
        yield history.record_zero(work.names, work.run)
    yield Command("COMMIT")


def _unrecorded(work: Work, migrations: Sequence[Migration]) -> Iterator[Command]:
    for migration in migrations:
        yield Command("BEGIN", migration=migration, opens=True)
        yield from _paced(work, migration)
        yield from (Command(text) for text in work.session.reset)
        yield Command("COMMIT", migration=migration, ends=True)


def _all_at_once(work: Work, plan: Plan, done: list[Done]) -> None:
    try:
        _run_together(work, plan.steps, done, history.create(work.names))
    except Refused as refused:
        raise failure.explain(
            refused, "Nothing was applied: the database is as empty as it was."
        ) from refused


def _run_together(work: Work, steps: Sequence[Step], done: list[Done], before: Sequence[str] = ()) -> None:
    together: list[Done] = []

    def run() -> None:
        together.clear()
        follow(work, _together(work, steps, before), together)
        follow(work, _recorded(work, together), [])

    patiently(work, run)
    done.extend(together)


def _one_by_one(work: Work, plan: Plan, state: history.State, done: list[Done]) -> None:
    try:
        if not state.has_history:
            patiently(work, lambda: follow(work, _make_history(work), done))
        for whole, group in groupby(plan.steps, key=lambda step: _in_one_transaction(work, step)):
            steps = list(group)
            if whole and plan.fresh:
                _run_batches(work, steps, state.locks, done)
            elif whole:
                _run_transactions(work, steps, done)
            else:
                for step in steps:
                    segmented.run(work, step, done)
    except Refused as refused:
        roll_back(work)
        raise failure.explain(refused, _state(work, plan, done, refused)) from refused


def _run_batches(work: Work, steps: Sequence[Step], locks: int, done: list[Done]) -> None:
    """Nobody uses a new database yet: a transaction may hold many steps, and few transactions are quick.

    What fails so is run again a step at a time: all that can be applied is, and the failure names the step.
    """
    for batch in _batches(work, steps, locks):
        try:
            _run_together(work, batch, done)
        except Refused:
            roll_back(work)
            _run_transactions(work, batch, done)


def _batches(work: Work, steps: Sequence[Step], locks: int) -> Iterator[list[Step]]:
    """Steps in as few transactions as the server's table of locks has room for."""
    batch: list[Step] = []
    taken = 0
    for step in steps:
        wanted = _locks(work, step)
        if batch and taken + wanted >= locks:
            yield batch
            batch, taken = [], 0
        batch.append(step)
        taken += wanted
    if batch:
        yield batch


def _run_transactions(work: Work, steps: Sequence[Step], done: list[Done]) -> None:
    before = len(done)
    patiently(work, lambda: follow(work, _transactions(work, steps[len(done) - before :]), done))


def _make_history(work: Work) -> Iterator[Command]:
    yield Command("BEGIN")
    yield from (Command(text) for text in history.create(work.names))
    yield Command("COMMIT")


def _together(work: Work, steps: Sequence[Step], first: Sequence[str]) -> Iterator[Command]:
    """A transaction that stays open: what comes first, then each step as if it stood alone."""
    yield Command("BEGIN")
    yield from (Command(text) for text in first)
    for step in steps:
        migration = step.migration
        yield from _framed(migration, chain(_body(work, migration), _settled(work, migration)))


def _framed(migration: Migration, commands: Iterable[Command]) -> Iterator[Command]:
    """The commands of a step, the first and the last of them marked."""
    last: Command | None = None
    for command in commands:
        if last:
            yield last
        last = command if last else replace(command, migration=migration, opens=True)
    if last:
        yield replace(last, migration=migration, ends=True)


def _settled(work: Work, migration: Migration) -> Iterator[Command]:
    """What a commit would check is checked here: the next file finds no event of a trigger pending."""
    if resets := _resets(work, migration):
        yield Command("SET CONSTRAINTS ALL IMMEDIATE", migration=migration)
        yield from resets


def _recorded(work: Work, done: Sequence[Done]) -> Iterator[Command]:
    """Write down what the open transaction holds, and commit it."""
    yield from history.keep_bodies(work.names, (item.migration for item in done))
    now = time.monotonic()
    began = [now - work.began.get(item.migration.script, now) for item in done]
    steps = [
        (item.migration, work.scripts[item.migration.script], since, since - item.seconds)
        for item, since in zip(done, began, strict=True)
    ]
    yield from history.record_together(work.names, work.run, steps)
    yield Command("COMMIT")


def _transactions(work: Work, steps: Iterable[Step]) -> Iterator[Command]:
    for step in steps:
        migration = step.migration
        begin = _begin(work.scripts[migration.script].statements)
        yield Command(begin.sql if begin else "BEGIN", migration=migration, opens=True)
        yield from _paced(work, migration)
        yield from _resets(work, migration)
        yield from history.keep_bodies(work.names, [migration])
        yield history.record(work.names, work.run, migration, work.scripts[migration.script])
        yield Command("COMMIT", migration=migration, ends=True)


def _statements(work: Work, migration: Migration) -> Iterable[Statement]:
    kept = work.scripts[migration.script].statements
    return parse.statements(migration.path) if kept is None else kept


def _body(work: Work, migration: Migration) -> Iterator[Command]:
    for item in _statements(work, migration):
        if item.control is None:
            yield statement(migration, item)


def _paced(work: Work, migration: Migration) -> Iterator[Command]:
    script = work.scripts[migration.script]
    for item in patience.paced(
        _statements(work, migration), script.statements or (), script, work, migration
    ):
        yield item if isinstance(item, Command) else statement(migration, item)
        if isinstance(item, Statement):
            yield from guards.check(migration, item)


def _resets(work: Work, migration: Migration) -> tuple[Command, ...]:
    """Leave no setting, role or temporary table behind; definitions alone leave none."""
    kept = work.scripts[migration.script].statements
    plain = all(item.control or parse.defines(item.sql) for item in kept) if kept else False
    return () if plain else tuple(Command(text) for text in work.session.reset)


def _fits_one_transaction(work: Work, plan: Plan, state: history.State) -> bool:
    return (
        plan.fresh
        and not state.has_history
        and sum(_locks(work, step) for step in plan.steps) < state.locks
        and all(_in_one_transaction(work, step) for step in plan.steps)
    )


def _locks(work: Work, step: Step) -> int:
    return work.scripts[step.migration.script].total * LOCKS_A_STATEMENT


def _in_one_transaction(work: Work, step: Step) -> bool:
    return work.scripts[step.migration.script].transactional and not step.done


def _begin(statements: tuple[Statement, ...] | None) -> Statement | None:
    return next((item for item in statements or () if item.control is not None), None)


def _ask_the_server(work: Work, plan: Plan) -> None:
    """Statements that our parser does not know: newer syntax, or a mistake? The server's grammar tells."""
    for step in plan.steps:
        for item in work.scripts[step.migration.script].statements or ():
            if item.doubtful and item.copy is None:
                result = work.session.connection.pgconn.prepare(b"", item.sql.encode())
                error = psycopg.errors.error_from_result(result) if result.error_message else None
                if error is not None and error.sqlstate == "42601":
                    refused = Refused(statement(step.migration, item), error, 0.0)
                    raise failure.explain(
                        refused, "Nothing was run: all files are read before the first one."
                    )


def _state(work: Work, plan: Plan, done: list[Done], refused: Refused) -> str:
    step = next((step for step in plan.steps if step.migration == refused.command.migration), None)
    if step is None:
        return "Nothing was applied."
    if not _in_one_transaction(work, step):
        return segmented.state(work, step)
    applied = (
        f"{done[-1].migration.script} and those before it are applied"
        if done
        else "no step of this run is applied"
    )
    return f"{step.migration.script} was rolled back as a whole, and nothing of it remains; {applied}."
