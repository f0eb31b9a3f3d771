"""What the definition of a column or a constraint adds to what is known of its table."""

from __future__ import annotations

from dataclasses import replace

from pgratchet.lint.catalogue import Column, Constraint, Index
from pgratchet.lint.known import Known
from pgratchet.lint.tree import (
    SERIAL,
    Name,
    Node,
    columns,
    constraint,
    constraints,
    name_of,
    strings,
    type_of,
)

KEYS = {
    "CONSTR_CHECK": "c",
    "CONSTR_FOREIGN": "f",
    "CONSTR_UNIQUE": "u",
    "CONSTR_PRIMARY": "p",
    "CONSTR_EXCLUSION": "x",
    "CONSTR_NOTNULL": "n",
}


def add_column(known: Known, table: Name, node: Node) -> None:
    """Add a column, with the constraints that are written with it."""
    owner = known.tables.get(table)
    if owner is None or any(column.name == node["colname"] for column in owner.columns):
        return
    kind = type_of(node.get("typeName"))
    serial = kind.name in SERIAL
    kind = kind._replace(name=SERIAL.get(kind.name, kind.name))
    generated = constraint(node, "CONSTR_GENERATED")
    not_null = serial or any(
        constraint(node, f"CONSTR_{word}") for word in ("NOTNULL", "PRIMARY", "IDENTITY")
    )
    column = Column(
        node["colname"],
        str(kind),
        not_null,
        stored=bool(generated and generated.get("generated_kind") != "v"),
        collation=strings(node["collClause"]["collname"])[-1] if "collClause" in node else "",
    )
    read = sorted(columns(generated["raw_expr"])) if generated else ()
    used = ((name, f"the generated column {column.name}") for name in read)
    known.tables[table] = replace(owner, columns=(*owner.columns, column), used_by=(*owner.used_by, *used))
    known.bear("column", *table, column.name)
    for item in constraints(node):
        if item["contype"] in KEYS and item["contype"] != "CONSTR_NOTNULL":
            add_constraint(known, table, item, column.name)


def filled(column: Node) -> bool:
    """Whether a new column holds a value, or has to, where an INSERT leaves it out."""
    kinds = ("DEFAULT", "GENERATED", "IDENTITY", "NOTNULL", "PRIMARY")
    serial = type_of(column.get("typeName")).name in SERIAL
    return serial or any(constraint(column, f"CONSTR_{kind}") for kind in kinds)


def add_constraint(known: Known, table: Name, node: Node, column: str = "") -> None:
    """Add a constraint, and the index that it brings."""
    kind = KEYS.get(node["contype"])
    if kind is None:
        return
    keys = strings(node.get("fk_attrs") or node.get("keys") or ()) or ([column] if column else [])
    expression = node.get("raw_expr")
    read = sorted(columns(expression)) if expression else keys
    suffix = {"c": "check", "f": "fkey", "u": "key", "p": "pkey", "x": "excl", "n": "not_null"}[kind]
    parts = (table[1], suffix) if kind == "p" else (table[1], *read, suffix)
    name = node.get("conname") or "_".join(parts)
    references = known.resolve(name_of(node["pktable"])) if "pktable" in node else None
    made = Constraint(
        table,
        name,
        kind,
        tuple(read),
        not node.get("skip_validation", False) and node.get("is_enforced", True),
        references=references,
        deferred=bool(node.get("initdeferred")),
        targets=tuple(strings(node.get("pk_attrs", ()))),
    )
    known.constraints.put((table, name), made)
    if references:
        known.keys.append((made, known.statement))
    if kind == "c" and expression:
        known.checks[table, name] = expression
    known.bear("constraint", *table, name)
    if node.get("skip_validation"):
        known.transaction.not_valid.add((table, name))
    if kind in {"p", "u", "x"} and "indexname" not in node:
        known.bear("index", table[0], name)
        unique = Index((table[0], name), table, "btree", tuple(keys), tuple(keys), unique=True)
        known.indexes.put(unique.name, unique)
    if kind == "p" or (kind == "n" and not node.get("skip_validation")):
        for key in keys:
            set_column(known, table, key, not_null=True)


def set_column(known: Known, table: Name, column: str, **values: object) -> None:
    """Change what is known of a column."""
    owner = known.tables.get(known.resolve(table))
    if owner:
        changed = tuple(
            replace(item, **values) if item.name == column else item  # type: ignore[arg-type]
            for item in owner.columns
        )
        known.tables[owner.name] = replace(owner, columns=changed)


def set_table(known: Known, table: Name, **values: object) -> None:
    """Change what is known of a table."""
    owner = known.tables.get(known.resolve(table))
    if owner:
        known.tables[owner.name] = replace(owner, **values)  # type: ignore[arg-type]
