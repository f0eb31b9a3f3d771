"""Types and domains."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.mending.columns import definition
from pgratchet.mending.records import Said, Sides, Unmended, differing
from pgratchet.mending.tables import ordered
from pgratchet.mending.wording import listed
from pgratchet.schema import Action, Change, Item

COVERS = {
    "form",
    "labels",
    "column order",
    *(
        "subtype",
        "multirange",
        "subtype operator class",
        "subtype collation",
        "canonical",
        "subtype difference",
    ),
    *("input", "output", "receive", "send", "modifiers", "modifier output", "analyze", "subscript", "length"),
    *("alignment", "storage", "category", "element", "delimiter", "default", "collation"),
}
ALTERS = {"labels"}
RANGE = {
    "subtype": "SUBTYPE",
    "subtype operator class": "SUBTYPE_OPCLASS",
    "subtype collation": "COLLATION",
    "canonical": "CANONICAL",
    "subtype difference": "SUBTYPE_DIFF",
    "multirange": "MULTIRANGE_TYPE_NAME",
}
DOMAIN_COVERS = {"type", "collation", "default", "not null"}
DOMAIN_ALTERS = {"default", "not null"}


def make(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a type of any form but one of C functions."""
    has = item.properties
    form = has.get("form")
    if form == "composite":
        body = ", ".join(definition(one, sides) for one in ordered(item, sides.want_parts))
        yield f"CREATE TYPE {item.name} AS ({body})"
    elif form == "enumeration":
        yield f"CREATE TYPE {item.name} AS ENUM ({has.get('labels', '')})"
    elif form == "range":
        words = [f"{word} = {has[name]}" for name, word in RANGE.items() if name in has]
        yield f"CREATE TYPE {item.name} AS RANGE ({', '.join(words)})"
    elif form == "shell":
        yield f"CREATE TYPE {item.name}"
    else:
        yield Unmended(
            Change(Action.REMOVED, item), "a base type is made of functions in C: its extension makes it"
        )


def drop(item: Item) -> Iterator[str]:
    """Drop it; the functions of a base type go along."""
    base = item.properties.get("form") == "base"
    yield f"DROP TYPE {item.name}{' CASCADE' if base else ''}"


def alter(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Add labels and rename them; none can be taken away or moved."""
    if "labels" not in differing(old, new):
        return
    was, now = listed(old.properties.get("labels")), listed(new.properties.get("labels"))
    if len(was) == len(now) and set(was) != set(now):
        pairs = [(one, other) for one, other in zip(was, now, strict=True) if one != other]
        if not {other for _, other in pairs} & set(was):
            yield from (f"ALTER TYPE {new.name} RENAME VALUE {one} TO {other}" for one, other in pairs)
            return
    there = list(was)
    for place, label in enumerate(now):
        if label not in there:
            yield f"ALTER TYPE {new.name} ADD VALUE {label}{_place(now, place, there)}"
            there.insert(_index(now, place, there), label)
    if there != now:
        change = Change(Action.CHANGED, new, "labels", ", ".join(there), ", ".join(now))
        yield Unmended(change, "a value of an enumeration cannot be taken away, nor moved: rows may hold it")


def drop_domain(item: Item) -> Iterator[str]:
    """Drop a domain."""
    yield f"DROP DOMAIN {item.name}"


def make_domain(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a domain; its constraints come by themselves."""
    has = item.properties
    words = [f"COLLATE {has['collation']}"] if "collation" in has else []
    words += [f"DEFAULT {has['default']}"] if "default" in has else []
    words += ["NOT NULL"] if "not null" in has and not _own_not_null(item, sides) else []
    yield " ".join([f"CREATE DOMAIN {item.name} AS {has['type']}", *words])


def alter_domain(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Change its default, and whether it may be null."""
    changed, has = differing(old, new), new.properties
    if "default" in changed:
        yield f"ALTER DOMAIN {new.name} {'SET DEFAULT ' + has['default'] if 'default' in has else 'DROP DEFAULT'}"
    if "not null" in changed and not _own_not_null(new, sides):
        yield f"ALTER DOMAIN {new.name} {'SET' if 'not null' in has else 'DROP'} NOT NULL"


def _own_not_null(item: Item, sides: Sides) -> bool:
    """Whether it is a constraint of its own, as from PostgreSQL 17 on."""
    parts = (*sides.want_parts.get(item.title, ()), *sides.have_parts.get(item.title, ()))
    return any(one.properties.get("definition", "").startswith("NOT NULL") for one in parts)


def _place(now: list[str], place: int, there: list[str]) -> str:
    """Where a label stands: after the one before it, or before all."""
    if place and now[place - 1] in there:
        return "" if there[-1] == now[place - 1] else f" AFTER {now[place - 1]}"
    return f" BEFORE {there[0]}" if there else ""


def _index(now: list[str], place: int, there: list[str]) -> int:
    return there.index(now[place - 1]) + 1 if place and now[place - 1] in there else 0
