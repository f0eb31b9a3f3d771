"""One thing that a statement does, as a rule sees it: an action of an ALTER TABLE, or the statement itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pgratchet.lint.known import Known
from pgratchet.lint.tree import Name, Node, name_of, shown
from pgratchet.model import Migration, Script, Statement


@dataclass(frozen=True, slots=True)
class Act:
    """`name` is that of the node, as IndexStmt, or the subtype of an action, as AT_AddColumn."""

    name: str
    node: Node
    whole: Node
    """The node of the statement that the action belongs to."""
    known: Known
    """What is known before the statement runs."""
    statement: Statement
    script: Script
    migration: Migration
    inner: bool = False
    """It stands in a DO, or in a function that a statement calls."""

    @property
    def relation(self) -> Name:
        """The table that it is about."""
        return name_of(self.whole["relation"])

    @property
    def label(self) -> str:
        """That table as people write it."""
        return shown(self.relation)

    @property
    def definition(self) -> Node:
        """What an action of ALTER TABLE adds or sets: a column, a constraint."""
        return next(iter(self.node.get("def", {"": {}}).values()))

    @property
    def fresh(self) -> bool:
        """Whether the table was made by the files that run together: it holds no rows that others wait for."""
        return self.known.fresh_table(self.relation)

    @property
    def fills(self) -> bool:
        """Whether it is an UPDATE of columns alone that the files made which run together: they held nothing."""
        names = [item["ResTarget"]["name"] for item in self.node.get("targetList", ())]
        table = self.known.resolve(self.relation)
        return bool(names) and all(self.known.fresh("column", *table, name) for name in names)

    @property
    def size(self) -> str:
        """How large the table is, where that is known: ` (about 1,000,000 rows)`."""
        table = self.known.table(self.relation)
        return f" (about {table.rows:,} rows)" if table and table.rows > 0 else ""

    @property
    def alters_table(self) -> bool:
        """Whether it does something to a table that was there before, not to a view or an index."""
        return self.whole.get("objtype") == "OBJECT_TABLE" and not self.fresh and not self.guarded

    @property
    def guarded(self) -> bool:
        """Whether IF NOT EXISTS finds the column that would be added."""
        if self.name != "AT_AddColumn" or not self.node.get("missing_ok"):
            return False
        column = self.definition["colname"]
        fresh = self.known.fresh("column", *self.known.resolve(self.relation), column)
        return self.known.column(self.relation, column) is not None and not fresh


class Hit(NamedTuple):
    """What a rule has to say; `at` is the byte of the statement that it is about, -1 for the action's own."""

    message: str
    certain: bool = True
    """False where the database may have what spares the work: a valid CHECK, a function that is declared STABLE."""
    likely: bool = True
    """False where that is as usual as not: it is told as a question, and fails nothing."""
    at: int = -1
    hint: str = ""
    """Where the rule's own safe form does not fit."""
    statement: Statement | None = None
    """The statement that it is about, where that is another one than the act's."""


Find = Callable[[Act], Iterator[Hit]]
