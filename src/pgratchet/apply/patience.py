"""Waiting for a lock without letting the application wait behind us: short tries, pauses, a budget."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import uniform

import psycopg

from pgratchet import parse, sql
from pgratchet.apply import blockers
from pgratchet.apply.blockers import Holder
from pgratchet.apply.work import Work, roll_back
from pgratchet.errors import LockNotAvailable
from pgratchet.model import Migration, Script, Statement, Waiting
from pgratchet.parse import directives, lock_targets
from pgratchet.wire import Command, Refused

PAUSE = 0.25
SAY_EVERY = 5.0
ROWS = ("insert", "update", "delete", "merge", "copy")
VALIDATES = re.compile(r"(?i)\bvalidate\s+constraint\b")
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
    """Run an action again and again while only a lock is missing, until the budget of a step is spent.

    The action must go on where it was. Raises Refused for what no waiting mends, LockNotAvailable with
    those who hold the lock where the budget is spent.
    """
    step: Migration | None = None
    since = said = 0.0
    while True:
        try:
            return action()
        except Refused as refused:
            roll_back(work)
            if not passes(refused.error):
                raise
            now = time.monotonic()
            if not since or refused.command.migration != step:  # what went well before was no wait
                step, since, said = refused.command.migration, now, now - SAY_EVERY
            found = holders(work, refused.command)
            who = tuple(holder.words for holder in found)
            if now - since >= _budget(work, refused.command):
                raise _spent(refused, now - since, who) from refused
            if now - said >= SAY_EVERY:
                work.observer(Waiting(_what(refused), now - since, who))
                said = now
        if not blockers.cancel_autovacuum(work.session.connection, found):
            time.sleep(PAUSE * uniform(0.6, 1.4))  # noqa: S311 - jitter, not a secret


def holders(work: Work, command: Command) -> tuple[Holder, ...]:
    """Who holds what a command needs: a statement's own tables, or those that its step locks first."""
    script = work.scripts.get(command.migration.script) if command.migration else None
    every = (script.statements or ()) if script else ()
    statements = (command.statement,) if command.statement else every
    targets = (target for item in statements for target in parse.targets(item.sql))
    return blockers.of_tables(work.session.connection, lock_targets.strongest(targets))


def paced(
    items: Iterable[Statement], kept: Sequence[Statement], script: Script, work: Work, migration: Migration
) -> Iterator[Command | Statement]:
    """The statements of a transaction, with what is to be done about locks before them.

    `kept` are the same where they are held in memory. While nothing is held against the application, a step
    may wait as it likes; from its first strong lock on, every wait is short.
    """
    free = _begins_freely(kept)
    if free:
        yield Command("SET LOCAL lock_timeout = 0", migration=migration)
    else:
        yield from _hurried(kept, script, work, migration, begins=True)
    for item in items:
        if free and item.control is None and not waits_freely(item):
            free = False
            yield from _hurried(kept, script, work, migration, begins=False)
        if item.control is None:
            yield item


def _hurried(
    statements: Sequence[Statement], script: Script, work: Work, migration: Migration, *, begins: bool
) -> Iterator[Command]:
    """Wait for a short time only, and take the locks of a step that needs several tables all at once.

    They are taken in the order of names, before the work: so nothing is held while another is waited for, two
    runs cannot deadlock, and a try that fails has cost nothing. A file that sets its search_path names its
    tables by it: then the names here could mean others.
    """
    if not begins or "lock_timeout" in script.directives:
        timeout = script.directives.get("lock_timeout", work.patience.lock_timeout)
        yield Command(f"SET LOCAL lock_timeout = {sql.literal(timeout)}", migration=migration)
    wanted = lock_targets.strongest(target for item in statements for target in parse.targets(item.sql))
    if len(wanted) > 1 and not any("search_path" in item.sql for item in statements):
        rows = ", ".join(f"({sql.literal(name)}, {sql.literal(mode)})" for name, mode in wanted)
        yield Command(sql.load("take_locks").format(targets=rows), migration=migration)


def _begins_freely(statements: Sequence[Statement]) -> bool:
    """Whether a step begins with what may wait as it likes, and does not set its own time-out."""
    first = next((item for item in statements if item.control is None), None)
    own = any("lock_timeout" in item.sql for item in statements)
    return first is not None and waits_freely(first) and not own


def waits_freely(statement: Statement) -> bool:
    """Whether a statement may wait for as long as it takes: no reader and no writer queues behind it.

    It waits for rows rather than for a table, or validates a constraint.
    """
    if changes_rows(statement):
        return True
    if not VALIDATES.search(statement.sql):
        return False
    return {mode for _, mode in parse.targets(statement.sql)} == {lock_targets.LIGHT}


def changes_rows(statement: Statement) -> bool:
    """Whether a statement inserts, changes or deletes rows."""
    return statement.sql.lower().startswith(ROWS)


def _budget(work: Work, command: Command) -> float:
    script = work.scripts.get(command.migration.script) if command.migration else None
    own = script.directives.get("lock_budget") if script else None
    return directives.seconds(own) if own else work.patience.budget


def _spent(refused: Refused, passed: float, who: tuple[str, ...]) -> LockNotAvailable:
    statement, migration = refused.command.statement, refused.command.migration
    place = f"{migration.path}:{statement.line}:{statement.column}: " if migration and statement else ""
    held = f"; held by {'; '.join(who)}" if who else ""
    return LockNotAvailable(
        f"{place}no lock after {passed:.0f} s of short tries ({refused.error.diag.message_primary}){held}",
        "Nothing of this step remains. End what holds the lock, or run again at a quieter time; "
        "--lock-budget, or `-- pgratchet: lock_budget=30min` at the top of the file, sets how long we try.",
    )


def _what(refused: Refused) -> str:
    migration = refused.command.migration
    where = f" by {migration.script}" if migration else ""
    return f"for a lock that is needed{where}"
