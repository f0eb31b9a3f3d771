"""The order in which steps run: what something is made of comes before it, and goes after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush

from pgratchet.mending import tables
from pgratchet.mending.constraints import is_foreign_key, is_indexed
from pgratchet.mending.kinds import RANKS
from pgratchet.mending.mentions import Names, columns_named, mentioned, names
from pgratchet.mending.records import Sides
from pgratchet.mending.steps import Deed, Step, holds_another
from pgratchet.schema import Item

Priority = tuple[int, int, int, str]
Found = Mapping[tuple[Deed, str], int]


def ordered(steps: Sequence[Step], sides: Sides) -> list[Step]:
    """The steps in an order in which they run. Where they wait for each other in a ring, the usual order decides."""
    places = {(step.deed, step.item.title): number for number, step in enumerate(steps)}
    after: dict[int, set[int]] = defaultdict(set)
    for before, later in _edges(steps, places, sides):
        if before != later:
            after[before].add(later)
    return [steps[number] for number in _sorted([_priority(step) for step in steps], after)]


def _sorted(priorities: Sequence[Priority], after: Mapping[int, set[int]]) -> Iterator[int]:
    waits = [0] * len(priorities)
    for followers in after.values():
        for number in followers:
            waits[number] += 1
    left = set(range(len(priorities)))
    ready = [(priorities[number], number) for number in left if not waits[number]]
    heapify(ready)
    while left:
        if not ready:
            number = min(left, key=lambda one: (waits[one], priorities[one]))
            waits[number] = 0
            heappush(ready, (priorities[number], number))
        _, number = heappop(ready)
        if number not in left:
            continue
        left.remove(number)
        yield number
        for later in after.get(number, ()):
            waits[later] -= 1
            if later in left and waits[later] == 0:
                heappush(ready, (priorities[later], later))


def _priority(step: Step) -> Priority:
    rank = RANKS[step.item.kind] * 10 + _within(step.item)
    return (step.deed, -rank if step.deed is Deed.DROP else rank, 0, step.item.title)


def _within(item: Item) -> int:
    """The order among constraints: whether null, checks, keys, references."""
    text = item.properties.get("definition", "")
    if item.kind != "constraint" or text.startswith("NOT NULL"):
        return 0
    return 3 if is_foreign_key(item) else 2 if is_indexed(item) else 1


def _edges(steps: Sequence[Step], places: Found, sides: Sides) -> Iterator[tuple[int, int]]:
    have, want = names(sides.have.values()), names(sides.want.values())
    gone = {step.item.name: number for number, step in enumerate(steps) if step.deed is Deed.DROP}
    for number, step in enumerate(steps):
        if step.deed in {Deed.DROP, Deed.ALTER}:
            for used in _uses(step, sides.have[step.item.title], have, sides.have_parts):
                yield from _before_it_goes(step, number, used, places)
        if step.deed in {Deed.MAKE, Deed.ALTER, Deed.FINISH}:
            for used in _uses(step, step.item, want, sides.want_parts):
                yield from ((place, number) for place in _at(places, used, Deed.MAKE, Deed.ALTER))
        if step.deed is Deed.MAKE and step.item.name in gone:
            yield gone[step.item.name], number
        yield from _of_itself(number, step, places, sides)
        if is_foreign_key(step.item):
            yield from _references(number, step, places, sides)
        elif step.item.kind == "column" and step.deed is Deed.MAKE:
            yield from _next_columns(number, step.item, places, sides)
        elif is_indexed(step.item) and step.deed is Deed.MAKE:
            yield from _partitions(number, step.item, places, sides)


def _of_itself(number: int, step: Step, places: Found, sides: Sides) -> Iterator[tuple[int, int]]:
    """What is done to one item and to its parts."""
    title = step.item.title
    if step.deed in {Deed.LEAVE, Deed.DROP}:
        later = [deed for deed in (Deed.DROP, Deed.MAKE, Deed.ALTER) if deed > step.deed]
        yield from ((number, place) for place in _at(places, title, *later))
    if step.deed is Deed.FINISH:
        yield from ((place, number) for place in _at(places, title, Deed.MAKE, Deed.ALTER))
        yield from _after_its_parts(number, step.item, places, sides)


def _at(places: Found, title: str, *deeds: Deed) -> Iterator[int]:
    return (places[deed, title] for deed in deeds if (deed, title) in places)


def _uses(step: Step, item: Item, known: Names, parts: Mapping[str, tuple[Item, ...]]) -> set[str]:
    """What the item is made of: what it names, and columns of that; where all of it comes or goes, so do its parts."""
    found = _named(item, known, parts)
    for part in parts.get(item.title, ()) if step.deed in {Deed.MAKE, Deed.DROP} else ():
        goes = step.deed is Deed.DROP and part.kind != "sequence" and not holds_another(part)
        if part.kind == "column" or goes:
            found |= _named(part, known, parts) - {item.title}
    return found


def _named(item: Item, known: Names, parts: Mapping[str, tuple[Item, ...]]) -> set[str]:
    found = mentioned(item, known)
    columns = (one for title in list(found) for one in parts.get(title, ()) if one.kind == "column")
    return found | columns_named(item, columns, found)


def _before_it_goes(step: Step, number: int, used: str, places: Found) -> Iterator[tuple[int, int]]:
    if (Deed.DROP, used) in places:
        yield number, places[Deed.DROP, used]
    if step.deed is Deed.DROP and (Deed.ALTER, used) in places:
        pair = number, places[Deed.ALTER, used]
        yield pair[::-1] if _is_not_null(step.item) else pair


def _after_its_parts(number: int, item: Item, places: Found, sides: Sides) -> Iterator[tuple[int, int]]:
    """A table is attached when it has its constraints and indexes, an index when its table is."""
    if item.kind == "table":
        for part in sides.want_parts.get(item.title, ()):
            yield from ((place, number) for place in _at(places, part.title, Deed.MAKE))
    if item.kind == "sequence":
        old = sides.have.get(item.title)
        if old is not None and old.parent != item.parent:
            yield from ((number, place) for place in _at(places, old.parent or "", Deed.DROP))
    if item.kind == "index":
        for title in (item.parent or "", f"index {item.properties.get('attached to')}"):
            yield from ((place, number) for place in _at(places, title, Deed.MAKE, Deed.FINISH))


def _references(number: int, step: Step, places: Found, sides: Sides) -> Iterator[tuple[int, int]]:
    """A reference comes after the key that it refers to, and goes before it."""
    goes = step.deed is Deed.DROP
    table = step.item.properties["definition"].partition(" REFERENCES ")[2].partition("(")[0]
    for key in (sides.have_parts if goes else sides.want_parts).get(f"table {table}", ()):
        if is_indexed(key) or key.properties.get("definition", "").startswith("CREATE UNIQUE"):
            for place in _at(places, key.title, step.deed):
                yield (number, place) if goes else (place, number)


def _partitions(number: int, item: Item, places: Found, sides: Sides) -> Iterator[tuple[int, int]]:
    """A partition's key comes before that of the whole, which takes it over."""
    for parent in _parents(sides.want.get(item.parent or "")):
        for key in sides.want_parts.get(f"table {parent}", ()):
            if is_indexed(key):
                yield from ((number, place) for place in _at(places, key.title, Deed.MAKE))


def _next_columns(number: int, item: Item, places: Found, sides: Sides) -> Iterator[tuple[int, int]]:
    """Columns are added in their order."""
    order = [one.title for one in tables.ordered(sides.want[item.parent or ""], sides.want_parts)]
    for title in order[order.index(item.title) + 1 :]:
        yield from ((number, place) for place in _at(places, title, Deed.MAKE))


def _parents(table: Item | None) -> list[str]:
    return (
        table.properties.get("inherits", "").split(", ") if table and "inherits" in table.properties else []
    )


def _is_not_null(item: Item) -> bool:
    return item.kind == "constraint" and item.properties["definition"].startswith("NOT NULL")
