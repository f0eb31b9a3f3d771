"""The single steps of a mending: for each item what is done to it, and after and before what else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from pgratchet.mending import columns, constraints, indexes, sequences, tables
from pgratchet.mending.kinds import KINDS
from pgratchet.mending.records import Said, Sides, differing
from pgratchet.mending.remarks import remark
from pgratchet.mending.wording import bare, of_view, relation
from pgratchet.schema import Item


class Deed(IntEnum):
    """What is done, in the order in which it is where nothing else decides."""

    LEAVE = 0
    """A partition is detached, a default that names something which goes is dropped."""
    DROP = 1
    MAKE = 2
    ALTER = 3
    FINISH = 4
    """It gets what it can only have when others are there."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to one item at once."""

    deed: Deed
    item: Item
    """As it is wanted, or as it was where it goes."""
    said: tuple[Said, ...]


def steps(sides: Sides, again: set[str], bereft: set[str]) -> Iterator[Step]:
    """Every step, in no order that matters."""
    for title, old in sides.have.items():
        new = sides.want.get(title)
        if new is None or title in again:
            if not goes_along(old, sides, again):
                yield Step(Deed.DROP, old, tuple(_drop(old, sides)))
        else:
            yield from _kept(old, new, sides)
        if title in bereft and new is not None:
            yield from _suspended(old, new)
    for title, new in sides.want.items():
        if title not in sides.have or title in again:
            yield from _made(new, sides, again)


def _drop(item: Item, sides: Sides) -> Iterable[str]:
    if item.kind == "index" and sides.online:
        return indexes.drop_online(item)
    return KINDS[item.kind].drop(item)


def _kept(old: Item, new: Item, sides: Sides) -> Iterator[Step]:
    if old == new:
        return
    if old.kind == "table":
        yield Step(Deed.LEAVE, old, tuple(tables.leave(old, new)))
    said = (*KINDS[old.kind].alter(old, new, sides), *remark(old, new))
    yield Step(Deed.ALTER, new, said)
    yield Step(Deed.FINISH, new, tuple(_finish(old, new, sides)))


def _suspended(old: Item, new: Item) -> Iterator[Step]:
    column = f"ALTER TABLE {relation(new)} ALTER COLUMN {bare(new)}"
    yield Step(Deed.LEAVE, old, (f"{column} DROP DEFAULT",))
    if "default" in new.properties:
        yield Step(Deed.FINISH, new, (f"{column} SET DEFAULT {new.properties['default']}",))


def _made(new: Item, sides: Sides, again: set[str]) -> Iterator[Step]:
    comes = comes_along(new, sides, again)
    kind = KINDS[new.kind]
    if not comes:
        yield Step(Deed.MAKE, new, tuple(kind.make(new, sides)))
    born = _born(new, sides, along=comes)
    inline = new.kind == "column" and comes and not of_view(new)
    given = () if inline else kind.alter(born, new, sides)
    said = (*given, *remark(born, new), *_finish(None, new, sides))
    yield Step(Deed.FINISH, new, said)


def _born(new: Item, sides: Sides, *, along: bool) -> Item:
    """The item as making it leaves it."""
    if new.kind == "index" and along and _key(new, sides.want_parts.get(new.parent or "", ())):
        return indexes.without_parameters(new)
    covers = {*KINDS[new.kind].covers, *(("inherited",) if along else ())}
    if new.kind == "index" and " ON ONLY " in new.properties["definition"]:
        covers |= {"invalid"}
    kept = {name: value for name, value in new.properties.items() if name in covers}
    if new.kind == "extension":  # which brings a comment of its own
        kept.setdefault("comment", "its own")
    return replace(new, properties=kept)


def _finish(old: Item | None, new: Item, sides: Sides) -> Iterator[Said]:
    if new.kind == "table":
        yield from tables.join(old, new, sides)
    if new.kind in {"table", "foreign table", "type"} and old is not None:
        yield from tables.moved(old, new, sides)
    if new.kind == "column":
        yield from columns.finish(old, new, sides)
    if new.kind == "sequence":
        yield from sequences.part(old, new)
    if new.kind == "index":
        yield from indexes.attach(old, new, sides)


