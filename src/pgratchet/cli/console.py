"""What goes to the terminal: data to stdout, talk to stderr, and the progress of a run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import click

from pgratchet.errors import PgratchetError
from pgratchet.model import (
    Event,
    Noticed,
    Observer,
    StatementStarted,
    StepEnded,
    StepStarted,
    Waiting,
    ignore,
)
from pgratchet.report import jsons, text

T = TypeVar("T")
SHOWN = 60


def say(line: str) -> None:
    """Talk: to stderr."""
    print(line, file=sys.stderr)


def show(
    value: T,
    as_object: Callable[[T], Mapping[str, Any]],
    as_text: Callable[[T], str],
    command: str,
    *,
    as_json: bool,
) -> None:
    """Print what a command gives, to stdout."""
    print(jsons.render(command, as_object(value)) if as_json else as_text(value))


def fail(error: PgratchetError, *, as_json: bool, command: str) -> int:
    """Print an error; returns its exit code."""
    if as_json:
        print(jsons.render(command, jsons.error(error)))
    else:
        if error.outcome is not None and error.outcome.done:
            say(text.outcome(error.outcome))
        say(text.error(error))
    return error.exit_code


def exit_with(code: int) -> NoReturn:
    """End a command with an exit code."""
    raise click.exceptions.Exit(code)


@contextmanager
def observer(*, quiet: bool) -> Iterator[Observer]:
    """The observer of a run: a live line on a terminal, plain lines elsewhere, nothing where quiet."""
    if quiet:
        yield ignore
    elif sys.stderr.isatty():
        from pgratchet.cli import progress

        with progress.live() as live:
            yield live
    else:
        yield _plain_lines()


def _plain_lines() -> Observer:
    place = [0, 0]

    def hear(event: Event) -> None:
        if isinstance(event, StepStarted):
            place[:] = [event.position, event.of]
        if line := event_line(event, place[0], place[1]):
            say(line)

    return hear


def event_line(event: Event, position: int, of: int) -> str | None:
    """One line for the events that people want to keep."""
    match event:
        case StepEnded(migration=migration, seconds=seconds, error=None):
            return text.step_line(position, of, migration, seconds)
        case Noticed(severity=severity, message=message, statement=statement, migration=migration):
            place = f"{migration.script}:{statement.line}: " if migration and statement else ""
            return f"  {place}{severity}: {message}"
        case Waiting(what=what, seconds=seconds, who=who):
            return f"waiting {what} ({text.duration(seconds)}){': ' if who else ''}{'; '.join(who)}"
        case _:
            return None


def statement_line(event: StatementStarted) -> str:
    """What runs now, short enough for one line."""
    words = " ".join(event.statement.sql.split())
    shown = words if len(words) <= SHOWN else f"{words[: SHOWN - 1]}…"
    return f"{event.migration.script} {event.statement.number}/{event.total}: {shown}"
