"""What IF NOT EXISTS keeps quiet about: that the object was there already, and perhaps is another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

import psycopg

from pgratchet import parse, sql
from pgratchet.db import Connection
from pgratchet.model import Migration, Script, Statement
from pgratchet.wire import Command

SHOWN = 300


class Fired(NamedTuple):
    """A guard that found something there, and what the server said of it."""

    statement: Statement
    text: str


def notes(
    connection: Connection, migration: Migration, script: Script, fired: Iterable[Fired]
) -> Iterator[str]:
    """Each as drift: its place, what is there by the catalogue, and what the file would have made."""
    elsewhere = any("search_path" in item.sql for item in script.statements or ())
    for statement, text in fired:
        place = f"{migration.script}:{statement.line}"
        yield f"drift: {place}: {text}: it was there before this migration made it; compare the two" + (
            f"\n  there: {there}\n  file:  {_short(statement.sql)}"
            if (there := _there(connection, statement, text, elsewhere=elsewhere))
            else ""
        )


def check(migration: Migration, statement: Statement) -> Iterator[Command]:
    """The command that refuses an INVALID index, which a guard would call a success; with CONCURRENTLY others look."""
    name = (
        parse.guarded(statement.sql) if re.match(r"(?i)create\s+(unique\s+)?index\b", statement.sql) else None
    )
    if name and not statement.alone:
        message = (
            f"line {statement.line}: the index {name} is there and INVALID, which IF NOT EXISTS passes over"
        )
        hint = f"DROP INDEX CONCURRENTLY {name}; and run `pgratchet up` again: it builds it."
        values = {"name": name, "message": message, "hint": hint}
        text = sql.load("refuse_invalid")
        yield Command(
            text.format(**{key: sql.literal(value) for key, value in values.items()}), migration=migration
        )


def _there(connection: Connection, statement: Statement, text: str, *, elsewhere: bool) -> str:
    """What the catalogue has; nothing where that cannot be told."""
    name = parse.guarded(statement.sql)
    if name is None or (elsewhere and '"."' not in name):
        return ""
    column = re.match(r'column "(.+)" of relation', text)
    values = {"name": sql.literal(name), "attribute": sql.literal(column[1] if column else "")}
    with suppress(psycopg.Error):  # the run is over; a look that fails is no failure of it
        row = connection.execute(sql.load("guarded_relation").format(**values).encode()).fetchone()
        return _short(str(row[0])) if row else ""
    return ""


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= SHOWN else f"{words[: SHOWN - 1]}…"
