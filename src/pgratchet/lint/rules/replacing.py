"""CREATE OR REPLACE that replaces nothing, and changes that PostgreSQL refuses for what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgratchet.findings import Severity
from pgratchet.lint import routines
from pgratchet.lint.act import Act, Hit
from pgratchet.lint.rule import Rule
from pgratchet.lint.tree import Name, last_two, name_of, shown, type_named

FAMILY = "compatibility"
GREET = "CREATE FUNCTION greet(name text) RETURNS text LANGUAGE sql AS $$ SELECT 'Hello ' || name $$;"
VIEW = (
    "CREATE TABLE users (id bigint PRIMARY KEY, email text, age integer);\n"
    "CREATE VIEW adults AS SELECT id, email FROM users WHERE age >= 18;"
)


def _name(act: Act) -> Name:
    return last_two(act.node["funcname"])


def _overload(act: Act) -> Iterator[Hit]:
    name = _name(act)
    new = routines.signature(act.node) if act.node.get("replace") else None
    if new is None or act.known.fresh("function", name[1]) or _dropped_later(act, name[1]):
        return
    there = [found for node in routines.declared(act.known, name) if (found := routines.signature(node))]
    if there and all(found.given != new.given for found in there):
        old = " and ".join(f"{name[1]}({', '.join(found.given)})" for found in there)
        stays = "stays as it is" if len(there) == 1 else "stay as they are"
        yield Hit(f"{name[1]}({', '.join(new.given)}) is made beside {old}, which {stays}")


def _dropped_later(act: Act, name: str) -> bool:
    later = (act.script.statements or ())[act.statement.number :]
    drop = rf"drop\s+(?:function|procedure|routine)\b[^;]*\b{re.escape(name)}\b"
    return any(re.match(drop, item.sql, re.IGNORECASE) for item in later)


def _refused(act: Act) -> Iterator[Hit]:
    new = routines.signature(act.node) if act.node.get("replace") else None
    for node in routines.declared(act.known, _name(act)) if new else ():
        old = routines.signature(node)
        if new and old and old.given == new.given:
            renamed = [was for was, now in zip(old.names, new.names, strict=True) if was and was != now]
            if old.procedure != new.procedure or old.results != new.results:
                yield Hit(f"the statement fails: {_name(act)[1]} returns something else now (42P13)")
            elif renamed:
                yield Hit(f"the statement fails: the parameter {renamed[0]} has another name now (42P13)")
            elif new.defaults < old.defaults:
                yield Hit("the statement fails: a parameter loses its default (42P13)")


def _view(act: Act) -> Iterator[Hit]:
    there = act.known.table(name_of(act.node["view"]))
    if not act.node.get("replace") or there is None or there.kind != "v" or not there.columns:
        return
    new = routines.columns_of(act.known, act.node)
    label = shown(name_of(act.node["view"]))
    for at, old in enumerate(there.columns if new is not None else ()):
        if new is None or at >= len(new):
            yield Hit(f"the statement fails: {label} loses the column {old.name} (42P16)")
        elif new[at].name != old.name:
            yield Hit(
                f"the statement fails: column {at + 1} of {label} is {old.name}, and not {new[at].name} (42P16)"
            )
        elif new[at].type and old.type and type_named(new[at].type) != type_named(old.type):
            yield Hit(f"the statement fails: {old.name} of {label} is of another type now (42P16)")
        else:
            continue
        return


def _used(act: Act) -> Iterator[Hit]:
    table = act.known.table(act.relation)
    users = [what for name, what in table.used_by if name == act.node["name"]] if table else []
    if users and act.whole.get("objtype") == "OBJECT_TABLE":
        yield Hit(f"the statement fails: {', '.join(sorted(set(users)))} uses {act.node['name']}")


RULES = (
    Rule(
        id="change-type-of-used-column",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A column that a view or a generated column uses gets another type",
        why="PostgreSQL refuses it (0A000).",
        safe="Drop what uses it before and make it again behind the change, in the same file.",
        setup="CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50));\nCREATE VIEW names AS SELECT name FROM users;",
        bad="ALTER TABLE users ALTER COLUMN name TYPE varchar(100);",
        good="CREATE OR REPLACE VIEW names AS SELECT name FROM users WHERE name <> '';",
        on=("AT_AlterColumnType",),
        find=_used,
    ),
    Rule(
        id="function-overload",
        family=FAMILY,
        severity=Severity.WARNING,
        title="CREATE OR REPLACE makes a second function",
        why="A function with other parameter types is another one: nothing is replaced, and calls go on finding the old.",
        safe="DROP FUNCTION with the old parameter types in the same file, or give the new one a name of its own.",
        setup=GREET,
        bad="CREATE OR REPLACE FUNCTION greet(name text, loud boolean) RETURNS text LANGUAGE sql\n"
        "    AS $$ SELECT CASE WHEN loud THEN 'HELLO ' ELSE 'Hello ' END || name $$;",
        good="CREATE OR REPLACE FUNCTION greet(name text) RETURNS text LANGUAGE sql AS $$ SELECT 'Welcome ' || name $$;",
        on=("CreateFunctionStmt",),
        find=_overload,
    ),
    Rule(
        id="replace-function-refused",
        family=FAMILY,
        severity=Severity.ERROR,
        title="CREATE OR REPLACE changes what a function returns or calls its parameters",
        why="PostgreSQL refuses it (42P13), since views and other functions may go by it.",
        safe="DROP FUNCTION before, with what hangs on it, in the same file; or a function with another name.",
        setup=GREET,
        bad="CREATE OR REPLACE FUNCTION greet(who text) RETURNS text LANGUAGE sql AS $$ SELECT 'Hello ' || who $$;",
        good="CREATE OR REPLACE FUNCTION greet(name text) RETURNS text LANGUAGE sql AS $$ SELECT 'Welcome ' || name $$;",
        on=("CreateFunctionStmt",),
        find=_refused,
    ),
    Rule(
        id="replace-view-refused",
        family=FAMILY,
        severity=Severity.ERROR,
        title="CREATE OR REPLACE drops, renames or retypes a column of a view",
        why="PostgreSQL refuses it (42P16): a view may only get more columns, behind those that it has.",
        safe="New columns come last; to change one, DROP VIEW before and make it again, in the same file.",
        setup=VIEW,
        bad="CREATE OR REPLACE VIEW adults AS SELECT id, age FROM users WHERE age >= 18;",
        good="CREATE OR REPLACE VIEW adults AS SELECT id, email, age FROM users WHERE age >= 18;",
        on=("ViewStmt",),
        find=_view,
    ),
)
