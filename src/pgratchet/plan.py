"""The plan: from files, history and target to what would be run, and every reason not to. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pgratchet.model import (
    Applied,
    Entry,
    Kind,
    Migration,
    Overview,
    Plan,
    Problem,
    Standing,
    Status,
    Step,
)

SHOWN = 40
"""Lines of a difference that an error shows."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What is known of a file whose content is no longer the one that was applied."""

    same_tree: bool
    """Only comments, white space or letter case of words differ."""
    applied: str | None
    """The text as it was applied, where the history kept it."""
    now: str
    same_start: bool = False
    """The statements that have taken effect are the same; told of a half-done file alone."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the plan depends on besides files and history."""

    empty: bool
    """The database holds no object of a user."""
    to: int | None = None
    out_of_order: bool = False
    edits: Mapping[str, Edit] = field(default_factory=dict)
    """By the file's name, for files whose checksum is not the history's."""


def plan(migrations: Sequence[Migration], history: Sequence[Applied], facts: Facts) -> Plan:
    """Decide what to run. A plan with problems holds the steps too, for people to see."""
    rows = {row.version: row for row in history if row.version is not None}
    done = [version for version, row in rows.items() if row.status is Status.APPLIED]
    fresh = not history and facts.empty
    baseline = _baseline(migrations, rows, facts, fresh=fresh)
    wanted = [migration for migration in migrations if _in_reach(migration, baseline, facts.to)]
    steps = (*_versioned(wanted, rows), *_repeatables(migrations, history, facts))
    problems = (
        *_foreign(history, facts),
        *_target(migrations, rows, facts.to),
        *_edited(migrations, history, facts),
        *_unfinished(migrations, history, facts),
        *_missing(migrations, rows),
        *(() if facts.out_of_order else _out_of_order(steps, rows)),
    )
    return Plan(
        steps=steps,
        problems=problems,
        notes=tuple(_notes(migrations, rows, facts)),
        applied=sum(row.status is Status.APPLIED for row in history),
        version=max(done, default=None),
        fresh=fresh,
    )


def edited(
    migrations: Sequence[Migration], history: Sequence[Applied]
) -> tuple[tuple[Migration, Applied], ...]:
    """Files whose content is not the one that the history holds."""
    by_script = _by_identity(history)
    pairs = ((migration, by_script.get(identity(migration))) for migration in migrations)
    return tuple(
        (migration, row)
        for migration, row in pairs
        if row is not None and row.checksum is not None and row.checksum != migration.checksum
    )


def identity(thing: Migration | Applied) -> tuple[object, ...]:
    """What makes a file and a row the same migration."""
    if thing.version is None:
        return (Kind.REPEATABLE, thing.description)
    return (thing.kind is Kind.BASELINE, thing.version)


def _by_identity(history: Iterable[Applied]) -> dict[tuple[object, ...], Applied]:
    return {identity(row): row for row in history}


def _baseline(
    migrations: Sequence[Migration], rows: Mapping[int, Applied], facts: Facts, *, fresh: bool
) -> Migration | Applied | None:
    """What the history began, or begins, with."""
    begun = [row for row in rows.values() if row.kind is Kind.BASELINE]
    if not fresh:
        return max(begun, key=lambda row: row.version or 0, default=None)
    offered = [
        migration
        for migration in migrations
        if migration.kind is Kind.BASELINE and (facts.to is None or (migration.version or 0) <= facts.to)
    ]
    return offered[-1] if offered else None


def _in_reach(migration: Migration, baseline: Migration | Applied | None, to: int | None) -> bool:
    if migration.version is None or (to is not None and migration.version > to):
        return False
    if migration.kind is Kind.BASELINE:
        return baseline is not None and identity(baseline) == identity(migration)
    return baseline is None or migration.version > (baseline.version or 0)


