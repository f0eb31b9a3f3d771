"""Which items the definition of another names: definitions are written so that they name everything in full."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from pgratchet.mending.routines import body_begins
from pgratchet.mending.wording import IDENTIFIER, ROUTINES, bare, callee
from pgratchet.schema import Item

CHAIN = re.compile(rf"{IDENTIFIER}\.{IDENTIFIER}")
WORD = re.compile(IDENTIFIER)
SIGN = re.compile(rf"({IDENTIFIER}\.[-+*/<>=~!@#%^&|`?]+)")
SILENT = {"comment", "owner", "grants", "column order"}
# Their names hold those of others.
TELLING = {*ROUTINES, "operator", "cast", "transform"}
Names = Mapping[str, tuple[str, ...]]


def names(items: Iterable[Item]) -> Names:
    """Titles by the name by which a definition would mention them; items without a schema are never mentioned so."""
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for item in items:
        if item.schema and item.kind not in {"column", "constraint", "trigger", "rule", "policy", "schema"}:
            name = (
                callee(item.name)
                if item.kind in ROUTINES
                else item.name.partition("(")[0].partition(" using ")[0]
            )
            found[name] += (item.title,)
    return found


def mentioned(item: Item, known: Names) -> set[str]:
    """The titles of what the item names, and what it belongs to."""
    text = told(item)
    chains = {*CHAIN.findall(text), *SIGN.findall(text)}
    found = {title for chain in chains for title in known.get(chain, ())}
    if item.parent and item.kind != "sequence":
        found.add(item.parent)
    if item.schema and item.kind != "schema":
        found.add(f"schema {item.schema}")
    return found - {item.title}


def columns_named(item: Item, columns: Iterable[Item], mentions: set[str]) -> set[str]:
    """The titles of those columns that the item may name."""
    text = told(item)
    words = {*WORD.findall(text)}
    whole = ".*" in text
    return {
        column.title
        for column in columns
        if column.title != item.title and column.parent in mentions and (whole or bare(column) in words)
    }


def told(item: Item) -> str:
    """All text in which the item may name another."""
    parts = [value for name, value in item.properties.items() if name not in SILENT]
    if item.kind in ROUTINES and "definition" in item.properties:
        definition = item.properties["definition"]
        parts = [definition[: body_begins(definition)]]
    if item.kind in TELLING:
        parts.append(item.name)
    return "\n".join(parts)
