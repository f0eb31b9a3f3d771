"""Tables, foreign tables, and what they inherit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pgratchet.mending import columns
from pgratchet.mending.foreign import created, given
from pgratchet.mending.records import Said, Sides, Unmended, differing
from pgratchet.mending.wording import bare, listed, set_options, storage_options
from pgratchet.schema import Action, Change, Item

COVERS = {
    "persistence",
    "partition key",
    "of type",
    "access method",
    "tablespace",
    "options",
    "toast options",
    "server",
    "column order",
}
ALTERS = {
    "persistence",
    "of type",
    "access method",
    "tablespace",
    "options",
    "toast options",
    "row security",
    "row security forced",
    "replica identity",
    "server options",
    "inherits",
    "partition bound",
}
NEVER = {
    "partition key": "a table cannot be partitioned by something else than what it was made with",
    "server": "a foreign table cannot be moved to another server",
}
SECURITY = {
    "row security": ("ENABLE", "DISABLE"),
    "row security forced": ("FORCE", "NO FORCE"),
}


def make(item: Item, sides: Sides) -> Iterator[Said]:
    """Make the table with its columns. A partition is made by itself, and attached when it has its constraints."""
    has = item.properties
    own = [one for one in ordered(item, sides.want_parts) if _is_own(item, one)]
    if "server" in has:
        body = ", ".join(columns.definition(one, sides) for one in own)
        yield f"CREATE FOREIGN TABLE {item.name} ({body}){_parents(item)} SERVER {has['server']}{created(item)}"
    else:
        unlogged = "UNLOGGED " if "persistence" in has else ""
        yield f"CREATE {unlogged}TABLE {item.name} {_body(item, own, sides)}{_tail(item)}"
    for column in ordered(item, sides.want_parts):
        mine = {name: value for name, value in column.properties.items() if name in columns.COVERS}
        if column in own and "of type" not in has:
            mine |= {key: column.properties[key] for key in ("inherited",) if key in column.properties}
            yield from columns.alter(_with(column, mine), column, sides)
        elif column not in own:
            yield from columns.alter(_inherited(column, sides), column, sides)


def drop(item: Item) -> Iterator[str]:
    """Drop the table, with its columns, constraints, indexes, triggers, rules and policies."""
    yield f"DROP {item.kind.upper()} {item.name}"


def alter(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Change what a table is, without what it inherits."""
    changed, has = differing(old, new), new.properties
    table = f"ALTER {new.kind.upper()} {new.name}"
    clauses = [*_kept_elsewhere(changed, new)]
    for name, prefix in (("options", ""), ("toast options", "toast.")):
        if name in changed:
            clauses += set_options(old.properties.get(name), has.get(name), prefix)
    for name, (on, off) in SECURITY.items():
        if name in changed:
            clauses.append(f"{on if name in has else off} ROW LEVEL SECURITY")
    if "replica identity" in changed and has.get("replica identity") != "index":
        clauses.append(f"REPLICA IDENTITY {has.get('replica identity', 'default').upper()}")
    if "server options" in changed:
        clauses.append(given(old, new))
    yield from (f"{table} {clause}" for clause in clauses)


def _kept_elsewhere(changed: set[str], new: Item) -> Iterator[str]:
    """How and where its rows are kept, and of which type they are."""
    has = new.properties
    if "persistence" in changed:
        yield f"SET {'UNLOGGED' if 'persistence' in has else 'LOGGED'}"
    if "access method" in changed and has.get("access method"):
        yield f"SET ACCESS METHOD {has['access method']}"
    if "tablespace" in changed:
        yield f"SET TABLESPACE {has.get('tablespace', 'pg_default')}"
    if "of type" in changed:
        yield f"OF {has['of type']}" if "of type" in has else "NOT OF"


def leave(old: Item, new: Item) -> Iterator[Said]:
    """Take the table out of what it inherits."""
    for parent, bound in _kin(old).items():
        if _kin(new).get(parent, "nowhere") != bound:
            yield _leaving(parent, bound, old.name)


def join(old: Item | None, new: Item, sides: Sides) -> Iterator[Said]:
    """Let the table inherit what it should, once it has what it needs for that."""
    was = _kin(old) if old else {}
    for parent, bound in _kin(new).items():
        if was.get(parent, "nowhere") == bound or (old is None and not bound):
            continue
        if bound:
            yield f"ALTER TABLE {parent} ATTACH PARTITION {new.name} {bound}"
        elif old is not None:
            yield f"ALTER TABLE {new.name} INHERIT {parent}"
            yield from _stay_own(new, sides)


