"""How a file's statements sit in transactions: what cannot be one, what should not be, what leaks out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgratchet.findings import Severity
from pgratchet.lint.act import Act, Hit
from pgratchet.lint.rule import Rule
from pgratchet.lint.tree import dropped, shown

FAMILY = "transactions"
USERS = "CREATE TABLE users (id bigint PRIMARY KEY, email text, age integer);"
STATE = "CREATE TYPE state AS ENUM ('new', 'old');\nCREATE TABLE jobs (id bigint PRIMARY KEY, state state);"


def _mixed(act: Act) -> Iterator[Hit]:
    statements = act.script.statements or ()
    inside = [item for item in statements if not item.alone and not item.control and not _sets(item.sql)]
    alone = [item for item in statements if item.alone]
    if alone and inside and act.script.directives.get("transaction") != "none":
        yield Hit(
            f"line {alone[0].line} cannot be in a transaction, and line {inside[0].line} is in one: "
            "where one fails, the other stays done"
        )


def _sets(sql: str) -> bool:
    return sql[:4].lower() == "set " or sql[:6].lower() == "reset "


def _control(_: Act) -> Iterator[Hit]:
    yield Hit("the file begins and commits a transaction itself")


def _value(act: Act) -> Iterator[Hit]:
    later = (act.script.statements or ())[act.statement.number :]
    if act.statement.closes and not all(
        re.match(r"(?i)alter\s+type\b.*\badd\s+value\b", item.sql) for item in later
    ):
        yield Hit(
            f"'{act.node['newVal']}' can be used after a commit only: the file becomes two transactions here"
        )


def _commit(_: Act) -> Iterator[Hit]:
    yield Hit("the block commits, which fails inside of the migration's transaction (2D000)")


def _pending(act: Act) -> Iterator[Hit]:
    if not act.alters_table or act.node is not act.whole["cmds"][0]["AlterTableCmd"]:
        return
    table = act.known.resolve(act.relation)
    deferred = [item for item in act.known.constraints_of(table) if item.deferred]
    written = act.known.transaction.written
    if table in written and deferred:
        yield Hit(
            f"the statement fails: {deferred[0].name} is still to be checked for what was written to {shown(table)}"
        )


def _setting(act: Act) -> Iterator[Hit]:
    if not act.node.get("is_local") and not act.inner and act.node.get("kind") == "VAR_SET_VALUE":
        yield Hit(f"{act.node['name']} stays set when the file is at its end, where another tool runs it")


def _guarded(act: Act) -> Iterator[Hit]:
    if act.node.get("concurrent") and act.node.get("if_not_exists"):
        yield Hit(
            "an INVALID index of this name, left by a run cut short, is taken for the one that is wanted"
        )


def _partitioned(act: Act) -> Iterator[Hit]:
    if act.name == "IndexStmt":
        named = [act.known.table(act.relation)] if act.node.get("concurrent") else []
    elif act.node["removeType"] == "OBJECT_INDEX" and act.node.get("concurrent"):
        found = (act.known.indexes.get(*act.known.resolve(name)) for name in dropped(act.node))
        named = [act.known.table(index.table) for index in found if index]
    else:
        named = []
    for table in named:
        if table and table.kind == "p":
            yield Hit(f"the statement fails: {shown(table.name)} is partitioned (0A000)")


RULES = (
    Rule(
        id="concurrently-with-others",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A statement outside of transactions stands among others",
        why="The file is no longer done as a whole or not at all: where it fails, a part of it stays.",
        safe="Give each statement with CONCURRENTLY, VACUUM and the like a file of its own.",
        setup=USERS,
        bad="ALTER TABLE users ADD COLUMN phone text;\nCREATE INDEX CONCURRENTLY users_phone ON users (phone);",
        good="CREATE INDEX CONCURRENTLY users_email ON users (email);",
        on=("last",),
        find=_mixed,
    ),
    Rule(
        id="transaction-control",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A file begins or commits a transaction itself",
        why="The migration and its record are one transaction; with one of its own the file is committed before it is recorded.",
        safe="Delete BEGIN and COMMIT.",
        setup=USERS,
        bad="BEGIN ISOLATION LEVEL SERIALIZABLE;\nALTER TABLE users ADD COLUMN phone text;\nCOMMIT;",
        good="ALTER TABLE users ADD COLUMN phone text;",
        on=("begin",),
        find=_control,
    ),
    Rule(
        id="enum-value-with-others",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A value is added to an enumerated type in the middle of a file",
        why="It cannot be used in the transaction that adds it (55P04), so the file is cut in two there.",
        safe="ALTER TYPE … ADD VALUE in a file of its own.",
        setup=STATE,
        bad="ALTER TYPE state ADD VALUE 'done';\nALTER TABLE jobs ALTER COLUMN state SET DEFAULT 'done';",
        good="ALTER TYPE state ADD VALUE 'done';",
        on=("AlterEnumStmt",),
        find=_value,
    ),
    Rule(
        id="commit-in-block",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A DO block commits",
        why="It fails inside of a transaction, and a migration is one.",
        safe="Write -- pgratchet: transaction=none at the top of the file, or do it in one transaction.",
        setup=USERS,
        bad="DO $$ BEGIN DELETE FROM users WHERE id = 1; COMMIT; END $$;",
        good="-- pgratchet: transaction=none\nDO $$ BEGIN DELETE FROM users WHERE id = 1; COMMIT; END $$;",
        on=("commit in a DO",),
        find=_commit,
    ),
    Rule(
        id="pending-trigger-events",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A table is written and then altered, with a deferred constraint on it",
        why="The constraint is checked at the commit, and until then ALTER TABLE is refused (55006).",
        safe="SET CONSTRAINTS ALL IMMEDIATE in between, or two files.",
        setup=USERS + "\nCREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint,\n"
        "    CONSTRAINT orders_user_fkey FOREIGN KEY (user_id) REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED);\n"
        "INSERT INTO users (id) VALUES (1);",
        bad="INSERT INTO orders SELECT id, id FROM users;\nALTER TABLE orders ADD COLUMN note text;",
        good="ALTER TABLE orders ADD COLUMN note text;",
        on=("AT_AddColumn", "AT_DropColumn", "AT_AddConstraint", "AT_SetNotNull", "AT_ColumnDefault"),
        find=_pending,
    ),
    Rule(
        id="set-without-local",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A setting outlives the transaction",
        why="pgratchet gives every file the same session; psql and other tools run the next file with it.",
        safe="SET LOCAL.",
        bad="SET work_mem = '64MB';",
        good="SET LOCAL work_mem = '64MB';",
        on=("VariableSetStmt",),
        find=_setting,
    ),
    Rule(
        id="concurrently-on-partitioned",
        family=FAMILY,
        severity=Severity.ERROR,
        title="CONCURRENTLY on a partitioned table",
        why="PostgreSQL refuses it (0A000): it can build and drop indexes so on each partition alone.",
        safe="CREATE INDEX … ON ONLY the table, CONCURRENTLY on each partition in a file of its own, then ALTER INDEX … ATTACH "
        "PARTITION; a partitioned index goes by DROP INDEX alone.",
        setup="CREATE TABLE events (day date NOT NULL, note text) PARTITION BY RANGE (day);",
        bad="CREATE INDEX CONCURRENTLY events_note ON events (note);",
        good="CREATE INDEX events_note ON ONLY events (note);",
        on=("IndexStmt", "DropStmt"),
        find=_partitioned,
    ),
    Rule(
        id="concurrently-if-not-exists",
        family=FAMILY,
        severity=Severity.NOTE,
        title="CREATE INDEX CONCURRENTLY IF NOT EXISTS",
        why="After a failure the INVALID index is there, so the statement succeeds and builds nothing.",
        safe="Leave IF NOT EXISTS out: pgratchet drops an INVALID leftover and builds it again.",
        setup=USERS,
        bad="CREATE INDEX CONCURRENTLY IF NOT EXISTS users_email ON users (email);",
        good="CREATE INDEX CONCURRENTLY users_email ON users (email);",
        on=("IndexStmt",),
        find=_guarded,
    ),
)
