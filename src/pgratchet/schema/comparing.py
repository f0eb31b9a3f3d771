"""What makes one schema another: a change for each item or property, and the changes in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum

from pgratchet.schema.items import Item, Snapshot

ORDER = "column order"
PLURALS = {"index": "indexes", "policy": "policies", "statistics": "statistics"}


class Action(StrEnum):
    """What happened to an item on the way from the one schema to the other."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


WORDS = {action: action.value for action in Action}


@dataclass(frozen=True, slots=True)
class Change:
    """One item that only one of two schemas has, or one property of an item that both have."""

    action: Action
    item: Item
    """As it is after the change; where it was removed, as it was before."""
    property: str | None = None
    old: str | None = None
    """None where the property had its default."""
    new: str | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """What a live database is beside what its migrations make."""

    version: int | None
    """The highest version of its history."""
    changes: tuple[Change, ...]
    """From what the migrations make to what is there."""
    fingerprint: str
    """Of what is there, without what is ignored."""
    notes: tuple[str, ...] = ()


def difference(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """Every change from `before` to `after`, in the order of titles; what was renamed is removed and added."""
    old, new = ({item.title: item for item in snapshot.items} for snapshot in (before, after))
    changes: list[Change] = []
    for title in sorted(old.keys() | new.keys()):
        if title not in new:
            changes.append(Change(Action.REMOVED, old[title]))
        elif title not in old:
            changes.append(Change(Action.ADDED, new[title]))
        else:
            changes += _changed(old[title], new[title])
    return tuple(changes)


def describe(changes: Sequence[Change], words: Mapping[Action, str] = WORDS) -> str:
    """The changes for people: a line each, longer texts as the lines in which they differ.

    What came or went together with its table, or with whatever it belongs to, is counted there.
    `words` say what an action is called.
    """
    whole = _whole(changes)
    inner = (change for change in changes if change.item.parent in whole)
    parts = Counter((change.item.parent or "", change.item.kind) for change in inner)
    lines: list[str] = []
    for change in outermost(changes):
        lines += _lines(change, words[change.action], _counted(change.item.title, parts))
    return "\n".join(lines)


def outermost(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes without those that came or went together with what they belong to."""
    whole = _whole(changes)
    return tuple(change for change in changes if change.item.parent not in whole)


def _whole(changes: Sequence[Change]) -> set[str | None]:
    return {change.item.title for change in changes if change.action is not Action.CHANGED}


def _changed(old: Item, new: Item) -> Iterator[Change]:
    for name in sorted(old.properties.keys() | new.properties.keys()):
        was, now = old.properties.get(name), new.properties.get(name)
        if was != now and not (name == ORDER and _same_order(was or "", now or "")):
            yield Change(Action.CHANGED, new, name, was, now)


def _same_order(old: str, new: str) -> bool:
    """Whether the columns that both have stand in the same order: those that came or went are changes themselves."""
    before, after = old.split(", "), new.split(", ")
    kept = [name for name in after if name in before]
    return before != after and kept == [name for name in before if name in after]


def _counted(title: str, parts: Counter[tuple[str, str]]) -> str:
    mine = sorted((kind, number) for (parent, kind), number in parts.items() if parent == title)
    found = [f"1 {kind}" if n == 1 else f"{n} {PLURALS.get(kind, f'{kind}s')}" for kind, n in mine]
    return f" (with {', '.join(found)})" if found else ""


def _lines(change: Change, word: str, parts: str) -> Iterator[str]:
    item = change.item
    if change.action is not Action.CHANGED:
        yield f"{word}: {item.title}{parts}"
        return
    old, new = change.old or "", change.new or ""
    if "\n" in old + new:
        yield f"{word}: {item.title}: {change.property}"
        compared = unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1)
        yield from ("    ..." if line.startswith("@@") else f"    {line}" for line in list(compared)[3:])
    else:
        yield f"{word}: {item.title}: {change.property}: {old or 'default'} -> {new or 'default'}"
