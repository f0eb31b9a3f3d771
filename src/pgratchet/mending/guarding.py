"""Writes statements so that they do nothing where what they do is done already, or where nothing is to be done."""

from __future__ import annotations

import re

from pgratchet import sql
from pgratchet.mending.kinds import KINDS
from pgratchet.mending.wording import IDENTIFIER

NAME = rf"{IDENTIFIER}(?:\.{IDENTIFIER})?"
MADE = (
    r"(?:UNLOGGED )?TABLE|(?:UNLOGGED )?SEQUENCE|(?:UNIQUE )?INDEX|SCHEMA|EXTENSION|MATERIALIZED VIEW|STATISTICS|"
    r"FOREIGN TABLE|SERVER|USER MAPPING|COLLATION"
)
DROPPED = "|".join(sorted({*(kind.upper() for kind in KINDS), "ROUTINE"}, key=len, reverse=True))
WORDS = (
    (rf"^CREATE ({MADE}) ", r"CREATE \1 IF NOT EXISTS "),
    (r"^CREATE (VIEW|TRIGGER|RULE) ", r"CREATE OR REPLACE \1 "),
    (rf"^DROP ({DROPPED}) ", r"DROP \1 IF EXISTS "),
    (rf"^(ALTER (?:TABLE|TYPE|DOMAIN)) ({NAME} DROP (?:COLUMN|CONSTRAINT|ATTRIBUTE)) ", r"\1 \2 IF EXISTS "),
    (rf"^(ALTER TABLE) ({NAME} ADD COLUMN) ", r"\1 \2 IF NOT EXISTS "),
    (rf"^(ALTER TABLE {NAME} ALTER COLUMN {IDENTIFIER} DROP (?:IDENTITY|EXPRESSION))$", r"\1 IF EXISTS"),
    (rf"^(ALTER TYPE {NAME} ADD VALUE) ", r"\1 IF NOT EXISTS "),
    (r"^(ALTER TEXT SEARCH CONFIGURATION .* DROP MAPPING) ", r"\1 IF EXISTS "),
)
# What may be about a table that is not there any more.
GOING = rf"^ALTER TABLE (?={NAME} DROP )"
KIN = re.compile(rf"ALTER TABLE ({NAME}) (ATTACH PARTITION|DETACH PARTITION) ({NAME})")
HEIR = re.compile(rf"ALTER TABLE ({NAME}) (INHERIT|NO INHERIT) ({NAME})")
LABEL = re.compile(rf"ALTER TYPE ({NAME}) RENAME VALUE ('(?:[^']|'')*')")
CONSTRAINT = re.compile(rf"ALTER (TABLE|DOMAIN) ({NAME}) ADD CONSTRAINT ({IDENTIFIER})")
OTHERS = (
    (r"CREATE (?!.*(?:IF NOT EXISTS|OR REPLACE))", "duplicate_object OR duplicate_function"),
    (r"ALTER TABLE .* ADD GENERATED ", "object_not_in_prerequisite_state"),
    (r"ALTER TYPE .* ADD ATTRIBUTE ", "duplicate_column"),
    (
        r"ALTER (?:OPERATOR FAMILY|PUBLICATION .* DROP|TEXT SEARCH CONFIGURATION .* ADD|.* OPTIONS \()",
        "duplicate_object OR undefined_object",
    ),
)


def guarded(statement: str) -> str:
    """The statement as it may run twice, and where its end is reached already."""
    for pattern, better in WORDS:
        statement = re.sub(pattern, better, statement, count=1)
    statement = re.sub(GOING, "ALTER TABLE IF EXISTS ", statement, count=1)
    condition = _condition(statement)
    if condition:
        return f"DO $do$ BEGIN\n    IF {condition} THEN\n        {statement};\n    END IF;\nEND $do$"
    first = statement.partition("\n")[0]
    for pattern, states in OTHERS:
        if re.match(pattern, first):
            return f"DO $do$ BEGIN\n    {statement};\nEXCEPTION WHEN {states} THEN NULL;\nEND $do$"
    return statement


def _condition(statement: str) -> str | None:
    """What the catalogue says where the statement is still to be run."""
    if found := KIN.match(statement):
        return _inherits(found[3], found[1], "ATTACH" in found[2])
    if found := HEIR.match(statement):
        return _inherits(found[1], found[3], found[2] == "INHERIT")
    if found := LABEL.match(statement):
        place = f"enumtypid = {_oid('regtype', found[1])} AND enumlabel = {found[2]}"
        return f"EXISTS (SELECT FROM pg_catalog.pg_enum WHERE {place})"
    if found := CONSTRAINT.match(statement):
        column = "contypid" if found[1] == "DOMAIN" else "conrelid"
        kind = "regtype" if found[1] == "DOMAIN" else "regclass"
        place = f"{column} = {_oid(kind, found[2])} AND conname = {_literal(found[3])}"
        return f"NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE {place})"
    return None


def _inherits(child: str, parent: str, wanted: bool) -> str:
    place = f"inhrelid = {_oid('regclass', child)} AND inhparent = {_oid('regclass', parent)}"
    return f"{'NOT ' if wanted else ''}EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE {place})"


def _oid(kind: str, name: str) -> str:
    return f"pg_catalog.to_{kind}({sql.literal(name).strip()})"


def _literal(identifier: str) -> str:
    plain = identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier
    return sql.literal(plain).strip()
