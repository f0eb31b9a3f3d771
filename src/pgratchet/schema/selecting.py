"""Leaves out of a schema what somebody does not want to look at: patterns of titles and properties, other schemas."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace

from pgratchet.schema.items import Item, Snapshot

MARK = ": "


def select(
    snapshot: Snapshot, ignore: Collection[str] = (), schemas: Collection[str] | None = None
) -> Snapshot:
    """The snapshot without what is ignored, and without what lies in no schema of `schemas`, where that is given.

    `*` in a pattern stands for any text, `?` for one letter. One of a title takes along what belongs to the item,
    and one of a schema all that lies in it; behind a colon and a space a pattern names a property.
    """
    items = snapshot.items
    if schemas is not None:
        items = tuple(item for item in items if item.schema in schemas)
    if titles := [pattern for pattern in ignore if MARK not in pattern]:
        items = _without(items, _matcher(titles))
    if properties := [pattern for pattern in ignore if MARK in pattern]:
        items = tuple(_bared(item, _matcher(properties)) for item in items)
    return Snapshot(items)


def _without(items: tuple[Item, ...], matches: Callable[[str], bool]) -> tuple[Item, ...]:
    gone = {item.title for item in items if matches(item.title)}
    return tuple(item for item in items if not gone & {item.title, item.parent, f"schema {item.schema}"})


def _bared(item: Item, matches: Callable[[str], bool]) -> Item:
    kept = {name: v for name, v in item.properties.items() if not matches(f"{item.title}{MARK}{name}")}
    return item if len(kept) == len(item.properties) else replace(item, properties=kept)


def _matcher(patterns: Collection[str]) -> Callable[[str], bool]:
    spelled = (re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".") for pattern in patterns)
    compiled = re.compile("|".join(spelled), re.DOTALL)
    return lambda text: compiled.fullmatch(text) is not None
