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


def part(old: Item | None, new: Item) -> Iterator[Said]:
    """Let it belong to no column any more, with which it would go."""
    if old is not None and "owned by column" in old.properties and _moved(old, new) and not is_identity(old):
        yield f"ALTER SEQUENCE {new.name} OWNED BY NONE"


def belong(old: Item | None, new: Item) -> Iterator[Said]:
    """Say to which column it belongs, with which it goes: one of a table of the same owner."""
    column = new.properties.get("owned by column")
    if column and not is_identity(new) and (old is None or _moved(old, new)):
        yield f"ALTER SEQUENCE {new.name} OWNED BY {relation(new)}.{column}"


def _moved(old: Item, new: Item) -> bool:
    columns = (item.properties.get("owned by column") for item in (old, new))
    return len({*columns}) > 1 or old.parent != new.parent
