"""Proofs: a file applied twice, or cut short and run again, must end at the same schema and the same rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import psycopg

from pgratchet import __version__, apply, db, history, schema, sql
from pgratchet.apply.work import follow, roll_back, statement
from pgratchet.errors import PgratchetError
from pgratchet.model import Event, Observer, Plan, Preview, StatementEnded, Status, Step, ignore
from pgratchet.rehearsal import databases
from pgratchet.rehearsal.looking import relations
from pgratchet.rehearsal.records import Answer, Proof
from pgratchet.rehearsal.running import PATIENCE
from pgratchet.wire import Command, Refused

TWICE = "applied twice"
SHOWN = 3


class _Cut(BaseException):
    """The run is broken off here, as a killed one is: nothing of it is cleaned up."""


@dataclass(frozen=True, slots=True)
class _End:
    """What a database holds after a run."""

    schema: schema.Snapshot
    rows: Mapping[str, tuple[int, str]]
    """Of each table: how many, and a digest of them in any order."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """A copy at the state before a step."""

    url: str
    name: str
    names: history.Names
    run: history.Run
    made: Preview


def proven(url: str, names: history.Names, run: history.Run, made: Preview) -> tuple[Proof, ...]:
    """Prove each file of the plan in turn, on a copy that nobody else is connected to; it ends with all applied.

    What comes after a file that fails is not proven.
    """
    with db.opened(url, name="pgratchet look", wait=0, observer=ignore) as connection:
        scene = _Scene(url, str(connection.info.dbname), names, run, made)
    proofs: list[Proof] = []
    for step in made.plan.steps:
        script = made.scripts[step.migration.script]
        try:
            if script.statements is None:
                proofs.append(
                    Proof(step.migration.script, TWICE, holds=False, detail="too large to be read twice")
                )
                _apply(scene, url, step)
            elif script.transactional and not step.done:
                proofs += _in_one_transaction(scene, step)
            else:
                proofs += _cut_short(scene, step)
                _apply(scene, url, step)
        except (Refused, PgratchetError):
            break
    return tuple(proofs)


def _in_one_transaction(scene: _Scene, step: Step) -> Iterator[Proof]:
    """Run the file, and once more behind a savepoint; the first time stays."""
    with _connected(scene.url) as connection:
        work = _work(scene, connection, step)
        body = [*_body(scene, step), Command("SET CONSTRAINTS ALL IMMEDIATE")]
        body += [Command(text) for text in work.session.reset]
        try:
            follow(work, [Command("BEGIN"), *body], [])
            first = _end(connection, scene.names)
            connection.execute("SAVEPOINT proven")
            proof = _again(work, body, first, scene, step)
            connection.execute("ROLLBACK TO SAVEPOINT proven")
            connection.execute("COMMIT")
        except Refused:
            roll_back(work)
            raise
    yield proof


def _again(work: apply.Work, body: Sequence[Command], first: _End, scene: _Scene, step: Step) -> Proof:
    script = step.migration.script
    try:
        follow(work, body, [])
    except Refused as refused:
        return _refused(script, refused)
    return _twice(script, first, _end(work.session.connection, scene.names))


def _refused(script: str, refused: Refused) -> Proof:
    """Loud, and so harmless: the history keeps a file from being applied twice, and nothing is changed."""
    item = refused.command.statement
    place = f"line {item.line}: " if item else ""
    reason = refused.error.diag.message_primary or str(refused.error)
    return Proof(script, TWICE, holds=False, detail=f"the second run is refused: {place}{reason}")


def _twice(script: str, first: _End, second: _End) -> Proof:
    found = _difference(first, second)
    detail = f"the second run changes it: {found}" if found else ""
    return Proof(script, TWICE, not found, detail, Answer.CARE if found else None)


def _cut_short(scene: _Scene, step: Step) -> Iterator[Proof]:
    """Break the step off after each of its statements, on a copy each, and let the next run finish it."""
    with databases.cloned(scene.url, scene.name) as whole:
        _apply(scene, whole, step)
        wanted = _end_of(whole, scene.names)
        yield _once_more(scene, whole, step, wanted)
    volatile: set[str] | None = None
    for item in scene.made.scripts[step.migration.script].statements or ():
        if item.control is not None or item.number <= step.done:
            continue
        what = f"cut short after statement {item.number} (line {item.line}) and run again"
        with databases.cloned(scene.url, scene.name) as copy:
            try:
                _break_off(scene, copy, step, item.number)
                _apply(scene, copy, _left(copy, scene.names, step))
            except PgratchetError as error:
                yield Proof(
                    step.migration.script, what, holds=False, detail=error.message, weighs=Answer.NO_GO
                )
                continue
            end = _end_of(copy, scene.names)
        if volatile is None and _difference(wanted, end):
            volatile = _volatile(scene, step, wanted)
        found = _difference(wanted, end, volatile or set())
        yield Proof(step.migration.script, what, not found, found, Answer.NO_GO if found else None)


def _once_more(scene: _Scene, url: str, step: Step, first: _End) -> Proof:
    """Run every statement a second time, as if the history had been lost."""
    with _connected(url) as connection:
        work = _work(scene, connection, step)
        for command in _body(scene, step):
            try:
                follow(work, [command], [])
            except Refused as refused:
                roll_back(work)
                return _refused(step.migration.script, refused)
    return _twice(step.migration.script, first, _end_of(url, scene.names))


def _volatile(scene: _Scene, step: Step, wanted: _End) -> set[str]:
    """The tables in which two runs that nobody cut short differ as well: a time or a random number is in them."""
    with databases.cloned(scene.url, scene.name) as other:
        _apply(scene, other, step)
        end = _end_of(other, scene.names)
    return {table for table, rows in end.rows.items() if wanted.rows.get(table) != rows}


def _body(scene: _Scene, step: Step) -> list[Command]:
    statements = scene.made.scripts[step.migration.script].statements or ()
    return [statement(step.migration, item) for item in statements if item.control is None]


def _apply(scene: _Scene, url: str, step: Step, observer: Observer = ignore) -> None:
    with _connected(url) as connection:
        work = _work(scene, connection, step, observer)
        plan = Plan((step,))
        apply.apply(work, plan, history.state(connection, scene.names))


def _break_off(scene: _Scene, url: str, step: Step, number: int) -> None:
    def cut(event: Event) -> None:
        if isinstance(event, StatementEnded) and event.statement.number == number and event.error is None:
            raise _Cut

    try:
        _apply(scene, url, step, cut)
    except _Cut:
        return


def _left(url: str, names: history.Names, step: Step) -> Step:
    """What the history says is left of a step that was broken off."""
    with _connected(url) as connection:
        rows = history.read(connection, names) if history.state(connection, names).has_history else ()
    found = next((row for row in rows if row.script == step.migration.script), None)
    if found is None or found.status is Status.APPLIED:
        return step
    return Step(step.migration, found.statements_done, found)


def _work(scene: _Scene, connection: db.Connection, step: Step, observer: Observer = ignore) -> apply.Work:
    session = db.session(connection, scene.url, PATIENCE.lock_timeout)
    scripts = (step.migration.script,)
    work = apply.prepare(session, scene.names, scene.run, scene.made.scripts, scripts, observer)
    return replace(work, patience=PATIENCE, window=1)


def _connected(url: str) -> closing[db.Connection]:
    """A run that is broken off leaves its connection as a killed process does: closed."""
    return closing(db.connect(url, name=f"pgratchet {__version__} proof", wait=0, observer=ignore))


def _end_of(url: str, names: history.Names) -> _End:
    with _connected(url) as connection:
        return _end(connection, names)


def _end(connection: db.Connection, names: history.Names) -> _End:
    own = {f"{names.schema}.{table}" for table in names.tables}
    rows: dict[str, tuple[int, str]] = {}
    for relation in relations(connection).values():
        if relation.kind in {"table", "materialized view"} and relation.name.replace('"', "") not in own:
            query = sql.load("rehearse_rows").format(relation=relation.name)
            try:
                with connection.transaction():
                    [(count, digest)] = connection.execute(query.encode()).fetchall()
            except psycopg.Error:  # not populated, or not ours to read
                continue
            rows[relation.name] = (int(count), str(digest))
    return _End(schema.snapshot(connection), rows)


def _difference(wanted: _End, found: _End, volatile: Collection[str] = ()) -> str:
    """In what two ends differ, in a few words; of a volatile table the number of rows alone counts."""
    changes = schema.describe(schema.difference(wanted.schema, found.schema)).splitlines()
    for table in sorted(wanted.rows.keys() | found.rows.keys()):
        before, after = wanted.rows.get(table, (0, "")), found.rows.get(table, (0, ""))
        if before[0] != after[0]:
            changes.append(f"{table} has {after[0]:,} rows and not {before[0]:,}")
        elif before[1] != after[1] and table not in volatile:
            changes.append(f"{table} has other values")
    more = [f"and {len(changes) - SHOWN} more"] if len(changes) > SHOWN else []
    return "; ".join([*changes[:SHOWN], *more])
