"""Which tables a statement locks against writers, and how strongly, read off its tree.

The modes are those that PostgreSQL 15, 16 and 18 were seen to take. What a statement locks besides (through
CASCADE, a function, a DO block) is not in its tree, and not told here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

Node = dict[str, Any]
Target = tuple[str, str]
"""A table's name, quoted and with its schema where the statement says one; a mode of LOCK TABLE."""

MODES = ("SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE")
LIGHT, BUILD, KEY, FULL = MODES
_EVERY = {"ExclusiveLock", "AccessExclusiveLock", "ShareRowExclusiveLock", "ShareUpdateExclusiveLock"}
CONFLICTS = {
    LIGHT: _EVERY | {"ShareLock"},
    BUILD: _EVERY | {"RowExclusiveLock"},
    KEY: _EVERY | {"RowExclusiveLock", "ShareLock"},
    FULL: _EVERY | {"RowExclusiveLock", "ShareLock", "RowShareLock", "AccessShareLock"},
}
"""Which lock of another, as pg_locks spells it, keeps us from each of ours."""

LIGHT_ACTIONS = {
    "AT_ValidateConstraint",
    "AT_SetStatistics",
    "AT_SetOptions",
    "AT_ResetOptions",
    "AT_ClusterOn",
    "AT_DropCluster",
    "AT_SetRelOptions",
    "AT_ResetRelOptions",
    "AT_AttachPartition",
}
KEY_ACTIONS = {
    "AT_EnableTrig",
    "AT_DisableTrig",
    "AT_EnableTrigAll",
    "AT_DisableTrigAll",
    "AT_EnableTrigUser",
}
FIRST_WORDS = ("alter", "create", "drop", "truncate")
LOCKING = (
    "alter",
    "drop",
    "truncate",
    "references",
    "create index",
    "create unique",
    "trigger",
    "policy",
    "rule",
)


def worth_reading(sql: str) -> bool:
    """Whether the tree could name a table that exists already; by words, so it costs little."""
    spelt = sql.lstrip().lower()
    return spelt.startswith(FIRST_WORDS) and any(word in spelt for word in LOCKING)


def of_tree(tree: Node) -> tuple[Target, ...]:
    """The tables of a statement, each with the strongest mode it takes."""
    (name, node), *_ = tree.items()
    rule = _RULES.get(name)
    return strongest(rule(node)) if rule else ()


def strongest(targets: Iterable[Target]) -> tuple[Target, ...]:
    """Each table once, with the strongest of its modes, in the order of names."""
    found: dict[str, str] = {}
    for table, mode in targets:
        if MODES.index(mode) >= MODES.index(found.get(table, LIGHT)):
            found[table] = mode
    return tuple(sorted(found.items()))


def _alter_table(node: Node) -> Iterator[Target]:
    if node.get("objtype") != "OBJECT_TABLE":
        return
    table = table_name(node["relation"])
    for item in node.get("cmds", ()):
        command = item["AlterTableCmd"]
        action = command["subtype"]
        yield table, LIGHT if action in LIGHT_ACTIONS else _mode(action, command)
        if "PartitionCmd" in command.get("def", {}):
            yield table_name(command["def"]["PartitionCmd"]["name"]), FULL
    yield from references(node)


def _mode(action: str, command: Node) -> str:
    constraint = command.get("def", {}).get("Constraint", {})
    foreign = action == "AT_AddConstraint" and constraint.get("contype") == "CONSTR_FOREIGN"
    return KEY if foreign or action in KEY_ACTIONS else FULL


def references(node: object) -> Iterator[Target]:
    """Tables that a foreign key refers to, wherever it stands in a tree."""
    if isinstance(node, dict):
        if "pktable" in node:
            yield table_name(node["pktable"]), KEY
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def _drop(node: Node) -> Iterator[Target]:
    for item in node.get("objects", ()):
        names = [part["String"]["sval"] for part in item.get("List", {}).get("items", ()) if "String" in part]
        if node["removeType"] == "OBJECT_TABLE":
            yield quoted(names), FULL
        elif node["removeType"] in {"OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"}:
            yield quoted(names[:-1]), FULL


def _one(mode: str, key: str = "relation") -> Callable[[Node], Iterator[Target]]:
    def rule(node: Node) -> Iterator[Target]:
        if key in node:
            yield table_name(node[key]), mode

    return rule


def _index(node: Node) -> Iterator[Target]:
    yield table_name(node["relation"]), LIGHT if node.get("concurrent") else BUILD


def _rename(node: Node) -> Iterator[Target]:
    if (
        node.get("renameType") in {"OBJECT_TABLE", "OBJECT_COLUMN", "OBJECT_TABCONSTRAINT"}
        and "relation" in node
    ):
        yield table_name(node["relation"]), FULL


def _truncate(node: Node) -> Iterator[Target]:
    return ((table_name(item["RangeVar"]), FULL) for item in node.get("relations", ()))


def table_name(node: Node) -> str:
    """The name that a node of a table's has, quoted."""
    return quoted([node[part] for part in ("catalogname", "schemaname", "relname") if node.get(part)])


def quoted(names: Iterable[str]) -> str:
    """The parts of a name, each quoted."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


_RULES: dict[str, Callable[[Node], Iterator[Target]]] = {
    "AlterTableStmt": _alter_table,
    "AlterObjectSchemaStmt": _one(FULL),
    "AlterPolicyStmt": _one(FULL, "table"),
    "CreatePolicyStmt": _one(FULL, "table"),
    "CreateStmt": references,
    "CreateTrigStmt": _one(KEY),
    "DropStmt": _drop,
    "IndexStmt": _index,
    "RenameStmt": _rename,
    "RuleStmt": _one(FULL),
    "TruncateStmt": _truncate,
}