def goes_along(item: Item, sides: Sides, again: set[str]) -> bool:
    """Whether it goes with something else that is dropped."""
    parent = item.parent or ""
    whole = bool(parent) and (parent not in sides.want or parent in again)
    if item.kind == "sequence":
        return whole or sequences.is_identity(item) or _column_goes(item, sides)
    if of_view(item):
        return True
    if whole:
        return not holds_another(item)
    if item.kind == "index":
        key = _key(item, sides.have_parts.get(parent, ()))
        return key is not None or _on_top(item, sides, again)
    if item.kind == "constraint" and item.properties["definition"].startswith("NOT NULL "):
        column = item.properties["definition"].removeprefix("NOT NULL ").removesuffix(" NO INHERIT")
        if f"column {relation(item)}.{column}" not in sides.want and parent.startswith("table "):
            return True
    return item.properties.get("inherited") == "yes" and (item.kind == "trigger" or not _leaves(item, sides))


def holds_another(item: Item) -> bool:
    """Whether it may keep another table from being dropped, in a ring perhaps."""
    if item.kind == "policy":
        return "SELECT" in "".join(item.properties.get(name, "") for name in ("using", "with check"))
    own = f"REFERENCES {relation(item)}("
    inherited = item.properties.get("inherited") == "yes"
    return constraints.is_foreign_key(item) and own not in item.properties["definition"] and not inherited


def _leaves(item: Item, sides: Sides) -> bool:
    """Whether its table stays, and inherits from another one than before."""
    old, new = sides.have.get(item.parent or ""), sides.want.get(item.parent or "")
    return old is not None and new is not None and "inherits" in differing(old, new)


def comes_along(item: Item, sides: Sides, again: set[str]) -> bool:
    """Whether it comes with something else that is made."""
    parent, has = item.parent or "", item.properties
    inherited = has.get("inherited") == "yes"
    if item.kind == "column":
        return (
            sides.made(parent) or parent in again or of_view(item) or (inherited and not _joins(item, sides))
        )
    if item.kind == "sequence":
        return sequences.is_identity(item)
    if item.kind == "index":
        return _key(item, sides.want_parts.get(parent, ())) is not None
    if item.kind == "constraint":
        return _constraint_comes(item, sides)
    return inherited


def _constraint_comes(item: Item, sides: Sides) -> bool:
    text = item.properties["definition"]
    if text.startswith("NOT NULL ") and (item.parent or "").startswith(("table ", "foreign table ")):
        column = sides.want.get(f"column {relation(item)}.{text.removeprefix('NOT NULL ')}")
        own = column is not None and _inline(column, sides)
        if own and column is not None and sides.made(column.title):
            return columns.not_null(column, sides.want_parts) == bare(item)
    if item.properties.get("inherited") != "yes" or constraints.is_indexed(item):
        return False
    return constraints.is_foreign_key(item) or not _joins(item, sides)


def _inline(column: Item, sides: Sides) -> bool:
    """Whether its definition is written out where it is made."""
    table = sides.want.get(column.parent or "")
    return column.properties.get("inherited") != "yes" or (
        table is not None and "partition bound" in table.properties
    )


def _joins(item: Item, sides: Sides) -> bool:
    """Whether its table is only now attached to the one that it inherits from."""
    old, new = sides.have.get(item.parent or ""), sides.want.get(item.parent or "")
    if new is None or "inherits" not in new.properties:
        return False
    if old is None:
        return "partition bound" in new.properties
    return bool(differing(old, new) & {"inherits", "partition bound"})


def _key(index: Item, parts: Iterable[Item]) -> Item | None:
    """The constraint with which an index comes and goes."""
    found = (one for one in parts if constraints.is_indexed(one) and constraints.index_of(one) == index.title)
    return next(found, None)


def _on_top(item: Item, sides: Sides, again: set[str]) -> bool:
    """Whether it hangs on an index that goes, and takes it along."""
    top = f"index {item.properties['attached to']}" if "attached to" in item.properties else None
    return top is not None and (top not in sides.want or top in again)


def _column_goes(item: Item, sides: Sides) -> bool:
    column = item.properties.get("owned by column")
    return column is not None and f"column {relation(item)}.{column}" not in sides.want
