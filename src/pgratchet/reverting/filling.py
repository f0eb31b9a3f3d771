"""Made-up rows for the tables of a schema, so that a change of them has something to lose.

The value of a type in row n is the same in every table: a foreign key finds the row that it refers to.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pgratchet import sql
from pgratchet.reverting.rows import bare
from pgratchet.schema import Item, Snapshot

NUMBER = 3
"""Rows of a table."""
PASSES = 3
"""A table waits for those that it refers to; in the last one less than whole rows will do."""
FIRST = 7000
NUMBERS = {"smallint", "integer", "bigint", "oid"}
VALUES = {
    "numeric": "{n}.123456789",
    "real": "{n}.123456789",
    "double precision": "{n}.123456789",
    "money": "{n}.25",
    "text": "row{n}@example.org",
    "character varying": "row{n}@example.org",
    "character": "row{n}@example.org",
    "citext": "row{n}@example.org",
    "name": "row{n}",
    "date": "2024-03-0{i}",
    "timestamp without time zone": "2024-03-0{i} 01:02:03.456789",
    "timestamp with time zone": "2024-03-0{i} 01:02:03.456789+00",
    "time without time zone": "01:02:03.45678{i}",
    "time with time zone": "01:02:03.45678{i}+00",
    "interval": "{i} days 01:02:03.456789",
    "uuid": "00000000-0000-4000-8000-00000000{n}",
    "json": '{{"row": {n}}}',
    "jsonb": '{{"row": {n}}}',
    "bytea": "\\x{n}",
    "inet": "10.0.0.{i}",
    "cidr": "10.0.{i}.0/24",
    "macaddr": "08:00:2b:01:02:0{i}",
    "xml": "<row>{n}</row>",
    "tsvector": "row{n}",
    "point": "({n},{i})",
    "hstore": "row=>{n}",
    "ltree": "row.n{n}",
}
VECTORS = {"vector", "halfvec"}
BLOCK = "DO $fill$ BEGIN IF (SELECT count(*) FROM {place}) < {i} THEN {tries} END IF; END $fill$"
TRY = "BEGIN {insert}; EXCEPTION WHEN OTHERS THEN {other} END;"


@dataclass(frozen=True, slots=True)
class _Types:
    """What a value of a type that the schema makes is taken from."""

    labels: Mapping[str, tuple[str, ...]]
    domains: Mapping[str, str]


def statements(snapshot: Snapshot, own: Collection[str]) -> Iterator[str]:
    """Statements that give each table a few rows where its constraints allow it; none of them fails."""
    types = _types(snapshot)
    tables = [item for item in snapshot.items if item.kind == "table" and item.name not in own]
    parts: dict[str, list[Item]] = {table.title: [] for table in tables}
    for item in snapshot.items:
        if item.parent in parts:
            parts[item.parent].append(item)
    for turn in range(PASSES):
        for table in tables:
            if "partition bound" not in table.properties:
                for i in range(1, NUMBER + 1):
                    yield _block(table, parts[table.title], types, i, last=turn == PASSES - 1)


def _types(snapshot: Snapshot) -> _Types:
    labels, domains = {}, {}
    for item in snapshot.items:
        if item.kind == "type" and "labels" in item.properties:
            labels[item.name] = tuple(re.findall(r"'((?:[^']|'')*)'", item.properties["labels"]))
        elif item.kind == "domain":
            domains[item.name] = item.properties["type"]
    return _Types(labels, domains)


def _block(table: Item, parts: Collection[Item], types: _Types, i: int, *, last: bool) -> str:
    columns = [item for item in parts if item.kind == "column" and "generated" not in item.properties]
    checks = " ".join(item.properties["definition"] for item in parts if item.kind == "constraint")
    least = [item for item in columns if "not null" in item.properties and "default" not in item.properties]
    tries = "NULL;"
    for chosen, n in (*([(least, i)] if last else []), (columns, i), (columns, FIRST + i)):
        tries = TRY.format(insert=_insert(table.name, chosen, checks, types, (i, n)), other=tries)
    # A partitioned table has its rows elsewhere; one that is inherited from has some of its own.
    place = table.name if "partition key" in table.properties else f"ONLY {table.name}"
    return BLOCK.format(place=place, i=i, tries=tries)


def _insert(
    table: str, columns: Collection[Item], checks: str, types: _Types, numbers: tuple[int, int]
) -> str:
    values = {
        bare(item): value
        for item in columns
        if (value := _value(item.properties["type"], types, numbers, _allowed(bare(item), checks)))
    }
    if not values:
        return f"INSERT INTO {table} DEFAULT VALUES"
    names, row = ", ".join(values), ", ".join(values.values())
    return f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({row})"  # noqa: S608 - a snapshot quotes names


def _allowed(column: str, checks: str) -> list[str]:
    """The texts that a check compares the column with: one of a few is often all that it takes."""
    found = re.search(rf"\(\(?{re.escape(column)}\)?(?:::text)? = (?:ANY \(+ARRAY\[)?([^])]*)", checks)
    return re.findall(r"'((?:[^']|'')*)'", found[1]) if found else []


def _value(type_: str, types: _Types, numbers: tuple[int, int], allowed: list[str]) -> str | None:
    """An expression of the type; None where nothing is known of it."""
    i, n = numbers
    base = re.sub(r"\(.*?\)", "", types.domains.get(type_, type_)).strip()
    if base.endswith("[]"):
        one = _value(base[:-2], types, numbers, allowed)
        return f"ARRAY[{one}]::{type_}" if one else None
    short = base.rpartition(".")[2]
    if base in types.labels:
        labels = types.labels[base]
        return f"'{labels[i % len(labels)]}'::{type_}" if labels else None
    if allowed and ("text" in base or "character" in base):
        return f"'{allowed[i % len(allowed)]}'"
    if base in NUMBERS:
        return str(n)
    if base == "boolean":
        return "true" if i % 2 else "false"
    if short in VECTORS and (size := re.search(r"\((\d+)\)", type_)):
        return f"array_fill({n % 10}.5::real, ARRAY[{size[1]}])::{type_}"
    written = VALUES.get(base) or VALUES.get(short)
    return f"{sql.literal(written.format(n=n, i=i))}::{type_}" if written else None
