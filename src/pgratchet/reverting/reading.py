"""What the statements of a migration say that no comparison of schemas shows: what they write to rows.

Where the rows that they insert have a key, the statement that deletes them again is known as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pgratchet import parse, sql
from pgratchet.lint.tree import Node, constant, name_of, shown, walk
from pgratchet.model import Migration, Statement
from pgratchet.reverting.rows import bare
from pgratchet.schema import Snapshot

WRITES = {
    "InsertStmt": "INSERT",
    "UpdateStmt": "UPDATE",
    "DeleteStmt": "DELETE",
    "MergeStmt": "MERGE",
    "TruncateStmt": "TRUNCATE",
    "CopyStmt": "COPY",
}
DEFINITIONS = {"CreateFunctionStmt", "RuleStmt", "CreateTrigStmt", "ViewStmt"}
OF_THE_SERVER = {
    "CreateRoleStmt": "CREATE ROLE",
    "AlterRoleStmt": "ALTER ROLE",
    "AlterRoleSetStmt": "ALTER ROLE",
    "DropRoleStmt": "DROP ROLE",
    "GrantRoleStmt": "GRANT of a role",
    "AlterSystemStmt": "ALTER SYSTEM",
    "CreateTableSpaceStmt": "CREATE TABLESPACE",
    "DropTableSpaceStmt": "DROP TABLESPACE",
}
Found = tuple[Migration, Statement]


@dataclass(frozen=True, slots=True)
class Write:
    """A statement that writes rows of a table."""

    verb: str
    table: str
    """As the statement names it."""
    where: str
    """The script and the line."""
    undo: str | None = None
    """The statement that takes it back, where that is sure."""


def writes(found: Sequence[Found], now: Snapshot) -> tuple[Write, ...]:
    """What the statements write; `now` is the schema that the new file is run on."""
    told: list[Write] = []
    for migration, statement in found:
        where = f"{migration.script}:{statement.line}"
        for text in texts(statement):
            tree = parse.tree(text)
            if tree and next(iter(tree)) not in DEFINITIONS:
                told += _of(tree, where, now, alone=text == statement.sql)
    return tuple(dict.fromkeys(told))


def beyond(found: Sequence[Found]) -> Iterator[str]:
    """What the statements do outside of the database, which stays as it is."""
    for migration, statement in found:
        for text in texts(statement):
            tree = parse.tree(text) or {}
            if word := OF_THE_SERVER.get(next(iter(tree), "")):
                yield f"{migration.script}:{statement.line}: {word} is of the server, and stays"


def texts(statement: Statement) -> Iterator[str]:
    """The statement, and what stands in the body of a DO."""
    yield statement.sql
    tree = parse.tree(statement.sql)
    if tree and "DoStmt" in tree and (body := parse.body(statement.sql, tree)):
        yield from (inner.sql for inner in body.statements)


def _of(tree: Node, where: str, now: Snapshot, *, alone: bool) -> Iterator[Write]:
    top = next(iter(tree))
    for kind, verb in WRITES.items():
        for node in walk(tree, kind):
            if kind == "TruncateStmt":
                for item in node.get("relations", ()):
                    yield Write(verb, shown(name_of(item["RangeVar"])), where)
            elif "relation" in node and (kind != "CopyStmt" or node.get("is_from")):
                plain = alone and kind == top == "InsertStmt"
                undo = _deletion(node, now) if plain else None
                yield Write(verb, shown(name_of(node["relation"])), where, undo)


def _deletion(node: Node, now: Snapshot) -> str | None:
    """Delete the rows that an INSERT of constants made, by a key that each of them has.

    With ON CONFLICT a row can have been there before.
    """
    table = _table(node, now)
    rows = node.get("selectStmt", {}).get("SelectStmt", {}).get("valuesLists", ())
    if table is None or not rows or "onConflictClause" in node or "withClause" in node:
        return None
    columns = [item["ResTarget"]["name"] for item in node.get("cols", ())] or _columns(table, now)
    for key in _keys(table, now):
        if set(key) <= set(columns) and (values := _values(rows, [columns.index(name) for name in key])):
            names = ", ".join(sql.quote(name) for name in key)
            return f"DELETE FROM {table} WHERE ({names}) IN ({', '.join(values)})"  # noqa: S608 - names are quoted
    return None


def _table(node: Node, now: Snapshot) -> str | None:
    """The table as the schema names it; None where that is not sure."""
    schema, name = name_of(node["relation"])
    written = f"{schema or 'public'}.{name}"
    return next((i.name for i in now.items if i.kind == "table" and i.name == written), None)


def _columns(table: str, now: Snapshot) -> list[str]:
    order: Mapping[str, str] = next(i.properties for i in now.items if i.title == f"table {table}")
    return order.get("column order", "").split(", ")


def _keys(table: str, now: Snapshot) -> Iterator[list[str]]:
    """The columns of each primary key and each UNIQUE constraint."""
    names = {bare(i) for i in now.items if i.kind == "column" and i.parent == f"table {table}"}
    for item in now.items:
        definition = item.properties.get("definition", "") if item.kind == "constraint" else ""
        if item.parent == f"table {table}" and definition.startswith(("PRIMARY KEY (", "UNIQUE (")):
            key = definition.partition("(")[2].partition(")")[0].split(", ")
            if set(key) <= names and not any('"' in name for name in key):
                yield key


def _values(rows: Sequence[Node], places: Sequence[int]) -> list[str] | None:
    """The key of each row, as SQL; None where one of them is no constant."""
    found = []
    for row in rows:
        items = row["List"]["items"]
        texts = [constant(items[place]) if place < len(items) else None for place in places]
        if any(text is None for text in texts):
            return None
        found.append(f"({', '.join(sql.literal(text) for text in texts if text is not None)})")
    return found
