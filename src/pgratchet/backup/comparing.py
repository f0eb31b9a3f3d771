"""Is a restored database what the snapshot was: the same catalogue, the same tables, each with the same rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from pgratchet import db, schema, sql
from pgratchet.backup import snapshot
from pgratchet.backup.manifest import SCHEMA, Manifest, Table
from pgratchet.schema import Action, Change, Item, Snapshot

SHOWN = 2000
"""Letters of a difference: the rest can be read by comparing the two databases."""


class Differences(NamedTuple):
    """What makes a backup bad, and what only has to be known."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]


def keep(folder: Path, shape: Snapshot) -> None:
    """Write the catalogue beside the data."""
    items = [asdict(item) for item in shape.items]
    (folder / SCHEMA).write_text(json.dumps(items, ensure_ascii=False, indent=0), encoding="utf-8")


def differences(connection: db.Connection, folder: Path, made: Manifest) -> Differences:
    """Every difference; none where the restore brought back everything.

    A newer major version may write the same catalogue in other words: there they are notes.
    """
    changes = _changes(connection, folder)
    snapshot.prepare(connection)
    rows = tuple(_tables(connection, made))
    same_version = connection.info.server_version // 10_000 == made.major
    return Differences(rows + changes, ()) if same_version else Differences(rows, changes)


def _changes(connection: db.Connection, folder: Path) -> tuple[str, ...]:
    items = json.loads((folder / SCHEMA).read_text(encoding="utf-8"))
    before = Snapshot(tuple(Item(**item) for item in items))
    changes = [
        change for change in schema.difference(before, schema.snapshot(connection)) if not _expected(change)
    ]
    return (f"the catalogue is not the same:\n{schema.describe(changes)[:SHOWN]}",) if changes else ()


def _expected(change: Change) -> bool:
    """No dump holds an INVALID index, and no restored database the mark of its environment."""
    item = change.item
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
            yield from _rows(table, snapshot.digest(connection, table.schema, table.name))
    yield from _large_objects(connection, made)


def _rows(before: Table, after: Table) -> Iterator[str]:
    name = sql.qualified(before.schema, before.name)
    if before.rows != after.rows:
        yield f"{name} had {before.rows} rows and has {after.rows}"
    elif before.digest != after.digest:
        yield f"{name} has as many rows as before ({before.rows}), and not the same"


def _large_objects(connection: db.Connection, made: Manifest) -> Iterator[str]:
    if made.large_objects is None:
        return
    after = snapshot.large_objects(connection)
    if after and after != made.large_objects:
        yield f"there were {made.large_objects.rows} large objects, and now {after.rows}, or others"
