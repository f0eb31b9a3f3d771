"""What has to be dropped and made again although both schemas have it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from pgratchet.mending.constraints import index_of, is_foreign_key, is_indexed
from pgratchet.mending.kinds import KINDS
from pgratchet.mending.mentions import columns_named, mentioned, names
from pgratchet.mending.records import Sides, differing
from pgratchet.mending.wording import of_view
from pgratchet.schema import Item

# What hangs on the type of a column; constraints and indexes are built again by themselves.
TYPED = {"view", "materialized view", "rule", "policy", "trigger", "publication", "function", "procedure"}
TYPE = {"type", "collation"}


def again(sides: Sides) -> set[str]:
    """The titles of what cannot be altered, and of what hangs on that; nothing that holds data is among them."""
    both = [(old, sides.want[title]) for title, old in sides.have.items() if title in sides.want]
    found = {old.title for old, new in both if not KINDS[old.kind].keeps and must(old, new, sides)}
    gone = (item for title, item in sides.have.items() if is_indexed(item) and title not in sides.want)
    found |= {index_of(item) for item in gone} & sides.want.keys()
    retyped = [new for old, new in both if new.kind == "column" and _retyped(old, new)]
    remade = [new for old, new in both if new.kind == "column" and _remade(old, new, sides)]
    swapped = _swapped(sides)
    if not (found or retyped or remade or swapped):
        return found
    hanging = _hanging(sides.have)
    found -= {title for title in found if _held(title, hanging, sides)}
    for column in retyped:
        found |= {one for one in _users(column, hanging, sides) if sides.have[one].kind in TYPED}
    for column in remade:
        found |= {one for one in _users(column, hanging, sides) if not KINDS[sides.have[one].kind].keeps}
    return _closed(found, swapped, hanging, sides)


def bereft(sides: Sides, remade: set[str]) -> set[str]:
    """The titles of columns that stay, while something that their default names is dropped and made again."""
    known = names([sides.have[title] for title in remade])
    columns = [item for item in sides.have.values() if item.kind == "column" and "default" in item.properties]
    return {
        item.title
        for item in columns
        if known
        and item.title in sides.want
        and item.parent not in remade
        and mentioned(item, known) & remade
    }


def must(old: Item, new: Item, sides: Sides) -> bool:
    """Whether no statement alters it."""
    kind = KINDS[old.kind]
    fixed = differing(old, new) & (set(kind.covers) - set(kind.alters))
    return bool(fixed) or kind.replaces(old, new, sides)


def _held(title: str, hanging: Mapping[str, set[str]], sides: Sides) -> bool:
    """Whether what holds data is made of it, and stays."""
    made_of = {one for one in hanging[title] if sides.have[one].kind == "column" and one in sides.want}
    return sides.have[title].kind in {"type", "domain", "collation"} and bool(made_of)


def _closed(found: set[str], swapped: set[str], hanging: Mapping[str, set[str]], sides: Sides) -> set[str]:
    """With all that hangs on it, and on that in turn."""
    waiting = [*found, *swapped]
    while waiting:
        title = waiting.pop()
        parts = {item.title for item in sides.have_parts.get(title, ())}
        for other in (hanging[title] | parts | _keyed(title, sides)) - found:
            if other in sides.want and (
                of_view(sides.have[other]) or not KINDS[sides.have[other].kind].keeps
            ):
                found.add(other)
                waiting.append(other)
    return found


def _hanging(items: Mapping[str, Item]) -> Mapping[str, set[str]]:
    known = names(items.values())
    found: dict[str, set[str]] = defaultdict(set)
    for item in items.values():
        for title in mentioned(item, known):
            if title != item.parent and not title.startswith("schema "):
                found[title].add(item.title)
    return found


def _users(column: Item, hanging: Mapping[str, set[str]], sides: Sides) -> Iterator[str]:
    """What names the column, among what belongs to its table or names that."""
    table = column.parent or ""
    parts = {item.title for item in sides.have_parts.get(table, ())}
    for title in (hanging[table] | parts) & sides.want.keys():
        if columns_named(sides.have[title], [column], {table}):
            yield title


def _retyped(old: Item, new: Item) -> bool:
    return bool(differing(old, new) & TYPE)


def _remade(old: Item, new: Item, sides: Sides) -> bool:
    """Whether a generated column has to be made again."""
    was, now = (item.properties.get("generated", "") for item in (old, new))
    if was == now or (was.startswith("stored") and not now):
        return False
    return was.partition(": ")[0] != now.partition(": ")[0] or sides.major < 17


def _swapped(sides: Sides) -> set[str]:
    """What goes while another kind of thing takes its name."""
    wanted = {item.name for title, item in sides.want.items() if title not in sides.have}
    return {title for title, item in sides.have.items() if title not in sides.want and item.name in wanted}


def _keyed(title: str, sides: Sides) -> set[str]:
    """What hangs on a key that is made again: its index, and the references to its table."""
    item = sides.have[title]
    if "attached to" in item.properties:
        return {f"index {item.properties['attached to']}"} & sides.have.keys()
    if not is_indexed(item):
        return set()
    found = {index_of(item)} & sides.have.keys()
    table = (item.parent or "").removeprefix("table ")
    return found | {
        one.title
        for one in _constraints(sides.have.values())
        if is_foreign_key(one) and f"REFERENCES {table}(" in one.properties["definition"]
    }


def _constraints(items: Iterable[Item]) -> Iterator[Item]:
    return (item for item in items if item.kind == "constraint")
