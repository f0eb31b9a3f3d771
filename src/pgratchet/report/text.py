"""What a person reads: sentences, tables and errors, as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pgratchet.errors import (
    FilesError,
    HistoryError,
    ParseError,
    PgratchetError,
    PreflightError,
    StatementFailed,
)

# What type checkers take for true. Every start of a container would pay 10 ms for `typing`.
TYPE_CHECKING = False
if TYPE_CHECKING:  # a start with nothing to do has no use for the model
    from pgratchet.model import Check, Entry, Migration, Outcome, Overview, Preview, Problem

WIDE = 110


def nothing_to_do(applied: int, version: int | None) -> str:
    """The one line of a start with nothing to do."""
    return f"Nothing to do: {count(applied, 'migration')} applied, at version {version}."


def outcome(value: Outcome) -> str:
    """What a run did."""
    notes = [f"note: {note}" for note in value.notes]
    if not value.done:
        return "\n".join([*notes, nothing_to_do(value.applied, value.version)])
    seconds = sum(item.seconds for item in value.done)
    done = f"Applied {count(len(value.done), 'migration')} in {duration(seconds)}; now at version {value.version}."
    return "\n".join([*notes, done])


def preview(value: Preview) -> str:
    """The exact SQL that a run would send, in order, with what it is part of as comments."""
    lines = list(_preview_lines(value))
    if not value.plan.steps and not value.plan.problems:
        lines.append(nothing_to_do(value.plan.applied, value.plan.version))
    return "\n".join(lines)


def overview(value: Overview) -> str:
    """The status table, with what is wrong and what to know under it."""
    lines = [
        f"Database {value.database}, at version {'none' if value.version is None else value.version}",
        "",
    ]
    lines += table(("version", "description", "state", "applied at", "ms", "by"), map(_cells, value.entries))
    if value.pending or not value.problems:
        lines += ["", _pending(value)]
    lines += [f"note: {note}" for note in value.notes]
    lines += [line for item in value.problems for line in ("", *_problem(item))]
    return "\n".join(lines)


def checks(value: Sequence[Check]) -> str:
    """What was found before a run, and how many of each verdict."""
    verdicts = [check.verdict.value for check in value]
    words = {"refuse": "refused", "warn": "warned of", "pass": "passed"}
    sums = (f"{verdicts.count(verdict)} {word}" for verdict, word in words.items())
    return "\n".join([*(line for item in value for line in _check(item)), "", f"Checks: {', '.join(sums)}."])


def error(value: PgratchetError) -> str:
    """An error for the person at 3 a.m.: where, what, what state the database is in, what to do next."""
    match value:
        case StatementFailed():
            lines = list(_statement_failed(value))
        case ParseError():
            lines = [f"error: {value.message}", *caret(value.source, value.column)]
        case HistoryError() | FilesError():
            return "\n".join(line for item in value.problems for line in _problem(item))
        case PreflightError():
            head = f"error: {count(len(value.checks), 'check')} before the run refused it; nothing was run"
            return "\n".join([head, *(line for item in value.checks for line in _check(item))])
        case _:
            lines = [f"error: {value.message}"]
    return "\n".join([*lines, *([f"  next: {value.hint}"] if value.hint else [])])


def caret(source: str, column: int) -> list[str]:
    """A line of a file with a mark under a column; a long line is cut around it."""
    start = max(0, column - WIDE // 2) if len(source) > WIDE else 0
    shown = "".join(letter if letter.isprintable() else " " for letter in source[start : start + WIDE])
    return [f"  | {shown}", f"  | {' ' * _columns_of(shown[: column - 1 - start])}^"]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Columns as wide as they need to be."""
    cells = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    rule = ["-" * width for width in widths]
    lines = [cells[0], tuple(rule), *cells[1:]]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in lines
    ]


def step_line(position: int, of: int, migration: Migration, seconds: float) -> str:
    """One line for a migration that is done."""
    return f"[{position}/{of}] {migration.script}  {duration(seconds)}"


def duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def count(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _columns_of(shown: str) -> int:
    """How many columns of a terminal a text takes: an ideograph two, a combining accent none."""
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(letter) else 1 + (east_asian_width(letter) in "WF") for letter in shown)


def _preview_lines(value: Preview) -> Iterator[str]:
    yield from (f"-- note: {note}" for note in value.plan.notes)
    for problem in value.plan.problems:
        yield from (f"-- {line}" for part in _problem(problem) for line in part.splitlines())
    for position, step in enumerate(value.plan.steps, 1):
        script = value.scripts[step.migration.script]
        way = "one transaction" if script.transactional else "segments, each journalled"
        of = len(value.plan.steps)
        yield f"-- [{position}/{of}] {step.migration.script}: {count(script.total, 'statement')}, {way}"
        if script.statements is None:
            yield f"-- too large to be shown: {step.migration.path}"
        for item in (script.statements or ())[step.done :]:
            yield f"{item.sql};"
            if item.copy:
                yield f"-- with the {count(item.copy.end - item.copy.start, 'byte')} of data below it in the file"
        yield ""


def _cells(entry: Entry) -> tuple[str, ...]:
    return (
        "repeatable" if entry.version is None else str(entry.version),
        entry.description.replace("_", " "),
        _standing(entry),
        f"{entry.applied_at:%Y-%m-%d %H:%M:%S}" if entry.applied_at else "",
        "" if entry.execution_time_ms is None else str(entry.execution_time_ms),
        entry.applied_by or "",
    )


def _standing(entry: Entry) -> str:
    if entry.standing in {"running", "failed"}:
        return f"{entry.standing} ({entry.statements_done} of {entry.statements_total} statements)"
    return entry.standing.value


def _pending(value: Overview) -> str:
    if not value.pending:
        return "Nothing is pending."
    them = "it" if value.pending == 1 else "them"
    return f"{count(value.pending, 'migration')} pending: `pgratchet up` applies {them}."


def _check(check: Check) -> Iterator[str]:
    yield f"{check.verdict.value:<6}  {check.name}: {check.reason}"
    if check.hint:
        yield f"          next: {check.hint}"


def _problem(problem: Problem) -> Iterator[str]:
    yield f"error: {problem.message}"
    yield f"  next: {problem.hint}"


def _statement_failed(value: StatementFailed) -> Iterator[str]:
    total = f"statement {value.statement.number}"
    yield f"error: {value.migration.path}:{value.line}:{value.column}: {value.primary}"
    yield from caret(value.source, value.column)
    yield f"  {total}" + (f", SQLSTATE {value.sqlstate}" if value.sqlstate else "")
    for name, text in (("detail", value.detail), ("hint", value.server_hint), ("context", value.context)):
        if text:
            yield f"  {name}: " + text.replace("\n", "\n    ")
    yield f"  state: {value.state}"
