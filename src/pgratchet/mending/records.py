"""What a mending is made of, and the two schemas that it leads from and to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pgratchet.schema import Change, Item, Snapshot


@dataclass(frozen=True, slots=True)
class Unmended:
    """A difference that no statement takes away."""

    change: Change
    """From what is there when every statement has run to what was wanted."""
    reason: str


class Note(NamedTuple):
    """What somebody should know of the statements, such as a value that stands in for one that is lost."""

    text: str


Said = str | Unmended | Note
"""A statement, or what is to be said where there is none."""


@dataclass(frozen=True, slots=True)
class Mending:
    """The statements that make one schema into another, in an order in which they run."""

    statements: tuple[str, ...]
    """Without a semicolon."""
    unmended: tuple[Unmended, ...] = ()
    loses: tuple[str, ...] = ()
    """Titles of what holds data and is dropped: tables, columns, materialized views, sequences."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sides:
    """Both schemas, as a statement for one item may need to see them."""

    have: Mapping[str, Item]
    want: Mapping[str, Item]
    """By title, as the parts are."""
    have_parts: Mapping[str, tuple[Item, ...]]
    want_parts: Mapping[str, tuple[Item, ...]]
    role: str | None
    """Who runs the statements, as SQL writes it: what he makes is his."""
    major: int
    online: bool

    def made(self, title: str | None) -> bool:
        """Whether only the wanted schema has it."""
        return title in self.want and title not in self.have


def sides(have: Snapshot, want: Snapshot, *, role: str | None, major: int, online: bool) -> Sides:
    """Both schemas, found by title."""
    return Sides(
        {item.title: item for item in have.items},
        {item.title: item for item in want.items},
        _parts(have.items),
        _parts(want.items),
        role,
        major,
        online,
    )


def _parts(items: Iterable[Item]) -> Mapping[str, tuple[Item, ...]]:
    found: dict[str, tuple[Item, ...]] = defaultdict(tuple)
    for item in items:
        if item.parent:
            found[item.parent] += (item,)
    return found


def differing(old: Item, new: Item) -> set[str]:
    """The names of the properties in which two items differ."""
    names = old.properties.keys() | new.properties.keys()
    return {name for name in names if old.properties.get(name) != new.properties.get(name)}
