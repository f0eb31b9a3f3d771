"""Statements that are quick, and stop others all the same: what waits for their lock queues up behind it."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.findings import Severity
from pgratchet.lint.act import Act, Hit
from pgratchet.lint.rule import Rule
from pgratchet.lint.tree import dropped, name_of, shown, strings, walk

FAMILY = "locks"
USERS = "CREATE TABLE users (id bigint PRIMARY KEY, email text, age integer);"
ORDERS = (
    USERS
    + "\nCREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint);\nCREATE INDEX ON orders (user_id);"
)
PARTS = "CREATE TABLE events (day date NOT NULL, note text) PARTITION BY RANGE (day);\n"
SHORT = "pgratchet waits 50 ms for the lock at a time and tries again, so that nobody queues up behind it for long."
READ_OR_WRITTEN = "ACCESS EXCLUSIVE on the table until the commit"
# What an ALTER TABLE does under ACCESS EXCLUSIVE that no other rule tells of.
ACTIONS = {
    "AT_ChangeOwner": "its owner changes",
    "AT_ReplicaIdentity": "its replica identity changes",
    "AT_AddInherit": "it becomes the child of a table",
    "AT_DropInherit": "it is no longer the child of a table",
    "AT_SetStorage": "a column is stored in another way",
    "AT_DropExpression": "a generated column becomes a plain one",
    "AT_DropIdentity": "an identity column becomes a plain one",
    "AT_EnableTrig": "a trigger is switched on",
    "AT_DisableTrig": "a trigger is switched off",
}


def _drop_index(act: Act) -> Iterator[Hit]:
    if act.node["removeType"] != "OBJECT_INDEX" or act.node.get("concurrent"):
        return
    for name in dropped(act.node):
        found = act.known.resolve(name)
        index = act.known.indexes.get(*found)
        if not act.known.fresh("index", *found) and not (index and act.known.fresh_table(index.table)):
            yield Hit(f"nobody can read or write the table of {shown(name)} until the commit")


def _create_partition(act: Act) -> Iterator[Hit]:
    if "partbound" in act.node:
        parent = name_of(act.node["inhRelations"][0]["RangeVar"])
        if not act.known.fresh_table(parent):
            yield Hit(f"nobody can read or write {shown(parent)} until the commit")


def _detach(act: Act) -> Iterator[Hit]:
    if act.alters_table and not act.definition.get("concurrent"):
        yield Hit(f"nobody can read or write {act.label} until the commit")


def _drop_partition(act: Act) -> Iterator[Hit]:
    if act.node["removeType"] == "OBJECT_TABLE":
        for name in dropped(act.node):
            table = act.known.table(name)
            if table and table.partition_of and not act.known.fresh_table(table.partition_of):
                yield Hit(f"nobody can read or write {shown(table.partition_of)} until the commit")


def _lock_table(act: Act) -> Iterator[Hit]:
    tables = [name_of(item["RangeVar"]) for item in act.node.get("relations", ())]
    old = [shown(table) for table in tables if not act.known.fresh_table(table)]
    # Of LOCK TABLE's modes, the first three let others read and write.
    if old and act.node.get("mode", 8) > 4:
        yield Hit(f"{', '.join(old)} is locked until the commit, as soon as nobody else holds it")


def _second_table(act: Act) -> Iterator[Hit]:
    held = ", ".join(name for _, name in act.whole["held"])
    more = ", ".join(name for _, name in act.node["tables"])
    yield Hit(f"{more} is waited for while {held} is locked: nobody can read or write that meanwhile")


def _work(act: Act) -> Iterator[Hit]:
    held = [table for table, mode in act.known.transaction.locked.items() if mode == "ACCESS EXCLUSIVE"]
    if not held or not _heavy(act):
        return
    yield Hit(
        f"nobody can read or write {', '.join(name for _, name in held)} while this runs: it was locked before"
    )


def _heavy(act: Act) -> bool:
    if act.name == "AT_ValidateConstraint":
        key = (act.known.resolve(act.relation), act.node["name"])
        return not act.fresh and key not in act.known.transaction.not_valid
    if act.name == "InsertStmt":
        query = act.node.get("selectStmt", {}).get("SelectStmt", {})
        sources = [name_of(item) for item in walk(query.get("fromClause", []), "RangeVar")]
        return any(not act.known.fresh_table(name) for name in sources)
    # Without WHERE, it is data loss that is told of.
    return not act.fresh and ("whereClause" in act.node or (act.name == "UpdateStmt" and act.fills))


def _referenced(act: Act) -> Iterator[Hit]:
    if "references" not in act.statement.sql.lower():
        return
    tables = {name_of(node["pktable"]) for node in walk(act.node, "Constraint") if "pktable" in node}
    old = sorted(shown(table) for table in tables if not act.known.fresh_table(table))
    if old:
        yield Hit(f"nobody can write to {', '.join(old)} until the commit: a foreign key refers to it")


def _drop_key(act: Act) -> Iterator[Hit]:
    found = act.known.constraint(act.relation, act.node["name"])
    if found and found.references and not act.known.fresh_table(found.references) and not act.fresh:
        yield Hit(
            f"nobody can read or write {shown(found.references)} until the commit: the key refers to it"
        )


def _short(act: Act) -> Iterator[Hit]:
    if act.name in ACTIONS:
        if act.alters_table:
            yield Hit(f"nobody can read or write {act.label} until the commit: {ACTIONS[act.name]}")
    elif act.name == "CreateTrigStmt" and not act.fresh and not act.node.get("isconstraint"):
        yield Hit(f"nobody can write to {act.label} until the commit: a trigger is made")
    elif act.name == "RuleStmt" and not act.fresh:
        yield Hit(f"nobody can read or write {act.label} until the commit: a rule is made")
    elif act.name == "DropStmt" and act.node["removeType"] in {
        "OBJECT_TRIGGER",
        "OBJECT_POLICY",
        "OBJECT_RULE",
    }:
        for item in act.node["objects"]:
            *table, _ = strings(item["List"]["items"])
            name = (table[-2] if len(table) > 1 else "", table[-1])
            if not act.known.fresh_table(name):
                yield Hit(
                    f"nobody can read or write {shown(name)} until the commit: what hangs on it is dropped"
                )


def _fan_out(act: Act) -> Iterator[Hit]:
    table = act.known.table(act.relation)
    parts = act.known.partitions_of(act.relation) if table and table.kind == "p" else []
    if len(parts) >= MANY and act.alters_table:
        yield Hit(f"{act.label} and its {len(parts)} partitions are locked, each with its indexes")


MANY = 50

RULES = (
    Rule(
        id="drop-index-blocking",
        family=FAMILY,
        severity=Severity.WARNING,
        title="An index is dropped while nobody can read",
        why="The statement waits for everybody who uses the table, and everybody who comes later waits for it.",
        lock=READ_OR_WRITTEN,
        safe="DROP INDEX CONCURRENTLY, in a file of its own.",
        setup=USERS + "\nCREATE INDEX users_email ON users (email);",
        bad="DROP INDEX users_email;",
        good="DROP INDEX CONCURRENTLY users_email;",
        on=("DropStmt",),
        find=_drop_index,
    ),
    Rule(
        id="create-partition",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A partition is made in place",
        why="CREATE TABLE … PARTITION OF locks the whole partitioned table.",
        lock="ACCESS EXCLUSIVE on the partitioned table until the commit",
        safe="CREATE TABLE … (LIKE parent INCLUDING ALL), then ALTER TABLE … ATTACH PARTITION, which lets others read and write.",
        setup=PARTS,
        bad="CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
        good="CREATE TABLE events_2026 (LIKE events INCLUDING ALL);\n"
        "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
        on=("CreateStmt",),
        find=_create_partition,
    ),
    Rule(
        id="detach-partition-blocking",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A partition is detached while nobody can read",
        why="The statement locks the whole partitioned table.",
        lock="ACCESS EXCLUSIVE on the partitioned table and the partition until the commit",
        safe="DETACH PARTITION … CONCURRENTLY, in a file of its own.",
        setup=PARTS
        + "CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
        bad="ALTER TABLE events DETACH PARTITION events_2025;",
        good="ALTER TABLE events DETACH PARTITION events_2025 CONCURRENTLY;",
        on=("AT_DetachPartition",),
        find=_detach,
    ),
    Rule(
        id="drop-partition",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A partition is dropped in place",
        why="DROP TABLE of a partition locks the whole partitioned table.",
        lock="ACCESS EXCLUSIVE on the partitioned table until the commit",
        safe="DETACH PARTITION … CONCURRENTLY in a file of its own, then drop the table.",
        setup=PARTS
        + "CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
        bad="-- pgratchet: ignore drop-table it is kept in the archive\nDROP TABLE events_2025;",
        good="ALTER TABLE events DETACH PARTITION events_2025 CONCURRENTLY;",
        on=("DropStmt",),
        find=_drop_partition,
    ),
    Rule(
        id="lock-table",
        family=FAMILY,
        severity=Severity.WARNING,
        title="LOCK TABLE",
        why="The table stays locked while all the rest of the transaction runs.",
        lock="The mode that it says, until the commit",
        safe="Delete it: each statement takes the lock that it needs. " + SHORT,
        setup=USERS,
        bad="LOCK TABLE users IN ACCESS EXCLUSIVE MODE;",
        good="LOCK TABLE users IN ROW EXCLUSIVE MODE;",
        on=("LockStmt",),
        find=_lock_table,
    ),
    Rule(
        id="second-table-locked",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A transaction locks two tables",
        why="While it waits for the second, the first can be neither read nor written; two such transactions can block each other for good.",
        lock="ACCESS EXCLUSIVE on both, until the commit",
        safe="One table in use a file.",
        setup=ORDERS,
        bad="ALTER TABLE users ADD COLUMN note text;\nALTER TABLE orders ADD COLUMN note text;",
        good="ALTER TABLE users ADD COLUMN note text;",
        on=("second table",),
        find=_second_table,
    ),
    Rule(
        id="work-behind-lock",
        family=FAMILY,
        severity=Severity.WARNING,
        title="Work behind a lock",
        why="The lock of a statement is held until the commit, so whatever runs behind it makes others wait.",
        lock="ACCESS EXCLUSIVE on the table that was changed before, while this runs",
        safe="Move it to the next file: the schema first, the rows after it.",
        setup=USERS,
        bad="ALTER TABLE users ADD COLUMN adult boolean;\nUPDATE users SET adult = true WHERE age >= 18;",
        good="UPDATE users SET email = lower(email) WHERE email <> lower(email);",
        on=("UpdateStmt", "DeleteStmt", "InsertStmt", "AT_ValidateConstraint"),
        find=_work,
    ),
    Rule(
        id="foreign-key-locks-table",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A new table refers to one in use",
        why="Its foreign key puts triggers on the other table.",
        lock="SHARE ROW EXCLUSIVE on the other table until the commit",
        safe=SHORT,
        setup=USERS,
        bad="CREATE TABLE visits (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));",
        good="CREATE TABLE visits (id bigint PRIMARY KEY, user_id bigint);",
        on=("CreateStmt",),
        find=_referenced,
    ),
    Rule(
        id="drop-foreign-key",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A foreign key is dropped",
        why="Its triggers go from the other table as well.",
        lock="ACCESS EXCLUSIVE on both tables until the commit",
        safe=SHORT,
        setup=USERS + "\nCREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint,\n"
        "    CONSTRAINT orders_user_fkey FOREIGN KEY (user_id) REFERENCES users (id));",
        bad="ALTER TABLE orders DROP CONSTRAINT orders_user_fkey;",
        good="ALTER TABLE orders ALTER COLUMN user_id SET DEFAULT 1;",
        on=("AT_DropConstraint",),
        find=_drop_key,
    ),
    Rule(
        id="short-lock",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A strong lock for a moment",
        why="The statement itself is quick, but it waits for everybody who uses the table.",
        lock="ACCESS EXCLUSIVE, of CREATE TRIGGER and ENABLE TRIGGER SHARE ROW EXCLUSIVE, on the table until the commit",
        safe=SHORT,
        setup=USERS,
        bad="ALTER TABLE users REPLICA IDENTITY FULL;",
        good="ALTER TABLE users ALTER COLUMN email SET STATISTICS 500;",
        on=(*ACTIONS, "CreateTrigStmt", "RuleStmt", "DropStmt"),
        find=_short,
    ),
    Rule(
        id="lock-of-many-partitions",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A change of a table with many partitions",
        why="Each partition and each of its indexes takes a place in the server's table of locks.",
        lock="ACCESS EXCLUSIVE on all of them until the commit",
        safe="Look at max_locks_per_transaction, and change nothing else in the same file.",
        setup=PARTS
        + "\n".join(
            f"CREATE TABLE events_{day} PARTITION OF events FOR VALUES FROM ('2025-01-01'::date + {day}) "
            f"TO ('2025-01-01'::date + {day + 1});"
            for day in range(MANY)
        ),
        bad="ALTER TABLE events ADD COLUMN place text;",
        good="ALTER TABLE events_1 ALTER COLUMN note SET STATISTICS 500;",
        on=("AT_AddColumn", "AT_DropColumn", "AT_DropConstraint", "AT_AlterColumnType"),
        find=_fan_out,
    ),
)
