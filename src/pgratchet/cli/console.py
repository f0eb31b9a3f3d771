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
    Progressed,
    StatementStarted,
    StepEnded,
    StepStarted,
    Waiting,
    ignore,
)
from pgratchet.report import jsons, text

T = TypeVar("T")
SHOWN = 60
WAITING_EVERY = 5.0
PROGRESS_EVERY = 30.0


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
    is_time = now_and_then()

    def hear(event: Event) -> None:
        if isinstance(event, StepStarted):
            place[:] = [event.position, event.of]
        if is_time(event) and (line := event_line(event, place[0], place[1])):
            say(line)

    return hear


def now_and_then() -> Callable[[Event], bool]:
    """A function that lets only a few of a long statement's signs of life through, and all other events."""
    last = [0.0]

    def is_time(event: Event) -> bool:
        if not isinstance(event, Progressed):
            return True
        if event.seconds < last[0]:  # another statement
            last[0] = 0.0
        if last[0] and event.seconds - last[0] < (WAITING_EVERY if event.who else PROGRESS_EVERY):
            return False
        last[0] = event.seconds
        return True

    return is_time


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
        case Progressed(migration=migration, statement=statement, seconds=seconds, figures=figures, who=who):
            place = f"{migration.script}:{statement.line}"
            if who:
                return f"waiting in {place} ({text.duration(seconds)}): {'; '.join(who)}"
            return f"  {place}: {figures} ({text.duration(seconds)})" if figures else None
        case _:
            return None


def statement_line(event: StatementStarted) -> str:
    """What runs now, short enough for one line."""
    words = " ".join(event.statement.sql.split())
    shown = words if len(words) <= SHOWN else f"{words[: SHOWN - 1]}…"
    return f"{event.migration.script} {event.statement.number}/{event.total}: {shown}"
