"""Rights, passwords and settings that reach further than the file seems to, and syntax that a server does not know."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pgratchet.findings import Severity
from pgratchet.lint.act import Act, Hit
from pgratchet.lint.catalogue import Catalogue
from pgratchet.lint.rule import Rule
from pgratchet.lint.tree import Node, option, walk

FAMILY = "security"
USERS = "CREATE TABLE users (id bigint PRIMARY KEY, email text, age integer);"


def _search_path(act: Act) -> Iterator[Hit]:
    options = {
        item["DefElem"]["defname"]: item["DefElem"].get("arg", {}) for item in act.node.get("options", ())
    }
    definer = options.get("security", {}).get("Boolean", {}).get("boolval")
    settings = [
        item["DefElem"]["arg"].get("VariableSetStmt", {}).get("name")
        for item in act.node.get("options", ())
        if item["DefElem"]["defname"] == "set"
    ]
    # A body that was parsed when the function was made looks up no name when it runs.
    if definer and "search_path" not in settings and "sql_body" not in act.node:
        name = act.node["funcname"][-1]["String"]["sval"]
        yield Hit(f"{name}() runs with the rights of its owner and the search_path of its caller")


def _public(act: Act) -> Iterator[Hit]:
    to_all = any(
        item["RoleSpec"].get("roletype") == "ROLESPEC_PUBLIC" for item in act.node.get("grantees", ())
    )
    if act.node.get("is_grant") and to_all:
        yield Hit("every role of the server gets the right, those that come later too")


def _password(act: Act) -> Iterator[Hit]:
    given = option(act.node, "options", "password")
    if given and not given.startswith(("SCRAM-SHA-256$", "md5")):
        yield Hit("a password stands in the file, and in the server's log")


def _no_row_security(act: Act) -> Iterator[Hit]:
    if act.alters_table:
        yield Hit(f"every row of {act.label} can be seen by whoever may read the table")


def _system(_: Act) -> Iterator[Hit]:
    yield Hit("the setting is that of the whole server, with all its databases")


def _superuser(act: Act) -> Iterator[Hit]:
    if option(act.node, "options", "superuser") in {"true", "1", "True"}:
        yield Hit(f"{act.node.get('role', 'the role')} may do anything on this server")


_ENFORCED = {"CONSTR_CHECK", "CONSTR_FOREIGN"}
# From which version on a server knows a form, by the kind of node and what it has.
_NEWER: tuple[tuple[str, Callable[[Node], object], int, str], ...] = (
    ("Constraint", lambda node: node.get("generated_kind") == "v", 18, "GENERATED … VIRTUAL"),
    ("Constraint", lambda node: node.get("contype") in _ENFORCED and not node.get("is_enforced"), 18, "NOT ENFORCED"),
    ("Constraint", lambda node: node.get("contype") == "CONSTR_NOTNULL" and "keys" in node, 18, "a NOT NULL constraint of a table"),
    ("Constraint", lambda node: node.get("without_overlaps") or node.get("fk_with_period"), 18, "WITHOUT OVERLAPS"),
    ("ReturningClause", lambda node: bool(node.get("options")), 18, "RETURNING WITH (OLD, NEW)"),
    ("AlterTableCmd", lambda node: node.get("subtype") == "AT_SetExpression", 17, "SET EXPRESSION"),
    ("MergeWhenClause", lambda node: node.get("matchKind") == "MERGE_WHEN_NOT_MATCHED_BY_SOURCE", 17, "WHEN NOT MATCHED BY SOURCE"),
    ("JsonTable", lambda _: True, 17, "JSON_TABLE"),
    ("AlterTableCmd", lambda node: node.get("subtype") == "AT_SetAccessMethod", 15, "SET ACCESS METHOD"),
    ("MergeStmt", lambda _: True, 15, "MERGE"),
    ("IndexStmt", lambda node: bool(node.get("nulls_not_distinct")), 15, "NULLS NOT DISTINCT"),
)  # fmt: skip


def _newer(act: Act) -> Iterator[Hit]:
    node = {"AlterTableCmd" if act.name.startswith("AT_") else act.name: act.node}
    if act.known.catalogue is None:
        return
    major = act.known.catalogue.version // 10000
    for kind, has, version, form in _NEWER:
        if major < version and any(has(item) for item in walk(node, kind)):
            yield Hit(f"{form} came with PostgreSQL {version}, and the server is {major}")


def _unknown(_: Act) -> Iterator[Hit]:
    yield Hit("the grammar of PostgreSQL 18 does not know this statement")


RULES = (
    Rule(
        id="security-definer-search-path",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A SECURITY DEFINER function without a search_path",
        why="A caller who puts an object of his own in front of yours has it run with the owner's rights.",
        safe="SET search_path = pg_catalog, pg_temp, and the schema of every name in its body.",
        setup=USERS,
        bad="CREATE OR REPLACE FUNCTION users_count() RETURNS bigint LANGUAGE sql SECURITY DEFINER\n"
        "AS 'SELECT count(*) FROM users';",
        good="CREATE OR REPLACE FUNCTION users_count() RETURNS bigint LANGUAGE sql SECURITY DEFINER\n"
        "SET search_path = pg_catalog, pg_temp AS 'SELECT count(*) FROM public.users';",
        on=("CreateFunctionStmt",),
        find=_search_path,
    ),
    Rule(
        id="grant-to-public",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A right for everybody",
        why="PUBLIC is every role of the server, those of other applications too.",
        safe="GRANT it to a role.",
        setup=USERS,
        bad="GRANT SELECT ON users TO PUBLIC;",
        good="GRANT SELECT ON users TO pg_monitor;",
        on=("GrantStmt",),
        find=_public,
    ),
    Rule(
        id="password-in-file",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A password in a migration",
        why="It stays in the repository, in the history table and in the server's log.",
        safe="CREATE ROLE without a password; set it from a secret, where the secret is.",
        bad="CREATE ROLE pgratchet_reporter LOGIN PASSWORD 'swordfish';",
        good="CREATE ROLE pgratchet_reporter LOGIN;",
        on=("CreateRoleStmt", "AlterRoleStmt", "CreateUserMappingStmt", "AlterUserMappingStmt"),
        find=_password,
    ),
    Rule(
        id="disable-row-security",
        family=FAMILY,
        severity=Severity.WARNING,
        title="Row level security is switched off",
        why="Whoever may read the table sees the rows of all.",
        lock="ACCESS EXCLUSIVE on the table, for a moment",
        safe="A policy for the role that needs more.",
        setup=USERS + "\nALTER TABLE users ENABLE ROW LEVEL SECURITY;",
        bad="ALTER TABLE users DISABLE ROW LEVEL SECURITY;",
        good="CREATE POLICY all_of_them ON users TO pg_monitor USING (true);",
        on=("AT_DisableRowSecurity", "AT_NoForceRowSecurity"),
        find=_no_row_security,
    ),
    Rule(
        id="alter-system",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A setting of the whole server",
        why="It changes other databases too, cannot be in a transaction, and belongs to the server's configuration.",
        safe="ALTER DATABASE … SET, or ALTER ROLE … SET.",
        bad="ALTER SYSTEM SET work_mem = '4MB';",
        good="SET LOCAL work_mem = '4MB';",
        on=("AlterSystemStmt",),
        find=_system,
    ),
    Rule(
        id="superuser-role",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A superuser is made",
        why="No right and no policy holds for a superuser.",
        safe="GRANT the rights that the role needs.",
        bad="CREATE ROLE pgratchet_boss SUPERUSER;",
        good="CREATE ROLE pgratchet_boss CREATEDB;",
        on=("CreateRoleStmt", "AlterRoleStmt"),
        find=_superuser,
    ),
    Rule(
        id="newer-syntax",
        family="format",
        severity=Severity.ERROR,
        title="Syntax that the server does not know yet",
        why="The files are read by the grammar of PostgreSQL 18; an older server refuses what came later (42601).",
        safe="Write it in the way of the oldest server that runs it.",
        setup=USERS,
        facts=Catalogue(150000),
        bad="ALTER TABLE users ADD COLUMN months integer GENERATED ALWAYS AS (age * 12) VIRTUAL;",
        good="ALTER TABLE users ADD COLUMN months integer;",
        on=(
            "AT_AddColumn",
            "AT_AddConstraint",
            "AT_SetExpression",
            "AT_SetAccessMethod",
            "CreateStmt",
            "IndexStmt",
            "MergeStmt",
            "SelectStmt",
            "ViewStmt",
            "InsertStmt",
            "UpdateStmt",
            "DeleteStmt",
        ),
        find=_newer,
    ),
    Rule(
        id="unknown-syntax",
        family="format",
        severity=Severity.WARNING,
        title="A statement that the grammar does not know",
        why="No rule can look at it. A newer server may take it, or it is misspelt.",
        safe="Mend it; where a newer server takes it, try it on a copy of the database.",
        setup=USERS,
        bad="REPACK users;",
        good="VACUUM users;",
        on=("unknown",),
        find=_unknown,
    ),
)
