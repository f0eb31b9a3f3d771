"""Statements that build an index while nobody may write to its table."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.findings import Severity
from pgratchet.lint import retyping
from pgratchet.lint.act import Act, Hit
from pgratchet.lint.rule import Rule
from pgratchet.lint.tree import constraint, name_of, shown, switched_on

FAMILY = "builds"
USERS = "CREATE TABLE users (id bigint NOT NULL, email text, age integer);"
BUILD = "ACCESS EXCLUSIVE on the table, while the index is built"


def _index(act: Act) -> Iterator[Hit]:
    table = act.known.table(act.relation)
    if act.node.get("concurrent") or act.fresh or _there(act):
        return
    # ON ONLY a partitioned table makes the entry of an index and builds nothing.
    if not act.node["relation"].get("inh") and (table is None or table.kind == "p"):
        return
    method = act.node.get("accessMethod", "btree")
    long = " A vector index takes minutes to hours to build." if method in {"hnsw", "ivfflat"} else ""
    if table and table.kind == "p":
        hint = "CREATE INDEX … ON ONLY the table, CONCURRENTLY on each partition, then ALTER INDEX … ATTACH PARTITION."
        yield Hit(
            f"nobody can write to {act.label} or its partitions while the index is built.{long}", hint=hint
        )
    else:
        yield Hit(f"nobody can write to {act.label}{act.size} while the index is built.{long}")


def _there(act: Act) -> bool:
    """Whether IF NOT EXISTS finds the index."""
    name = (act.known.resolve(act.relation)[0], act.node.get("idxname", ""))
    return bool(act.node.get("if_not_exists")) and act.known.indexes.get(*name) is not None


def _constraint(act: Act, kind: str) -> bool:
    return act.definition["contype"] == kind and "indexname" not in act.definition and act.alters_table


def _unique(act: Act) -> Iterator[Hit]:
    if _constraint(act, "CONSTR_UNIQUE"):
        yield Hit(
            f"nobody can read or write {act.label}{act.size} while the index of the constraint is built"
        )


def _primary(act: Act) -> Iterator[Hit]:
    if _constraint(act, "CONSTR_PRIMARY"):
        yield Hit(f"nobody can read or write {act.label}{act.size} while the index of the key is built")


def _exclusion(act: Act) -> Iterator[Hit]:
    if _constraint(act, "CONSTR_EXCLUSION"):
        yield Hit(
            f"nobody can read or write {act.label}{act.size} while the index of the constraint is built"
        )


def _column(act: Act) -> Iterator[Hit]:
    keyed = any(constraint(act.definition, f"CONSTR_{kind}") for kind in ("UNIQUE", "PRIMARY"))
    if keyed and act.alters_table:
        name = act.definition["colname"]
        yield Hit(f"nobody can read or write {act.label}{act.size} while the index on {name} is built")


def _reindex(act: Act) -> Iterator[Hit]:
    if switched_on(act.node, "params", "concurrently"):
        return
    if "relation" not in act.node:
        yield Hit(
            f"nobody can write to any table of {act.node.get('name', 'the database')} while its indexes are built anew"
        )
        return
    name = name_of(act.node["relation"])
    if act.node["kind"] == "REINDEX_OBJECT_INDEX":
        fresh = act.known.fresh("index", *act.known.resolve(name))
    else:
        fresh = act.known.fresh_table(name)
    if not fresh:
        yield Hit(
            f"nobody can write while {shown(name)} is built anew, and reads that plan with the index wait"
        )


def _reorder(act: Act) -> Iterator[Hit]:
    if not act.alters_table:
        return
    change = retyping.change(act.known, act.relation, act.node)
    name = act.node["name"]
    indexes = [
        index.name[1]
        for index in act.known.indexes_of(act.relation)
        # One with an expression is built anew even where the type stays the same.
        if (change.reorders and name in index.columns) or (index.computed and name in index.reads)
    ]
    if change.rewrites is False and indexes:
        yield Hit(
            f"{act.label}{act.size}: the index {', '.join(indexes)} is built anew, though no row is written"
        )


def _attach(act: Act) -> Iterator[Hit]:
    part = name_of(act.definition["name"])
    if act.known.table(part) is None or act.known.fresh_table(part):
        return
    there = {
        (index.method, index.columns, index.computed) for index in act.known.indexes_of(part) if index.valid
    }
    missing = [
        index.name[1]
        for index in act.known.indexes_of(act.relation)
        if (index.method, index.columns, index.computed) not in there
    ]
    if missing:
        yield Hit(f"{shown(part)} lacks what {', '.join(missing)} is of {act.label}: it is built now")


RULES = (
    Rule(
        id="create-index-blocking",
        family=FAMILY,
        severity=Severity.WARNING,
        title="An index is built while nobody can write",
        why="The whole table is read and sorted before the first write gets through.",
        lock="SHARE on the table, while the index is built",
        safe="CREATE INDEX CONCURRENTLY, in a file of its own.",
        setup=USERS,
        bad="CREATE INDEX users_email ON users (email);",
        good="CREATE INDEX CONCURRENTLY users_email ON users (email);",
        on=("IndexStmt",),
        find=_index,
    ),
    Rule(
        id="add-unique-constraint",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A UNIQUE constraint builds its index",
        why="The index of the constraint is built before the statement ends.",
        lock=BUILD,
        safe="CREATE UNIQUE INDEX CONCURRENTLY in a file of its own, then ADD CONSTRAINT … UNIQUE USING INDEX ….",
        setup=USERS,
        bad="ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);",
        good="CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON users (email);",
        on=("AT_AddConstraint",),
        find=_unique,
    ),
    Rule(
        id="add-primary-key",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A primary key builds its index",
        why="The index of the key is built before the statement ends.",
        lock=BUILD,
        safe="CREATE UNIQUE INDEX CONCURRENTLY in a file of its own, then ADD CONSTRAINT … PRIMARY KEY USING INDEX ….",
        setup=USERS,
        bad="ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY (id);",
        good="CREATE UNIQUE INDEX CONCURRENTLY users_pkey ON users (id);",
        on=("AT_AddConstraint",),
        find=_primary,
    ),
    Rule(
        id="add-exclusion-constraint",
        family=FAMILY,
        severity=Severity.WARNING,
        title="An EXCLUDE constraint is added",
        why="Its index is built before the statement ends, and there is no way to build it before.",
        lock=BUILD,
        safe="Only while the table is small; otherwise fill a new table that has the constraint, and swap the names.",
        setup="CREATE TABLE bookings (id bigint PRIMARY KEY, during tstzrange);",
        bad="ALTER TABLE bookings ADD CONSTRAINT bookings_during_excl EXCLUDE USING gist (during WITH &&);",
        good="CREATE TABLE rentals (during tstzrange, CONSTRAINT rentals_during_excl EXCLUDE USING gist (during WITH &&));",
        on=("AT_AddConstraint",),
        find=_exclusion,
    ),
    Rule(
        id="add-column-unique",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A column is added with a key",
        why="The index of the key is built before the statement ends.",
        lock=BUILD,
        safe="Add the column alone, CREATE UNIQUE INDEX CONCURRENTLY in a file of its own, then ADD CONSTRAINT … USING INDEX ….",
        setup=USERS,
        bad="ALTER TABLE users ADD COLUMN phone text UNIQUE;",
        good="ALTER TABLE users ADD COLUMN phone text;",
        on=("AT_AddColumn",),
        find=_column,
    ),
    Rule(
        id="attach-partition-builds-index",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A partition is attached that lacks an index of its table",
        why="Each index of the partitioned table is built on the partition before it is attached.",
        lock="ACCESS EXCLUSIVE on the partition, while the index is built",
        safe="CREATE INDEX CONCURRENTLY on the partition, in a file of its own before.",
        setup="CREATE TABLE events (day date NOT NULL, note text) PARTITION BY RANGE (day);\n"
        "CREATE INDEX events_note ON events (note);\n"
        "CREATE TABLE events_2025 (day date NOT NULL, note text,\n"
        "    CONSTRAINT bounds CHECK (day >= '2025-01-01' AND day < '2026-01-01'));",
        bad="ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
        good="CREATE INDEX CONCURRENTLY events_2025_note ON events_2025 (note);",
        on=("AT_AttachPartition",),
        find=_attach,
    ),
    Rule(
        id="reindex-blocking",
        family=FAMILY,
        severity=Severity.WARNING,
        title="An index is built anew while nobody can write",
        why="The index is built from the whole table, and queries that would plan with it wait as well.",
        lock="SHARE on the table and ACCESS EXCLUSIVE on the index, while it is built",
        safe="REINDEX … CONCURRENTLY, in a file of its own.",
        setup=USERS + "\nCREATE INDEX users_email ON users (email);",
        bad="REINDEX INDEX users_email;",
        good="REINDEX INDEX CONCURRENTLY users_email;",
        on=("ReindexStmt",),
        find=_reindex,
    ),
    Rule(
        id="change-type-rebuilds-index",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A change of type builds indexes anew",
        why="The rows stay as they are, but an index with an expression, a condition or another order is built again.",
        lock=BUILD,
        safe="Drop the index CONCURRENTLY before and build it CONCURRENTLY behind the change, each in a file of its own.",
        setup="CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50));\nCREATE INDEX users_name ON users (lower(name));",
        bad="ALTER TABLE users ALTER COLUMN name TYPE varchar(100);",
        good="ALTER TABLE users ALTER COLUMN name SET DEFAULT '';",
        on=("AT_AlterColumnType",),
        find=_reorder,
    ),
)
