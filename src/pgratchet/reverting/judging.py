"""Whether a reverse does what it should: the schema and the rows that it ends at, beside those wanted. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pgratchet import schema
from pgratchet.reverting.reading import Write
from pgratchet.reverting.records import Data, SchemaProof
from pgratchet.reverting.rows import Rows, changed
from pgratchet.schema import Action, Change, Item, Snapshot
from pgratchet.schema.comparing import ORDER

NO_STRAY = ("*: owner", "index *: clustered", "materialized view *: not populated", "extension *")
"""What two databases of the same files have each in its way."""
ADDS = {"INSERT", "COPY"}
ORDERED = ("table", "foreign table")
"""Kinds whose columns PostgreSQL cannot put in another order."""


@dataclass(frozen=True, slots=True)
class Ends:
    """What a scratch database holds: its schema, its rows, and how far its sequences have come."""

    schema: Snapshot
    rows: Mapping[str, Rows]
    sequences: Mapping[str, int | None]


class Judged(NamedTuple):
    """What was proven of a reverse, and what was not."""

    schema: SchemaProof
    differences: str
    reordered: tuple[str, ...]
    data: Data
    lost: tuple[str, ...]
    notes: tuple[str, ...]


def judge(
    wanted: Ends, found: Ends, doubtful: Ends, gone: Sequence[str], writes: Sequence[Write], *, tried: bool
) -> Judged:
    """Compare what came with what was wanted.

    `doubtful` is a second run of what was wanted; `gone` are the titles of what the migration dropped with rows in
    it; `tried`: there were rows.
    """
    changes = schema.difference(wanted.schema, found.schema)
    order = [change for change in changes if change.property == ORDER and change.item.kind in ORDERED]
    others = tuple(change for change in changes if change not in order)
    proof = SchemaProof.NOT if others else SchemaProof.ORDER if order else SchemaProof.PROVEN
    lost = tuple(dict.fromkeys(_lost(wanted, found, doubtful, gone, writes)))
    return Judged(
        proof,
        schema.describe(others),
        tuple(change.item.name for change in order),
        Data.LOST if lost else Data.KEPT if tried else Data.UNTRIED,
        lost,
        tuple(dict.fromkeys(_left(wanted, writes))),
    )


def dropped(before: Snapshot, after: Snapshot, renamed: Collection[str]) -> tuple[str, ...]:
    """The titles of tables and columns that hold rows, and that only the first schema has."""
    return tuple(
        change.item.title
        for change in schema.outermost(schema.difference(before, after))
        if change.action is Action.REMOVED and _holds(change, before) and change.item.title not in renamed
    )


def _holds(change: Change, before: Snapshot) -> bool:
    item = change.item
    if item.kind == "column":
        return (item.parent or "").startswith("table ") and "generated" not in item.properties
    if item.kind in {"schema", "extension"}:
        return any(other.kind == "table" and other.schema == item.schema for other in before.items)
    return item.kind == "table"


def strays(made: Snapshot, live: Snapshot, changes: Sequence[Change]) -> Iterator[str]:
    """What the new file is about and the live database has otherwise than its files make it."""
    touched = {title for change in changes for title in (change.item.title, change.item.parent) if title}
    one, other = (schema.select(snapshot, NO_STRAY) for snapshot in (made, live))
    titles = (change.item.title for change in schema.difference(one, other) if touched & _both(change.item))
    for title in dict.fromkeys(titles):
        yield f"{title} is not what the files make: was it changed by hand? `pgratchet drift` tells"


def _both(item: Item) -> set[str | None]:
    return {item.title, item.parent}


def untried(wanted: Ends, changes: Sequence[Change]) -> tuple[str, ...]:
    """The tables that change, and that have no row; a partitioned one has them in its partitions."""
    touched = {change.item.title if change.item.kind == "table" else change.item.parent for change in changes}
    touched -= {item.title for item in wanted.schema.items if "partition key" in item.properties}
    return tuple(name for name, rows in wanted.rows.items() if f"table {name}" in touched and not rows.count)


def _lost(
    wanted: Ends, found: Ends, doubtful: Ends, gone: Sequence[str], writes: Sequence[Write]
) -> Iterator[str]:
    """What was there before and does not come back, each thing once."""
    there = {item.title for item in wanted.schema.items}
    told = {title.partition(" ")[2] for title in gone if title in there}
    yield from (f"{_whose(title)} do not come back" for title in gone if title in there)
    for write in writes:
        if write.verb not in ADDS and f"table {_full(write.table)}" in there:
            told.add(_full(write.table))
            yield f"what {write.where} ({write.verb}) changed in {write.table} does not change back"
    added = {_full(write.table) for write in writes if write.verb in ADDS and not write.undo}
    for table, more, columns in changed(wanted.rows, found.rows, doubtful.rows):
        others = [name for name in columns if name not in told]
        if table in told or (more > 0 and table in added) or (not more and columns and not others):
            continue
        if more:
            yield f"{table} has {abs(more)} rows {'more' if more > 0 else 'fewer'} than without the migration"
        else:
            yield f"the values of {', '.join(others) or table} are not those of before"
    yield from _sequences(wanted, found)


def _left(wanted: Ends, writes: Sequence[Write]) -> Iterator[str]:
    """What was not there before, and stays."""
    there = {item.title for item in wanted.schema.items}
    for write in writes:
        if write.verb in ADDS and not write.undo and f"table {_full(write.table)}" in there:
            yield f"the rows that {write.where} put into {write.table} stay"


def _whose(title: str) -> str:
    return f"the {'values' if title.startswith('column') else 'rows'} of {title}"


def _sequences(wanted: Ends, found: Ends) -> Iterator[str]:
    for name, value in wanted.sequences.items():
        now = found.sequences.get(name)
        if name in found.sequences and now != value and value is not None and (now is None or now < value):
            yield f"the sequence {name} had come to {value}, and is at {now or 'its start'}"


def _full(name: str) -> str:
    return name if "." in name else f"public.{name}"
