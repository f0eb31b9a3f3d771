"""What is known when a statement runs: the catalogue, and what the statements before it made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pgratchet.lint.catalogue import Catalogue, Column, Constraint, Domain, Function, Index, Table
from pgratchet.lint.tree import TYPES, Name, Node, Type, expression, proves_not_null, type_named
from pgratchet.model import Statement
from pgratchet.parse.routines import Body

Key = tuple[str, ...]


@dataclass(slots=True)
class Transaction:
    """What the statements of the transaction before this one did to tables that were there before."""

    locked: dict[Name, str] = field(default_factory=dict)
    """The strongest lock on each, of those that block readers or writers."""
    not_valid: set[tuple[Name, str]] = field(default_factory=set)
    written: set[Name] = field(default_factory=set)
    reworked: dict[Name, int] = field(default_factory=dict)
    """Rewritten or read in full, by the statement of this number first."""


Item = TypeVar("Item", Constraint, Index)


class ByTable(Generic[Item]):
    """Constraints or indexes, by their names and by the table that they belong to."""

    def __init__(self) -> None:
        self._all: dict[tuple[object, ...], Item] = {}
        self._of: dict[Name, dict[tuple[object, ...], Item]] = {}

    def put(self, key: tuple[object, ...], item: Item) -> None:
        """Add one, or put it in the place of the one that was there."""
        self._all[key] = item
        self._of.setdefault(item.table, {})[key] = item

    def get(self, *key: object) -> Item | None:
        """One by its name."""
        return self._all.get(key)

    def take(self, *key: object) -> Item | None:
        """Take one away."""
        item = self._all.pop(key, None)
        if item:
            del self._of[item.table][key]
        return item

    def of(self, table: Name) -> list[Item]:
        """Those of a table."""
        return list(self._of.get(table, {}).values())


class Known:
    """The schema as the statements so far have made it, as far as files and catalogue tell."""

    def __init__(self, catalogue: Catalogue | None, together: frozenset[int] | None, target: str) -> None:
        self.catalogue = catalogue
        self.target = target
        self.together = together
        """The files that run together; None: each is judged as if those before it had run long ago."""
        self.file = 0
        self.altered: set[Name] = set()
        """The tables that were there before which the file changes."""
        self.path = list(catalogue.search_path) if catalogue else ["public"]
        self.timezone = catalogue.timezone if catalogue else ""
        self.tables: dict[Name, Table] = {}
        self.constraints: ByTable[Constraint] = ByTable()
        self.indexes: ByTable[Index] = ByTable()
        self.statement: Statement | None = None
        """The statement that is read."""
        self.keys: list[tuple[Constraint, Statement | None]] = []
        """The foreign keys that the file makes, each with its statement."""
        self.empty: set[Key] = set()
        """The columns that the file adds, and that hold null where the application does not write them."""
        self.leaving: dict[str, int] = {}
        """The tables to which the file gives another name, each with the number of the statement."""
        self.cleared: set[tuple[str, Name]] = set()
        """What the file has dropped, each with its kind; `clearing` reads and fills it."""
        self.functions: dict[str, list[Function]] = {}
        self.checks: dict[tuple[Name, str], Node] = {}
        """The expressions of the checks that files make; those of the catalogue are text."""
        self.defaults: dict[str, Node] = {}
        """Those of the domains that files make."""
        self.bodies: dict[str, Body] = {}
        self.declared: dict[str, list[tuple[str, Node]]] = {}
        """The declarations of functions by their names, each with its schema; `routines` reads and fills it."""
        self.domains: dict[str, Domain] = {}
        self.born: dict[Key, int] = {}
        self.distributed: dict[Name, str] = {}
        """Citus's distributed tables, each with its distribution column; of a reference table it is empty."""
        self.transaction = Transaction()
        for fact in catalogue.tables if catalogue else ():
            self.tables[fact.name] = fact
        for constraint in catalogue.constraints if catalogue else ():
            self.constraints.put((constraint.table, constraint.name), constraint)
        for index in catalogue.indexes if catalogue else ():
            self.indexes.put(index.name, index)
        for function in catalogue.functions if catalogue else ():
            self.functions.setdefault(function.name[1], []).append(function)
        for domain in catalogue.domains if catalogue else ():
            self.domains[domain.name[1]] = domain

    def resolve(self, name: Name) -> Name:
        """A name with its schema."""
        if name[0]:
            return name
        found = (
            (schema, name[1])
            for schema in self.path
            if (schema, name[1]) in self.tables or self.indexes.get(schema, name[1])
        )
        return next(found, self.place(name))

    def place(self, name: Name) -> Name:
        """The name that something new has, with its schema."""
        return name if name[0] else (self.path[0] if self.path else "public", name[1])

    def table(self, name: Name) -> Table | None:
        """What is known of a table or view."""
        return self.tables.get(self.resolve(name))

    def column(self, table: Name, column: str) -> Column | None:
        """What is known of a column."""
        found = self.table(table)
        return next((item for item in found.columns if item.name == column), None) if found else None

    def type_of(self, table: Name, column: str) -> Type | None:
        """The type of a column, where it is known."""
        found = self.column(table, column)
        return type_named(found.type) if found else None

    def bear(self, kind: str, *key: str) -> None:
        """Remember that a statement of this file made an object."""
        self.born[kind, *key] = self.file

    def fresh(self, kind: str, *key: str) -> bool:
        """Whether an object was made by the files that run together with this one, so that nobody uses it yet."""
        born = self.born.get((kind, *key))
        return born is not None and (
            born in {self.file, -1} or (self.together is not None and born in self.together)
        )

    def fresh_table(self, name: Name) -> bool:
        """The same of a table or view."""
        return self.fresh("table", *self.resolve(name))

    def constraints_of(self, table: Name) -> list[Constraint]:
        """The constraints of a table."""
        return self.constraints.of(self.resolve(table))

    def constraint(self, table: Name, name: str) -> Constraint | None:
        """A constraint by its name."""
        return self.constraints.get(self.resolve(table), name)

    def indexes_of(self, table: Name) -> list[Index]:
        """The indexes of a table."""
        return self.indexes.of(self.resolve(table))

    def partitions_of(self, table: Name) -> list[Table]:
        """The partitions of a table."""
        resolved = self.resolve(table)
        return [item for item in self.tables.values() if item.partition_of == resolved]

    def not_null(self, table: Name, column: str) -> bool | None:
        """Whether a column is known to hold no null: by itself, or by a valid check. None: not known."""
        found = self.column(table, column)
        if found and found.not_null:
            return True
        for item in self.constraints_of(table):
            check = self.check(item)
            if check and proves_not_null(check, column):
                return True
        return False if found else None

    def check(self, constraint: Constraint) -> Node | None:
        """The expression of a valid CHECK."""
        if constraint.kind != "c" or not constraint.valid:
            return None
        made = self.checks.get((constraint.table, constraint.name))
        return made or (expression(constraint.check) if constraint.check else None)

    def foreign(self, kind: Type) -> bool:
        """Whether nothing says what a type is, so that it may be a domain."""
        known = kind.name in TYPES or kind.name in self.domains or ("type", kind.name) in self.born
        return bool(kind.name) and not (known or kind.array or self.catalogue)

    def made(self, kind: Type) -> bool:
        """Whether the files have made a type that is no domain."""
        return ("type", kind.name) in self.born and kind.name not in self.domains

    def constrained(self, kind: Type) -> bool:
        """Whether a type is a domain that has a constraint, or stands on one that has."""
        domain = None if kind.array else self.domains.get(kind.name)
        return domain is not None and (domain.constrained or self.constrained(type_named(domain.base)))
