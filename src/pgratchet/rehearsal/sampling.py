"""A sample of a database as its copy: the schema whole, of each table so many rows, and every foreign key holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple, TypeVar

from pgratchet import db, scratch, sql
from pgratchet.backup import snapshot
from pgratchet.backup.snapshot import Snapshot
from pgratchet.model import Observer, ignore
from pgratchet.rehearsal import dumping, picking
from pgratchet.rehearsal.picking import Found, Key, Reference, Row
from pgratchet.rehearsal.records import Part, Sample
from pgratchet.rehearsal.sources import Origin

T = TypeVar("T")
KEYS, PLACES = 1000, 10_000
"""How many are looked for with one query."""
CHOSEN = 'pg_catalog.hashtextextended(ROW({})::text COLLATE "C", 0), tableoid, ctid'
"""The order in which rows are taken: one that has nothing to do with their age, and is the same each time."""


class Table(NamedTuple):
    """A table to be sampled."""

    oid: int
    name: str
    kind: str
    head: int
    """The table that it is a partition of, over every level; or itself."""
    columns: list[str]
    key: list[str]
    fixed: list[str]
    """Columns that are cheap to read."""


def sample(origin: Origin, there: str, rows: int, observer: Observer) -> Sample:
    """Fill an empty database with a sample of another, and tell which part of each table it has."""
    with (
        db.opened(origin.url, name="pgratchet sample", wait=0, observer=ignore) as source,
        db.opened(there, name="pgratchet sample", wait=0, observer=ignore) as target,
        scratch.place() as place,
    ):
        snapshot.prepare(source)
        snapshot.prepare(target)
        with snapshot.taken(source) as moment:
            programs = dumping.Programs(origin, there, place, observer)
            sections = ("pre-data", "post-data")
            programs.dump(
                "--no-blobs", f"--snapshot={moment.id}", *(f"--section={name}" for name in sections)
            )
            programs.restore("--section=pre-data")
            found = _Reader(source, moment, origin, rows)
            parts = _fill(found, target)
            _set_sequences(source, target)
        programs.restore("--section=post-data")
    dumping.analyze(there)
    return Sample(rows, parts)


class _Reader:
    """What is asked of the source, all of it in one snapshot."""

    def __init__(self, source: db.Connection, moment: Snapshot, origin: Origin, rows: int) -> None:
        self.source, self.rows = source, rows
        oids = ",".join(str(relation.oid) for relation in moment.relations)
        found = source.execute(sql.load("rehearse_sampled").encode(), {"oids": oids}).fetchall()
        self.tables = {int(row[0]): Table(*row) for row in found}
        self.heads = [oid for oid, table in self.tables.items() if table.head == oid]
        own = {sql.qualified(origin.names.schema, name) for name in origin.names.tables}
        history = {item.oid for item in moment.relations if item.quoted in own}
        self.limits = {head: None if head in history else rows for head in self.heads}
        self.references = [item for item in self._references() if {item.child, item.parent} <= {*self.heads}]

    def _references(self) -> Iterator[Reference]:
        for child, parent, *lists in self.source.execute(sql.load("rehearse_references").encode()).fetchall():
            yield Reference(int(child), int(parent), *(tuple(item) for item in lists))

    def first(self, head: int) -> list[Found]:
        """The rows that come first in the order of their hashes."""
        table = self.tables[head]
        of = table.key or table.fixed or table.columns
        order = CHOSEN.format(", ".join(of)) if of else "tableoid, ctid"
        limit = "" if self.limits[head] is None else f" LIMIT {self.rows}"
        return self._ask(head, f" ORDER BY {order}{limit}")

    def referred(self, reference: Reference, keys: Sequence[Key]) -> list[Found]:
        """The rows of a parent that are referred to."""
        names = [f"k{number}" for number in range(len(reference.columns))]
        same = " AND ".join(
            f"t.{column} {operator} wanted.{name}::{kind}"
            for column, operator, name, kind in zip(
                reference.parent_columns, reference.operators, names, reference.types, strict=True
            )
        )
        found: list[Found] = []
        for some in _batches(keys, KEYS):
            values = ", ".join(f"({', '.join(map(sql.literal, key))})" for key in some)
            join = f" JOIN (VALUES {values}) AS wanted ({', '.join(names)}) ON {same}"
            found += self._ask(reference.parent, join)
        return found

    def _ask(self, head: int, rest: str) -> list[Found]:
        keys = "".join(
            f", CASE WHEN pg_catalog.num_nulls({', '.join(names)}) = 0 "
            f"THEN ARRAY[{', '.join(f'{name}::text' for name in names)}] END"
            for names in (
                [f"t.{column}" for column in item.columns] for item in self.references if item.child == head
            )
        )
        query = f"SELECT t.tableoid::bigint, t.ctid::text{keys} {self._from(head)} AS t{rest}"
        return [
            Found((int(leaf), str(place)), tuple(key and tuple(key) for key in found))
            for leaf, place, *found in self.source.execute(query.encode()).fetchall()
            if leaf in self.tables  # and in no foreign table, whose rows are not ours to copy
        ]

    def counted(self, head: int) -> int:
        """How many rows there are."""
        query = f"SELECT pg_catalog.count(*) {self._from(head)}"
        [(count,)] = self.source.execute(query.encode()).fetchall()
        return int(count)

    def _from(self, head: int) -> str:
        """Rows of children by inheritance are rows of tables of their own; those of partitions are not."""
        table = self.tables[head]
        return f"FROM {table.name}" if table.kind == "p" else f"FROM ONLY {table.name}"


def _fill(reader: _Reader, target: db.Connection) -> tuple[Part, ...]:
    """Copy the rows that are picked."""
    picked = picking.pick(reader.heads, reader.references, reader.limits, reader.first, reader.referred)
    for rows in picked.values():
        places: dict[int, list[str]] = defaultdict(list)
        for leaf, place in rows:
            places[leaf].append(place)
        for leaf, found in places.items():
            _copy(reader.source, target, reader.tables[leaf], found)
    return tuple(_part(reader, head, rows) for head, rows in picked.items())


def _part(reader: _Reader, head: int, rows: Collection[Row]) -> Part:
    limit = reader.limits[head]
    total = len(rows) if limit is None or len(rows) < limit else reader.counted(head)
    partitions = tuple(item.name for item in reader.tables.values() if item.head == head and item.oid != head)
    return Part(reader.tables[head].name, len(rows), total, partitions)


def _copy(source: db.Connection, target: db.Connection, table: Table, places: Sequence[str]) -> None:
    columns = ", ".join(table.columns)
    for some in _batches(places, PLACES) if columns else ():
        wanted = ", ".join(map(sql.literal, some))
        source_rows = f"FROM ONLY {table.name} WHERE ctid = ANY (ARRAY[{wanted}]::tid[])"
        dumping.pipe(
            source,
            f"COPY (SELECT {columns} {source_rows}) TO STDOUT",
            target,
            f"COPY {table.name} ({columns}) FROM STDIN",
        )


def _set_sequences(source: db.Connection, target: db.Connection) -> None:
    """Let a new row have a key that none has."""
    for (name,) in source.execute(sql.load("rehearse_sequences").encode()).fetchall():
        of = f"FROM {name}"
        [(last, called)] = source.execute(f"SELECT last_value, is_called {of}".encode()).fetchall()
        target.execute("SELECT pg_catalog.setval(%s::text::regclass, %s, %s)", (name, last, called))


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
