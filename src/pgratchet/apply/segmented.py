"""Runs a migration that no single transaction can hold: segments, each journalled before and after."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

from pgratchet import history, parse, sql
from pgratchet.apply import concurrently, failure, guards, patience
from pgratchet.apply.patience import changes_rows, patiently
from pgratchet.apply.work import Overdue, Work, follow, statement
from pgratchet.db import Connection
from pgratchet.errors import PgratchetError
from pgratchet.model import Applied, Concurrent, Control, Done, Segment, Statement, Status, Step
from pgratchet.wire import Command, Refused

# Our own rows are written as the user who connected, whatever role the file has set, and without
# changing that: the next segment still finds the file's settings.
AS_OURSELVES = ("SET LOCAL SESSION AUTHORIZATION DEFAULT", "SET LOCAL ROLE NONE")

SETS_THE_SESSION = r"(?i)(re)?set\b(?!\s+(local|transaction|constraints)\b)"
LEFT_OVER = 10.0
"""Seconds to try for the lock that dropping an INVALID index takes."""
DONE_BEFORE = {"42P04", "42710", "3D000", "42704"}
"""What the server says where a database, tablespace or subscription is there already, or gone already."""


def run(work: Work, step: Step, done: list[Done]) -> None:
    """Run what is left of a step. A failure leaves its row `failed`, and the next run resumes there."""
    script = work.scripts[step.migration.script]
    count = step.done
    begin = history.record(
        work.names, work.run, step.migration, script, status=Status.RUNNING, done=count, opens=True
    )
    body = history.keep_bodies(work.names, [step.migration])
    timeout = script.directives.get("lock_timeout")
    own = [Command(f"SET lock_timeout = {sql.literal(timeout)}")] if timeout else []
    follow(work, [*body, begin, *own, *_settings(script.statements or (), count)], done)
    journal = (step.row.journal if step.row else None) or {}
    try:
        for segment in parse.segments(_rest(script.statements or (), count)):
            if segment.statements:
                _segment(work, step, segment, journal, done)
                count = segment.statements[-1].number
                journal = {}
    except Refused as refused:
        _fail(work, step, count, refused.command.statement, journal)
        raise
    follow(work, [*_resets(work), history.end(work.names, step.migration)], done)


def _settings(statements: Sequence[Statement], count: int) -> Iterator[Command]:
    """What the statements that are done have set for those after them: a session's settings end with it."""
    for item in statements[:count]:
        if re.match(SETS_THE_SESSION, item.sql):
            yield Command(item.sql)


def _rest(statements: Sequence[Statement], count: int) -> Sequence[Statement]:
    """What is left to run; a COMMIT that ends a block which is done is none of it."""
    left = statements[count:]
    return left[1:] if left and left[0].control is Control.COMMIT else left


def state(work: Work, step: Step) -> str:
    """What a failed step left, in a sentence, read from its journal."""
    rows = history.read(work.session.connection, work.names)
    row = next((row for row in rows if row.script == step.migration.script), None)
    if row is None or not row.statements_done:
        return f"No statement of {step.migration.script} has taken effect{_but(work, step, row)}."
    return (
        f"{step.migration.script}: the first {row.statements_done} of {row.statements_total} statements have taken "
        f"effect and are recorded; the next run goes on after them{_but(work, step, row)}."
    )


def _but(work: Work, step: Step, row: Applied | None) -> str:
    """A procedure commits by itself, and nobody but itself knows what."""
    begun = (row.journal or {}).get("statement") if row and row.status is Status.FAILED else None
    statements = work.scripts[step.migration.script].statements or ()
    item = next((item for item in statements if item.number == begun), None)
    if item is None:
        return ""
    if concurrent := parse.concurrent(item.sql):
        left = concurrently.left_over(
            work.session.connection, concurrent, _known((row and row.journal) or {})
        )
        return f". The index {', '.join(left)} is INVALID: the next run drops it" if left else ""
    if not _commits_by_itself(item):
        return ""
    return (
        f". Line {item.line} ran outside a transaction: what it had committed by itself before it failed stays, "
        "and the next run runs it again from its beginning"
    )


def _commits_by_itself(item: Statement) -> bool:
    """Tell whether a statement outside a transaction may have done a part of its work that we cannot see."""
    return item.alone and re.match(r"(?i)(call|do)\b", item.sql) is not None


def _segment(work: Work, step: Step, segment: Segment, journal: dict[str, object], done: list[Done]) -> None:
    if segment.alone and not changes_rows(segment.statements[0]):
        _alone(work, step, segment.statements[0], journal, done)
    else:  # rows are changed together with their journal, also where the file wants no transaction: once
        patiently(work, lambda: follow(work, _transaction(work, step, segment), done))


def _transaction(work: Work, step: Step, segment: Segment) -> Iterator[Command]:
    yield Command(segment.begin.sql if segment.begin else "BEGIN", migration=step.migration)
    script, kept = work.scripts[step.migration.script], segment.statements
    for item in patience.paced(kept, kept, script, work, step.migration):
        yield item if isinstance(item, Command) else statement(step.migration, item)
        if isinstance(item, Statement):
            yield from guards.check(step.migration, item)
    yield from _noted(work, step, segment.statements[-1].number)


