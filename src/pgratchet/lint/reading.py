"""Goes through a file, statement by statement, and gives each rule the acts that it looks at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pgratchet import parse
from pgratchet.findings import Finding, Severity
from pgratchet.lint import following
from pgratchet.lint.act import Act, Hit
from pgratchet.lint.known import Known
from pgratchet.lint.rule import Rule
from pgratchet.lint.tree import Name, Node, functions, location
from pgratchet.model import Migration, Script, Segment, Statement
from pgratchet.parse import lock_targets
from pgratchet.parse.routines import Body

Rules = Mapping[str, Sequence[Rule]]
"""The rules by the names of the acts that they look at."""

LARGE = 64 << 10
"""The tree of a longer INSERT would cost more than it could tell."""
DEPTH = 3
"""So many calls of functions by functions are followed."""
# What these say is of no rule's interest, unless one of the words is in it.
_QUIET = re.compile(
    r"(?i)\s*(?:comment|grant|revoke|analyze|notify|security|show|explain|reset|begin|commit|start)\b"
)
_LOUD = re.compile(r"(?i)\bpublic\b|\brevoke\b")
HEAVY = frozenset({"rewrites", "scans", "builds"})
IN_ROUTINES = HEAVY | {"data loss"}
"""The families that are told of a function which no file calls, as notes: what it does, it does when called."""


class Place(NamedTuple):
    """Where a finding stands, and the line of the file there."""

    line: int
    column: int
    source: str


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and the number of its statement, by which it can be ignored."""

    finding: Finding
    statement: int


class _Text(NamedTuple):
    """A statement within a statement of the file: `at` is its first character there, -1 for that one itself."""

    sql: str
    at: int = -1
    routine: str = ""
    """The function, that nobody calls here, in which it stands."""


