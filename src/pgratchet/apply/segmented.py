"""Runs a migration that no single transaction can hold: segments, each journalled before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pgratchet import history, parse, sql
from pgratchet.apply import concurrently, failure
from pgratchet.apply.patience import patiently
from pgratchet.apply.work import Work, follow, statement
from pgratchet.model import Concurrent, Control, Done, Segment, Statement, Status, Step
from pgratchet.wire import Command, Refused

# Our own rows are written as the user who connected, whatever role the file has set, and without
# changing that: the next segment still finds the file's settings.
AS_OURSELVES = ("SET LOCAL SESSION AUTHORIZATION DEFAULT", "SET LOCAL ROLE NONE")


def run(work: Work, step: Step, done: list[Done]) -> None:
    """Run what is left of a step. A failure leaves its row `failed`, and the next run resumes there."""
    script = work.scripts[step.migration.script]
    count = step.done
    begin = history.record(
        work.names, work.run, step.migration, script, status=Status.RUNNING, done=count, opens=True
    )
    follow(work, [begin], done)
    journal = (step.row.journal if step.row else None) or {}
    try:
        for segment in parse.segments(_rest(script.statements or (), count)):
            _segment(work, step, segment, journal, done)
            count = segment.statements[-1].number
            journal = {}
    except Refused as refused:
        _fail(work, step, count, refused.command.statement, journal)
        raise
    follow(work, [*_resets(work), history.end(work.names, step.migration)], done)


def _rest(statements: Sequence[Statement], count: int) -> Sequence[Statement]:
    """What is left to run; a COMMIT that ends a block which is done is none of it."""
    left = statements[count:]
    return left[1:] if left and left[0].control is Control.COMMIT else left


def state(work: Work, step: Step) -> str:
    """What a failed step left, in a sentence, read from its journal."""
    rows = history.read(work.session.connection, work.names)
    row = next((row for row in rows if row.script == step.migration.script), None)
    if row is None or not row.statements_done:
        return f"No statement of {step.migration.script} has taken effect."
    return (
        f"{step.migration.script}: the first {row.statements_done} of {row.statements_total} statements have taken "
        "effect and are recorded; the next run goes on after them."
    )


def _segment(work: Work, step: Step, segment: Segment, journal: dict[str, object], done: list[Done]) -> None:
    if segment.alone:
        _alone(work, step, segment.statements[0], journal, done)
    else:
        patiently(work, lambda: follow(work, _transaction(work, step, segment), done))


def _transaction(work: Work, step: Step, segment: Segment) -> Iterator[Command]:
    yield Command(segment.begin.sql if segment.begin else "BEGIN", migration=step.migration)
    for item in segment.statements:
        yield statement(step.migration, item)
    yield from _noted(work, step, segment.statements[-1].number)


def _alone(work: Work, step: Step, item: Statement, journal: dict[str, object], done: list[Done]) -> None:
    connection = work.session.connection
    concurrent = parse.concurrent(item.sql)
    resumed = journal.get("statement") == item.number
    known = _known(journal) if resumed else ()
    if concurrent is not None:
        known = known if resumed else concurrently.before(connection, concurrent)
        if _done_already(work, concurrent, known, resumed=resumed):
            follow(work, _own(_noted(work, step, item.number)), done)
            return
    note = {"statement": item.number, "indexes": list(known)}
    follow(work, _own(_noted(work, step, item.number - 1, note)), done)
    _run_alone(work, step, item, concurrent, known)
    if concurrent is not None and (names := concurrently.invalid(connection, concurrent, known)):
        _fail(work, step, item.number - 1, item, note)
        raise failure.invalid_index(step.migration, item, names, state(work, step))
    follow(work, _own(_noted(work, step, item.number)), done)


def _run_alone(
    work: Work, step: Step, item: Statement, concurrent: Concurrent | None, known: Sequence[int]
) -> None:
    """With CONCURRENTLY its lock blocks no reader and no writer, so it waits as long as it takes."""

    def run() -> None:
        if concurrent is not None and concurrent.action in {"create_index", "reindex"}:
            concurrently.clear(work.session.connection, concurrent, known, work.observer)
        follow(work, [statement(step.migration, item)], [])

    connection = work.session.connection
    before = connection.execute("SELECT pg_catalog.current_setting('lock_timeout')").fetchone()
    if concurrent is not None:
        connection.execute("SET lock_timeout = 0")
    patiently(work, run)
    if before is not None:
        connection.execute(f"SET lock_timeout = {sql.literal(before[0])}".encode())


def _done_already(work: Work, concurrent: Concurrent, known: Sequence[int], *, resumed: bool) -> bool:
    connection = work.session.connection
    if not resumed and concurrent.action in {"drop_index", "detach"}:
        return False
    if resumed and concurrently.vanished(connection, concurrent):
        return True
    return concurrently.clear(connection, concurrent, known, work.observer)


def _known(journal: dict[str, object]) -> tuple[int, ...]:
    found = journal.get("indexes")
    return tuple(int(oid) for oid in found) if isinstance(found, list) else ()


def _fail(work: Work, step: Step, count: int, item: Statement | None, journal: dict[str, object]) -> None:
    """Mark the row, so that people see it; the next run does not need the mark."""
    connection = work.session.connection
    connection.execute("ROLLBACK")
    note = journal or ({"statement": item.number, "indexes": []} if item and not item.alone else None)
    if item is not None and item.alone:
        rows = history.read(connection, work.names)
        note = next((row.journal for row in rows if row.script == step.migration.script), None)
    command = history.progress(work.names, step.migration, count, Status.FAILED, note)
    follow(work, [*_resets(work), command], [])


def _own(commands: Iterator[Command]) -> Iterator[Command]:
    yield Command("BEGIN")
    yield from commands


def _noted(work: Work, step: Step, count: int, journal: dict[str, object] | None = None) -> Iterator[Command]:
    yield from (Command(text) for text in AS_OURSELVES)
    yield history.progress(work.names, step.migration, count, journal=journal)
    yield Command("COMMIT", migration=step.migration)


def _resets(work: Work) -> Iterator[Command]:
    return (Command(text) for text in work.session.reset)