def _alone(work: Work, step: Step, item: Statement, journal: dict[str, object], done: list[Done]) -> None:
    """Run a statement outside a transaction; `journal` is what an earlier run wrote before it ran the same."""
    connection = work.session.connection
    concurrent = parse.concurrent(item.sql)
    resumed = journal.get("statement") == item.number and journal.get("text", item.sql) == item.sql
    if resumed and _commits_by_itself(item) and step.row and step.row.status is Status.RUNNING:
        raise failure.in_doubt(step.migration, item, state(work, step))
    known = _known(journal) if resumed else ()
    if concurrent is not None and not resumed:
        known = concurrently.before(connection, concurrent)
    note = {"statement": item.number, "text": item.sql, "indexes": list(known)}
    with _unhurried(connection, concurrent):
        if concurrent is None or not _finish(work, concurrent, known, resumed=resumed):
            follow(work, _own(_noted(work, step, item.number - 1, note)), done)
            _run_alone(work, step, item, concurrent, known, resumed=resumed)
    if concurrent is not None and (names := concurrently.invalid(connection, concurrent, known)):
        _fail(work, step, item.number - 1, item, note)
        raise failure.invalid_index(step.migration, item, names, state(work, step))
    follow(work, _own(_noted(work, step, item.number)), done)


@contextmanager
def _unhurried(connection: Connection, concurrent: Concurrent | None) -> Iterator[None]:
    """With CONCURRENTLY a lock blocks no reader and no writer, so it is waited for as long as it takes.

    And the server goes on when we are killed: an index that is whole is worth more than a quick end.
    """
    if concurrent is None:
        yield
        return
    query = "SELECT name, setting FROM pg_catalog.pg_settings WHERE name = ANY (%s) AND setting <> '0'"
    before = connection.execute(query, (["lock_timeout", "client_connection_check_interval"],)).fetchall()
    for name, _ in before:
        connection.execute(f"SET {name} = 0".encode())
    yield
    for name, value in before:
        connection.execute(f"SET {name} = {sql.literal(value)}".encode())


def _run_alone(
    work: Work,
    step: Step,
    item: Statement,
    concurrent: Concurrent | None,
    known: Sequence[int],
    *,
    resumed: bool,
) -> None:
    again = False

    def run() -> None:
        nonlocal again
        if again and concurrent is not None and _finish(work, concurrent, known, resumed=True):
            return
        again = True
        follow(work, [statement(step.migration, item)], [])

    try:
        patiently(work, run)
    except Refused as refused:
        if concurrent is not None and isinstance(refused.error, Overdue):
            raise _cleaned(refused, _take_away(work, concurrent, known)) from refused
        # An interrupted run was at this very statement, and had done it: CREATE DATABASE and the like.
        if not (resumed and refused.error.sqlstate in DONE_BEFORE and concurrent is None):
            raise


def _cleaned(refused: Refused, dropped: tuple[str, ...]) -> Refused:
    """The same refusal, which says what became of what the build had left."""
    also = f"\nthe INVALID index {', '.join(dropped)} that it had left was dropped" if dropped else ""
    return Refused(refused.command, Overdue(f"{refused.error}{also}"), refused.seconds)


def _take_away(work: Work, concurrent: Concurrent, known: Sequence[int]) -> tuple[str, ...]:
    """Drop the INVALID index that a cancelled build has left, where those who hold its table let us soon.

    Not with CONCURRENTLY: that would wait for the very transaction for which the build has waited.
    """
    quick = replace(work, patience=replace(work.patience, budget=LEFT_OVER), scripts={})
    timeout = f"SET LOCAL lock_timeout = {sql.literal(work.patience.lock_timeout)}"
    dropped = []
    for name in concurrently.left_over(work.session.connection, concurrent, known):
        drop = [
            Command("BEGIN"),
            Command(timeout),
            Command(f"DROP INDEX IF EXISTS {name}"),
            Command("COMMIT"),
        ]
        with suppress(PgratchetError, Refused):  # then the next run does
            patiently(quick, partial(follow, work, drop, []))
            dropped.append(name)
    return tuple(dropped)


def _finish(work: Work, concurrent: Concurrent, known: Sequence[int], *, resumed: bool) -> bool:
    """Take away or finish what an earlier run left; True where the statement has nothing left to do."""
    if not resumed and concurrent.action != "create_index":
        return False
    cleared = concurrently.clear(work.session.connection, concurrent, known, work.observer)
    for text in cleared.commands:
        patiently(work, partial(_clear, work, text, concurrent))
    return cleared.done


def _clear(work: Work, text: str, concurrent: Concurrent) -> None:
    if concurrent.action == "detach":  # the one that locks a table against its readers
        timeout = f"SET LOCAL lock_timeout = {sql.literal(work.patience.lock_timeout)}"
        follow(work, [Command("BEGIN"), Command(timeout), Command(text), Command("COMMIT")], [])
    else:
        follow(work, [Command(text, statement=Statement(text, 0, 0, 0, alone=True))], [])


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
