"""What the pending steps need of the database, read off their statements: pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pgratchet.model import Script, Statement, Step
from pgratchet.parse import canonical, grammar, lock_targets, nature

Node = dict[str, Any]

OWNER, DROP = "OWNER", "DROP"
"""Rights that GRANT does not give; DROP: of the table or of its schema."""
REWRITE, BUILD = "rewrite", "index build"
REWRITING = {"AT_AlterColumnType", "AT_SetLogged", "AT_SetUnLogged", "AT_SetTableSpace"}
FEATURES = {"hnsw": (0, 5), "halfvec": (0, 7), "sparsevec": (0, 7), "hnsw.iterative_scan": (0, 8)}
"""What pgvector has since which version."""

_ROLE = re.compile(r"(?i)set\s+(?:local\s+|session\s+)?(?:role\b|session\s+authorization\b)")
_PATH = re.compile(r"(?i)set\s+(?:local\s+|session\s+)?search_path\b|select\s.*set_config\(\s*'search_path'")
_FIRST_WORDS = ("cluster", "vacuum", "reindex", "create extension", "alter extension")
_IN_A_BLOCK = re.compile(r'(?i)\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?"?([a-z_][\w-]*)')


class Lock(NamedTuple):
    """A table that a step locks."""

    table: str
    mode: str
    script: str
    waits: bool = False
    """With CONCURRENTLY: it waits until those who write to the table have ended."""


class Right(NamedTuple):
    """A right that a step needs on a table: OWNER, DROP, or one that can be granted."""

    table: str
    right: str
    script: str


class Bulk(NamedTuple):
    """Work that writes about as much as a table holds: REWRITE or BUILD."""

    table: str
    what: str
    script: str


class Extension(NamedTuple):
    """An extension that a step makes, or brings up to date."""

    name: str
    script: str
    version: str | None = None
    if_not_exists: bool = False
    update: bool = False
    guarded: bool = False
    """It stands in a block of code, which may have conditions of its own."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What all pending steps need together. Tables are quoted, with a schema where the statement says one."""

    locks: tuple[Lock, ...] = ()
    rights: tuple[Right, ...] = ()
    bulk: tuple[Bulk, ...] = ()
    extensions: tuple[Extension, ...] = ()
    features: tuple[tuple[str, str], ...] = ()
    """What is used of pgvector, each with the first script that does."""
    renewed: frozenset[str] = frozenset()
    """Indexes that a step builds with CONCURRENTLY, builds anew or drops: INVALID ones are no matter."""
    concurrent: str | None = None
    """The first script with a CONCURRENTLY, which waits for every older transaction."""
    roles: frozenset[str] = frozenset()
    """Scripts that take another role: what that one may do is not looked at."""
    unread: tuple[tuple[str, str], ...] = ()
    """Scripts that could not be looked at as a whole, and why."""
    steps: int = 0

    @property
    def tables(self) -> tuple[str, ...]:
        """Every table's name, once."""
        every: tuple[Lock | Right | Bulk, ...] = (*self.locks, *self.rights, *self.bulk)
        return tuple(sorted({item.table for item in every}))


class _Found:
    """What is gathered while the statements are read."""

    def __init__(self) -> None:
        self.locks: list[Lock] = []
        self.rights: list[Right] = []
        self.bulk: list[Bulk] = []
        self.extensions: list[Extension] = []
        self.features: dict[str, str] = {}
        self.renewed: set[str] = set()
        self.concurrent: str | None = None
        self.roles: set[str] = set()
        self.unread: dict[str, str] = {}


def read(steps: Sequence[Step], scripts: Mapping[str, Script], *, fresh: bool) -> Needs:
    """Read what is left of each step. `fresh`: no table exists, so no statement is read for one."""
    found = _Found()
    for step in steps:
        name = step.migration.script
        statements = scripts[name].statements
        if statements is None:
            found.unread[name] = "it is too large"
        else:
            _script(found, name, statements[step.done :], fresh=fresh)
    return Needs(
        locks=tuple(dict.fromkeys(found.locks)),
        rights=tuple(dict.fromkeys(found.rights)),
        bulk=tuple(dict.fromkeys(found.bulk)),
        extensions=tuple(found.extensions),
        features=tuple(found.features.items()),
        renewed=frozenset(found.renewed),
        concurrent=found.concurrent,
        roles=frozenset(found.roles),
        unread=tuple(found.unread.items()),
        steps=len(steps),
    )


def _script(found: _Found, name: str, statements: Iterable[Statement], *, fresh: bool) -> None:
    elsewhere = False
    for statement in statements:
        text = statement.sql
        if _ROLE.match(text):
            found.roles.add(name)
        if _PATH.match(text):
            elsewhere = True
            found.unread[name] = "it sets search_path: only tables written with their schema are looked at"
        _features(found, name, text)
        if _worth_reading(text, fresh=fresh) and (tree := grammar.tree(text)):
            _statement(found, name, tree, elsewhere=elsewhere)


def _worth_reading(text: str, *, fresh: bool) -> bool:
    spelt = text[:40].lstrip().lower()
    return spelt.startswith(_FIRST_WORDS) or (not fresh and lock_targets.worth_reading(text))


def _features(found: _Found, name: str, text: str) -> None:
    lower = text.lower()
    if re.match(r"do\b", lower):
        guarded = (Extension(match[1], name, guarded=True) for match in _IN_A_BLOCK.finditer(text))
        found.extensions.extend(guarded)
    elif any(feature in lower for feature in FEATURES):
        spelt = canonical.spelling(text.encode())
        for feature in FEATURES:
            if re.search(rf"(?<![\w.]){re.escape(feature)}(?![\w])", spelt):
                found.features.setdefault(feature, name)


