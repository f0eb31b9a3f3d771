"""Whether a change of a column's type rewrites the table, or builds its indexes anew: as PostgreSQL decides it."""

from __future__ import annotations

from typing import NamedTuple

from pgratchet.lint.known import Known
from pgratchet.lint.tree import CLOSED, FIELDS, Name, Node, Type, columns, strings, type_named, type_of

# Types whose values are stored alike, so that one becomes the other by name alone.
_ALIKE = (
    {"text", "varchar"},
    {"text", "citext"},
    {"varchar", "citext"},
    {"int4", "oid"},
    {"bit", "varbit"},
)
_ONE_WAY = {
    ("cidr", "inet"),
    ("text", "bpchar"),
    ("varchar", "bpchar"),
    ("xml", "text"),
    ("xml", "varchar"),
    ("xml", "bpchar"),
}
_TEXTS = {"text", "varchar", "bpchar", "citext"}
# With a length these are padded, cut or measured, whatever they were before.
_CUT = {"bpchar", "bit", "vector", "halfvec", "sparsevec"}
# Types of the catalogue, as regclass, are oids by another name.
_OIDS = {"oid", "int4"}
# Among those, where an index sorts the two in another way.
_OTHER_ORDER = (
    {"text", "citext"},
    {"varchar", "citext"},
    {"int4", "oid"},
    {"bit", "varbit"},
    {"text", "bpchar"},
    {"varchar", "bpchar"},
    {"timestamp", "timestamptz"},
)
_CLOCKS = {"timestamp", "timestamptz", "time", "timetz"}
_UTC = {
    "utc",
    "etc/utc",
    "gmt",
    "etc/gmt",
    "uct",
    "etc/uct",
    "zulu",
    "etc/zulu",
    "universal",
    "etc/universal",
}
_GROWING = {"varchar", "varbit"}


class Change(NamedTuple):
    """What a change of type does; None where it cannot be told."""

    rewrites: bool | None
    reorders: bool = False
    """Without a rewrite, each index on the column is built anew."""


def change(known: Known, table: Name, command: Node) -> Change:
    """What an ALTER COLUMN … TYPE does, by the type that the column has now."""
    definition = command["def"]["ColumnDef"]
    new = type_of(definition["typeName"])
    column = command["name"]
    chain = _casts(definition.get("raw_default"), column)
    if chain is None:
        return Change(rewrites=True)
    collated = "collClause" in definition
    collation = strings(definition["collClause"]["collname"])[-1] if collated else "default"
    found = known.column(table, column)
    if found is None:
        return _unknown(known, new, chain)
    # A type without COLLATE gets its own collation, whatever the column had before.
    reorders = collation != (found.collation or "default")
    old = type_named(found.type)
    for step in (*chain, new):
        free = _free(known, old, step)
        if not free:
            return Change(free if free is None else True)
        reorders = reorders or {_base(known, old).name, _base(known, step).name} in _OTHER_ORDER
        old = step
    return Change(rewrites=False, reorders=reorders)


def narrows(old: Type, new: Type) -> bool:
    """Whether values of the one do not all fit into the other, of the same kind: some of them are cut or refused."""
    whole = {"int8": 3, "int4": 2, "int2": 1}
    if old.name in whole and new.name in whole:
        return whole[new.name] < whole[old.name]
    if new.name in {"varchar", "bpchar", "varbit", "bit"} and old.name in {
        "varchar",
        "bpchar",
        "text",
        "varbit",
        "bit",
    }:
        return bool(new.mods) and (not old.mods or new.mods[0] < old.mods[0])
    if old.name == new.name == "numeric":
        return bool(new.mods) and (not old.mods or _digits(new) < _digits(old) or _scale(new) < _scale(old))
    if old.name in _CLOCKS and new.name in _CLOCKS:
        return _precision(new) < _precision(old)
    return (old.name, new.name) in {("float8", "float4"), ("timestamptz", "date"), ("timestamp", "date")}


def _casts(using: Node | None, column: str) -> list[Type] | None:
    """The types that USING casts the column through; None where it computes anything else."""
    found: list[Type] = []
    while using and "TypeCast" in using:
        found.insert(0, type_of(using["TypeCast"]["typeName"]))
        using = using["TypeCast"]["arg"]
    if using and not ("ColumnRef" in using and columns(using) == {column}):
        return None
    return found


def _unknown(known: Known, new: Type, chain: list[Type]) -> Change:
    """Without the old type, by what there is that becomes the new one for free.

    A change that is free is made without USING, save by a habit of generators of SQL to texts. Where a type has
    digits or a length of its own, a column without them is the one that most tables have.
    """
    if chain and new.name not in _TEXTS:
        return Change(rewrites=True)
    if new.array:
        return Change(None if new.name in _TEXTS and not new.mods else True)
    if known.constrained(new):
        return Change(rewrites=True)
    shorter = new.name in _CUT and bool(new.mods)
    less = new.name in {*_CLOCKS, "interval"} and (
        _precision(new) < 6 if new.name in _CLOCKS else _interval(new) < 6
    )
    return Change(True if new.name in CLOSED or shorter or less or known.made(new) else None)


def _base(known: Known, kind: Type) -> Type:
    while not kind.array and (domain := known.domains.get(kind.name)):
        kind = type_named(domain.base)
    return kind


def _free(known: Known, old: Type, new: Type) -> bool | None:
    """Whether one becomes the other without a look at the values."""
    if (old.name, old.mods, old.array) == (new.name, new.mods, new.array):
        return True
    domain = known.domains.get(new.name)
    if domain and not new.array:
        return not known.constrained(new) and _free(known, old, type_named(domain.base))
    if not old.array and old.name in known.domains:
        # The limits of a domain's base type are not those of a column.
        old = _base(known, old)._replace(mods=())
    if old.array or new.array:
        return (old.name, old.array) == (new.name, new.array) and not new.mods
    if old.name == new.name:
        return _same_kind(old, new)
    if {old.name, new.name} == {"timestamp", "timestamptz"}:
        if new.mods:
            return False
        return known.timezone.lower() in _UTC if known.timezone else None
    return _alike(old.name, new.name) and not new.mods


def _alike(old: str, new: str) -> bool:
    named = {name for name in (old, new) if name.startswith("reg")}
    if named and {old, new} - named <= _OIDS:
        return len(named) == 1
    return {old, new} in _ALIKE or (old, new) in _ONE_WAY


def _same_kind(old: Type, new: Type) -> bool:
    if not new.mods or old.mods == new.mods:
        return True
    if new.name in _GROWING:
        return bool(old.mods) and new.mods[0] >= old.mods[0]
    if new.name == "numeric":
        return bool(old.mods) and _scale(old) == _scale(new) and new.mods[0] >= old.mods[0]
    if new.name in _CLOCKS:
        return _precision(new) >= _precision(old)
    if new.name == "interval":
        return _least(new) <= _least(old) and (_least(old) > 0 or _interval(new) >= _interval(old))
    return False


def _least(kind: Type) -> int:
    """The smallest field that an interval keeps: 0 for seconds."""
    fields = kind.mods[0] if kind.mods else FIELDS["second"]
    return next(at for at, bit in enumerate(FIELDS.values()) if fields & bit)


def _interval(kind: Type) -> int:
    return kind.mods[1] if len(kind.mods) > 1 else 6


def _precision(kind: Type) -> int:
    return kind.mods[0] if kind.mods else 6


def _scale(kind: Type) -> int:
    return kind.mods[1] if len(kind.mods) > 1 else 0


def _digits(kind: Type) -> int:
    return kind.mods[0] - _scale(kind)
