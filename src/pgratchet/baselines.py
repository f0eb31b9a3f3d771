"""The text of a baseline that stands for older files: what pg_dump wrote of them, made fit to be a migration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgratchet import history, parse, sql
from pgratchet.model import Migration

# pg_dump sets up a session of its own. These are the runner's to say, or have no meaning for a file of statements.
NOT_OURS = (
    r"SET (?:\w+_timeout|client_encoding|client_min_messages|standard_conforming_strings|row_security)\b"
    r"|COMMENT ON EXTENSION\b"  # that of the package, which only the extension's owner may write
)
OURS = (
    "search_path",
    "check_function_bodies",
    "xmloption",
    "default_tablespace",
    "default_table_access_method",
)
"""What pg_dump sets and the file needs; set back in the end, for whatever follows in the session."""
HERE = "{this database}"

HEADER = """\
-- Purpose: the schema and the rows at version {version}, for new databases, in place of
{stands_for}
--          A database that has begun with those goes on with them.
-- Risk:    none on an empty database, and it is run on no other. It needs a superuser, or a role that may give
--          things to the owners named below. What no owner is named for belongs to the role that runs it.
-- Reverse: delete this file, as long as no database that matters has begun with it.
-- Written by `pgratchet squash`. Rows are as the files made them that day: now() and random values too.
-- schema: proven on PostgreSQL {major}, {fingerprint}
"""
ROLE = "DO $role$\nBEGIN\n    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {name}) THEN\n"
ROLE += "        {statements};\n    END IF;\nEND\n$role$"
ON_DATABASE = "DO $database$\nBEGIN\n    EXECUTE pg_catalog.replace({statement}, '{here}',\n"
ON_DATABASE += "        pg_catalog.quote_ident(pg_catalog.current_database()));\nEND\n$database$"


@dataclass(frozen=True, slots=True)
class Role:
    """A role that the files make, with the statement that makes it; never its password."""

    name: str
    creation: str
    settings: tuple[str, ...]
    """Statements, of what holds in every database of the server."""
    member_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """What the files have made that a dump does not say, or says in the words of one server."""

    names: history.Names
    applier: str
    """The role that applied them: what is its own belongs to whoever runs the baseline."""
    roles: tuple[Role, ...]
    adornments: tuple[str, ...]
    """Statements about the database itself, which they call HERE."""


@dataclass(frozen=True, slots=True)
class Squashed:
    """A baseline that was written, and proven to make what the older files make."""

    path: Path
    version: int
    stands_for: tuple[str, ...]
    rows: Mapping[str, int]
    """By table, of those that have any."""
    roles: tuple[str, ...]
    fingerprint: str
    major: int


def stood_for(migrations: Sequence[Migration], through: int) -> tuple[Migration, ...]:
    """The files that a new database runs up to a version: the newest baseline, and those above it."""
    below = [item for item in migrations if item.version is not None and item.version <= through]
    begins = max((item.version or 0 for item in below if item.script.startswith("B")), default=None)
    return tuple(
        item
        for item in below
        if begins is None
        or (item.version or 0) > begins
        or (item.version == begins and item.script.startswith("B"))
    )


def header(stands_for: Sequence[Migration], version: int, major: int, fingerprint: str) -> str:
    """The comments that a baseline begins with."""
    lines = "\n".join(f"--          {item.script}" for item in stands_for)
    return HEADER.format(version=version, stands_for=lines, major=major, fingerprint=fingerprint)


def text(dump: str, made: Made) -> str:
    """The statements of a dump as a migration has them, which psql and the runner can both run."""
    found = [item.sql for item in parse.read_text(dump, "pg_dump").statements or ()]
    used = [name for name in OURS if any(re.match(_sets(name), statement) for statement in found)]
    resets = (f"RESET {name}" for name in used)
    whole = (*_roles(made.roles), *_kept(found, made), *_on_database(made.adornments), *resets)
    return "".join(f"{statement};\n\n" for statement in whole).rstrip("\n") + "\n"


def _sets(name: str) -> str:
    return rf"SET {name}\b|SELECT pg_catalog\.set_config\('{name}'"


def _roles(roles: Sequence[Role]) -> Iterator[str]:
    for role in roles:
        statements = ";\n        ".join((role.creation, *role.settings))
        yield ROLE.format(name=sql.literal(role.name), statements=statements)
    known = {role.name for role in roles}
    for role in roles:
        for head in role.member_of:
            if head in known or head.startswith("pg_"):
                yield f"GRANT {sql.quote(head)} TO {sql.quote(role.name)}"


def _on_database(adornments: Sequence[str]) -> Iterator[str]:
    return (ON_DATABASE.format(statement=sql.literal(statement), here=HERE) for statement in adornments)


def _kept(found: Sequence[str], made: Made) -> Iterator[str]:
    """Leave out what the runner makes itself; it is made first where something in the file is about it."""
    tables = "|".join(map(_name, made.names.tables))
    table = rf"{_name(made.names.schema)}\.(?:{tables})(?![\w\"])"
    creates = rf"CREATE TABLE {table}"
    own = rf"{creates}|ALTER TABLE ONLY {table}\s+ADD CONSTRAINT"
    others = [statement for statement in found if not re.match(own, statement)]
    mentioned = any(re.search(table, statement) for statement in others)
    theirs = rf"(?s)ALTER .* OWNER TO {_name(made.applier)}$"
    for statement in found:
        if mentioned and re.match(creates, statement):
            yield from history.create(made.names)
            mentioned = False
        if re.match(rf"CREATE SCHEMA {_name(made.names.schema)}$", statement):
            yield statement.replace("SCHEMA", "SCHEMA IF NOT EXISTS", 1)
        elif not re.match(rf"{NOT_OURS}|{own}", statement) and not re.match(theirs, statement):
            yield _by_anybody(statement, made.applier)


def _by_anybody(statement: str, applier: str) -> str:
    """Name the role that runs the file where the dump names the one that ran the files."""
    if not re.match(r"GRANT|REVOKE|ALTER DEFAULT PRIVILEGES", statement):
        return statement
    return re.sub(rf"\b(TO|FROM|FOR ROLE) {_name(applier)}(?=$|\s)", r"\1 CURRENT_USER", statement)


def _name(identifier: str) -> str:
    """A pattern of a name, which pg_dump quotes where it must."""
    return f"(?:{re.escape(identifier)}|{re.escape(sql.quote(identifier))})"
