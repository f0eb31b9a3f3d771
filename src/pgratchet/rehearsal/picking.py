"""Which rows a sample has: so many of each table, and all that those refer to, over whatever cycle. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

Key = tuple[str, ...]
Row = tuple[int, str]
"""The table that holds it, which is a partition of one that is divided, and its place there."""


class Reference(NamedTuple):
    """A foreign key between two tables; of one that is divided the head counts."""

    child: int
    parent: int
    columns: tuple[str, ...]
    types: tuple[str, ...]
    parent_columns: tuple[str, ...]
    operators: tuple[str, ...]
    """What makes the parent's column the same as the child's."""


class Found(NamedTuple):
    """A row, and what it refers to: a key for each reference of its table, None where that is empty."""

    row: Row
    keys: tuple[Key | None, ...]


First = Callable[[int], Sequence[Found]]
"""The rows that a table begins with, at most as many as are wanted of it."""
Referred = Callable[[Reference, Sequence[Key]], Sequence[Found]]
"""The rows of a reference's parent that have one of the keys."""


def pick(
    tables: Sequence[int],
    references: Sequence[Reference],
    limits: Mapping[int, int | None],
    first: First,
    referred: Referred,
) -> dict[int, dict[Row, None]]:
    """The rows of each table: those that other rows refer to, and others up to its limit.

    More than that only where so many are referred to; children come first, so that their parents are among those
    that count.
    """
    picking = _Picking(tables, references, referred)
    for table in children_first(tables, references):
        picking.follow(table)
        picking.fill(table, limits[table], first(table))
    while picking.wants_more:
        for table in tables:
            picking.follow(table)
    return picking.rows


class _Picking:
    """The rows so far, and the keys that they refer to."""

    def __init__(self, tables: Sequence[int], references: Sequence[Reference], referred: Referred) -> None:
        self.rows: dict[int, dict[Row, None]] = {table: {} for table in tables}
        self._outgoing, self._incoming = _by(references, 0), _by(references, 1)
        self._referred = referred
        self._wanted: dict[Reference, set[Key]] = defaultdict(set)
        self._asked: dict[Reference, set[Key]] = defaultdict(set)

    @property
    def wants_more(self) -> bool:
        """Whether a row refers to one that was not looked for."""
        return any(self._wanted.values())

    def fill(self, table: int, limit: int | None, found: Iterable[Found]) -> None:
        """Take rows up to the limit."""
        room = None if limit is None else max(0, limit - len(self.rows[table]))
        new = (item for item in found if item.row not in self.rows[table])
        self._take(table, list(islice(new, room)))

    def follow(self, table: int) -> None:
        """Take the rows of a table that others refer to."""
        for reference in self._incoming[table]:
            if keys := sorted(self._wanted.pop(reference, ())):
                self._asked[reference].update(keys)
                self._take(table, self._referred(reference, keys))

    def _take(self, table: int, found: Iterable[Found]) -> None:
        for item in found:
            if item.row not in self.rows[table]:
                self.rows[table][item.row] = None
                self._want(table, item)

    def _want(self, table: int, item: Found) -> None:
        for reference, key in zip(self._outgoing[table], item.keys, strict=True):
            if key is not None and key not in self._asked[reference]:
                self._wanted[reference].add(key)


def children_first(tables: Sequence[int], references: Sequence[Reference]) -> list[int]:
    """The tables, each after those that refer to it as far as no cycle stands against it."""
    incoming = _by(references, 1)
    done: dict[int, None] = {}
    begun: set[int] = set()
    for start in tables:
        path = [start]
        while path:
            table = path[-1]
            begun.add(table)
            left = (item.child for item in incoming[table] if item.child not in begun)
            if (child := next(left, None)) is None:
                done.setdefault(path.pop())
            else:
                path.append(child)
    return list(done)


def _by(references: Sequence[Reference], end: int) -> dict[int, list[Reference]]:
    found: dict[int, list[Reference]] = defaultdict(list)
    for reference in references:
        found[(reference.child, reference.parent)[end]].append(reference)
    return found
