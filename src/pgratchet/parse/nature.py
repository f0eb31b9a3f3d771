"""What a statement does to the transaction it runs in, read off its tree, or off its words where there is none."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from pgratchet.model import Concurrent, Control

Node = dict[str, Any]


class Nature(NamedTuple):
    """What has to be known of a statement before anything is run."""

    alone: bool = False
    adds_value_to: tuple[str, ...] = ()
    """The name of the enumerated type that gets a value."""
    creates_type: tuple[str, ...] = ()
    control: Control | None = None
    refusal: tuple[str, str] | None = None
    """Why a migration cannot hold it, and what to write instead."""
    takes_data: bool = False
    escapes: bool | None = None
    """Whether a backslash in a plain string is an escape from here on; None: as before."""


PLAIN = Nature()
ALONE = Nature(alone=True)

# No statement can be other than plain without one of these words. The tree decides; this only says where it
# is worth a look.
_FIRST_WORDS = frozenset(
    {"begin", "start", "commit", "end", "rollback", "abort", "prepare", "discard", "copy"}
    | {"reindex", "vacuum", "cluster", "repack"}
)
_LATER_WORDS = {
    "create": ("concurrently", "database", "tablespace", "subscription", "type"),
    "drop": ("concurrently", "database", "tablespace", "subscription"),
    "alter": ("concurrently", "database", "system", "subscription", "value"),
    "set": ("standard_conforming_strings",),
}

# An index's functions cannot change the session: PostgreSQL puts its settings back after them.
_DEFINITION = re.compile(
    r"(?i)(comment\s+on|grant|revoke|create\s+(or\s+replace\s+)?((unique\s+)?index|(unlogged\s+)?table|view|type"
    r"|sequence|schema|function|procedure|trigger|policy)|alter\s+table(?![^;]*(\(|\bdefault\b|\busing\b)))\b"
)
_RUNS_SOMETHING = re.compile(
    r"(?i)\bpg_temp|^create\s+(unlogged\s+)?table\b.*\bas\b(?!\s+identity\b)", re.DOTALL
)


def matters(sql: str) -> bool:
    """Tell whether a statement could be other than plain."""
    if sql.startswith("/*"):
        return True
    found = re.match(r"[A-Za-z]+", sql)
    first = found.group().lower() if found else ""
    if first in _LATER_WORDS:
        spelt = sql.lower()
        return any(word in spelt for word in _LATER_WORDS[first])
    return first in _FIRST_WORDS


def defines(sql: str) -> bool:
    """Tell by its words whether a statement only defines something, and runs nothing of anybody's."""
    return bool(_DEFINITION.match(sql)) and not _RUNS_SOMETHING.search(sql)


def of_tree(tree: Node) -> Nature:
    """Read a tree."""
    (name, node), *_ = tree.items()
    rule = _RULES.get(name)
    return rule(node) if rule else PLAIN


def plain_begin(spelling: str) -> bool:
    """Tell whether a statement begins a transaction without any option."""
    return spelling in {"begin", "begin work", "begin transaction", "start transaction"}


def of_words(spelling: str) -> Nature:
    """Read a statement whose syntax the grammar does not know: its tokens, in lower case."""
    words = re.findall(r"[a-z_]+", spelling)
    first, second = (*words, "", "")[:2]
    if first in {"begin", "start"}:
        return Nature(control=Control.BEGIN)
    if first in {"commit", "end"}:
        return Nature(control=Control.COMMIT)
    if first in {"rollback", "abort"} and "to" not in words:
        return Nature(refusal=_ROLLBACK)
    if first == "copy" and re.search(r"\bto std(in|out)\b", spelling):
        return Nature(refusal=_COPY_OUT)
    return Nature(alone=_alone_by_words(first, second, words), takes_data=_takes_data(first, spelling))


