"""Reads names, types, options and expressions off the nodes of a statement's tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from pgratchet import parse

Node = dict[str, Any]
Name = tuple[str, str]
"""A schema and a name; an empty schema where none is written."""

SERIAL = {
    "serial": "int4",
    "serial4": "int4",
    "bigserial": "int8",
    "serial8": "int8",
    "smallserial": "int2",
    "serial2": "int2",
}


CLOSED = frozenset(
    """
    int2 int4 int8 float4 float8 bool date uuid json jsonb bytea money xml cidr macaddr macaddr8 name tsvector tsquery
    point line lseg box path polygon circle int4range int8range numrange tsrange tstzrange daterange int4multirange
    int8multirange nummultirange tsmultirange tstzmultirange datemultirange pg_lsn jsonpath
    """.split()  # noqa: SIM905
)
"""Types of PostgreSQL that no other type becomes without being written anew; int4, save for an oid."""
TYPES = CLOSED | frozenset(
    """
    text varchar bpchar char citext oid inet numeric bit varbit time timetz timestamp timestamptz interval vector
    halfvec sparsevec hstore ltree lquery geometry geography cube regclass regtype regproc regrole regconfig record
    """.split()  # noqa: SIM905
).union(SERIAL)
"""All that PostgreSQL has, and what extensions bring: no domains."""

FIELDS = {
    "second": 1 << 12,
    "minute": 1 << 11,
    "hour": 1 << 10,
    "day": 1 << 3,
    "month": 1 << 1,
    "year": 1 << 2,
}
"""The fields of an interval, from the smallest, by their bits in its first modifier."""


class Type(NamedTuple):
    """A type by the name that the grammar gives it: int4, varchar, timestamptz, …"""

    name: str
    mods: tuple[int, ...] = ()
    array: bool = False
    schema: str = ""

    def __str__(self) -> str:
        """As people write it."""
        mods = f"({','.join(map(str, self.mods))})" if self.mods else ""
        if self.name == "interval" and self.mods:
            mods = _interval(*self.mods)
        return f"{SPOKEN.get(self.name, self.name)}{mods}{'[]' if self.array else ''}"


def _interval(fields: int, precision: int = 6) -> str:
    """The fields and digits of an interval, as SQL has them."""
    kept = [name for name, bit in FIELDS.items() if fields & bit]
    digits = f"({precision})" if precision < 6 else ""
    if len(kept) == len(FIELDS):
        return digits
    span = kept[0] if len(kept) == 1 else f"{kept[-1]} to {kept[0]}"
    return f" {span}{digits if kept[0] == 'second' else ''}"


SPOKEN = {"int4": "integer", "int8": "bigint", "int2": "smallint", "bool": "boolean", "bpchar": "char"}


def name_of(relation: Node) -> Name:
    """The name of a table's node."""
    return relation.get("schemaname", ""), relation["relname"]


def last_two(names: list[Node]) -> Name:
    """The name that a list of strings is."""
    parts = strings(names)
    return (parts[-2] if len(parts) > 1 else "", parts[-1])


def strings(items: Iterable[Node]) -> list[str]:
    """The strings of a list."""
    return [item["String"]["sval"] for item in items if "String" in item]


def shown(name: Name) -> str:
    """A name as people write it."""
    return f"{name[0]}.{name[1]}" if name[0] else name[1]


def type_of(node: Node | None) -> Type:
    """The type that a TypeName is; one without a name for a column of a typed table, which has none."""
    if node is None:
        return Type("")
    schema, name = last_two(node["names"])
    mods = tuple(
        value["A_Const"].get("ival", {}).get("ival", 0)
        for value in node.get("typmods", ())
        if "A_Const" in value
    )
    schema = "" if schema == "pg_catalog" else schema
    return Type(name, mods, "arrayBounds" in node, schema)


@lru_cache(maxsize=4096)
def type_named(text: str) -> Type:
    """The type that a text of the catalogue is."""
    tree = parse.tree(f"SELECT NULL::{text}")
    if tree is None:
        return Type(text)
    return type_of(tree["SelectStmt"]["targetList"][0]["ResTarget"]["val"]["TypeCast"]["typeName"])