def _versioned(wanted: Sequence[Migration], rows: Mapping[int, Applied]) -> Iterator[Step]:
    for migration in wanted:
        row = rows.get(migration.version or 0)
        if row is None:
            yield Step(migration)
        elif row.status is not Status.APPLIED:
            yield Step(migration, row.statements_done, row)


def _repeatables(migrations: Sequence[Migration], history: Sequence[Applied], facts: Facts) -> Iterator[Step]:
    if facts.to is not None:
        return
    by_identity = _by_identity(history)
    for migration in migrations:
        row = by_identity.get(identity(migration))
        if migration.kind is not Kind.REPEATABLE:
            continue
        edit = facts.edits.get(migration.script)
        if row is not None and row.status is not Status.APPLIED:
            resumed = row.statements_done if row.checksum == migration.checksum else 0
            yield Step(migration, resumed, row)
        elif row is None or (edit is not None and not edit.same_tree):
            yield Step(migration)


def _foreign(history: Sequence[Applied], facts: Facts) -> Iterator[Problem]:
    if not history and not facts.empty:
        yield Problem(
            "no-history",
            "the database is not empty, and has no history of migrations",
            "If its schema is that of a version, say so: `pgratchet baseline VERSION` "
            "(0: none of the files is in it). Or is this the wrong database?",
        )


def _target(
    migrations: Sequence[Migration], rows: Mapping[int, Applied], to: int | None
) -> Iterator[Problem]:
    known = {migration.version for migration in migrations} | set(rows)
    if to is not None and to not in known:
        yield Problem("target", f"there is no version {to}", "`pgratchet status` lists the versions.")


def _edited(
    migrations: Sequence[Migration],
    history: Sequence[Applied],
    facts: Facts,
) -> Iterator[Problem]:
    for migration, row in edited(migrations, history):
        edit = facts.edits.get(migration.script)
        same = edit is not None and edit.same_tree
        if migration.version is None or row.status is not Status.APPLIED or same:
            continue
        yield Problem(
            "edited",
            f"{migration.path}: was edited after it had been applied ({row.applied_at:%Y-%m-%d %H:%M} by "
            f"{row.applied_by})" + _difference(edit, row.script, migration.script),
            "Put the file back as it was (the history holds its text), and make the change a new migration: "
            '`pgratchet new "…"`.',
            migration.script,
        )


def _difference(edit: Edit | None, before: str, after: str) -> str:
    if edit is None or edit.applied is None:
        return "; its text was not kept, so the difference cannot be shown"
    lines = list(
        difflib.unified_diff(
            edit.applied.splitlines(),
            edit.now.splitlines(),
            f"{before} as applied",
            f"{after} now",
            lineterm="",
            n=2,
        )
    )
    more = [f"… and {len(lines) - SHOWN} lines more"] if len(lines) > SHOWN else []
    return "\n" + "\n".join([*lines[:SHOWN], *more])


def _unfinished(
    migrations: Sequence[Migration], history: Sequence[Applied], facts: Facts
) -> Iterator[Problem]:
    """A half-done file may be mended from the statement on that failed, and not before."""
    for migration, row in edited(migrations, history):
        if row.status is Status.APPLIED or migration.version is None or not row.statements_done:
            continue
        edit = facts.edits.get(migration.script)
        if edit is None or not edit.same_start:
            yield Problem(
                "changed-half-way",
                f"{migration.path}: its first {row.statements_done} of {row.statements_total} statements have "
                "taken effect, and one of those was changed since"
                + _difference(edit, row.script, migration.script),
                "Put these statements back as they were; those after them may change.",
            )


def _missing(migrations: Sequence[Migration], rows: Mapping[int, Applied]) -> Iterator[Problem]:
    versions = {migration.version for migration in migrations}
    newest = max((version for version in versions if version is not None), default=-1)
    stands_for = max((m.version or 0 for m in migrations if m.kind is Kind.BASELINE), default=-1)
    for version, row in sorted(rows.items()):
        gone = version not in versions and row.kind is not Kind.MARKED
        if gone and stands_for < version < newest:
            yield Problem(
                "missing",
                f"{row.script} was applied ({row.applied_at:%Y-%m-%d %H:%M}), and its file is gone"
                if row.applied_at
                else f"{row.script} was begun, and its file is gone",
                "Put the file back from version control, or is --dir another project's?",
            )


