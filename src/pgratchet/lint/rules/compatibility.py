"""Changes that break the application which still runs while they are made, or its next deployment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgratchet.findings import Severity
from pgratchet.lint.act import Act, Hit
from pgratchet.lint.rule import Rule
from pgratchet.lint.tree import Name, constraint, dropped, last_two, name_of, shown, strings, type_of

FAMILY = "compatibility"
USERS = "CREATE TABLE users (id bigint PRIMARY KEY, email text, age integer);"
VIEW = USERS + "\nCREATE VIEW adults AS SELECT id FROM users WHERE age >= 18;"
RENAMED = "Add it under the new name, let the application use both, and drop the old one in a later file; a view can stand in."
KINDS = {
    "OBJECT_VIEW": "view",
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_FOREIGN_TABLE": "foreign table",
    "OBJECT_FUNCTION": "function",
    "OBJECT_PROCEDURE": "procedure",
    "OBJECT_AGGREGATE": "aggregate",
    "OBJECT_ROUTINE": "routine",
    "OBJECT_TYPE": "type",
    "OBJECT_DOMAIN": "domain",
    "OBJECT_SEQUENCE": "sequence",
}
_BODIES = {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_AGGREGATE", "OBJECT_ROUTINE"}
_TYPES = {"OBJECT_TYPE", "OBJECT_DOMAIN"}


def _fresh(act: Act, kind: str, name: Name) -> bool:
    if kind in _BODIES:
        return act.known.fresh("function", name[1])
    return act.known.fresh("type", name[1]) if kind in _TYPES else act.known.fresh_table(name)


def _drop(act: Act) -> Iterator[Hit]:
    kind = act.node["removeType"]
    for name in dropped(act.node) if kind in KINDS else ():
        if not _fresh(act, kind, name) and not _made_again(act, name[1]):
            yield Hit(f"whatever uses the {KINDS[kind]} {shown(name)} fails")


def _made_again(act: Act, name: str) -> bool:
    """Whether a later statement of the file makes it anew, by its first words."""
    later = (act.script.statements or ())[act.statement.number :]
    return any(re.match(rf"create\s[^(]*\b{re.escape(name)}\b", item.sql, re.IGNORECASE) for item in later)


def _rename_column(act: Act) -> Iterator[Hit]:
    if act.node["renameType"] == "OBJECT_COLUMN" and not act.fresh:
        table = act.known.resolve(act.relation)
        if not act.known.fresh("column", *table, act.node["subname"]):
            yield Hit(f"queries that read {act.label}.{act.node['subname']} fail from the commit on")


def _rename_table(act: Act) -> Iterator[Hit]:
    if act.node["renameType"] in {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW"} and not act.fresh:
        yield Hit(f"queries that read {act.label} fail from the commit on")


def _rename_other(act: Act) -> Iterator[Hit]:
    kind = act.node["renameType"]
    quiet = {
        "OBJECT_TABLE",
        "OBJECT_VIEW",
        "OBJECT_MATVIEW",
        "OBJECT_COLUMN",
        "OBJECT_INDEX",
        "OBJECT_TABCONSTRAINT",
    }
    if kind in quiet or kind in {"OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE", "OBJECT_DOMCONSTRAINT"}:
        return
    named = act.node.get("object", {})
    items = named.get("List", {}).get("items") or named.get("ObjectWithArgs", {}).get("objname", ())
    name = last_two(items) if items else ("", act.node.get("subname", ""))
    if not _fresh(act, kind, name):
        word = kind.removeprefix("OBJECT_").lower()
        yield Hit(f"whatever uses the {word} {shown(name)} by its name fails".replace("  ", " "))


def _schema(act: Act) -> Iterator[Hit]:
    if "relation" in act.node and not act.fresh:
        yield Hit(f"queries that find {act.label} in its old schema fail from the commit on")


def _required(act: Act) -> Iterator[Hit]:
    column = act.definition
    filled = any(constraint(column, f"CONSTR_{kind}") for kind in ("DEFAULT", "GENERATED", "IDENTITY"))
    serial = "serial" in type_of(column.get("typeName")).name
    required = constraint(column, "CONSTR_NOTNULL") or constraint(column, "CONSTR_PRIMARY")
    if required and not filled and not serial and act.alters_table:
        yield Hit(
            f"the statement fails where {act.label} has a row, and inserts that leave {column['colname']} out fail"
        )


def _restricts(act: Act) -> Iterator[Hit]:
    kinds = {"CONSTR_CHECK", "CONSTR_UNIQUE", "CONSTR_FOREIGN", "CONSTR_EXCLUSION", "CONSTR_NOTNULL"}
    if act.alters_table and act.definition.get("contype") in kinds and not _left_null(act):
        yield Hit(f"the application that still runs may write to {act.label} what the constraint refuses")


def _left_null(act: Act) -> bool:
    """Whether a key has a new column that the application leaves null: a null is equal to nothing."""
    node, table = act.definition, act.known.resolve(act.relation)
    keys = strings(node.get("fk_attrs") or node.get("keys") or ())
    strict = node.get("nulls_not_distinct") or node.get("fk_matchtype") == "f"
    if node["contype"] not in {"CONSTR_UNIQUE", "CONSTR_FOREIGN"} or strict:
        return False
    return any((*table, key) in act.known.empty for key in keys)


def _plans(act: Act) -> Iterator[Hit]:
    if act.alters_table:
        yield Hit(f"a prepared SELECT * of {act.label} fails once: its columns are others")


def _constraint(act: Act) -> Iterator[Hit]:
    if act.alters_table and not act.known.fresh(
        "constraint", *act.known.resolve(act.relation), act.node["name"]
    ):
        found = act.known.constraint(act.relation, act.node["name"])
        named = "" if found and found.kind in "fcn" else "; an ON CONFLICT that names its columns fails"
        yield Hit(f"{act.node['name']} no longer holds{named}")


def _enum_rename(act: Act) -> Iterator[Hit]:
    if "oldVal" in act.node and not act.known.fresh("type", last_two(act.node["typeName"])[1]):
        yield Hit(f"queries with the value '{act.node['oldVal']}' fail from the commit on")


def _default(act: Act) -> Iterator[Hit]:
    if not act.alters_table:
        return
    name = act.node["name"]
    if act.known.fresh("column", *act.known.resolve(act.relation), name):
        if (
            act.name == "AT_ColumnDefault"
            and "def" not in act.node
            and act.known.not_null(act.relation, name)
        ):
            yield Hit(f"inserts into {act.label} that leave {name} out fail: it has no default any more")
    else:
        what = {"AT_ColumnDefault": "default", "AT_DropNotNull": "NOT NULL"}[act.name]
        yield Hit(f"rows of {act.label} come out otherwise: the {what} of {name} changes")


def _revoke(act: Act) -> Iterator[Hit]:
    if act.node.get("is_grant"):
        return
    kind = act.node.get("objtype", "")
    for item in act.node.get("objects", ()):
        if "RangeVar" in item:
            fresh, name = act.known.fresh_table(name_of(item["RangeVar"])), shown(name_of(item["RangeVar"]))
        elif "ObjectWithArgs" in item:
            function = last_two(item["ObjectWithArgs"]["objname"])
            fresh, name = act.known.fresh("function", function[1]), shown(function)
        else:
            name = item.get("String", {}).get("sval", kind)
            # Nobody but the owner should make objects in the schema public.
            fresh = name == "public" or act.known.fresh("schema", name)
        if not fresh:
            yield Hit(f"who used a right on {name} and loses it here fails")


def _row_security(act: Act) -> Iterator[Hit]:
    if act.alters_table:
        yield Hit(f"who has no policy that lets him sees no row of {act.label} from the commit on")


def _policy(act: Act) -> Iterator[Hit]:
    table = name_of(act.node["table"])
    if not act.known.fresh_table(table):
        yield Hit(f"other rows of {shown(table)} can be seen or written from the commit on")


def _json(act: Act) -> Iterator[Hit]:
    elements = act.node.get("tableElts", ()) if act.name == "CreateStmt" else [{"ColumnDef": act.definition}]
    for column in (item["ColumnDef"] for item in elements if "ColumnDef" in item):
        if type_of(column.get("typeName")).name == "json":
            yield Hit(f"{column['colname']} cannot be compared: SELECT DISTINCT and GROUP BY of it fail")


RULES = (
    Rule(
        id="drop-object",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A view, function, type or sequence is dropped",
        why="The application that still runs may use it.",
        safe="Deploy an application that does not use it first, and write that as the reason: -- pgratchet: ignore drop-object …",
        setup=VIEW,
        bad="DROP VIEW adults;",
        good="CREATE OR REPLACE VIEW adults AS SELECT id FROM users WHERE age >= 21;",
        on=("DropStmt",),
        find=_drop,
    ),
    Rule(
        id="rename-column",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A column is renamed",
        why="The application that still runs reads it by its old name.",
        lock="ACCESS EXCLUSIVE on the table, for a moment",
        safe=RENAMED,
        setup=USERS,
        bad="ALTER TABLE users RENAME COLUMN email TO address;",
        good="ALTER TABLE users ADD COLUMN address text;",
        on=("RenameStmt",),
        find=_rename_column,
    ),
    Rule(
        id="rename-table",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A table or view is renamed",
        why="The application that still runs reads it by its old name.",
        lock="ACCESS EXCLUSIVE on the table, for a moment",
        safe="Rename it and make a view of the old name in the same transaction, or do it while the application stands still.",
        setup=USERS,
        bad="ALTER TABLE users RENAME TO people;",
        good="CREATE VIEW people AS SELECT id, email FROM users;",
        on=("RenameStmt",),
        find=_rename_table,
    ),
    Rule(
        id="rename-object",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A function, type, schema or role is renamed",
        why="The application that still runs uses its old name.",
        safe=RENAMED,
        setup="CREATE SCHEMA shop;",
        bad="ALTER SCHEMA shop RENAME TO store;",
        good="CREATE SCHEMA store;",
        on=("RenameStmt",),
        find=_rename_other,
    ),
    Rule(
        id="set-schema",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A table is moved to another schema",
        why="The application that still runs finds it in the old one.",
        lock="ACCESS EXCLUSIVE on the table, for a moment",
        safe="Make a view of it in the old schema in the same transaction.",
        setup=USERS + "\nCREATE SCHEMA shop;",
        bad="ALTER TABLE users SET SCHEMA shop;",
        good="CREATE VIEW shop.people AS SELECT id, email FROM users;",
        on=("AlterObjectSchemaStmt",),
        find=_schema,
    ),
    Rule(
        id="add-required-column",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A NOT NULL column is added without a default",
        why="It works on the empty table of a test and fails where there is a row; the application that still runs does not fill it.",
        safe="Add it with a constant default, or without NOT NULL, fill it in batches, and go the way of set-not-null.",
        setup=USERS,
        bad="ALTER TABLE users ADD COLUMN country text NOT NULL;",
        good="ALTER TABLE users ADD COLUMN country text NOT NULL DEFAULT 'unknown';",
        on=("AT_AddColumn",),
        find=_required,
    ),
    Rule(
        id="rename-enum-value",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A value of an enumerated type is renamed",
        why="The application that still runs writes the old one.",
        safe="Add the new value, let the application use both, move the rows, and leave the old value where it is.",
        setup="CREATE TYPE state AS ENUM ('new', 'old');",
        bad="ALTER TYPE state RENAME VALUE 'new' TO 'fresh';",
        good="ALTER TYPE state ADD VALUE 'fresh';",
        on=("AlterEnumStmt",),
        find=_enum_rename,
    ),
    Rule(
        id="revoke-right",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A right is taken away",
        why="The application that still runs may use it.",
        safe="Find out who uses it, and write that as the reason: -- pgratchet: ignore revoke-right …",
        setup=USERS + "\nGRANT SELECT ON users TO pg_monitor;",
        bad="REVOKE SELECT ON users FROM pg_monitor;",
        good="GRANT SELECT ON users TO pg_monitor;",
        on=("GrantStmt",),
        find=_revoke,
    ),
    Rule(
        id="enable-row-security",
        family=FAMILY,
        severity=Severity.WARNING,
        title="Row level security is switched on",
        why="Whoever is not the owner sees no row at all without a policy, and gets no error either.",
        lock="ACCESS EXCLUSIVE on the table, for a moment",
        safe="Make the policies first, in the same transaction, and try them as the application's role.",
        setup=USERS,
        bad="ALTER TABLE users ENABLE ROW LEVEL SECURITY;",
        good="CREATE TABLE notes (id bigint PRIMARY KEY);\nALTER TABLE notes ENABLE ROW LEVEL SECURITY;",
        on=("AT_EnableRowSecurity", "AT_ForceRowSecurity"),
        find=_row_security,
    ),
    Rule(
        id="change-policy",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A policy is made or changed",
        why="The application sees other rows, and gets no error.",
        lock="ACCESS EXCLUSIVE on the table, for a moment",
        safe="Try it as the application's role.",
        setup=USERS,
        bad="CREATE POLICY own ON users USING (email = current_user);",
        good="CREATE TABLE notes (id bigint PRIMARY KEY);\nCREATE POLICY own ON notes USING (id > 0);",
        on=("CreatePolicyStmt", "AlterPolicyStmt"),
        find=_policy,
    ),
    Rule(
        id="restrict-writes",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A constraint refuses writes",
        why="NOT VALID spares the old rows; new ones have to keep to it at once, those of the application that still runs too.",
        safe="Deploy an application that keeps to it first.",
        setup=USERS,
        bad="ALTER TABLE users ADD CONSTRAINT users_age_check CHECK (age > 0) NOT VALID;",
        good="ALTER TABLE users ADD COLUMN height integer;",
        on=("AT_AddConstraint",),
        find=_restricts,
    ),
    Rule(
        id="change-columns",
        family=FAMILY,
        severity=Severity.NOTE,
        title="Prepared statements with SELECT * fail once",
        why="A plan that was made before returns other columns: cached plan must not change result type (0A000).",
        safe="Name the columns in queries.",
        setup=USERS,
        bad="ALTER TABLE users ADD COLUMN height integer;",
        good="ALTER TABLE users ALTER COLUMN age SET DEFAULT 1;",
        on=("AT_AddColumn", "AT_DropColumn", "AT_AlterColumnType"),
        find=_plans,
    ),
    Rule(
        id="drop-constraint",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A constraint is dropped",
        why="What it kept out can come in, and ON CONFLICT needs its index.",
        lock="ACCESS EXCLUSIVE on the table, for a moment",
        safe="Make the one that takes its place first.",
        setup="CREATE TABLE users (id bigint PRIMARY KEY, email text, CONSTRAINT users_email_key UNIQUE (email));",
        bad="ALTER TABLE users DROP CONSTRAINT users_email_key;",
        good="ALTER TABLE users ALTER COLUMN email SET DEFAULT '';",
        on=("AT_DropConstraint",),
        find=_constraint,
    ),
    Rule(
        id="change-default",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A default or NOT NULL changes",
        why="The application that still runs writes other rows than it did, and nothing fails.",
        lock="ACCESS EXCLUSIVE on the table, for a moment",
        safe="Deploy an application first that says the value itself.",
        setup=USERS,
        bad="ALTER TABLE users ALTER COLUMN age SET DEFAULT 1;",
        good="ALTER TABLE users ADD COLUMN height integer;\nALTER TABLE users ALTER COLUMN height SET DEFAULT 1;",
        on=("AT_ColumnDefault", "AT_DropNotNull"),
        find=_default,
    ),
    Rule(
        id="json-column",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A column of type json",
        why="json has no equality: a SELECT DISTINCT over the row fails.",
        safe="jsonb, unless the text has to stay as it was written.",
        setup=USERS,
        bad="ALTER TABLE users ADD COLUMN settings json;",
        good="ALTER TABLE users ADD COLUMN settings jsonb;",
        on=("AT_AddColumn", "CreateStmt"),
        find=_json,
    ),
)