def moved(old: Item, new: Item, sides: Sides) -> Iterator[Unmended]:
    """The order of columns, where it will be another than the one wanted: new ones come last."""
    wished = [bare(one) for one in ordered(new, sides.want_parts)]
    there = [name for name in map(bare, ordered(old, sides.have_parts)) if name in wished]
    there += [name for name in wished if name not in there]
    if there == wished:
        return
    change = Change(Action.CHANGED, new, "column order", ", ".join(there), ", ".join(wished))
    yield Unmended(change, "PostgreSQL puts a new column last, and cannot move one")
    for part in sides.want_parts.get(new.title, ()):
        if part.kind == "statistics" and (text := _listed_as(part.properties["definition"], there)):
            change = Change(Action.CHANGED, part, "definition", text, part.properties["definition"])
            yield Unmended(change, "they list the columns in the order of the table")


def ordered(item: Item, parts: Mapping[str, tuple[Item, ...]]) -> list[Item]:
    """The columns in their order."""
    order = listed(item.properties.get("column order"))
    found = {bare(one): one for one in parts.get(item.title, ()) if one.kind == "column"}
    return [found[name] for name in order if name in found]


def _listed_as(definition: str, order: list[str]) -> str | None:
    """Extended statistics as they list columns of that order; None where that is the same."""
    head, _, rest = definition.partition(" ON ")
    columns, _, table = rest.rpartition(" FROM ")
    entries = listed(columns)
    found = sorted(entries, key=lambda one: order.index(one) if one in order else len(order))
    return f"{head} ON {', '.join(found)} FROM {table}" if found != entries else None


def _is_own(table: Item, column: Item) -> bool:
    return "partition bound" in table.properties or column.properties.get("inherited") != "yes"


def _body(item: Item, own: list[Item], sides: Sides) -> str:
    if "of type" in item.properties:
        return f"OF {item.properties['of type']}"
    lines = ",".join(f"\n    {columns.definition(one, sides)}" for one in own)
    return f"({lines}{chr(10) if lines else ''}){_parents(item)}"


def _parents(item: Item) -> str:
    parents = [] if "partition bound" in item.properties else list(_kin(item))
    return f" INHERITS ({', '.join(parents)})" if parents else ""


def _tail(item: Item) -> str:
    has = item.properties
    words = [f"PARTITION BY {has['partition key']}"] if "partition key" in has else []
    if has.get("access method", "heap") != "heap":
        words.append(f"USING {has['access method']}")
    stored = storage_options(has.get("options")) + storage_options(has.get("toast options"), "toast.")
    if stored:
        words.append(f"WITH ({', '.join(stored)})")
    if "tablespace" in has:
        words.append(f"TABLESPACE {has['tablespace']}")
    return "".join(f" {word}" for word in words)


def _kin(item: Item) -> dict[str, str]:
    """The tables that it inherits from, each with the bound of a partition, or nothing."""
    bound = item.properties.get("partition bound", "")
    return dict.fromkeys(listed(item.properties.get("inherits")), bound)


def _leaving(parent: str, bound: str, name: str) -> str:
    if parent.endswith(" (being detached)"):
        return f"ALTER TABLE {parent.removesuffix(' (being detached)')} DETACH PARTITION {name} FINALIZE"
    return (
        f"ALTER TABLE {parent} DETACH PARTITION {name}"
        if bound
        else f"ALTER TABLE {name} NO INHERIT {parent}"
    )


def _stay_own(table: Item, sides: Sides) -> Iterator[Unmended]:
    """What was the table's own stays so beside being inherited."""
    for part in sides.want_parts.get(table.title, ()):
        old = sides.have.get(part.title)
        own = old is None or "inherited" not in old.properties
        if part.properties.get("inherited") == "yes" and own and part.kind in {"column", "constraint"}:
            change = Change(Action.CHANGED, part, "inherited", "and defined here", "yes")
            yield Unmended(change, "what was a table's own before it inherits stays its own as well")


def _inherited(column: Item, sides: Sides) -> Item:
    """The column as it comes from the first parent that has it."""
    table = sides.want[column.parent or ""]
    for parent in _kin(table):
        found = sides.want.get(f"column {parent}.{bare(column)}")
        if found:
            kept = {key: value for key, value in found.properties.items() if key in COVERS_BY_INHERITANCE}
            return _with(column, {**kept, "inherited": "yes"})
    return column


def _with(item: Item, properties: dict[str, str]) -> Item:
    return Item(item.kind, item.name, item.schema, item.parent, properties)


COVERS_BY_INHERITANCE = columns.COVERS - {"identity"}
