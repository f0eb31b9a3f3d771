"""Sends a step's commands and tells the observer what happens to them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg import pq

from pgratchet import history, wire
from pgratchet.apply import guards, watching
from pgratchet.db import Session
from pgratchet.model import (
    Done,
    Migration,
    Noticed,
    Observer,
    Patience,
    Script,
    Statement,
    StatementEnded,
    StatementStarted,
    StepEnded,
    StepStarted,
)
from pgratchet.parse import directives
from pgratchet.wire import Command, Refused

PIECE = 1 << 16
GUARDED = {"42P07", "42701", "42710", "42P06"}
"""What the server says of a table, column, object or schema that IF NOT EXISTS found."""
PATIENCE = Patience()
BUILDS = re.compile(
    r"(?i)\s*(create\s+(unique\s+)?index|reindex)\b|.*\b(concurrently|validate\s+constraint)\b", re.DOTALL
)
"""What reads a whole table, or waits for old transactions, for as long as that takes."""


class Overdue(psycopg.errors.QueryCanceled):
    """A build was cancelled since its deadline had passed."""


@dataclass(frozen=True, slots=True)
class Work:
    """All that running a plan needs."""

    session: Session
    names: history.Names
    run: history.Run
    scripts: Mapping[str, Script]
    """By the file's name."""
    positions: Mapping[str, int]
    """Each step's place in the plan, from 1, by the file's name."""
    observer: Observer
    began: dict[str, float]
    """When each step began, by the file's name; filled while the plan runs."""
    patience: Patience = PATIENCE
    window: int = wire.WINDOW
    """Statements in flight at once; 1 where an observer looks at the database after each."""
    guarded: dict[str, dict[guards.Fired, None]] = field(default_factory=dict)
    """Where `IF NOT EXISTS` found something there already, by the file's name; filled while the plan runs."""


def follow(work: Work, commands: Iterable[Command], done: list[Done]) -> None:
    """Run commands and tell the observer; each step that ends is added to `done`.

    Raises wire.Refused after the observer heard of it; `done` then holds what ended before.
    """
    oldest: list[Command] = []

    def started(command: Command) -> None:
        oldest[:] = [command]
        _tell_start(work, command)

    with _notices(work, oldest), watching.watcher(work.session, work.observer) as look:

        def idle(seconds: float) -> None:
            command = oldest[0] if oldest else None
            if command is not None and command.migration and command.statement:
                who = look(command.migration, command.statement, seconds)
                if 0 < (limit := _deadline(work, command.migration, command.statement)) < seconds:
                    raise Overdue(_overdue(limit, who))

        replies = wire.send(work.session.connection, commands, window=work.window, started=started, idle=idle)
        try:
            with closing(replies):  # an observer may raise; what is in flight then must not stay so
                for reply in replies:
                    _tell_end(work, reply, done)
        except BaseException as error:
            if oldest:
                _tell_failure(work, oldest[0], str(error))
            if oldest and isinstance(error, Overdue):
                raise Refused(oldest[0], error, 0.0) from None
            raise


def statement(migration: Migration, item: Statement) -> Command:
    """The command for one statement of a file."""
    data = item.copy
    if data is None:
        return Command(item.sql, (), migration, item)
    start, end = data.start, data.end

    def pieces() -> Iterator[bytes]:
        with migration.path.open("rb") as file:
            file.seek(start)
            left = end - start
            while left and (piece := file.read(min(PIECE, left))):
                left -= len(piece)
                yield piece

    return Command(item.sql, (), migration, item, pieces=pieces)


def roll_back(work: Work) -> None:
    """End what went wrong: a statement that still runs, a transaction that is open."""
    connection = work.session.connection
    wire.settle(connection)
    if connection.info.transaction_status != pq.TransactionStatus.IDLE and not connection.closed:
        connection.execute("ROLLBACK")


def _deadline(work: Work, migration: Migration, item: Statement) -> float:
    """How many seconds a build may take; 0: as long as it likes."""
    own = work.scripts[migration.script].directives.get("build_deadline")
    limit = directives.seconds(own) if own else work.patience.deadline
    return limit if limit and BUILDS.match(item.sql) else 0.0


def _overdue(limit: float, who: tuple[str, ...]) -> str:
    waited = f"; it waited for {'; '.join(who)}" if who else ""
    return f"it was not done after {limit:g} s, its deadline, and was cancelled{waited}"


def _tell_start(work: Work, command: Command) -> None:
    migration = command.migration
    if migration is None:
        return
    if command.opens:
        work.began[migration.script] = time.monotonic()
        work.observer(StepStarted(migration, work.positions[migration.script], len(work.positions)))
    if command.statement is not None:
        work.observer(StatementStarted(migration, command.statement, work.scripts[migration.script].total))


def _tell_end(work: Work, reply: wire.Reply, done: list[Done]) -> None:
    command, migration = reply.command, reply.command.migration
    if migration is None:
        return
    if command.statement is not None:
        work.observer(StatementEnded(migration, command.statement, reply.seconds, reply.tag))
    if command.ends:
        seconds = time.monotonic() - work.began.get(migration.script, time.monotonic())
        done.append(Done(migration, seconds, work.scripts[migration.script].total))
        work.observer(StepEnded(migration, seconds))


def _tell_failure(work: Work, command: Command, reason: str) -> None:
    migration = command.migration
    if migration is None:
        return
    seconds = time.monotonic() - work.began.get(migration.script, time.monotonic())
    if command.statement is not None:
        work.observer(StatementEnded(migration, command.statement, seconds, None, reason))
    work.observer(StepEnded(migration, seconds, reason))


@contextmanager
def _notices(work: Work, oldest: list[Command]) -> Iterator[None]:
    """Let the observer hear what the server says about a statement of a file."""

    def hear(diagnostic: psycopg.errors.Diagnostic) -> None:
        command = oldest[0] if oldest else None
        if command is not None and command.statement is not None and not _of_ours(work, diagnostic):
            severity = diagnostic.severity_nonlocalized or diagnostic.severity or "NOTICE"
            text = diagnostic.message_primary or ""
            _note_guard(work, command, diagnostic.sqlstate, text)
            work.observer(Noticed(severity, text, diagnostic.sqlstate, command.statement, command.migration))

    connection = work.session.connection
    connection.add_notice_handler(hear)
    try:
        yield
    finally:
        connection.remove_notice_handler(hear)


def _note_guard(work: Work, command: Command, sqlstate: str | None, text: str) -> None:
    """Remember that what a statement would make was there already; an extension is an administrator's to make."""
    migration, statement = command.migration, command.statement
    if migration and statement and sqlstate in GUARDED and not text.startswith("extension "):
        work.guarded.setdefault(migration.script, {})[guards.Fired(statement, text)] = None


def _of_ours(work: Work, diagnostic: psycopg.errors.Diagnostic) -> bool:
    """A migration that makes the history's tables, as our own V001 does, finds them made."""
    text = diagnostic.message_primary or ""
    if diagnostic.sqlstate == "42P06":
        return f'"{work.names.schema}"' in text
    return diagnostic.sqlstate == "42P07" and any(f'"{name}"' in text for name in work.names.tables)
