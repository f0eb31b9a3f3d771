"""Is a restored database what the snapshot was: the same catalogue, the same tables, each with the same rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from pgratchet import db, schema, sql
from pgratchet.backup import snapshot
from pgratchet.backup.manifest import SCHEMA, Counter, Manifest, Table
from pgratchet.schema import Action, Change, Item, Snapshot

SHOWN = 2000
"""Letters of a difference: the rest can be read by comparing the two databases."""


class Differences(NamedTuple):
    """What did not come back as it was."""

    rows: tuple[str, ...]
    catalogue: tuple[str, ...]
    """A difference that no newer version of the server, or of an extension, explains."""
    notes: tuple[str, ...]
    """One that it may explain."""


def keep(folder: Path, shape: Snapshot) -> None:
    """Write the catalogue beside the data."""
    items = [asdict(item) for item in shape.items]
    (folder / SCHEMA).write_text(json.dumps(items, ensure_ascii=False, indent=0), encoding="utf-8")


def differences(connection: db.Connection, folder: Path, made: Manifest) -> Differences:
    """Every difference; none where the restore brought back everything."""
    items = json.loads((folder / SCHEMA).read_text(encoding="utf-8"))
    before = Snapshot(tuple(Item(**item) for item in items))
    after = schema.snapshot(connection)
    newer = connection.info.server_version // 10_000 != made.major
    changes = [change for change in schema.difference(before, after) if not _expected(change, newer=newer)]
    excused = [change for change in changes if newer or _is_version(change)]
    snapshot.prepare(connection)
    return Differences(
        tuple(_tables(connection, made)),
        _told([change for change in changes if change not in excused]),
        _told(excused),
    )


def _told(changes: list[Change]) -> tuple[str, ...]:
    return (f"the catalogue is not the same:\n{schema.describe(changes)[:SHOWN]}",) if changes else ()


def _is_version(change: Change) -> bool:
    """A server has one version of an extension, and a dump does not say which it was."""
    return change.item.kind == "extension" and change.property == "version"


def _expected(change: Change, *, newer: bool) -> bool:
    """No dump holds an INVALID index, and no restored database the mark of its environment.

    From 18 on a column's NOT NULL is a constraint of its own, which a restore of an older dump makes.
    """
    item = change.item
    if change.action is Action.ADDED:
        return newer and item.kind == "constraint" and item.properties["definition"].startswith("NOT NULL")
    unfinished = item.kind == "index" and "invalid" in item.properties
    return change.action is Action.REMOVED and (unfinished or item.title == f"setting {db.MARK}")


def _tables(connection: db.Connection, made: Manifest) -> Iterator[str]:
    there = {relation.quoted for relation in snapshot.relations(connection) if relation.kind == "r"}
    known = {sql.qualified(table.schema, table.name) for table in made.tables}
    for name in sorted(there - known - set(made.excluded)):
        yield f"{name} was restored, and is not in the manifest"
    for name in sorted({*known, *made.excluded} - there):
        yield f"{name} was not restored"
    for table in made.tables:
        if sql.qualified(table.schema, table.name) in there:
            yield from rows(table, snapshot.digest(connection, table.schema, table.name))
    yield from _large_objects(connection, made)
    yield from counters(made.counters, snapshot.counters(connection))


def rows(before: Table, after: Table) -> Iterator[str]:
    """What is not the same of a table's rows."""
    name = sql.qualified(before.schema, before.name)
    if before.rows != after.rows:
        yield f"{name} had {before.rows} rows and has {after.rows}"
    elif before.digest != after.digest:
        yield f"{name} has as many rows as before ({before.rows}), and not the same"


def counters(before: Sequence[Counter], after: Sequence[Counter]) -> Iterator[str]:
    """What is not the same of the sequences; one that was in use meanwhile may have come as far as it did then."""
    now = {(item.schema, item.name): item for item in after}
    for item in before:
        there = now.get((item.schema, item.name))  # the catalogue tells of one that is gone
        if there and not _stands(item, there):
            name = sql.qualified(item.schema, item.name)
            yield f"the sequence {name} stood at {_position(item)}, and stands at {_position(there)}"


def _stands(before: Counter, after: Counter) -> bool:
    if before.until is None:
        return (before.value, before.called) == (after.value, after.called)
    return before.cycles or after.value in range(
        min(before.value, before.until), max(before.value, before.until) + 1
    )


def _position(item: Counter) -> str:
    return f"{item.value}{'' if item.called else ', not given out'}"


def _large_objects(connection: db.Connection, made: Manifest) -> Iterator[str]:
    if made.large_objects is None:
        return
    after = snapshot.large_objects(connection)
    if after and after != made.large_objects:
        yield f"there were {made.large_objects.rows} large objects, and now {after.rows}, or others"
