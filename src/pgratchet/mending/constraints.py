"""Constraints of tables and domains."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgratchet.mending.records import Said, Sides, differing
from pgratchet.mending.wording import bare, keyword, relation
from pgratchet.schema import Item

COVERS = {"definition", "inherited"}
ALTERS = {"definition", "inherited", "its triggers"}
INDEXED = ("PRIMARY KEY", "UNIQUE", "EXCLUDE")
NOT_VALID = " NOT VALID"
TAIL = re.compile(r"((?: (?:NOT )?DEFERRABLE| INITIALLY DEFERRED| NOT ENFORCED)*)$")


def is_indexed(item: Item) -> bool:
    """Whether an index comes and goes with the constraint."""
    return item.kind == "constraint" and item.properties["definition"].startswith(INDEXED)


def index_of(item: Item) -> str:
    """The title of the index that comes with it."""
    return f"index {item.schema}.{bare(item)}"


def is_foreign_key(item: Item) -> bool:
    """Whether the constraint refers to another table."""
    return item.properties.get("definition", "").startswith("FOREIGN KEY")


def make(item: Item, sides: Sides) -> Iterator[Said]:
    """Add the constraint: over an index that is there already, or, online, without reading under a strong lock."""
    text, name = item.properties["definition"], bare(item)
    table = f"ALTER {keyword(item)} {relation(item)}"
    ready = _ready(item, sides)
    if ready:
        yield f"{table} ADD CONSTRAINT {name} {ready}"
    elif sides.online and is_indexed(item) and (built := _built(item, sides)):
        yield from built
    elif (
        sides.online
        and text.startswith(("CHECK", "FOREIGN KEY"))
        and not text.endswith((NOT_VALID, "NOT ENFORCED"))
    ):
        yield f"{table} ADD CONSTRAINT {name} {text}{NOT_VALID}"
        yield f"{table} VALIDATE CONSTRAINT {name}"
    else:
        yield f"{table} ADD CONSTRAINT {name} {text}"


def drop(item: Item) -> Iterator[str]:
    """Drop the constraint."""
    yield f"ALTER {keyword(item)} {relation(item)} DROP CONSTRAINT {bare(item)}"


def replaces(old: Item, new: Item, sides: Sides) -> bool:
    """Whether no ALTER leads to the other definition."""
    was, now = old.properties["definition"], new.properties["definition"]
    if was == now or was == now + NOT_VALID:
        return False
    same = TAIL.sub("", was) == TAIL.sub("", now) and is_foreign_key(new)
    return not same or ("ENFORCED" in was + now and sides.major < 18)


def alter(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Validate it, or let it wait for the end of a transaction."""
    was, now = old.properties["definition"], new.properties["definition"]
    table = f"ALTER {keyword(new)} {relation(new)}"
    if was == now + NOT_VALID:
        yield f"{table} VALIDATE CONSTRAINT {bare(new)}"
    elif was != now:
        yield from (f"{table} ALTER CONSTRAINT {bare(new)}{words}" for words in _timing(was, now))
    if "its triggers" in differing(old, new):
        yield from _triggers(new, sides)


def _timing(was: str, now: str) -> Iterator[str]:
    """What a foreign key is told: when it is checked, and whether at all."""
    old, new = (TAIL.search(text) for text in (was, now))
    before, after = (found[0] if found else "" for found in (old, new))
    if ("NOT ENFORCED" in before) != ("NOT ENFORCED" in after):
        yield " NOT ENFORCED" if "NOT ENFORCED" in after else " ENFORCED"
    rest = after.replace(" NOT ENFORCED", "")
    if before.replace(" NOT ENFORCED", "") != rest:
        yield rest or " NOT DEFERRABLE"


def _triggers(new: Item, sides: Sides) -> Iterator[str]:
    """A foreign key's triggers have no names of their own: all of both tables are set, then the named ones again."""
    found = re.search(r"REFERENCES ((?:\"(?:[^\"]|\"\")+\"|[^\s(\"])+)\(", new.properties["definition"])
    wanted = "DISABLE" if new.properties.get("its triggers") == "disabled" else "ENABLE"
    for table in dict.fromkeys([relation(new), *([found[1]] if found else [])]):
        yield f"ALTER TABLE {table} {wanted} TRIGGER ALL"
        for item in sides.want_parts.get(f"table {table}", ()):
            usual = "disabled" if wanted == "DISABLE" else None
            if item.kind == "trigger" and item.properties.get("fires") != usual:
                yield f"ALTER TABLE {table} {FIRES[item.properties.get('fires')]} TRIGGER {bare(item)}"


def _ready(item: Item, sides: Sides) -> str | None:
    """The definition over an index of the same name that is there, and was wanted as it is."""
    title = index_of(item)
    index, wanted = sides.have.get(title), sides.want.get(title)
    there = {index_of(one) for one in sides.have_parts.get(item.parent or "", ()) if is_indexed(one)}
    if (
        not index
        or not wanted
        or title in there
        or index.properties["definition"] != wanted.properties["definition"]
    ):
        return None
    kind = next(word for word in INDEXED if item.properties["definition"].startswith(word))
    return f"{kind} USING INDEX {bare(item)}{_tail(item)}" if kind != "EXCLUDE" else None


def _built(item: Item, sides: Sides) -> list[str]:
    """The index beside what goes on, and the constraint over it; nothing where PostgreSQL has no such way."""
    index = sides.want.get(index_of(item))
    kind = item.properties["definition"].partition(" (")[0]
    if (
        index is None
        or " ON ONLY " in index.properties["definition"]
        or kind not in {"PRIMARY KEY", "UNIQUE"}
    ):
        return []
    name, table = bare(item), f"ALTER TABLE {relation(item)}"
    build = index.properties["definition"].replace("UNIQUE INDEX", "UNIQUE INDEX CONCURRENTLY", 1)
    return [build, f"{table} ADD CONSTRAINT {name} {kind} USING INDEX {name}{_tail(item)}"]


def _tail(item: Item) -> str:
    found = TAIL.search(item.properties["definition"])
    return found[0] if found else ""


FIRES = {None: "ENABLE", "disabled": "DISABLE", "replica only": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}
