"""Statements that write a table anew while nobody may read it."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.findings import Severity
from pgratchet.lint import retyping
from pgratchet.lint.act import Act, Hit
from pgratchet.lint.rule import Rule
from pgratchet.lint.tree import (
    SERIAL,
    Name,
    Node,
    constraint,
    expression,
    name_of,
    shown,
    switched_on,
    type_of,
)
from pgratchet.lint.volatility import volatile

FAMILY = "rewrites"
LOCK = "ACCESS EXCLUSIVE on the table, while every row and every index is written anew"
USERS = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50), age integer);"
SPACE = "\nSET allow_in_place_tablespaces = on;\nCREATE TABLESPACE pgratchet_space LOCATION '';"
BACKFILL = "Add the column without it, SET DEFAULT for new rows, and fill the old rows in batches."


def _column(act: Act) -> tuple[Node, str, bool]:
    """The column that is added, its name, and whether the table is a hazard at all."""
    table = act.known.table(act.relation)
    return act.definition, act.definition["colname"], act.alters_table and not (table and table.kind == "f")


def _volatile_default(act: Act) -> Iterator[Hit]:
    column, name, hazard = _column(act)
    default = constraint(column, "CONSTR_DEFAULT")
    value = default["raw_expr"] if default else _domain_default(act, column)
    if not hazard or value is None:
        return
    answer = volatile(act.known, value)
    if answer is not False:
        doubt = "" if answer else ", if its default is volatile"
        yield Hit(
            f"{act.label}{act.size} is rewritten: {name} gets a value for each row{doubt}", bool(answer)
        )


def _domain_default(act: Act, column: Node) -> Node | None:
    kind = type_of(column.get("typeName"))
    domain = None if kind.array else act.known.domains.get(kind.name)
    if domain is None:
        return None
    return act.known.defaults.get(kind.name) or (expression(domain.default) if domain.default else None)


def _serial(act: Act) -> Iterator[Hit]:
    column, name, hazard = _column(act)
    if hazard and type_of(column.get("typeName")).name in SERIAL:
        yield Hit(f"{act.label}{act.size} is rewritten: {name} takes a number for each row from a sequence")


def _identity(act: Act) -> Iterator[Hit]:
    column, name, hazard = _column(act)
    if hazard and constraint(column, "CONSTR_IDENTITY"):
        yield Hit(
            f"{act.label}{act.size} is rewritten: the identity column {name} takes a number for each row"
        )


def _stored(act: Act) -> Iterator[Hit]:
    column, name, hazard = _column(act)
    generated = constraint(column, "CONSTR_GENERATED")
    if hazard and generated and generated.get("generated_kind") != "v":
        yield Hit(f"{act.label}{act.size} is rewritten: {name} is computed for each row and stored")


def _checked_domain(act: Act) -> Iterator[Hit]:
    column, name, hazard = _column(act)
    kind = type_of(column.get("typeName"))
    if hazard and act.known.constrained(kind):
        yield Hit(
            f"{act.label}{act.size} is rewritten: the domain {kind.name} of {name} has a constraint to check"
        )
    elif hazard and act.known.foreign(kind):
        yield Hit(f"{act.label} is rewritten if {kind} of {name} is a domain with a constraint", likely=False)


def _change_type(act: Act) -> Iterator[Hit]:
    if not act.alters_table:
        return
    new = type_of(act.definition["typeName"])
    answer = retyping.change(act.known, act.relation, act.node)
    if answer.rewrites is not False:
        old = act.known.type_of(act.relation, act.node["name"])
        what = f"from {old} to {new}" if old else f"to {new}"
        what = "what it is computed of" if str(old) == str(new) else what
        doubt = "" if answer.rewrites else ", unless the values are stored alike"
        yield Hit(
            f"{act.label}{act.size} is rewritten: {act.node['name']} changes {what}{doubt}",
            likely=bool(answer.rewrites),
        )


def _expression(act: Act) -> Iterator[Hit]:
    column = act.known.column(act.relation, act.node["name"])
    if act.alters_table and (column is None or column.stored or not act.known.catalogue):
        yield Hit(f"{act.label}{act.size} is rewritten: {act.node['name']} is computed anew for each row")


def _persistence(act: Act) -> Iterator[Hit]:
    logged = act.name == "AT_SetLogged"
    table = act.known.table(act.relation)
    if act.alters_table and not (table and table.logged is logged):
        yield Hit(
            f"{act.label}{act.size} is rewritten, and written to the WAL in full"
            if logged
            else f"{act.label}{act.size} is rewritten, and empty after a crash"
        )


def _tablespace(act: Act) -> Iterator[Hit]:
    table, index = act.known.table(act.relation), act.known.indexes.get(*act.known.resolve(act.relation))
    if act.fresh or (table and table.kind == "p"):
        return
    found = table.tablespace if table else index.tablespace if index else ""
    # A file that names no tablespace has made it in the default one.
    found = found or ("pg_default" if table or index else "")
    if not found or found != act.node["name"]:
        yield Hit(f"{act.label}{act.size} is copied to the tablespace {act.node['name']}", bool(found))


def _whole_tablespace(act: Act) -> Iterator[Hit]:
    yield Hit(f"everything in the tablespace {act.node['orig_tablespacename']} is copied to another")


def _access_method(act: Act) -> Iterator[Hit]:
    table = act.known.table(act.relation)
    wanted = act.node.get("name") or "heap"
    same = (table.access_method if table else "heap") == wanted
    view = act.whole.get("objtype") == "OBJECT_MATVIEW" and not act.fresh
    if (act.alters_table or view) and not same and not (table and table.kind == "p"):
        yield Hit(f"{act.label}{act.size} is rewritten for the access method {wanted}")


def _vacuum_full(act: Act) -> Iterator[Hit]:
    if not switched_on(act.node, "options", "full"):
        return
    tables = [name_of(item["VacuumRelation"]["relation"]) for item in act.node.get("rels", ())]
    yield from _each(act, tables, "every table")


def _cluster(act: Act) -> Iterator[Hit]:
    tables = [name_of(act.node["relation"])] if "relation" in act.node else []
    yield from _each(act, tables, "every table that was clustered before")


def _each(act: Act, tables: list[Name], otherwise: str) -> Iterator[Hit]:
    old = [shown(table) for table in tables if not act.known.fresh_table(table)]
    if old or not tables:
        yield Hit(f"{', '.join(old) or otherwise} is rewritten with all its indexes")


def _refresh(act: Act) -> Iterator[Hit]:
    if not act.node.get("concurrent") and not act.fresh:
        until = (
            "until it is refreshed again: it is empty" if act.node.get("skipData") else "while its query runs"
        )
        yield Hit(f"{act.label} cannot be read {until}")


def _twice(act: Act) -> Iterator[Hit]:
    yield Hit(f"{act.label}{act.size} was rewritten or read in full by a statement before")


RULES = (
    Rule(
        id="add-column-volatile-default",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A column is added with a default that differs from row to row",
        why="PostgreSQL keeps one default for all old rows only where it is the same for all of them.",
        lock=LOCK,
        safe=BACKFILL,
        setup=USERS,
        bad="ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid();",
        good="ALTER TABLE users ADD COLUMN token uuid;\nALTER TABLE users ALTER COLUMN token SET DEFAULT gen_random_uuid();",
        on=("AT_AddColumn",),
        find=_volatile_default,
    ),
    Rule(
        id="add-column-serial",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A serial column is added",
        why="Every old row takes a number from the new sequence, so every row is written.",
        lock=LOCK,
        safe="Add a bigint column and a sequence, SET DEFAULT nextval('…') for new rows, and number the old ones in batches.",
        setup=USERS,
        bad="ALTER TABLE users ADD COLUMN number bigserial;",
        good="CREATE SEQUENCE users_number_seq;\nALTER TABLE users ADD COLUMN number bigint;\n"
        "ALTER TABLE users ALTER COLUMN number SET DEFAULT nextval('users_number_seq');",
        on=("AT_AddColumn",),
        find=_serial,
    ),
    Rule(
        id="add-column-identity",
        family=FAMILY,
        severity=Severity.WARNING,
        title="An identity column is added",
        why="Every old row takes a number from the new sequence, so every row is written.",
        lock=LOCK,
        safe="Add a bigint column and a sequence, SET DEFAULT nextval('…') for new rows, and number the old ones in batches.",
        setup=USERS,
        bad="ALTER TABLE users ADD COLUMN number bigint GENERATED BY DEFAULT AS IDENTITY;",
        good="ALTER TABLE users ADD COLUMN number bigint;",
        on=("AT_AddColumn",),
        find=_identity,
    ),
    Rule(
        id="add-column-generated-stored",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A stored generated column is added",
        why="Its value is computed and written for every old row.",
        lock=LOCK,
        safe="From PostgreSQL 18 on, GENERATED … VIRTUAL writes nothing; before, a plain column that the application fills, "
        "and a backfill in batches.",
        setup=USERS,
        bad="ALTER TABLE users ADD COLUMN months integer GENERATED ALWAYS AS (age * 12) STORED;",
        good="ALTER TABLE users ADD COLUMN months integer;",
        on=("AT_AddColumn",),
        find=_stored,
    ),
    Rule(
        id="add-column-checked-domain",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A column is added whose domain has a constraint",
        why="The constraint is checked for every old row, by writing it anew, even where the column has no default.",
        lock=LOCK,
        safe="Add the column with the domain's base type and a CHECK NOT VALID, and validate that in a later file.",
        setup=USERS + "\nCREATE DOMAIN positive AS integer CHECK (VALUE > 0);",
        bad="ALTER TABLE users ADD COLUMN height positive;",
        good="ALTER TABLE users ADD COLUMN height integer;\n"
        "ALTER TABLE users ADD CONSTRAINT users_height_check CHECK (height > 0) NOT VALID;",
        on=("AT_AddColumn",),
        find=_checked_domain,
    ),
    Rule(
        id="change-column-type",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A column gets a type that is stored in another way",
        why="Every value is converted and every row and index written anew; the running application may not expect the new type.",
        lock=LOCK,
        safe="Add a column of the new type, write both, fill it in batches, switch the reads, and drop the old one later.",
        setup=USERS,
        bad="ALTER TABLE users ALTER COLUMN age TYPE bigint;",
        good="ALTER TABLE users ALTER COLUMN name TYPE varchar(100);",
        on=("AT_AlterColumnType",),
        find=_change_type,
    ),
    Rule(
        id="set-generated-expression",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A stored generated column gets another expression",
        why="Its value is computed and written anew for every row.",
        lock=LOCK,
        safe="Add a second column with the new expression, switch the reads, and drop the old one later.",
        setup="CREATE TABLE users (id bigint PRIMARY KEY, age integer, months integer GENERATED ALWAYS AS (age * 12) STORED);",
        bad="ALTER TABLE users ALTER COLUMN months SET EXPRESSION AS (age * 13);",
        good="ALTER TABLE users ALTER COLUMN age SET DEFAULT 0;",
        on=("AT_SetExpression",),
        find=_expression,
    ),
    Rule(
        id="set-logged",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A table is made logged or unlogged",
        why="The whole table is written anew, and to the WAL as well where it becomes logged.",
        lock=LOCK,
        safe="There is no way that does not block: choose at CREATE TABLE, or fill a new table and swap the names.",
        setup=USERS,
        bad="ALTER TABLE users SET UNLOGGED;",
        good="CREATE UNLOGGED TABLE visits (id bigint PRIMARY KEY);",
        on=("AT_SetLogged", "AT_SetUnLogged"),
        find=_persistence,
    ),
    Rule(
        id="set-tablespace",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A table or index is moved to another tablespace",
        why="All its files are copied.",
        lock="ACCESS EXCLUSIVE on the table or index, while it is copied",
        safe="Move it with pg_repack, or build the index anew CONCURRENTLY in the other tablespace.",
        setup=USERS + SPACE,
        bad="ALTER TABLE users SET TABLESPACE pgratchet_space;",
        good="ALTER TABLE users SET (fillfactor = 90);",
        on=("AT_SetTableSpace",),
        find=_tablespace,
    ),
    Rule(
        id="set-all-tablespace",
        family=FAMILY,
        severity=Severity.WARNING,
        title="All of a tablespace is moved to another",
        why="All files of all its tables are copied, in one transaction.",
        lock="ACCESS EXCLUSIVE on every table of it, while all are copied",
        safe="Move one table at a time.",
        setup=USERS + SPACE,
        bad="ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE pgratchet_space;",
        good="ALTER TABLE users SET (fillfactor = 90);",
        on=("AlterTableMoveAllStmt",),
        find=_whole_tablespace,
    ),
    Rule(
        id="set-access-method",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A table gets another access method",
        why="The whole table is written anew.",
        lock=LOCK,
        safe="Fill a new table with the other access method and swap the names.",
        setup=USERS + "\nCREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;",
        bad="ALTER TABLE users SET ACCESS METHOD heap_too;",
        good="ALTER TABLE users SET ACCESS METHOD heap;",
        on=("AT_SetAccessMethod",),
        find=_access_method,
    ),
    Rule(
        id="vacuum-full",
        family=FAMILY,
        severity=Severity.WARNING,
        title="VACUUM FULL",
        why="The whole table is written anew.",
        lock=LOCK,
        safe="VACUUM without FULL frees the room for new rows; pg_repack shrinks a table in use.",
        setup=USERS,
        bad="VACUUM FULL users;",
        good="VACUUM users;",
        on=("VacuumStmt",),
        find=_vacuum_full,
    ),
    Rule(
        id="cluster-table",
        family=FAMILY,
        severity=Severity.WARNING,
        title="CLUSTER",
        why="The whole table is written anew in the order of an index.",
        lock=LOCK,
        safe="pg_repack orders a table in use.",
        setup=USERS,
        bad="CLUSTER users USING users_pkey;",
        good="ALTER TABLE users CLUSTER ON users_pkey;",
        on=("ClusterStmt",),
        find=_cluster,
    ),
    Rule(
        id="refresh-materialized-view",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A materialized view is refreshed so that nobody can read it meanwhile",
        why="Readers wait until its query has run and its indexes are built.",
        lock="ACCESS EXCLUSIVE on the view, while its query runs",
        safe="REFRESH MATERIALIZED VIEW CONCURRENTLY …, which needs a unique index on the view.",
        setup=USERS
        + "\nCREATE MATERIALIZED VIEW ages AS SELECT id, age FROM users;\nCREATE UNIQUE INDEX ages_id ON ages (id);",
        bad="REFRESH MATERIALIZED VIEW ages;",
        good="REFRESH MATERIALIZED VIEW CONCURRENTLY ages;",
        on=("RefreshMatViewStmt",),
        find=_refresh,
    ),
    Rule(
        id="rewrite-twice",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A table is rewritten or read in full twice",
        why="Each ALTER TABLE goes over the table once; one with both actions would do it in the same pass.",
        lock=LOCK,
        safe="Write both actions into one ALTER TABLE, divided by a comma.",
        setup=USERS,
        bad="-- pgratchet: ignore change-column-type, add-check the table is small\n"
        "ALTER TABLE users ALTER COLUMN age TYPE bigint;\nALTER TABLE users ADD CONSTRAINT users_age_check CHECK (age > 0);",
        good="-- pgratchet: ignore change-column-type, add-check the table is small\n"
        "ALTER TABLE users ALTER COLUMN age TYPE bigint, ADD CONSTRAINT users_age_check CHECK (age > 0);",
        on=("again",),
        find=_twice,
    ),
)
