"""Sequences, those of identity columns among them."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.mending.records import Said, Sides, differing
from pgratchet.mending.wording import relation
from pgratchet.schema import Item

NUMBERS = {
    "increment": "INCREMENT BY",
    "minimum": "MINVALUE",
    "maximum": "MAXVALUE",
    "start": "START WITH",
    "cache": "CACHE",
}
COVERS = {"type", *NUMBERS, "cycle", "persistence"}
ALTERS = COVERS | {"owned by column"}
IDENTITY = " as its identity"


def is_identity(item: Item) -> bool:
    """Whether it comes and goes with an identity column."""
    return item.properties.get("owned by column", "").endswith(IDENTITY)


def parameters(item: Item) -> str:
    """What a sequence counts, as CREATE SEQUENCE and GENERATED … AS IDENTITY take it."""
    words = [f"{word} {item.properties[name]}" for name, word in NUMBERS.items()]
    return " ".join([*words, *(["CYCLE"] if "cycle" in item.properties else [])])


def make(item: Item, sides: Sides) -> Iterator[Said]:
    """Make the sequence; whose it is comes when there is the table."""
    word = "UNLOGGED SEQUENCE" if "persistence" in item.properties else "SEQUENCE"
    yield f"CREATE {word} {item.name} AS {item.properties['type']} {parameters(item)}"


def drop(item: Item) -> Iterator[str]:
    """Drop the sequence."""
    yield f"DROP SEQUENCE {item.name}"


def alter(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Change what it counts."""
    changed = differing(old, new)
    words = [f"AS {new.properties['type']}"] if "type" in changed else []
    # A new type moves the bounds that were those of the old one.
    names = set(NUMBERS) if "type" in changed else changed
    words += [f"{word} {new.properties[name]}" for name, word in NUMBERS.items() if name in names]
    if "cycle" in changed:
        words.append("CYCLE" if "cycle" in new.properties else "NO CYCLE")
    if words:
        yield f"ALTER SEQUENCE {new.name} {' '.join(words)}"
    if "persistence" in changed:
        yield f"ALTER SEQUENCE {new.name} SET {'UNLOGGED' if 'persistence' in new.properties else 'LOGGED'}"


def belong(old: Item | None, new: Item, sides: Sides) -> Iterator[Said]:
    """Say to which column it belongs, with which it goes."""
    was = old.properties.get("owned by column") if old else None
    now = new.properties.get("owned by column")
    moved = was != now or (old is not None and old.parent != new.parent)
    if moved and not is_identity(new) and not (old and is_identity(old)):
        yield f"ALTER SEQUENCE {new.name} OWNED BY {f'{relation(new)}.{now}' if now else 'NONE'}"
