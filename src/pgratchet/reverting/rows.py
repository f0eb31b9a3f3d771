"""The rows of a database, so that two can be compared: a query for each table, and the differences in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pgratchet.schema import Item, Snapshot

SEQUENCES = (
    "SELECT pg_catalog.quote_ident(schemaname) || '.' || pg_catalog.quote_ident(sequencename), last_value "
    "FROM pg_catalog.pg_sequences"
)


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows a table has, a digest of them in any order, and one of each column."""

    count: int
    digest: str
    columns: Mapping[str, str]


def tables(snapshot: Snapshot, own: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The columns of each table, in an order that does not depend on the table's; without the history's own."""
    columns: dict[str, list[str]] = {
        item.title: [] for item in snapshot.items if item.kind == "table" and item.name not in own
    }
    for item in snapshot.items:
        if item.kind == "column" and item.parent in columns:
            columns[item.parent].append(bare(item))
    return {title.removeprefix("table "): tuple(sorted(names)) for title, names in columns.items()}


def bare(item: Item) -> str:
    """The name of a column without its table's, as SQL writes it."""
    _, _, table = (item.parent or "").partition(" ")
    return item.name.removeprefix(f"{table}.")


def query(table: str, columns: Collection[str]) -> str:
    """One row: the number of rows, the digest of whole rows, and an array of the digests of columns."""
    row = f"ROW({', '.join(columns)})::text"
    each = ", ".join(f"{_sum(f'{column}::text')}" for column in columns) or "NULL"
    digests = f"{_sum(row)}, ARRAY[{each}]::text[]"
    return f"SELECT pg_catalog.count(*), {digests} FROM ONLY {table}"  # noqa: S608 - a snapshot quotes names


def _sum(text: str) -> str:
    hashed = f'pg_catalog.hashtextextended(({text}) COLLATE "C", 0)::numeric'
    return f"coalesce(pg_catalog.sum({hashed}), 0)::text"


def changed(
    wanted: Mapping[str, Rows], found: Mapping[str, Rows], doubtful: Mapping[str, Rows]
) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """The tables whose rows are not what was wanted: by how many there are more, and the columns that differ.

    What differs in `doubtful` too, a second run of what was wanted, is a time or a random number.
    """
    for table in sorted(wanted.keys() & found.keys()):
        one, other = wanted[table], found[table]
        more = other.count - one.count
        if more or (one.digest != other.digest and doubtful.get(table, one) == one):
            names = (name for name, digest in one.columns.items() if other.columns.get(name) != digest)
            yield table, more, tuple(f"{table}.{name}" for name in names)
