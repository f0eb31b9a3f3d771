"""What a live database knows and no file says: the facts that a rule decides with where they are at hand."""

from __future__ import annotations

from dataclasses import dataclass, field

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` is as format_type spells it."""

    name: str
    type: str
    not_null: bool = False
    stored: bool = False
    """Generated and stored."""
    collation: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, view, materialized view, foreign table or sequence, by its pg_class.relkind."""

    name: Name
    kind: str
    columns: tuple[Column, ...] = ()
    rows: int = -1
    """The planner's estimate; -1 where it has none."""
    bytes: int = 0
    logged: bool = True
    access_method: str = "heap"
    tablespace: str = ""
    partition_of: Name | None = None
    default: bool = False
    """The default partition of its table."""
    bound: str = ""
    """Which rows a partition takes, as FOR VALUES says it."""
    partition_key: tuple[str, ...] = ()
    used_by: tuple[tuple[str, str], ...] = ()
    """Columns on which views, rules, triggers or generated columns hang, each with what hangs on it."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint by its pg_constraint.contype; `check` is the text of its expression."""

    table: Name
    name: str
    kind: str
    columns: tuple[str, ...] = ()
    valid: bool = True
    check: str = ""
    references: Name | None = None
    deferred: bool = False
    targets: tuple[str, ...] = ()
    """The columns that a foreign key of a file names in the other table; none for its primary key."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index; `columns` are those it is keyed by, and `reads` all that it looks at."""

    name: Name
    table: Name
    method: str = "btree"
    columns: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    valid: bool = True
    unique: bool = False
    computed: bool = False
    """It has an expression or a predicate, so that a change of a type builds it anew."""
    tablespace: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """A function that is not PostgreSQL's own."""

    name: Name
    volatile: bool
    inlined: str = ""
    """The expression that a call of it becomes, where its body in SQL is one."""
    declared: str = ""
    """As FUNCTION name(parameters) RETURNS results."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain: its base type, whether it has a constraint, and the text of its default."""

    name: Name
    base: str
    constrained: bool
    default: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A database as it is before the migrations run."""

    version: int
    """As 180004."""
    timezone: str = ""
    search_path: tuple[str, ...] = ("public",)
    superuser: bool = False
    maintenance_work_mem: int = 0
    """In bytes."""
    tables: tuple[Table, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    functions: tuple[Function, ...] = ()
    domains: tuple[Domain, ...] = ()
    extensions: dict[str, str] = field(default_factory=dict)
    """The version of each that is installed."""
