"""Turns the server's refusal of a statement into an error for the person who has to mend it."""

from __future__ import annotations

from pathlib import Path

import psycopg

from pgratchet.apply.work import Overdue
from pgratchet.errors import PgratchetError, RunFailed, StatementFailed
from pgratchet.model import Migration, Statement
from pgratchet.wire import Refused

AGAIN = "run `pgratchet up` again."

MEND = f"Mend the file (it does not count as applied), and {AGAIN}"
LONGER = (
    "Give it longer, by `pgratchet up --build-deadline SECONDS` or by `-- pgratchet: build_deadline=2h` at the top "
    "of the file; or end what it waited for (`pgratchet preflight` shows old transactions), and " + AGAIN
)
# What to do, by SQLSTATE; the rest is told to mend the file.
HINTS = {
    "25001": "PostgreSQL runs this only outside a transaction: put `-- pgratchet: transaction=none` at the top "
    f"of the file, and {AGAIN}",
    "2D000": "A procedure that commits cannot run in our transaction: put `-- pgratchet: transaction=none` at "
    f"the top of the file, and {AGAIN}",
    "42501": f"Run as a role that may do this, or have an administrator do it beforehand; then {AGAIN}",
    "53100": f"The server's disk is full: make room, then {AGAIN}",
    "53200": f"The server ran out of lock space or memory: raise max_locks_per_transaction, or split the file; {AGAIN}",
    "55P03": f"Somebody else holds a lock that this needs: see who with pg_blocking_pids, then {AGAIN}",
    "40P01": f"Two sessions waited for each other: {AGAIN}",
    "40001": f"Another transaction came in between: {AGAIN}",
    "57014": f"The statement was cancelled: {AGAIN}",
    "55P04": "A new value of an enumerated type can be used only after a commit: use it in the next migration.",
}


def explain(refused: Refused, state: str) -> PgratchetError:
    """The error for a refused command; `state` says what the database holds now."""
    migration, statement = refused.command.migration, refused.command.statement
    if migration is None or statement is None:
        return _at_our_own(refused, state)
    diagnostic = refused.error.diag
    line, column = locate(statement, diagnostic.statement_position)
    sqlstate = refused.error.sqlstate
    return StatementFailed(
        migration=migration,
        statement=statement,
        line=line,
        column=column,
        source=source_line(migration.path, line),
        sqlstate=sqlstate,
        primary=diagnostic.message_primary or str(refused.error),
        detail=diagnostic.message_detail,
        server_hint=diagnostic.message_hint,
        context=diagnostic.context,
        state=state,
        hint=LONGER if isinstance(refused.error, Overdue) else HINTS.get(sqlstate or "", MEND),
    )


def locate(statement: Statement, position: str | None) -> tuple[int, int]:
    """Line and column in the file of a position that the server counts in characters from 1."""
    if not position:
        return statement.line, statement.column
    before = statement.sql[: int(position) - 1]
    lines = before.count("\n")
    if not lines:
        return statement.line, statement.column + len(before)
    return statement.line + lines, len(before) - before.rindex("\n")


def source_line(path: Path, number: int) -> str:
    """One line of a file, without reading more than up to it."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for count, text in enumerate(file, 1):
            if count == number:
                return text.rstrip("\r\n")
    return ""


def invalid_index(
    migration: Migration, statement: Statement, names: tuple[str, ...], state: str
) -> StatementFailed:
    """PostgreSQL said that an index was created, and the catalogue says that it is INVALID."""
    return StatementFailed(
        migration=migration,
        statement=statement,
        line=statement.line,
        column=statement.column,
        source=source_line(migration.path, statement.line),
        sqlstate=None,
        primary=f"the index {', '.join(names)} is INVALID after the statement",
        state=state,
        hint=f"The next run drops it and builds it again: {AGAIN}",
    )


def in_doubt(migration: Migration, statement: Statement, state: str) -> StatementFailed:
    """A run was killed while a statement ran that commits by itself: nobody knows how far it came."""
    return StatementFailed(
        migration=migration,
        statement=statement,
        line=statement.line,
        column=statement.column,
        source=source_line(migration.path, statement.line),
        sqlstate=None,
        primary="an earlier run was cut off while this ran outside a transaction, "
        "and how much of it was committed is not recorded",
        state=state,
        hint="Look at its data. If it may run again, put a comment into the statement; if it is done, put "
        f"SELECT 1 in its place. Then {AGAIN}",
    )


def _at_our_own(refused: Refused, state: str) -> RunFailed:
    """A COMMIT can be refused (a deferred constraint), and so can our own rows (a missing right)."""
    error: psycopg.Error = refused.error
    where = f"{refused.command.migration.path}: " if refused.command.migration else ""
    what = refused.command.sql.split(None, 1)[0]
    primary = error.diag.message_primary or str(error)
    parts = [f"{where}at {what}: {primary} (SQLSTATE {error.sqlstate})"]
    parts += [f"detail: {error.diag.message_detail}"] if error.diag.message_detail else []
    parts += [f"hint: {error.diag.message_hint}"] if error.diag.message_hint else []
    return RunFailed(
        "\n".join([*parts, state]), HINTS.get(error.sqlstate or "", f"Mend the cause, and {AGAIN}")
    )
