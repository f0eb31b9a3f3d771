"""Renames what only has another name, so that it keeps what it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from pgratchet.mending.wording import ROUTINES, address, bare, keyword, relation
from pgratchet.schema import Item, Snapshot

WORDS = {"materialized view": "MATERIALIZED VIEW", "grants": ""}


def renamed(have: Snapshot, want: Snapshot, renames: Mapping[str, str]) -> tuple[Snapshot, tuple[str, ...]]:
    """The schema as it is after the renaming, and the statements for it."""
    there = {item.title: item for item in have.items}
    wanted = {item.title: item for item in want.items}
    statements: list[str] = []
    items = have.items
    # What belongs to something is renamed under its new name, so tables come before columns.
    for old, new in sorted(renames.items(), key=lambda pair: pair[0].startswith(("column ", "constraint "))):
        current = {item.title: item for item in items}
        source = current.get(old) or current.get(_moved(old, renames))
        if source is None or new not in wanted or (new in current and new != source.title):
            continue
        statements += _statements(source, wanted[new])
        items = tuple(_rewritten(item, source, wanted[new]) for item in items)
    del there
    return Snapshot(items), tuple(statements)


def _moved(title: str, renames: Mapping[str, str]) -> str:
    """The title of a part under its table's new name."""
    for old, new in renames.items():
        kind, _, name = title.partition(" ")
        place = old.partition(" ")[2]
        if place and name.startswith(f"{place}."):
            return f"{kind} {new.partition(' ')[2]}{name.removeprefix(place)}"
    return title


def _statements(source: Item, target: Item) -> list[str]:
    if source.kind == "column":
        word = "ATTRIBUTE" if keyword(source) == "TYPE" else "COLUMN"
        return [f"ALTER {keyword(source)} {relation(source)} RENAME {word} {bare(source)} TO {bare(target)}"]
    if source.kind == "constraint":
        return [
            f"ALTER {keyword(source)} {relation(source)} RENAME CONSTRAINT {bare(source)} TO {bare(target)}"
        ]
    if source.kind in {"trigger", "rule", "policy"}:
        return [f"ALTER {address(source)} RENAME TO {bare(target)}"]
    statements, where = [], source
    if source.schema != target.schema and source.kind != "schema":
        statements.append(f"ALTER {address(source)} SET SCHEMA {target.schema}")
        where = replace(source, name=f"{target.schema}.{_plain(source)}", schema=target.schema)
    if _plain(source) != _plain(target):
        statements.append(f"ALTER {address(where)} RENAME TO {_short(target)}")
    return statements


def _plain(item: Item) -> str:
    return item.name.removeprefix(f"{item.schema}.") if item.schema and item.kind != "schema" else item.name


def _short(item: Item) -> str:
    """Its name alone, without arguments or access method."""
    name = _plain(item)
    return name.partition("(")[0] if item.kind in ROUTINES else name.partition(" using ")[0]


def _rewritten(item: Item, source: Item, target: Item) -> Item:
    """An item as it is after the renaming of another, or of itself."""
    if item.title == source.title:
        item = replace(item, name=target.name, schema=target.schema, parent=target.parent)
    elif item.parent == source.title:
        name = item.name
        if name.startswith(f"{source.name}."):
            name = target.name + name.removeprefix(source.name)
        schema = target.schema if item.schema == source.schema else item.schema
        if item.kind == "index" and source.schema != target.schema and item.schema:
            name = f"{target.schema}.{item.name.removeprefix(f'{item.schema}.')}"
        item = replace(item, name=name, parent=target.title, schema=schema)
    return replace(
        item,
        properties={key: _text(item, key, value, source, target) for key, value in item.properties.items()},
    )


def _text(item: Item, key: str, value: str, source: Item, target: Item) -> str:
    if key in {"comment", "owner", "grants"}:
        return value
    if source.kind == "column":
        near = item.parent in {source.parent, target.parent} or item.title == source.parent
        if near and item.kind != "rule":
            return _replaced(value, bare(source), bare(target), before=r"(?<![\w$\"'.])")
        return _replaced(
            value,
            f"{relation(source).rpartition('.')[2]}.{bare(source)}",
            f"{relation(source).rpartition('.')[2]}.{bare(target)}",
        )
    if source.kind in {"constraint", "trigger", "rule", "policy"}:
        if item.title == target.title:
            return _replaced(value, bare(source), bare(target), before=r"(?<![\w$\"'.])")
        return value
    name = source.name.partition("(")[0].partition(" using ")[0]
    now = target.name.partition("(")[0].partition(" using ")[0]
    text = _replaced(value, name, now)
    if source.kind == "index" and item.title == target.title:
        text = _replaced(text, bare(source), bare(target), before=r"(?<![\w$\"'.])")
    return text


def _replaced(text: str, old: str, new: str, before: str = r"(?<![\w$\".])") -> str:
    return re.sub(rf"{before}{re.escape(old)}(?![\w$\"])", new.replace("\\", "\\\\"), text)