def _alone_by_words(first: str, second: str, words: list[str]) -> bool:
    if first == "vacuum" or (first, second) in {("alter", "system"), ("discard", "all")}:
        return True
    if first in {"create", "drop"} and second in {"database", "tablespace", "subscription"}:
        return True
    if first in {"cluster", "repack"} and len(words) == 1:
        return True
    return first in {"create", "drop", "reindex", "alter", "repack"} and "concurrently" in words


def _takes_data(first: str, spelling: str) -> bool:
    return first == "copy" and re.search(r"\bfrom std(in|out)\b", spelling) is not None


_ROLLBACK = (
    "ROLLBACK in a migration",
    "Delete it: a migration is done as a whole or not at all. ROLLBACK TO SAVEPOINT is fine.",
)
_CHAIN = ("COMMIT AND CHAIN", "Write COMMIT, and BEGIN with the options that it needs.")
_PREPARED = (
    "a prepared transaction in a migration",
    "Delete it: pgratchet commits the change and its record in one transaction.",
)
_COPY_OUT = ("COPY … TO stdout in a migration", "Delete it: a migration has no output.")
UNREAD_DATA = ("it cannot be told where the data of this COPY lies", "Write COPY … FROM stdin; in one line.")


def _transaction(node: Node) -> Nature:
    kind = node["kind"].removeprefix("TRANS_STMT_")
    if kind in {"BEGIN", "START"}:
        return Nature(control=Control.BEGIN)
    if kind == "COMMIT":
        return Nature(refusal=_CHAIN) if node.get("chain") else Nature(control=Control.COMMIT)
    if kind == "ROLLBACK":
        return Nature(refusal=_ROLLBACK)
    if kind in {"PREPARE", "COMMIT_PREPARED", "ROLLBACK_PREPARED"}:
        return Nature(refusal=_PREPARED)
    return PLAIN


def _copy(node: Node) -> Nature:
    if node.get("filename") or node.get("is_program"):
        return PLAIN
    return Nature(takes_data=True) if node.get("is_from") else Nature(refusal=_COPY_OUT)


def _alter_table(node: Node) -> Nature:
    commands = [command["AlterTableCmd"] for command in node.get("cmds", ())]
    return Nature(alone=any(_detaches(command) for command in commands))


def _detaches(command: Node) -> bool:
    partition = command.get("def", {}).get("PartitionCmd", {})
    return command.get("subtype") == "AT_DetachPartition" and bool(partition.get("concurrent"))


def _reindex(node: Node) -> Nature:
    of_many = node["kind"] in {"REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_DATABASE", "REINDEX_OBJECT_SYSTEM"}
    return Nature(alone=of_many or _option(node, "params", "concurrently", default=False))


def _subscription(node: Node) -> Nature:
    connects = _option(node, "options", "connect", default=True)
    return Nature(alone=_option(node, "options", "create_slot", default=connects))


def _alter_subscription(node: Node) -> Nature:
    kind = node["kind"].removeprefix("ALTER_SUBSCRIPTION_")
    if kind in {"SET_PUBLICATION", "ADD_PUBLICATION", "DROP_PUBLICATION"}:
        return Nature(alone=_option(node, "options", "refresh", default=True))
    names = {option["DefElem"]["defname"] for option in node.get("options", ())}
    return Nature(alone=kind.startswith("REFRESH") or bool(names & {"failover", "two_phase"}))


def _set(node: Node) -> Nature:
    if node.get("name") != "standard_conforming_strings":
        return PLAIN
    values = [argument.get("A_Const", {}) for argument in node.get("args", ())]
    written = [str(value.get("sval", {}).get("sval", "")).lower() for value in values]
    off = any(text in {"off", "false", "no", "f", "n", "0"} for text in written)
    zero = any("ival" in value and not value["ival"] for value in values)
    return Nature(escapes=off or zero)


def _option(node: Node, key: str, name: str, *, default: bool) -> bool:
    """What a WITH option says; one without a value says yes."""
    for option in node.get(key, ()):
        element = option["DefElem"]
        if element["defname"] == name:
            value = next(iter(element.get("arg", {"String": {"sval": "true"}}).values()))
            said = value.get("sval", value.get("ival", value.get("boolval", 0)))
            default = str(said).lower() in {"true", "on", "1"}
    return default


