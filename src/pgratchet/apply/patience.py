"""Waiting for a lock without letting the application wait behind us: short tries, pauses, a budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import uniform

import psycopg

from pgratchet import db, parse, sql
from pgratchet.apply.work import Work, roll_back
from pgratchet.errors import LockNotAvailable
from pgratchet.model import Patience, Script, Statement, Waiting
from pgratchet.parse import lock_targets
from pgratchet.wire import Command, Refused

PAUSE = 0.25
SAY_EVERY = 5.0
ROWS = ("insert", "update", "delete", "merge", "copy")
PASSING = {"55P03", "40P01", "40001"}


def passes(error: psycopg.Error) -> bool:
    """Whether the same step may go well a moment later."""
    if error.sqlstate in PASSING:
        return True
    text = error.diag.message_primary or ""
    if error.sqlstate == "55006":
        return "by other users" in text
    return error.sqlstate == "XX000" and "tuple concurrently" in text


def patiently(work: Work, action: Callable[[], None]) -> None:
    """Run an action again and again while only a lock is missing, until the budget is spent.

    The action must go on where it was. Raises Refused for what no waiting mends, LockNotAvailable with
    those who hold the lock where the budget is spent.
    """
    since, said = time.monotonic(), -SAY_EVERY
    while True:
        try:
            return action()
        except Refused as refused:
            roll_back(work)
            if not passes(refused.error):
                raise
            passed = time.monotonic() - since
            who = holders(work.session.connection, refused.command.statement)
            if passed >= work.patience.budget:
                raise _spent(refused, passed, who) from refused
            if passed - said >= SAY_EVERY:
                work.observer(Waiting(_what(refused), passed, who))
                said = passed
        time.sleep(PAUSE * uniform(0.6, 1.4))  # noqa: S311 - jitter, not a secret


def holders(connection: db.Connection, statement: Statement | None) -> tuple[str, ...]:
    """Who holds a lock on the tables that a statement needs."""
    names = ", ".join(sql.literal(name) for name, _ in parse.targets(statement.sql)) if statement else ""
    query = sql.load("lock_holders").format(names=names)
    rows = connection.execute(query.encode()).fetchall() if names else []
    return tuple(str(row[3]) for row in rows)


def locks(script: Script, patience: Patience) -> Iterator[Command]:
    """What a step does about locks before its first statement."""
    statements = script.statements or ()
    if relaxes(statements):
        yield Command("SET LOCAL lock_timeout = 0")
    elif "lock_timeout" in script.directives:
        yield short_waits(script, patience)
    yield from _first_locks(statements)


def relaxes(statements: Sequence[Statement]) -> bool:
    """Whether a step begins with changes of rows, and does not set its own time-out."""
    first = next((item for item in statements if item.control is None), None)
    own = any("lock_timeout" in item.sql for item in statements)
    return first is not None and changes_rows(first) and not own


def short_waits(script: Script, patience: Patience) -> Command:
    """From here on a wait for a lock is short."""
    timeout = script.directives.get("lock_timeout", patience.lock_timeout)
    return Command(f"SET LOCAL lock_timeout = {sql.literal(timeout)}")


def _first_locks(statements: Iterable[Statement]) -> Iterator[Command]:
    """Take the locks of a step that needs several tables all at once, in the order of names, before its work.

    So nothing is held while another is waited for, two runs cannot deadlock, and a try that fails has cost
    nothing. A file that sets its search_path names its tables by it: then the names here could mean others.
    """
    found = [target for item in statements for target in parse.targets(item.sql)]
    wanted = lock_targets.strongest(found)
    if len(wanted) > 1 and not any("search_path" in item.sql for item in statements):
        rows = ", ".join(f"({sql.literal(name)}, {sql.literal(mode)})" for name, mode in wanted)
        yield Command(sql.load("take_locks").format(targets=rows))


def changes_rows(statement: Statement) -> bool:
    """Whether a statement waits for rows rather than for a table.

    It holds no table against the application: before its step has taken a table's lock, it may wait as it
    likes. From then on every wait is short.
    """
    return statement.sql.lower().startswith(ROWS)


def _spent(refused: Refused, passed: float, who: tuple[str, ...]) -> LockNotAvailable:
    statement, migration = refused.command.statement, refused.command.migration
    place = f"{migration.path}:{statement.line}:{statement.column}: " if migration and statement else ""
    held = f"; held by {'; '.join(who)}" if who else ""
    return LockNotAvailable(
        f"{place}no lock after {passed:.0f} s of short tries ({refused.error.diag.message_primary}){held}",
        "Nothing of this step remains. End what holds the lock, or run again at a quieter time; "
        "--lock-budget sets how long we try.",
    )


def _what(refused: Refused) -> str:
    migration = refused.command.migration
    where = f" by {migration.script}" if migration else ""
    return f"for a lock that is needed{where}"
