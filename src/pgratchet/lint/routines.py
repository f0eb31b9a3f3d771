"""What a function or a view looks like from outside: its parameters and results, its columns."""

from __future__ import annotations

from typing import NamedTuple

from pgratchet import parse
from pgratchet.lint.catalogue import Column
from pgratchet.lint.known import Known
from pgratchet.lint.tree import Name, Node, name_of, strings, type_of, walk

_GIVEN = {"FUNC_PARAM_DEFAULT", "FUNC_PARAM_IN", "FUNC_PARAM_INOUT", "FUNC_PARAM_VARIADIC"}


class Signature(NamedTuple):
    """Parameters and results, with types as the grammar names them."""

    given: tuple[str, ...]
    """The types by which a call finds the function."""
    names: tuple[str, ...]
    """Of these parameters; empty where one has none."""
    results: tuple[str, ...]
    defaults: int
    procedure: bool


def declared(known: Known, name: Name) -> list[Node]:
    """The declarations of the functions of a name."""
    schema = name[0] or known.path[0]
    return [node for owner, node in _all(known, name[1]) if owner == schema]


def declare(known: Known, name: Name, node: Node) -> None:
    """Add a declaration, in the place of the one that it replaces."""
    forget(known, name, signature(node))
    _all(known, name[1]).append((name[0] or known.path[0], node))


def forget(known: Known, name: Name, gone: Signature | None) -> None:
    """Take a declaration away: of functions with the same parameters."""
    schema = name[0] or known.path[0]
    known.declared[name[1]] = [
        (owner, node)
        for owner, node in _all(known, name[1])
        if owner != schema or gone is None or (signature(node) or gone).given != gone.given
    ]


def forget_all(known: Known, name: Name) -> None:
    """Take the declarations of a name away, whatever their parameters."""
    schema = name[0] or known.path[0]
    known.declared[name[1]] = [(owner, node) for owner, node in _all(known, name[1]) if owner != schema]


def _all(known: Known, name: str) -> list[tuple[str, Node]]:
    if name not in known.declared:
        known.declared[name] = [
            (function.name[0], node)
            for function in known.functions.get(name, ())
            if function.declared
            for node in (parse.tree(f"CREATE {function.declared} LANGUAGE sql AS ''") or {}).values()
        ]
    return known.declared[name]


def signature(node: Node) -> Signature | None:
    """What a CREATE FUNCTION declares; None where the type of a column stands for one of its own."""
    parameters = [item["FunctionParameter"] for item in node.get("parameters", ())]
    if any(item.get("pct_type") for item in walk(node, "argType")):
        return None
    given = [item for item in parameters if item["mode"] in _GIVEN]
    made = [item for item in parameters if item["mode"] not in _GIVEN - {"FUNC_PARAM_INOUT"}]
    returned = node.get("returnType", {})
    whole = (_type(returned),) if returned and not made else ()
    many = ("setof",) if returned.get("setof") else ()
    return Signature(
        tuple(_type(item["argType"]) for item in given),
        tuple(item.get("name", "") for item in given),
        (*many, *whole, *(f"{item.get('name', '')} {_type(item['argType'])}" for item in made)),
        sum("defexpr" in item for item in given),
        bool(node.get("is_procedure")),
    )


def _type(node: Node) -> str:
    return str(type_of(node)._replace(mods=()))


def columns_of(known: Known, view: Node) -> tuple[Column, ...] | None:
    """The columns of a view, each with its type where that is plain to see; None where they cannot be told."""
    select = view["query"].get("SelectStmt", {})
    while "larg" in select:
        select = select["larg"]
    if "targetList" not in select:
        return None
    sources = [name_of(item["RangeVar"]) for item in select.get("fromClause", ()) if "RangeVar" in item]
    found: list[Column] = []
    for item in select.get("targetList", ()):
        target = item["ResTarget"]
        if "A_Star" in str(target["val"].get("ColumnRef", {}).get("fields", "")):
            table = known.table(sources[0]) if len(sources) == len(select["fromClause"]) == 1 else None
            if table is None or not table.columns:
                return None
            found += table.columns
        else:
            kind = _kind(known, sources, target["val"])
            found.append(Column(target.get("name") or _name(target["val"]), kind))
    aliases = strings(view.get("aliases", ()))
    named = [Column(name, column.type) for name, column in zip(aliases, found, strict=False)]
    return (*named, *found[len(named) :])


def _name(value: Node) -> str:
    """The name that PostgreSQL gives to a column without one."""
    (kind, node), *_ = value.items()
    if kind == "ColumnRef":
        return strings(node["fields"])[-1]
    if kind == "FuncCall":
        return strings(node["funcname"])[-1]
    if kind == "TypeCast":
        inner = _name(node["arg"])
        return type_of(node["typeName"]).name if inner == "?column?" else inner
    return {"CoalesceExpr": "coalesce", "CaseExpr": "case"}.get(kind, "?column?")


def _kind(known: Known, sources: list[Name], value: Node) -> str:
    if "TypeCast" in value:
        return str(type_of(value["TypeCast"]["typeName"]))
    name = strings(value.get("ColumnRef", {}).get("fields", ()))
    column = known.column(sources[0], name[-1]) if name and len(sources) == 1 else None
    return column.type if column else ""