class File:
    """One file on its way through the rules."""

    def __init__(self, migration: Migration, script: Script, rules: Rules, known: Known) -> None:
        self._migration = migration
        self._script = script
        self._rules = rules
        self._known = known
        self._found: list[Found] = []

    def findings(self) -> list[Found]:
        """Every finding of the file; what is known is that after it when this returns."""
        first = last = None
        for segment in _segments(self._migration, self._script):
            following.begin(self._known)
            if segment.begin:
                self._ask("begin", _Text(segment.begin.sql), {}, {}, segment.begin)
            for statement in segment.statements:
                if first is None:
                    self._ask("first", _Text(statement.sql), {}, {}, statement)
                first = first or statement
                last = statement
                self._read(_Text(statement.sql), statement, 0)
        if last:
            self._ask("last", _Text(last.sql), {}, {}, last)
        return self._found

    def _read(self, text: _Text, statement: Statement, depth: int) -> None:
        if depth == 0:
            self._ask("text", text, {}, {}, statement)
        tree = _tree(text.sql)
        if tree is None:
            if statement.doubtful and depth == 0:
                self._ask("unknown", text, {}, {}, statement)
            return
        (name, node), *_ = tree.items()
        self._known.statement = statement
        waited = [] if text.routine else self._waited_for(tree, text)
        for act_name, act_node in _acts(name, node):
            act = self._ask(act_name, text, act_node, node, statement)
            if not text.routine:
                following.follow(act)
        if text.routine:
            return
        self._lock(waited, text, statement)
        if body := parse.body(text.sql, tree):
            self._body(name, node, body, text, statement, depth)
        elif name in {"SelectStmt", "CallStmt"} and depth < DEPTH:
            self._called(node, max(text.at, 0), statement, depth + 1)

    def _called(self, node: Node, at: int, statement: Statement, depth: int) -> None:
        """Read what the functions do that a statement calls, as far as the files have made them."""
        for _, function in functions(node):
            body = self._known.bodies.get(function)
            for inner in body.statements if body else ():
                self._read(_Text(inner.sql, at), statement, depth)

    def _body(self, name: str, node: Node, body: Body, text: _Text, statement: Statement, depth: int) -> None:
        routine = ""
        if name == "CreateFunctionStmt":
            routine = node["funcname"][-1]["String"]["sval"]
            self._known.bodies[routine] = body
        elif body.commits and not statement.alone:
            self._ask("commit in a DO", text, node, node, statement)
        for inner in body.statements:
            at = inner.at if text.at < 0 else text.at
            self._read(_Text(inner.sql, at, routine), statement, depth + 1)

    def _ask(self, name: str, text: _Text, node: Node, whole: Node, statement: Statement) -> Act:
        act = Act(
            name, node, whole, self._known, statement, self._script, self._migration, inner=text.at >= 0
        )
        for rule in self._rules.get(name, ()):
            if not text.routine or rule.family in IN_ROUTINES:
                for hit in rule.find(act):
                    number = (hit.statement or statement).number
                    self._found.append(Found(self._finding(rule, act, hit, text), number))
                    if rule.family in HEAVY and hit.likely and "relation" in whole and not text.routine:
                        self._reworked(act, text, statement)
        return act

    def _reworked(self, act: Act, text: _Text, statement: Statement) -> None:
        """Remember that a table is gone over, and tell where it was gone over by another statement before."""
        table = self._known.resolve(act.relation)
        before = self._known.transaction.reworked.setdefault(table, statement.number)
        if before != statement.number and act.whole.get("cmds"):
            self._ask("again", text, act.node, {"relation": act.whole["relation"]}, statement)

    def _finding(self, rule: Rule, act: Act, hit: Hit, text: _Text) -> Finding:
        place = self._place(act, hit, text)
        severity = rule.severity
        if rule.target and rule.target == self._known.target:
            severity = Severity.ERROR
        if not hit.likely:
            severity = Severity.UNSURE
        message = hit.message
        if text.routine:
            severity, message = Severity.NOTE, f"when {text.routine}() is called: {message}"
        hint = hit.hint or rule.safe
        return Finding(
            rule.id,
            severity,
            self._migration.path,
            *place[:2],
            message,
            hint,
            place.source,
            hit.certain and hit.likely,
        )

    def _place(self, act: Act, hit: Hit, text: _Text) -> Place:
        if hit.statement:
            return _place(hit.statement, 0)
        if act.name == "first":
            return _first_line(self._script, act.statement)
        if text.at >= 0:
            return _place(act.statement, text.at)
        at = hit.at if hit.at >= 0 else location(act.node) if act.name.startswith("AT_") else 0
        return _place(act.statement, len(text.sql.encode()[: max(at, 0)].decode(errors="ignore")))

    def _waited_for(self, tree: Node, text: _Text) -> list[tuple[Name, str]]:
        """The tables that were there before which a statement locks; asked before it gives them other names."""
        if not lock_targets.worth_reading(text.sql):
            return []
        found = []
        for quoted, mode in lock_targets.of_tree(tree):
            parts = quoted[1:-1].split('"."')
            table = self._known.resolve((parts[-2] if len(parts) > 1 else "", parts[-1]))
            if mode != lock_targets.LIGHT and not self._known.fresh_table(table):
                found.append((table, mode))
        return found

    def _lock(self, waited: list[tuple[Name, str]], text: _Text, statement: Statement) -> None:
        """Remember which tables the transaction holds against readers or writers."""
        held = self._known.transaction.locked
        before = {table for table, mode in held.items() if mode == lock_targets.FULL}
        for table, mode in waited:
            # A table that refers to itself is new from now on.
            if not self._known.fresh_table(table):
                both = ((table[1], mode), (table[1], held.get(table, mode)))
                held[table] = lock_targets.strongest(both)[0][1]
                self._known.altered.add(table)
        after = {table for table, mode in held.items() if mode == lock_targets.FULL}
        if len(before) == 1 and after > before:
            self._ask(
                "second table", text, {"tables": sorted(after - before)}, {"held": sorted(before)}, statement
            )


def _tree(sql: str) -> Node | None:
    if len(sql) > LARGE and sql[:6].lower() == "insert":
        return None
    if _QUIET.match(sql) and not _LOUD.search(sql):
        return None
    return parse.tree(sql)


def _segments(migration: Migration, script: Script) -> Iterator[Segment]:
    statements = script.statements
    yield from parse.segments(parse.statements(migration.path) if statements is None else statements)


def _acts(name: str, node: Node) -> Iterator[tuple[str, Node]]:
    yield name, node
    if name == "AlterTableStmt":
        for item in node.get("cmds", ()):
            command = item["AlterTableCmd"]
            yield command["subtype"], command


def _place(statement: Statement, at: int) -> Place:
    before = statement.sql[:at]
    line = before.count("\n")
    start = before.rfind("\n") + 1
    end = statement.sql.find("\n", at)
    text = statement.sql[start : end if end >= 0 else len(statement.sql)].rstrip("\r")
    if line:
        return Place(statement.line + line, at - start + 1, text)
    # What stands before the statement in its line is not kept; the caret still finds its place.
    return Place(statement.line, statement.column + at, " " * (statement.column - 1) + text)


def _first_line(script: Script, statement: Statement) -> Place:
    header = script.header.lstrip().partition("\n")[0].rstrip()
    if header:
        return Place(1, 1, header)
    return Place(statement.line, statement.column, _place(statement, 0).source)