@lru_cache(maxsize=4096)
def expression(text: str) -> Node | None:
    """The tree of an expression that the catalogue has as text."""
    tree = parse.tree(f"SELECT {text}")
    select = tree.get("SelectStmt", {}) if tree else {}
    targets = select.get("targetList", [])
    found: Node | None = (
        targets[0]["ResTarget"]["val"] if len(targets) == 1 and "fromClause" not in select else None
    )
    return found


def single_expression(body: str) -> str:
    """The expression that the body of a function in SQL is, where it is one alone; otherwise nothing."""
    found = re.fullmatch(r"\s*(?:select|return)\s+(.*?)\s*;?\s*", body, re.DOTALL | re.IGNORECASE)
    return found.group(1) if found else ""


def walk(node: object, kind: str) -> Iterator[Node]:
    """Every node of a kind in a tree, outer ones first."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == kind:
                yield value
            yield from walk(value, kind)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value, kind)


def columns(node: object) -> frozenset[str]:
    """The columns that an expression reads."""
    return frozenset(
        fields[-1]
        for reference in walk(node, "ColumnRef")
        if (fields := strings(item for item in reference["fields"] if "String" in item))
    )


def functions(node: object) -> Iterator[Name]:
    """The functions that an expression calls."""
    for call in walk(node, "FuncCall"):
        yield last_two(call["funcname"])


def constraints(column: Node) -> list[Node]:
    """The constraints that are written with a column."""
    return [item["Constraint"] for item in column.get("constraints", ())]


def constraint(column: Node, kind: str) -> Node | None:
    """The first constraint of a kind, as CONSTR_DEFAULT, of a column."""
    return next((item for item in constraints(column) if item["contype"] == kind), None)


def option(node: Node, key: str, name: str) -> str | None:
    """The value of an option in a list of them, as text; None where it is not there."""
    for item in node.get(key, ()):
        element = item.get("DefElem", {})
        if element.get("defname") == name:
            value = next(iter(element.get("arg", {"String": {"sval": "true"}}).values()))
            return str(value.get("sval", value.get("ival", value.get("boolval", value.get("fval", 0)))))
    return None


def switched_on(node: Node, key: str, name: str) -> bool:
    """Whether an option is there and not off."""
    value = option(node, key, name)
    return value is not None and value.lower() in {"true", "on", "1"}


def constant(node: Node) -> str | None:
    """The value of a constant, as text."""
    value = node.get("A_Const")
    if value is None:
        return None
    for kind in ("sval", "fval"):
        if kind in value:
            return str(value[kind].get(kind, ""))
    return str(value["ival"].get("ival", 0)) if "ival" in value else None


def conjuncts(node: Node) -> Iterator[Node]:
    """The terms that all have to hold for an expression to hold."""
    if node.get("BoolExpr", {}).get("boolop") == "AND_EXPR":
        for term in node["BoolExpr"]["args"]:
            yield from conjuncts(term)
    else:
        yield node


def proves_not_null(check: Node, column: str) -> bool:
    """Whether a check that holds leaves no null in a column."""
    return any(
        term.get("NullTest", {}).get("nulltesttype") == "IS_NOT_NULL"
        and columns(term) == {column}
        and "ColumnRef" in term["NullTest"]["arg"]
        for term in conjuncts(check)
    )


def dropped(node: Node) -> Iterator[Name]:
    """The names of the objects that a DROP names."""
    for item in node.get("objects", ()):
        if "List" in item:
            if strings(item["List"]["items"]):
                yield last_two(item["List"]["items"])
        elif "ObjectWithArgs" in item:
            yield last_two(item["ObjectWithArgs"]["objname"])
        elif "TypeName" in item:
            yield last_two(item["TypeName"]["names"])
        elif "String" in item:
            yield "", item["String"]["sval"]


def location(node: object) -> int:
    """At which byte of its statement a node stands; -1 where it does not say."""
    if isinstance(node, dict):
        if isinstance(node.get("location"), int):
            return int(node["location"])
        places = [place for value in node.values() if (place := location(value)) >= 0]
        return min(places, default=-1)
    if isinstance(node, list):
        return min((place for value in node if (place := location(value)) >= 0), default=-1)
    return -1
