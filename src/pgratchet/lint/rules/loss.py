"""Statements that lose data for good: each wants a reason in the file."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.findings import Severity
from pgratchet.lint import retyping
from pgratchet.lint.act import Act, Hit
from pgratchet.lint.rule import Rule
from pgratchet.lint.tree import dropped, name_of, shown, type_of

FAMILY = "data loss"
USERS = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50), age integer);"
WAIVER = "write -- pgratchet: ignore {rule} <the reason> above it."


def _column(act: Act) -> Iterator[Hit]:
    table, column = act.known.resolve(act.relation), act.node["name"]
    tabular = act.whole.get("objtype") in {"OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"}
    if tabular and not act.fresh and not act.known.fresh("column", *table, column):
        yield Hit(f"the values of {act.label}.{column} are lost, and every query that reads it fails")


def _table(act: Act) -> Iterator[Hit]:
    if act.node["removeType"] == "OBJECT_TABLE":
        for name in dropped(act.node):
            if not act.known.fresh_table(name):
                yield Hit(f"the table {shown(name)} is lost with its rows")


def _schema(act: Act) -> Iterator[Hit]:
    if act.node["removeType"] == "OBJECT_SCHEMA":
        for _, name in dropped(act.node):
            if not act.known.fresh("schema", name):
                yield Hit(f"the schema {name} is lost{', with all that is in it' if _cascades(act) else ''}")


def _cascades(act: Act) -> bool:
    return act.node.get("behavior") == "DROP_CASCADE"


def _cascade(act: Act) -> Iterator[Hit]:
    told = {"OBJECT_TABLE", "OBJECT_SCHEMA", "OBJECT_EXTENSION"}
    if act.name == "DropStmt":
        fresh = all(act.known.fresh_table(name) for name in dropped(act.node))
        if _cascades(act) and act.node["removeType"] not in told and not fresh:
            yield Hit("CASCADE drops whatever hangs on it, and does not say beforehand what that is")
    elif _cascades(act) and not act.fresh:
        yield Hit("CASCADE drops whatever hangs on it, and does not say beforehand what that is")


def _extension(act: Act) -> Iterator[Hit]:
    if act.node["removeType"] == "OBJECT_EXTENSION":
        for _, name in dropped(act.node):
            if not act.known.fresh("extension", name):
                columns = ", and with them every column of its types" if _cascades(act) else ""
                yield Hit(f"the types and functions of the extension {name} are lost{columns}")


def _truncate(act: Act) -> Iterator[Hit]:
    tables = [name_of(item["RangeVar"]) for item in act.node.get("relations", ())]
    old = [shown(table) for table in tables if not act.known.fresh_table(table)]
    if old:
        more = ", and those of every table that refers to it" if _cascades(act) else ""
        yield Hit(f"all rows of {', '.join(old)} are lost{more}")


def _delete(act: Act) -> Iterator[Hit]:
    if not act.fresh and _everywhere(act) and "usingClause" not in act.node:
        yield Hit(f"all rows of {act.label}{act.size} are deleted")


def _update(act: Act) -> Iterator[Hit]:
    if not act.fresh and not act.fills and _everywhere(act) and "fromClause" not in act.node:
        names = [item["ResTarget"]["name"] for item in act.node.get("targetList", ())]
        yield Hit(
            f"all rows of {act.label}{act.size} are written, and the old values of {', '.join(names)} are lost"
        )


def _everywhere(act: Act) -> bool:
    """Whether a statement has no WHERE, or one that is always true."""
    where = act.node.get("whereClause")
    return where is None or where.get("A_Const", {}).get("boolval", {}).get("boolval") is True


def _owned(act: Act) -> Iterator[Hit]:
    roles = [item["RoleSpec"].get("rolename", "the current role") for item in act.node.get("roles", ())]
    yield Hit(f"everything that {', '.join(roles)} owns in this database is lost")


def _database(act: Act) -> Iterator[Hit]:
    yield Hit(f"the database {act.node['dbname']} is lost")


def _narrow(act: Act) -> Iterator[Hit]:
    old = act.known.type_of(act.relation, act.node["name"])
    new = type_of(act.definition["typeName"])
    if act.alters_table and old and retyping.narrows(old, new):
        yield Hit(
            f"{act.label}.{act.node['name']} changes from {old} to {new}: what does not fit is cut, or fails the run"
        )


RULES = (
    Rule(
        id="drop-column",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A column is dropped",
        why="Its values are gone, and the application that still runs reads it.",
        lock="ACCESS EXCLUSIVE on the table, for a moment",
        safe="Deploy an application that does not use it first; then " + WAIVER.format(rule="drop-column"),
        setup=USERS,
        bad="ALTER TABLE users DROP COLUMN age;",
        good="-- pgratchet: ignore drop-column nothing has read it since version 3\nALTER TABLE users DROP COLUMN age;",
        on=("AT_DropColumn",),
        find=_column,
    ),
    Rule(
        id="drop-table",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A table is dropped",
        why="Its rows are gone, and the application that still runs reads it.",
        lock="ACCESS EXCLUSIVE on the table, and on those that it refers to, for a moment",
        safe="Take a backup, deploy an application that does not use it first; then "
        + WAIVER.format(rule="drop-table"),
        setup=USERS,
        bad="DROP TABLE users;",
        good="CREATE TABLE visits (id bigint PRIMARY KEY);\nDROP TABLE visits;",
        on=("DropStmt",),
        find=_table,
    ),
    Rule(
        id="drop-schema",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A schema is dropped",
        why="With CASCADE everything in it is gone.",
        safe="Drop what is in it by name, each for its reason; then " + WAIVER.format(rule="drop-schema"),
        setup="CREATE SCHEMA old;\nCREATE TABLE old.users (id bigint PRIMARY KEY);",
        bad="DROP SCHEMA old CASCADE;",
        good="CREATE SCHEMA newer;",
        on=("DropStmt",),
        find=_schema,
    ),
    Rule(
        id="drop-cascade",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A drop with CASCADE",
        why="Views, foreign keys and columns go with it that the file does not name, and that another database may have more of.",
        safe="Drop what hangs on it by name.",
        setup=USERS + "\nCREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));\n"
        "CREATE INDEX ON orders (user_id);",
        bad="-- pgratchet: ignore drop-constraint the key is replaced\n"
        "ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE;",
        good="ALTER TABLE orders ALTER COLUMN user_id SET DEFAULT 1;",
        on=("DropStmt", "AT_DropConstraint", "AT_DropColumn"),
        find=_cascade,
    ),
    Rule(
        id="drop-extension",
        family=FAMILY,
        severity=Severity.ERROR,
        title="An extension is dropped",
        why="With CASCADE every column of its types goes with it: DROP EXTENSION vector CASCADE drops all embeddings.",
        safe="Move the columns to other types first; then " + WAIVER.format(rule="drop-extension"),
        setup="CREATE EXTENSION vector;\nCREATE TABLE items (id bigint PRIMARY KEY, embedding vector(3));",
        bad="DROP EXTENSION vector CASCADE;",
        good="ALTER EXTENSION vector UPDATE;",
        on=("DropStmt",),
        find=_extension,
    ),
    Rule(
        id="truncate-table",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A table is emptied",
        why="All its rows are gone.",
        lock="ACCESS EXCLUSIVE on the table, for a moment",
        safe="Take a backup; then " + WAIVER.format(rule="truncate-table"),
        setup=USERS,
        bad="TRUNCATE users;",
        good="DELETE FROM users WHERE id = 1;",
        on=("TruncateStmt",),
        find=_truncate,
    ),
    Rule(
        id="delete-all-rows",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A DELETE without WHERE",
        why="All rows are gone, one by one: each is locked and written to the WAL.",
        lock="Every row, until the commit",
        safe="Name the rows, and delete many in batches; if all are meant, "
        + WAIVER.format(rule="delete-all-rows"),
        setup=USERS,
        bad="DELETE FROM users;",
        good="DELETE FROM users WHERE id = 1;",
        on=("DeleteStmt",),
        find=_delete,
    ),
    Rule(
        id="update-all-rows",
        family=FAMILY,
        severity=Severity.ERROR,
        title="An UPDATE without WHERE",
        why="Every row is locked until the commit and written twice, and the old values are gone.",
        lock="Every row, until the commit",
        safe="Name the rows, and fill many in batches, outside of the migration's transaction.",
        setup=USERS,
        bad="UPDATE users SET age = 1;",
        good="UPDATE users SET age = 1 WHERE id = 1;",
        on=("UpdateStmt",),
        find=_update,
    ),
    Rule(
        id="drop-owned",
        family=FAMILY,
        severity=Severity.ERROR,
        title="DROP OWNED",
        why="What a role owns is not in the file, and differs from database to database.",
        safe="Drop objects by name, or REASSIGN OWNED first.",
        setup="CREATE ROLE pgratchet_leaver;",
        bad="DROP OWNED BY pgratchet_leaver;",
        good="REASSIGN OWNED BY pgratchet_leaver TO CURRENT_USER;",
        on=("DropOwnedStmt",),
        find=_owned,
    ),
    Rule(
        id="drop-database",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A database is dropped",
        why="All of it is gone, and no transaction holds that back.",
        safe="A migration changes the database that it runs in and no other.",
        setup="CREATE DATABASE pgratchet_old;",
        bad="DROP DATABASE pgratchet_old;",
        good="SELECT 1;",
        on=("DropdbStmt",),
        find=_database,
    ),
    Rule(
        id="narrow-column-type",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A column gets a smaller type",
        why="Longer values are cut or fail the run; no later migration brings back what was cut.",
        safe="Look for values that do not fit first, and decide about them; then "
        + WAIVER.format(rule="narrow-column-type"),
        setup="CREATE TABLE users (id bigint PRIMARY KEY, created_at timestamptz);",
        bad="-- pgratchet: ignore change-column-type the table is small\n"
        "ALTER TABLE users ALTER COLUMN created_at TYPE timestamptz(0);",
        good="ALTER TABLE users ALTER COLUMN created_at TYPE timestamptz(6);",
        on=("AT_AlterColumnType",),
        find=_narrow,
    ),
)
