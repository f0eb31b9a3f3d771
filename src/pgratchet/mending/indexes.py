"""Indexes and extended statistics."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgratchet.mending.records import Said, Sides, Unmended, differing
from pgratchet.mending.wording import bare, listed, relation
from pgratchet.schema import Action, Change, Item

COVERS = {"definition"}
ALTERS = {
    "definition",
    "invalid",
    "not ready",
    "clustered",
    "replica identity",
    "tablespace",
    "statistics",
    "attached to",
}
WITH = re.compile(r" WITH (\((?:[^()']|'[^']*')*\))")


def make(item: Item, sides: Sides) -> Iterator[Said]:
    """Build the index; beside what goes on where that is wished and its table is not partitioned."""
    text = item.properties["definition"]
    if sides.online and " ON ONLY " not in text:
        text = text.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
    yield text


def drop(item: Item) -> Iterator[str]:
    """Drop the index."""
    yield f"DROP INDEX {item.name}"


def drop_online(item: Item) -> Iterator[str]:
    """Drop the index beside what goes on; a partitioned one cannot be."""
    plain = " ON ONLY " in item.properties["definition"] or "attached to" in item.properties
    yield f"DROP INDEX {item.name}" if plain else f"DROP INDEX CONCURRENTLY {item.name}"


def replaces(old: Item, new: Item, sides: Sides) -> bool:
    """Whether more than its storage parameters differs, or it hangs on another index."""
    was, now = (WITH.sub("", item.properties["definition"]) for item in (old, new))
    return was != now


def alter(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Change all but what it is over."""
    changed, has = differing(old, new), new.properties
    index, table = f"ALTER INDEX {new.name}", f"ALTER TABLE {relation(new)}"
    if "definition" in changed:
        yield from (f"{index} {clause}" for clause in _stored(old, new))
    if "tablespace" in changed:
        yield f"{index} SET TABLESPACE {has.get('tablespace', 'pg_default')}"
    if "statistics" in changed:
        yield from _targets(old, new)
    if "clustered" in changed:
        yield f"{table} CLUSTER ON {bare(new)}" if "clustered" in has else f"{table} SET WITHOUT CLUSTER"
    if "replica identity" in changed and "replica identity" in has:
        yield f"{table} REPLICA IDENTITY USING INDEX {bare(new)}"
    if changed & {"invalid", "not ready"}:
        yield from _validity(old, new, sides)


def attach(old: Item | None, new: Item, sides: Sides) -> Iterator[Said]:
    """Hang it on the index of the partitioned table."""
    was, now = old.properties.get("attached to") if old else None, new.properties.get("attached to")
    if was != now and now:
        yield f"ALTER INDEX {now} ATTACH PARTITION {new.name}"


def make_statistics(item: Item, sides: Sides) -> Iterator[Said]:
    """Make extended statistics."""
    yield item.properties["definition"]


def drop_statistics(item: Item) -> Iterator[str]:
    """Drop extended statistics."""
    yield f"DROP STATISTICS {item.name}"


def alter_statistics(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Set the target of extended statistics."""
    if "statistics" in differing(old, new):
        yield f"ALTER STATISTICS {new.name} SET STATISTICS {new.properties.get('statistics', '-1')}"


def _validity(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    partitioned = " ON ONLY " in new.properties["definition"]
    if "invalid" in new.properties and not partitioned:
        change = Change(Action.CHANGED, new, "invalid", None, "yes")
        yield Unmended(change, "an index is INVALID where building it failed, and not by any statement")
    elif "invalid" in old.properties and not partitioned:
        yield f"REINDEX INDEX {'CONCURRENTLY ' if sides.online else ''}{new.name}"


def _stored(old: Item, new: Item) -> Iterator[str]:
    was, now = (_parameters(item) for item in (old, new))
    changed = [f"{key} = {value}" for key, value in now.items() if was.get(key) != value]
    gone = [key for key in was if key not in now]
    if changed:
        yield f"SET ({', '.join(changed)})"
    if gone:
        yield f"RESET ({', '.join(gone)})"


def _parameters(item: Item) -> dict[str, str]:
    found = WITH.search(item.properties["definition"])
    pairs = (entry.partition("=") for entry in listed(found[1][1:-1] if found else None))
    return {key.strip(): value.strip() for key, _, value in pairs}


def _targets(old: Item, new: Item) -> Iterator[str]:
    was, now = (
        dict(pair.split(": ") for pair in listed(item.properties.get("statistics"))) for item in (old, new)
    )
    for number in sorted(was.keys() | now.keys()):
        if was.get(number) != now.get(number):
            yield f"ALTER INDEX {new.name} ALTER COLUMN {number} SET STATISTICS {now.get(number, '-1')}"


def without_parameters(item: Item) -> Item:
    """An index as a constraint makes it: its storage parameters are no part of the constraint."""
    text = WITH.sub("", item.properties["definition"])
    return Item(item.kind, item.name, item.schema, item.parent, {"definition": text})
