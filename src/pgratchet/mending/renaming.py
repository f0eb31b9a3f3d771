"""Renames what only has another name, so that it keeps what it holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from pgratchet.mending.constraints import index_of, is_indexed
from pgratchet.mending.mentions import TELLING
from pgratchet.mending.wording import ON_TABLE, ROUTINES, address, bare, keyword, listed, relation
from pgratchet.schema import Item, Snapshot

SILENT = {"comment", "owner", "grants"}
MOVES_ALONG = {"index", "sequence"}
"""What lies in the schema of its table."""
ALONE = r"(?<![\w$\"'.])"
BEHIND = r"(?<![\w$\"])"
WHOLE = r"(?<![\w$\".])"


def renamed(have: Snapshot, want: Snapshot, renames: Mapping[str, str]) -> tuple[Snapshot, tuple[str, ...]]:
    """The schema as it is after the renaming, and the statements for it.

    Definitions that name what was renamed are rewritten as well as a text can be: where the server would have written
    one in other words, it is only made again as it is wanted.
    """
    wanted = {item.title: item for item in want.items}
    statements: list[str] = []
    items = have.items
    for old, new in sorted(renames.items(), key=lambda pair: _turn(pair[0])):
        current = {item.title: item for item in items}
        source = current.get(old) or current.get(_moved(old, renames))
        target = wanted.get(new)
        if source is None or target is None or source.title == target.title or new in current:
            continue
        statements += _statements(source, target)
        items = _after(items, source, target)
    return Snapshot(items), tuple(statements)


def _turn(title: str) -> int:
    """Schemas before tables, and those before what belongs to them."""
    return 0 if title.startswith("schema ") else 2 if title.partition(" ")[0] in {*ON_TABLE, "column"} else 1


def _moved(title: str, renames: Mapping[str, str]) -> str:
    """The title of a part under its table's new name."""
    kind, _, name = title.partition(" ")
    for old, new in renames.items():
        place = old.rpartition(" ")[2]
        if name.startswith(f"{place}."):
            return f"{kind} {new.rpartition(' ')[2]}{name.removeprefix(place)}"
    return title


def _statements(source: Item, target: Item) -> list[str]:
    if source.properties.get("inherited") == "yes":
        return []  # it is renamed with that of the table that it comes from
    if source.kind in {"column", "constraint"}:
        word = source.kind.upper()
        if keyword(source) == "TYPE":
            word = "ATTRIBUTE"
        return [f"ALTER {keyword(source)} {relation(source)} RENAME {word} {bare(source)} TO {bare(target)}"]
    if source.kind in ON_TABLE:
        return [f"ALTER {address(source)} RENAME TO {bare(target)}"]
    statements, where = [], source
    if source.schema != target.schema and source.kind != "schema":
        statements.append(f"ALTER {address(source)} SET SCHEMA {target.schema}")
        where = replace(source, name=f"{target.schema}.{_plain(source)}", schema=target.schema)
    if _short(source) != _short(target):
        statements.append(f"ALTER {address(where)} RENAME TO {_short(target)}")
    return statements


def _plain(item: Item) -> str:
    return item.name.removeprefix(f"{item.schema}.") if item.schema and item.kind != "schema" else item.name


def _short(item: Item) -> str:
    """Its name alone, without arguments or access method."""
    name = _plain(item)
    return name.partition("(")[0] if item.kind in ROUTINES else name.partition(" using ")[0]


def _after(items: tuple[Item, ...], source: Item, target: Item) -> tuple[Item, ...]:
    """All items as they are when one has another name."""
    if source.kind == "schema":
        change = _replacing(f"{source.name}.", f"{target.name}.", WHOLE, "")
        return tuple(_in_schema(item, source, target, change) for item in items)
    if source.kind == "column":
        return _columns(items, source, target)
    items = tuple(_rewritten(item, source, target) for item in items)
    if is_indexed(source):
        index, other = index_of(source), index_of(target).removeprefix("index ")
        items = tuple(replace(item, name=other) if item.title == index else item for item in items)
        change = _replacing(bare(source), bare(target), ALONE)
        return tuple(_told(item, change) if item.title == index_of(target) else item for item in items)
    return items


def _in_schema(item: Item, source: Item, target: Item, change: Callable[[str], str]) -> Item:
    item = _told(item, change)
    if item.title == source.title:
        return replace(item, name=target.name, schema=target.schema)
    parent = change(f" {item.parent}")[1:] if item.parent else None
    schema = target.schema if item.schema == source.schema else item.schema
    return replace(item, name=change(item.name), schema=schema, parent=parent)


def _columns(items: tuple[Item, ...], source: Item, target: Item) -> tuple[Item, ...]:
    """A column takes those along that inherit it."""
    old, new, tables = bare(source), bare(target), [relation(source)]
    for table in tables:
        tables += [
            item.name
            for item in items
            if item.kind == "table"
            and table in listed(item.properties.get("inherits"))
            and item.name not in tables
        ]
    near = {f"{kind} {table}" for kind in ("table", "type", "foreign table") for table in tables}
    inside, shorts = _replacing(old, new, ALONE), [table.rpartition(".")[2] for table in tables]

    def after(item: Item) -> Item:
        if item.kind == "column" and bare(item) == old and relation(item) in tables:
            return replace(item, name=f"{relation(item)}.{new}")
        if item.title in near or item.parent in near:
            return _told(item, inside)
        for short in shorts:
            item = _told(item, _replacing(f"{short}.{old}", f"{short}.{new}", BEHIND))
        return item

    return tuple(map(after, items))


def _rewritten(item: Item, source: Item, target: Item) -> Item:
    """An item as it is after the renaming of another, or of itself."""
    if source.kind in ON_TABLE:
        if item.title != source.title:
            return item
        change = _replacing(bare(source), bare(target), ALONE)
        return _told(replace(item, name=target.name), change)
    plain = [name.partition("(")[0].partition(" using ")[0] for name in (source.name, target.name)]
    change = _replacing(plain[0], plain[1], WHOLE)
    item = _told(item, change)
    if item.title == source.title:
        item = replace(item, name=target.name, schema=target.schema)
        return _told(item, _replacing(bare(source), bare(target), ALONE)) if source.kind == "index" else item
    if item.parent == source.title:
        return _part(item, source, target)
    return replace(item, name=change(item.name)) if item.kind in TELLING else item


def _part(item: Item, source: Item, target: Item) -> Item:
    """What belongs to it."""
    name, schema = item.name, target.schema if item.schema == source.schema else item.schema
    if name.startswith(f"{source.name}.") and item.kind in {*ON_TABLE, "column"}:
        name = target.name + name.removeprefix(source.name)
    elif item.kind in MOVES_ALONG and source.schema != target.schema:
        name = f"{target.schema}.{_plain(item)}"
    elif item.kind not in {*ON_TABLE, "column"}:
        schema = item.schema
    return replace(item, name=name, parent=target.title, schema=schema)


def _told(item: Item, change: Callable[[str], str]) -> Item:
    told = {key: value if key in SILENT else change(value) for key, value in item.properties.items()}
    return replace(item, properties=told) if told != item.properties else item


def _replacing(old: str, new: str, before: str, behind: str = r"(?![\w$\"])") -> Callable[[str], str]:
    pattern = re.compile(rf"{before}{re.escape(old)}{behind}")
    return lambda text: pattern.sub(lambda _: new, text)
