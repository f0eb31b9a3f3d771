"""What a run would do: the plan of files and history, and the text that it would run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from pgratchet import db, history, integrity, parse, plan, scaffold
from pgratchet.model import Applied, Migration, Plan, Preview, Script, Status


def preview_of(
    connection: db.Connection,
    names: history.Names,
    migrations: Sequence[Migration],
    *,
    to: int | None,
    out_of_order: bool,
) -> Preview:
    """The plan, with every file of it read: one that has no statement yet is a problem too."""
    made, _, _ = plan_of(connection, names, migrations, to=to, out_of_order=out_of_order)
    scripts = {step.migration.script: parse.read(step.migration.path) for step in made.steps}
    empty = (scaffold.problems(step.migration, scripts[step.migration.script]) for step in made.steps)
    problems = (*made.problems, *integrity.problems(migrations), *chain.from_iterable(empty))
    return Preview(replace(made, problems=problems), scripts)


def plan_of(
    connection: db.Connection,
    names: history.Names,
    migrations: Sequence[Migration],
    *,
    to: int | None,
    out_of_order: bool,
) -> tuple[Plan, tuple[Applied, ...], history.State]:
    """The plan, and the rows and the state of the database that it was made from."""
    state = history.state(connection, names)
    rows = history.read(connection, names) if state.has_history else ()
    edits = dict(_edits(connection, names, plan.edited(migrations, rows)))
    facts = plan.Facts(state.empty, to, out_of_order, edits)
    return plan.plan(migrations, rows, facts), rows, state


def _edits(
    connection: db.Connection, names: history.Names, pairs: Sequence[tuple[Migration, Applied]]
) -> Iterator[tuple[str, plan.Edit]]:
    for migration, row in pairs:
        script = parse.read(migration.path)
        before = history.body(connection, names, row.checksum)
        now = migration.path.read_text(encoding="utf-8-sig") if before is not None else ""
        same = script.tree_checksum == row.tree_checksum
        yield migration.script, plan.Edit(same, before, now, _same_start(row, script, before))


def _same_start(row: Applied, script: Script, before: str | None) -> bool:
    if row.status is Status.APPLIED or before is None:
        return False
    then = parse.read_text(before, row.script).statements or ()
    done = row.statements_done
    return [item.sql for item in then[:done]] == [item.sql for item in (script.statements or ())[:done]]
