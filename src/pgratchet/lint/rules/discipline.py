"""What makes a migration easy to read, to review and to run: its header, size, focus, names, and no seed data."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgratchet.findings import Severity
from pgratchet.lint.act import Act, Hit
from pgratchet.lint.catalogue import Index
from pgratchet.lint.rule import Rule
from pgratchet.lint.tree import constraint, constraints, last_two, name_of, shown, type_of
from pgratchet.model import Kind

FAMILY = "discipline"
USERS = "CREATE TABLE users (id bigint PRIMARY KEY, email text, age integer);"
STATEMENTS = 200
"""A file with more is too large to be reviewed, or is generated."""
TABLES = 4
"""A file that changes more tables in use is about more than one thing."""
BYTES = 63
"""PostgreSQL cuts a longer name."""

_NAME = re.compile(r"[a-z_][a-z0-9_$]*")
_LONG = re.compile(r"\"(?:[^\"]|\"\"){64,}\"|(?<![\w$'\"])[^\W\d][\w$]{63,}(?![\w$'\"])|[^\x00-\x7f]")
_TEXTS = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|(\$\w*\$).*?\1", re.DOTALL)


def _header(act: Act) -> Iterator[Hit]:
    lines = [line for line in act.script.header.splitlines() if "pgratchet:" not in line]
    if len(re.findall(r"\w+", " ".join(lines))) < 3:
        yield Hit("no comment says what the file is for")


def _large(act: Act) -> Iterator[Hit]:
    if act.script.total > STATEMENTS and act.migration.kind is Kind.VERSIONED:
        yield Hit(f"the file has {act.script.total} statements")


def _unfocused(act: Act) -> Iterator[Hit]:
    tables = sorted(name for _, name in act.known.altered)
    if len(tables) > TABLES:
        yield Hit(f"the file changes {len(tables)} tables in use: {', '.join(tables)}")


def _seed(act: Act) -> Iterator[Hit]:
    if "relation" not in act.node or act.fresh or act.inner:
        return
    query = act.node.get("selectStmt", {}).get("SelectStmt", {})
    if act.name == "CopyStmt":
        if act.node.get("is_from") and "filename" not in act.node:
            yield Hit(f"rows for {act.label} stand in the file")
    elif "valuesLists" in query:
        number = len(query["valuesLists"])
        yield Hit(f"{number} row{'s' if number > 1 else ''} for {act.label}, which an earlier file made")


def _names(act: Act) -> Iterator[Hit]:
    for name in dict.fromkeys(_made(act)):
        if not _NAME.fullmatch(name):
            yield Hit(f'"{name}" has to be quoted in every query')


def _made(act: Act) -> Iterator[str]:
    """The names that a statement gives."""
    node = act.node
    if act.name == "CreateStmt":
        yield node["relation"]["relname"]
        for element in node.get("tableElts", ()):
            column = element.get("ColumnDef", {})
            yield column.get("colname") or element.get("Constraint", {}).get("conname", "_")
            yield from (item.get("conname", "_") for item in constraints(column))
    elif act.name in {"AT_AddColumn", "AT_AddConstraint"}:
        yield act.definition.get("colname") or act.definition.get("conname", "_")
    elif act.name == "CreateFunctionStmt":
        yield node["funcname"][-1]["String"]["sval"]
    elif act.name == "ViewStmt":
        yield node["view"]["relname"]
    else:
        yield node.get("idxname") or node.get("schemaname") or node.get("newname", "_")


def _long_name(act: Act) -> Iterator[Hit]:
    sql = act.statement.sql
    if not _LONG.search(sql):
        return
    for match in re.finditer(r"\"((?:[^\"]|\"\")+)\"|[^\W\d][\w$]*", _TEXTS.sub(" ", sql)):
        name = match.group(1) or match.group()
        if len(name.encode()) > BYTES:
            yield Hit(
                f"{name} has {len(name.encode())} bytes: PostgreSQL keeps {name.encode()[:BYTES].decode(errors='ignore')}"
            )


def _unindexed(act: Act) -> Iterator[Hit]:
    """Once the file is read, as an index may come behind its key."""
    for item, statement in act.known.keys:
        if not any(_serves(index, set(item.columns)) for index in act.known.indexes_of(item.table)):
            sure = act.known.fresh_table(item.table) or act.known.catalogue is not None
            columns = ", ".join(item.columns)
            yield Hit(
                f"no index of {shown(item.table)} begins with {columns}, the columns of {item.name}",
                sure,
                statement=statement,
            )


def _serves(index: Index, keys: set[str]) -> bool:
    """Whether the rows of a foreign key are found by an index; a unique one of some of its columns leaves one row."""
    single = index.unique and not index.computed and set(index.columns) <= keys
    return single or set(index.columns[: len(keys)]) == keys


def _other_type(act: Act) -> Iterator[Hit]:
    """Once the file is read, as the columns may come behind the key."""
    for item, statement in act.known.keys:
        target = item.references or ("", "")
        primary = (key.columns for key in act.known.constraints_of(target) if key.kind == "p")
        for own, other in zip(item.columns, item.targets or next(primary, ()), strict=False):
            mine, its = act.known.type_of(item.table, own), act.known.type_of(target, other)
            if mine and its and mine.name != its.name:
                message = f"{shown(item.table)}.{own} is {mine}, and {shown(target)}.{other} is {its}"
                yield Hit(message, statement=statement)


def _unqualified(act: Act) -> Iterator[Hit]:
    node = act.node
    relation = node.get("view") or node.get("relation") or node.get("into", {}).get("rel") or {}
    if act.name == "CreateFunctionStmt":
        name = last_two(node["funcname"])
    elif "relname" in relation and relation.get("relpersistence") != "t":
        name = name_of(relation)
    else:
        return
    if not name[0]:
        yield Hit(f"search_path decides in which schema {name[1]} is")


def _integer_key(act: Act) -> Iterator[Hit]:
    for element in act.node.get("tableElts", ()):
        column = element.get("ColumnDef")
        small = column and type_of(column.get("typeName")).name in {
            "int4",
            "int2",
            "serial",
            "serial4",
            "smallserial",
        }
        if small and constraint(column, "CONSTR_PRIMARY"):
            yield Hit(f"{column['colname']} ends at 2,147,483,647 or before")


def _duplicate(act: Act) -> Iterator[Hit]:
    keys = [part["IndexElem"].get("name", "") for part in act.node.get("indexParams", ())]
    plain = (
        "" not in keys and "whereClause" not in act.node and act.node.get("accessMethod", "btree") == "btree"
    )
    name = act.node.get("idxname", "")
    for index in act.known.indexes_of(act.relation) if plain else ():
        same = index.columns == tuple(keys) and index.method == "btree" and not index.computed and index.valid
        if same and index.name[1] != name and (index.unique or not act.node.get("unique")):
            yield Hit(f"{index.name[1]} has the same columns already")


RULES = (
    Rule(
        id="no-header",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A file without a header",
        why="Who reads it at night wants to know what it is for, what can go wrong, and how it is taken back.",
        safe="Begin the file with comments: purpose, risk, reverse.",
        setup=USERS,
        bad="ALTER TABLE users ADD COLUMN phone text;",
        good="-- Users can be called: the number is asked for from version 4 on.\nALTER TABLE users ADD COLUMN phone text;",
        on=("first",),
        find=_header,
    ),
    Rule(
        id="file-too-large",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A file with many statements",
        why="Nobody reviews it, and where it fails in the middle, all of it is done again.",
        safe=f"Split it: a file of at most {STATEMENTS} statements, about one thing.",
        bad="SELECT 1;\n" * (STATEMENTS + 1),
        good="SELECT 1;",
        on=("last",),
        find=_large,
    ),
    Rule(
        id="unfocused-file",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A file that changes many tables in use",
        why="It locks them all until its commit, and one that fails holds up the rest.",
        safe="A file for each.",
        setup="\n".join(
            f"CREATE TABLE t{number} (id bigint PRIMARY KEY, note text);" for number in range(TABLES + 1)
        ),
        bad="\n".join(
            f"CREATE TRIGGER keep BEFORE UPDATE ON t{number} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();"
            for number in range(TABLES + 1)
        ),
        good="CREATE TRIGGER keep BEFORE UPDATE ON t1 FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();",
        on=("last",),
        find=_unfocused,
    ),
    Rule(
        id="seed-data",
        family=FAMILY,
        severity=Severity.WARNING,
        title="Rows in a migration",
        why="Every environment gets them, and they stand in the way of the rows that are there already.",
        safe="Seeds for development and tests; what production needs belongs to the file that makes the table.",
        setup=USERS,
        bad="INSERT INTO users (id, email) VALUES (1, 'ada@example.org');",
        good="CREATE TABLE plans (code text PRIMARY KEY);\nINSERT INTO plans VALUES ('free');",
        on=("InsertStmt", "CopyStmt"),
        find=_seed,
    ),
    Rule(
        id="name-not-snake-case",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A name that has to be quoted",
        why="Without quotes PostgreSQL reads it in lower case and does not find it.",
        safe="Lower case, digits and underscores.",
        setup=USERS,
        bad='ALTER TABLE users ADD COLUMN "phoneNumber" text;',
        good="ALTER TABLE users ADD COLUMN phone_number text;",
        on=(
            "CreateStmt",
            "AT_AddColumn",
            "AT_AddConstraint",
            "IndexStmt",
            "CreateFunctionStmt",
            "ViewStmt",
            "CreateSchemaStmt",
            "RenameStmt",
        ),
        find=_names,
    ),
    Rule(
        id="name-too-long",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A name of more than 63 bytes",
        why="PostgreSQL cuts it and says so in a NOTICE only; the next file does not find it, or finds another.",
        safe="A shorter name.",
        setup=USERS,
        bad="ALTER TABLE users ADD COLUMN the_number_under_which_somebody_can_be_called_when_something_goes_wrong text;",
        good="ALTER TABLE users ADD COLUMN phone text;",
        on=("text",),
        find=_long_name,
    ),
    Rule(
        id="foreign-key-without-index",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A foreign key without an index",
        why="A DELETE or a change of the key in the other table reads this one in full, for each row.",
        safe="CREATE INDEX CONCURRENTLY on the columns of the key.",
        setup=USERS,
        bad="CREATE TABLE visits (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));",
        good="CREATE TABLE visits (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));\n"
        "CREATE INDEX visits_user_id ON visits (user_id);",
        on=("last",),
        find=_unindexed,
    ),
    Rule(
        id="integer-primary-key",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A primary key of four bytes",
        why="It comes to its end at two thousand million rows, and to change it rewrites the table and all that refers to it.",
        safe="bigint or uuid.",
        bad="CREATE TABLE visits (id integer PRIMARY KEY);",
        good="CREATE TABLE visits (id bigint PRIMARY KEY);",
        on=("CreateStmt",),
        find=_integer_key,
    ),
    Rule(
        id="foreign-key-of-another-type",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A foreign key of another type than what it refers to",
        why="Values of the one may not fit into the other, and a join of the two converts one side.",
        safe="The same type on both sides.",
        setup=USERS,
        bad="CREATE TABLE visits (id bigint PRIMARY KEY, user_id integer REFERENCES users (id));",
        good="CREATE TABLE visits (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));",
        on=("last",),
        find=_other_type,
    ),
    Rule(
        id="unqualified-name",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A table or function without its schema",
        why="search_path decides which one is meant, or where it is made; that of another role or database may be another.",
        safe="schema.name. The rule is looked at where pgratchet.toml has `qualified = true` in [check].",
        setup=USERS,
        bad="ALTER TABLE users ADD COLUMN phone text;",
        good="ALTER TABLE public.users ADD COLUMN phone text;",
        on=(
            "CreateStmt",
            "CreateTableAsStmt",
            "AlterTableStmt",
            "IndexStmt",
            "ViewStmt",
            "CreateFunctionStmt",
            "CreateTrigStmt",
            "RenameStmt",
            "InsertStmt",
            "UpdateStmt",
            "DeleteStmt",
        ),
        find=_unqualified,
        wanted=False,
    ),
    Rule(
        id="duplicate-index",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A second index on the same columns",
        why="Every write pays for both, and reads use one.",
        safe="Keep one of the two.",
        setup=USERS + "\nCREATE INDEX users_email ON users (email);",
        bad="CREATE INDEX CONCURRENTLY users_by_email ON users (email);",
        good="CREATE INDEX CONCURRENTLY users_by_email ON users (email, age);",
        on=("IndexStmt",),
        find=_duplicate,
    ),
)