def _out_of_order(steps: Sequence[Step], rows: Mapping[int, Applied]) -> Iterator[Problem]:
    done = [version for version, row in rows.items() if row.status is Status.APPLIED]
    newest = max(done, default=-1)
    for step in steps:
        version = step.migration.version
        if version is not None and step.row is None and version < newest:
            yield Problem(
                "out-of-order",
                f"{step.migration.path}: version {version} comes after version {newest} was applied "
                "(two branches were merged?)",
                f"Rename it to a version over {newest} if it is not applied anywhere yet; "
                "--out-of-order applies it as it is.",
            )


def _notes(migrations: Sequence[Migration], rows: Mapping[int, Applied], facts: Facts) -> Iterator[str]:
    newest = max((m.version for m in migrations if m.version is not None), default=-1)
    ahead = sorted(version for version in rows if version > newest)
    if ahead:
        yield (
            f"the database is ahead of the files: version {ahead[-1]} was applied by a newer build, "
            f"the files end at {newest if newest >= 0 else 'none'}"
        )
    for script, edit in sorted(facts.edits.items()):
        if edit.same_tree:
            yield f"{script}: comments, white space or letter case differ from what was applied; no statement does"
    if facts.to is not None and rows and facts.to < max(rows):
        yield f"the database is at version {max(rows)} already; to go back, write a migration that reverses"


def overview(
    migrations: Sequence[Migration], history: Sequence[Applied], made: Plan, *, database: str
) -> Overview:
    """Files and history side by side: every file, and every row whose file is not there."""
    rows = {identity(row): row for row in history}
    known = {identity(migration) for migration in migrations}
    pending = {step.migration.script for step in made.steps}
    wrong = {problem.script for problem in made.problems if problem.code == "edited"}
    newest = max((m.version for m in migrations if m.version is not None), default=-1)
    entries = [
        _file_entry(migration, rows.get(identity(migration)), pending, wrong) for migration in migrations
    ]
    entries += [_row_entry(row, newest) for row in history if identity(row) not in known]
    entries.sort(key=lambda entry: (entry.version is None, entry.version or 0, entry.kind, entry.description))
    return Overview(
        database=database,
        entries=tuple(entries),
        version=made.version,
        pending=len(made.steps),
        problems=made.problems,
        notes=made.notes,
    )


def _file_entry(
    migration: Migration, row: Applied | None, pending: set[str], wrong: set[str | None]
) -> Entry:
    if row is None:
        standing = Standing.PENDING if migration.script in pending else Standing.COVERED
        return Entry(migration.kind, migration.version, migration.description, migration.script, standing)
    standing = _standing(row)
    if row.status is Status.APPLIED and migration.script in pending:
        standing = Standing.PENDING
    elif migration.script in wrong:
        standing = Standing.EDITED
    return _entry(row, standing, migration.script)


def _row_entry(row: Applied, newest: int) -> Entry:
    if row.kind in {Kind.MARKED, Kind.BASELINE}:
        return _entry(row, _standing(row), row.script)
    ahead = row.version is not None and row.version > newest
    return _entry(row, Standing.AHEAD if ahead else Standing.MISSING, row.script)


def _standing(row: Applied) -> Standing:
    if row.status is not Status.APPLIED:
        return Standing(row.status.value)
    return Standing(row.kind.value) if row.kind in {Kind.MARKED, Kind.BASELINE} else Standing.APPLIED


def _entry(row: Applied, standing: Standing, script: str) -> Entry:
    return Entry(
        row.kind,
        row.version,
        row.description,
        script,
        standing,
        row.applied_at,
        row.execution_time_ms,
        row.applied_by,
        row.statements_done,
        row.statements_total,
    )