def _statement(found: _Found, name: str, tree: Node, *, elsewhere: bool) -> None:
    def meant(table: str) -> bool:
        return not elsewhere or '"."' in table

    ((kind, node),) = tree.items()
    concurrent = nature.concurrent(tree)
    if concurrent:
        found.concurrent = found.concurrent or name
    found.renewed.update(_renewed(kind, node, concurrent.names if concurrent else ()))
    found.extensions.extend(_extension(kind, node, name))
    locks = (
        *lock_targets.of_tree(tree),
        *((table, lock_targets.FULL) for table in _rewritten_whole(kind, node)),
    )
    found.locks += [Lock(table, mode, name, concurrent is not None) for table, mode in locks if meant(table)]
    rights = _RIGHTS[kind](node) if kind in _RIGHTS else ()
    found.rights += [Right(table, right, name) for table, right in rights if meant(table)]
    found.bulk += [Bulk(table, what, name) for table, what in _bulk(kind, node) if meant(table)]


def _renewed(kind: str, node: Node, concurrent: tuple[str, ...]) -> Iterator[str]:
    yield from concurrent
    if kind == "DropStmt" and node["removeType"] == "OBJECT_INDEX":
        yield from _dropped(node)
    if kind == "ReindexStmt" and "relation" in node:
        yield lock_targets.table_name(node["relation"])


def _extension(kind: str, node: Node, script: str) -> Iterator[Extension]:
    if kind in {"CreateExtensionStmt", "AlterExtensionStmt"}:
        elements = [option["DefElem"] for option in node.get("options", ())]
        version = next((e["arg"]["String"]["sval"] for e in elements if e["defname"] == "new_version"), None)
        update = kind == "AlterExtensionStmt"
        yield Extension(node["extname"], script, version, bool(node.get("if_not_exists")), update)


def _bulk(kind: str, node: Node) -> Iterator[tuple[str, str]]:
    if kind == "IndexStmt":
        yield lock_targets.table_name(node["relation"]), BUILD
    for table in _rewritten_whole(kind, node):
        yield table, REWRITE
    for command in _commands(kind, node):
        constraint = command.get("def", {}).get("Constraint", {})
        if command["subtype"] in REWRITING:
            yield lock_targets.table_name(node["relation"]), REWRITE
        elif constraint.get("contype") in {"CONSTR_PRIMARY", "CONSTR_UNIQUE"} and not constraint.get(
            "indexname"
        ):
            yield lock_targets.table_name(node["relation"]), BUILD


def _rewritten_whole(kind: str, node: Node) -> Iterator[str]:
    if kind == "ClusterStmt" and "relation" in node:
        yield lock_targets.table_name(node["relation"])
    options = (
        {option["DefElem"]["defname"] for option in node.get("options", ())} if kind == "VacuumStmt" else ()
    )
    if "full" in options:
        yield from (
            lock_targets.table_name(item["VacuumRelation"]["relation"]) for item in node.get("rels", ())
        )


def _commands(kind: str, node: Node) -> list[Node]:
    of_table = kind == "AlterTableStmt" and node.get("objtype") == "OBJECT_TABLE"
    return [item["AlterTableCmd"] for item in node.get("cmds", ())] if of_table else []


def _altered(node: Node) -> Iterator[tuple[str, str]]:
    yield lock_targets.table_name(node["relation"]), OWNER
    for item in node.get("cmds", ()):
        definition = item["AlterTableCmd"].get("def", {})
        if "PartitionCmd" in definition:
            yield lock_targets.table_name(definition["PartitionCmd"]["name"]), OWNER
    yield from _referenced(node)


def _referenced(node: Node) -> Iterator[tuple[str, str]]:
    return ((table, "REFERENCES") for table, _ in lock_targets.references(node))


def _owned(key: str) -> Callable[[Node], Iterator[tuple[str, str]]]:
    def rule(node: Node) -> Iterator[tuple[str, str]]:
        if key in node:
            yield lock_targets.table_name(node[key]), OWNER

    return rule


def _drop(node: Node) -> Iterator[tuple[str, str]]:
    kind = node["removeType"]
    if kind in {"OBJECT_TABLE", "OBJECT_INDEX"}:
        yield from ((table, DROP) for table in _dropped(node))
    elif kind in {"OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"}:
        yield from ((lock_targets.quoted(names[:-1]), OWNER) for names in _lists(node))


def _dropped(node: Node) -> Iterator[str]:
    return map(lock_targets.quoted, _lists(node))


def _lists(node: Node) -> Iterator[list[str]]:
    for item in node.get("objects", ()):
        yield [part["String"]["sval"] for part in item.get("List", {}).get("items", ()) if "String" in part]


_RIGHTS: dict[str, Callable[[Node], Iterator[tuple[str, str]]]] = {
    "AlterTableStmt": _altered,
    "AlterObjectSchemaStmt": _owned("relation"),
    "AlterPolicyStmt": _owned("table"),
    "CreatePolicyStmt": _owned("table"),
    "CreateStmt": _referenced,
    "CreateTrigStmt": lambda node: iter([(lock_targets.table_name(node["relation"]), "TRIGGER")]),
    "DropStmt": _drop,
    "IndexStmt": _owned("relation"),
    "RenameStmt": _owned("relation"),
    "RuleStmt": _owned("relation"),
    "TruncateStmt": lambda node: (
        (lock_targets.table_name(item["RangeVar"]), "TRUNCATE") for item in node["relations"]
    ),
}
