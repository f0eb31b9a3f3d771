"""What a file has dropped, so that nothing is in the way of what it makes under the same name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pgratchet.lint import routines
from pgratchet.lint.act import Act
from pgratchet.lint.tree import Name, Node, dropped, last_two, name_of
from pgratchet.model import Script

Made = tuple[str, Name]
"""A kind, as a DROP names it, and a name; what belongs to a table is named by that and its own."""

_RENAMED = re.compile(r'alter\s+table\s[^(]*?([^\s."(]+)"?\s+rename\s+to\s', re.IGNORECASE)
_ROUTINES = {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"}


def _relation(kind: str, key: str = "relation") -> Callable[[Node], Made]:
    return lambda node: (kind, name_of(node[key]))


def _named(kind: str, key: str) -> Callable[[Node], Made]:
    return lambda node: (kind, ("", node.get(key, "")))


def _listed(kind: str, key: str) -> Callable[[Node], Made]:
    return lambda node: (kind, last_two(node[key]))


def _on_table(kind: str, key: str, table: str = "relation") -> Callable[[Node], Made]:
    return lambda node: (kind, (node[table]["relname"], node[key]))


_MADE: dict[str, Callable[[Node], Made]] = {
    "CompositeTypeStmt": _relation("OBJECT_TYPE", "typevar"),
    "CreateDomainStmt": _listed("OBJECT_DOMAIN", "domainname"),
    "CreateEnumStmt": _listed("OBJECT_TYPE", "typeName"),
    "CreateEventTrigStmt": _named("OBJECT_EVENT_TRIGGER", "trigname"),
    "CreateExtensionStmt": _named("OBJECT_EXTENSION", "extname"),
    "CreateFunctionStmt": _listed("OBJECT_ROUTINE", "funcname"),
    "CreatePolicyStmt": _on_table("OBJECT_POLICY", "policy_name", "table"),
    "CreatePublicationStmt": _named("OBJECT_PUBLICATION", "pubname"),
    "CreateRangeStmt": _listed("OBJECT_TYPE", "typeName"),
    "CreateRoleStmt": _named("OBJECT_ROLE", "role"),
    "CreateSchemaStmt": _named("OBJECT_SCHEMA", "schemaname"),
    "CreateSeqStmt": _relation("OBJECT_SEQUENCE", "sequence"),
    "CreateStmt": _relation("OBJECT_TABLE"),
    "CreateTableAsStmt": lambda node: (node.get("objtype", "OBJECT_TABLE"), name_of(node["into"]["rel"])),
    "CreateTrigStmt": _on_table("OBJECT_TRIGGER", "trigname"),
    "IndexStmt": lambda node: (
        "OBJECT_INDEX",
        (node["relation"].get("schemaname", ""), node.get("idxname", "")),
    ),
    "RuleStmt": _on_table("OBJECT_RULE", "rulename"),
    "ViewStmt": _relation("OBJECT_VIEW", "view"),
}


def drop(act: Act) -> None:
    """Remember what a DROP has taken away."""
    place = act.known.place
    if act.name == "DropRoleStmt":
        roles = (item["RoleSpec"].get("rolename", "") for item in act.node.get("roles", ()))
        act.known.cleared.update(("OBJECT_ROLE", place(("", role))) for role in roles)
    elif act.node["removeType"] in _ROUTINES:
        for item in act.node["objects"]:
            called = item["ObjectWithArgs"]
            given = {"parameters": called.get("objfuncargs", [])}
            kind = _routine(None if "args_unspecified" in called else given)
            act.known.cleared.add((kind, place(last_two(called["objname"]))))
    else:
        act.known.cleared.update((act.node["removeType"], place(name)) for name in dropped(act.node))


def _routine(node: Node | None) -> str:
    found = routines.signature(node) if node else None
    return f"OBJECT_ROUTINE({', '.join(found.given)})" if found else "OBJECT_ROUTINE"


def free(act: Act) -> bool:
    """Whether the file has dropped what a statement makes, or the table to which it does something."""
    known = act.known
    if "relation" in act.whole and ("OBJECT_TABLE", known.place(act.relation)) in known.cleared:
        return True
    if act.name == "RenameStmt" and "relation" in act.node:
        new = (act.node["relation"].get("schemaname", ""), act.node["newname"])
        return act.fresh and (act.node["renameType"], known.place(new)) in known.cleared
    if act.name not in _MADE:
        return False
    kind, name = _MADE[act.name](act.node)
    kinds = {kind, _routine(act.node)} if act.name == "CreateFunctionStmt" else {kind}
    moved = kind == "OBJECT_TABLE" and known.leaving.get(name[1].lower(), 0) > act.statement.number
    return moved or any((item, known.place(name)) in known.cleared for item in kinds)


def leaving(script: Script) -> dict[str, int]:
    """The tables that a file gives another name, each with the number of the last statement that does."""
    begun = ((item.number, _RENAMED.match(item.sql)) for item in script.statements or ())
    return {found[1].lower(): number for number, found in begun if found}


def made_again(act: Act) -> bool:
    """Whether the file makes again all that a DROP without IF EXISTS takes away, so that the next one finds it."""
    bare = act.name == "DropStmt" and not act.node.get("missing_ok")
    return bare and all(_again(act, name) for name in _gone(act.node))


def _gone(node: Node) -> Iterator[str]:
    for item in node.get("objects", ()):
        known = "ObjectWithArgs" not in item or "args_unspecified" in item["ObjectWithArgs"]
        # With parameters, the next one may have others.
        yield next((name for _, name in dropped({"objects": [item]})), "") if known else ""


def _again(act: Act, name: str) -> bool:
    word = re.escape(name)
    return bool(name) and _later(act, rf"create\s[^(]*\b{word}\b|alter\s[^(]*\srename\s+to\s+\W?{word}\b")


def _later(act: Act, pattern: str) -> bool:
    later = (act.script.statements or ())[act.statement.number :]
    return any(re.match(pattern, item.sql, re.IGNORECASE) for item in later)