def _names(items: list[Node]) -> tuple[str, ...]:
    return tuple(item["String"]["sval"] for item in items)


_RULES: dict[str, Callable[[Node], Nature]] = {
    "TransactionStmt": _transaction,
    "CopyStmt": _copy,
    "IndexStmt": lambda node: Nature(alone=bool(node.get("concurrent"))),
    "DropStmt": lambda node: Nature(alone=bool(node.get("concurrent"))),
    "ReindexStmt": _reindex,
    "AlterTableStmt": _alter_table,
    "VacuumStmt": lambda node: Nature(alone=bool(node.get("is_vacuumcmd"))),
    "ClusterStmt": lambda node: Nature(alone="relation" not in node),
    "CreatedbStmt": lambda _: ALONE,
    "DropdbStmt": lambda _: ALONE,
    "CreateTableSpaceStmt": lambda _: ALONE,
    "DropTableSpaceStmt": lambda _: ALONE,
    "AlterSystemStmt": lambda _: ALONE,
    "AlterDatabaseStmt": lambda node: Nature(
        alone=any(option["DefElem"]["defname"] == "tablespace" for option in node.get("options", ()))
    ),
    "CreateSubscriptionStmt": _subscription,
    "DropSubscriptionStmt": lambda _: ALONE,
    "AlterSubscriptionStmt": _alter_subscription,
    "DiscardStmt": lambda node: Nature(alone=node.get("target") == "DISCARD_ALL"),
    "CreateEnumStmt": lambda node: Nature(creates_type=_names(node["typeName"])),
    "AlterEnumStmt": lambda node: Nature(
        adds_value_to=() if node.get("oldVal") else _names(node["typeName"])
    ),
    "VariableSetStmt": _set,
}


def concurrent(tree: Node) -> Concurrent | None:
    """Read what a statement with CONCURRENTLY makes, drops, builds anew or detaches."""
    (name, node), *_ = tree.items()
    if not of_tree(tree).alone or name not in {"IndexStmt", "DropStmt", "ReindexStmt", "AlterTableStmt"}:
        return None
    relation = node.get("relation", {})
    table = _relation(relation) if relation else None
    if name == "IndexStmt":
        # An index lives in its table's schema.
        made = _relation({**relation, "relname": node["idxname"]}) if "idxname" in node else None
        return Concurrent("create_index", (made,) if made else (), table, bool(node.get("if_not_exists")))
    if name == "DropStmt":
        dropped = (_quoted(*_names(item["List"]["items"])) for item in node["objects"])
        return Concurrent("drop_index", tuple(dropped), None)
    if name == "AlterTableStmt":
        partitions = (command["AlterTableCmd"]["def"]["PartitionCmd"]["name"] for command in node["cmds"])
        return Concurrent("detach", tuple(map(_relation, partitions)), table)
    if not _option(node, "params", "concurrently", default=False):
        return None
    of_index = node["kind"] == "REINDEX_OBJECT_INDEX"
    return Concurrent("reindex", (table,) if of_index and table else (), None if of_index else table)


def guarded(tree: Node) -> str | None:
    """Read which relation a statement makes that IF NOT EXISTS may find there, or adds columns to."""
    (name, node), *_ = tree.items()
    if name == "IndexStmt":
        made = {**node["relation"], "relname": node["idxname"]} if node.get("if_not_exists") else {}
    elif name == "CreateTableAsStmt":
        made = node["into"]["rel"]
    elif name == "CreateForeignTableStmt":
        made = node["base"]["relation"]
    elif name in {"CreateStmt", "CreateSeqStmt", "AlterTableStmt"}:
        made = node.get("relation") or node.get("sequence", {})
    else:
        return None
    return _relation(made) or None


def _relation(node: Node) -> str:
    return _quoted(*(node[part] for part in ("catalogname", "schemaname", "relname") if node.get(part)))


def _quoted(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)
