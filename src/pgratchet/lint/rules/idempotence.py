"""Statements that fail, or do something else, when they are run a second time: notes, as the history keeps count.

What cannot be told from the text (DO, CALL, SELECT of a function, MERGE) is not spoken of here.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.findings import Severity
from pgratchet.lint import clearing
from pgratchet.lint.act import Act, Hit
from pgratchet.lint.rule import Rule
from pgratchet.lint.tree import Node, functions, last_two, strings, walk
from pgratchet.lint.volatility import VOLATILE

FAMILY = "idempotence"
USERS = "CREATE TABLE users (id bigint PRIMARY KEY, email text, age integer);"
STEADY = {"lower", "upper", "initcap", "btrim", "ltrim", "rtrim", "abs"}
"""Functions that change nothing of what they made themselves."""
GUARD = "DO $$ BEGIN … EXCEPTION WHEN duplicate_object THEN NULL; END $$;"

# What a CREATE is guarded by.
_IF_NOT_EXISTS = {
    "CreateStmt": "TABLE",
    "CreateTableAsStmt": "TABLE",
    "IndexStmt": "INDEX",
    "CreateSchemaStmt": "SCHEMA",
    "CreateSeqStmt": "SEQUENCE",
    "CreateExtensionStmt": "EXTENSION",
    "CreateStatsStmt": "STATISTICS",
    "CreateForeignServerStmt": "SERVER",
    "CreateUserMappingStmt": "USER MAPPING",
}
_OR_REPLACE = {
    "ViewStmt": "VIEW",
    "CreateFunctionStmt": "FUNCTION",
    "CreateTrigStmt": "TRIGGER",
    "RuleStmt": "RULE",
    "CreatePLangStmt": "LANGUAGE",
    "CreateTransformStmt": "TRANSFORM",
}
# What has no guard at all.
_BARE = {
    "CreateEnumStmt": "CREATE TYPE",
    "CompositeTypeStmt": "CREATE TYPE",
    "CreateRangeStmt": "CREATE TYPE",
    "CreateDomainStmt": "CREATE DOMAIN",
    "CreatePolicyStmt": "CREATE POLICY",
    "CreateRoleStmt": "CREATE ROLE",
    "CreatePublicationStmt": "CREATE PUBLICATION",
    "CreateSubscriptionStmt": "CREATE SUBSCRIPTION",
    "CreateCastStmt": "CREATE CAST",
    "CreateEventTrigStmt": "CREATE EVENT TRIGGER",
    "CreateOpClassStmt": "CREATE OPERATOR CLASS",
    "CreateConversionStmt": "CREATE CONVERSION",
    "AT_AddIdentity": "ADD GENERATED … AS IDENTITY",
    "AT_AttachPartition": "ATTACH PARTITION",
    "AT_DetachPartition": "DETACH PARTITION",
    "AT_AddInherit": "INHERIT",
    "AT_DropInherit": "NO INHERIT",
    "RenameStmt": "RENAME",
    "AlterObjectSchemaStmt": "SET SCHEMA",
    "CopyStmt": "COPY",
}
_IF_EXISTS = {"DropStmt": "DROP", "AT_DropColumn": "DROP COLUMN", "AT_DropConstraint": "DROP CONSTRAINT"}


def _no_guard(act: Act) -> Iterator[Hit]:
    if act.inner or clearing.free(act) or clearing.made_again(act):
        return
    if act.name in _IF_NOT_EXISTS and not act.node.get("if_not_exists"):
        yield Hit(f"run again, it fails: CREATE {_IF_NOT_EXISTS[act.name]} without IF NOT EXISTS")
    elif act.name in _OR_REPLACE and not act.node.get("replace") and not act.node.get("isconstraint"):
        yield Hit(f"run again, it fails: CREATE {_OR_REPLACE[act.name]} without OR REPLACE")
    elif act.name in _IF_EXISTS and not act.node.get("missing_ok"):
        yield Hit(f"run again, it fails: {_IF_EXISTS[act.name]} without IF EXISTS")
    elif act.name == "AT_AddColumn" and not act.node.get("missing_ok"):
        yield Hit("run again, it fails: ADD COLUMN without IF NOT EXISTS")
    elif act.name == "AlterEnumStmt" and "oldVal" not in act.node and not act.node.get("skipIfNewValExists"):
        yield Hit("run again, it fails: ADD VALUE without IF NOT EXISTS")


def _bare(act: Act) -> Iterator[Hit]:
    if act.inner or clearing.free(act):
        return
    if act.name != "AT_AddConstraint":
        yield Hit(f"run again, it fails: {_BARE[act.name]} has no guard")
        return
    name = act.definition.get("conname", "")
    text = " ".join(item.sql for item in (act.script.statements or ())[: act.statement.number])
    if f"drop constraint if exists {name}".lower() not in " ".join(text.lower().replace('"', "").split()):
        yield Hit("run again, it fails: ADD CONSTRAINT has no guard")


def _unnamed(act: Act) -> Iterator[Hit]:
    if "idxname" not in act.node and not act.inner:
        yield Hit("run again, it builds a second index of the same columns: it has no name")


def _own_column(act: Act) -> Iterator[Hit]:
    for item in act.node.get("targetList", ()):
        target = item["ResTarget"]
        value = target["val"]
        if target["name"] in _read(value, act) and not act.inner and not _settles(value):
            yield Hit(f"run again, it changes {target['name']} again: the new value is made of the old one")


def _read(value: Node, act: Act) -> set[str]:
    """The columns of the table itself that a value is made of."""
    tables = (act.node["relation"], *walk([value, act.node.get("fromClause", [])], "RangeVar"))
    own = [item for item in tables if item["relname"] == act.relation[1]]
    names = {item.get("alias", {}).get("aliasname", item["relname"]) for item in own}
    return set(_columns(value, act.relation[1], names, bare=True))


def _columns(node: object, table: str, names: set[str], *, bare: bool) -> Iterator[str]:
    """In a query of other tables, a name that stands alone is one of theirs."""
    if isinstance(node, list):
        for item in node:
            yield from _columns(item, table, names, bare=bare)
    elif isinstance(node, dict):
        if "fromClause" in node:
            bare = any(item["relname"] == table for item in walk(node["fromClause"], "RangeVar"))
        *before, column = strings(node.get("ColumnRef", {}).get("fields", ())) or [""]
        if (before[-1:] and before[-1] in names) or (bare and not before):
            yield column
        for item in node.values():
            yield from _columns(item, table, names, bare=bare)


def _settles(value: Node) -> bool:
    """Whether a value that is made a second time is the same: lower(a), coalesce(a, 0)."""
    if "CoalesceExpr" in value:
        return "ColumnRef" in value["CoalesceExpr"]["args"][0]
    call = value.get("FuncCall", {})
    arguments = call.get("args", [])
    return len(arguments) == 1 and "ColumnRef" in arguments[0] and last_two(call["funcname"])[1] in STEADY


def _insert(act: Act) -> Iterator[Hit]:
    query = act.node.get("selectStmt", {}).get("SelectStmt", {})
    if "valuesLists" in query and "onConflictClause" not in act.node and not act.inner:
        yield Hit("run again, it adds the rows again, or fails: there is no ON CONFLICT")


def _volatile(act: Act) -> Iterator[Hit]:
    called = sorted({name for _, name in functions(act.node)} & (VOLATILE - {"setval", "set_config"}))
    if called and not act.inner:
        yield Hit(f"every database gets other rows: {', '.join(called)}() answers anew each time")


def _using(act: Act) -> Iterator[Hit]:
    using = act.definition.get("raw_default")
    while using and "TypeCast" in using:
        using = using["TypeCast"]["arg"]
    if using and "ColumnRef" not in using and not act.inner and list(walk(using, "ColumnRef")):
        yield Hit("run again, it computes the column from what it computed before")


RULES = (
    Rule(
        id="no-guard",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A statement without its guard",
        why="Run by psql a second time, the file fails there. pgratchet itself runs no file twice.",
        safe="IF NOT EXISTS, IF EXISTS or OR REPLACE.",
        bad="CREATE TABLE users (id bigint PRIMARY KEY);",
        good="CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY);",
        on=(*_IF_NOT_EXISTS, *_OR_REPLACE, *_IF_EXISTS, "AT_AddColumn", "AlterEnumStmt"),
        find=_no_guard,
    ),
    Rule(
        id="guardless-statement",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A statement that has no guard",
        why="PostgreSQL has no IF NOT EXISTS for it: run by psql a second time, the file fails there.",
        safe=GUARD,
        bad="CREATE TYPE state AS ENUM ('new', 'old');",
        good="DO $$ BEGIN CREATE TYPE state AS ENUM ('new', 'old'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
        on=(*_BARE, "AT_AddConstraint"),
        find=_bare,
    ),
    Rule(
        id="unnamed-index",
        family=FAMILY,
        severity=Severity.NOTE,
        title="An index without a name",
        why="Each run adds another one; its name is made up and differs from database to database.",
        safe="CREATE INDEX IF NOT EXISTS name ON ….",
        bad="CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, email text);\nCREATE INDEX ON users (email);",
        good="CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, email text);\n"
        "CREATE INDEX IF NOT EXISTS users_email ON users (email);",
        on=("IndexStmt",),
        find=_unnamed,
    ),
    Rule(
        id="update-reads-itself",
        family=FAMILY,
        severity=Severity.NOTE,
        title="An UPDATE that computes a column from itself",
        why="A second run changes the rows a second time.",
        safe="Say in WHERE which rows are still to be changed.",
        setup=USERS,
        bad="UPDATE users SET age = age + 1 WHERE id = 1;",
        good="UPDATE users SET age = 1 WHERE id = 1;",
        on=("UpdateStmt",),
        find=_own_column,
    ),
    Rule(
        id="insert-without-conflict",
        family=FAMILY,
        severity=Severity.NOTE,
        title="An INSERT without ON CONFLICT",
        why="A second run adds the rows again, or fails at a key.",
        safe="ON CONFLICT (…) DO NOTHING, with the columns of a natural key.",
        bad="CREATE TABLE IF NOT EXISTS plans (code text PRIMARY KEY);\nINSERT INTO plans VALUES ('free');",
        good="CREATE TABLE IF NOT EXISTS plans (code text PRIMARY KEY);\n"
        "INSERT INTO plans VALUES ('free') ON CONFLICT (code) DO NOTHING;",
        on=("InsertStmt",),
        find=_insert,
    ),
    Rule(
        id="volatile-rows",
        family=FAMILY,
        severity=Severity.NOTE,
        title="Rows that differ from database to database",
        why="What is tried on a copy is not what production gets.",
        safe="Write the values, or let the application make them.",
        setup=USERS,
        bad="UPDATE users SET age = 100 * random() WHERE id = 1;",
        good="UPDATE users SET age = 100 WHERE id = 1;",
        on=("InsertStmt", "UpdateStmt", "DeleteStmt"),
        find=_volatile,
    ),
    Rule(
        id="change-type-by-expression",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A change of type that computes the column",
        why="A second run computes it again from what the first one made.",
        safe="Add a column of the new type, and fill it.",
        setup=USERS,
        bad="-- pgratchet: ignore change-column-type the table is small\n"
        "ALTER TABLE users ALTER COLUMN age TYPE integer USING age + 1;",
        good="ALTER TABLE users ALTER COLUMN age TYPE integer USING age;",
        on=("AT_AlterColumnType",),
        find=_using,
    ),
)
