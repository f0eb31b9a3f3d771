"""The history: the only reader and writer of `schema_migrations` and its two companions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg

from pgratchet import naming, sql
from pgratchet.db import Connection
from pgratchet.errors import ConfigurationError
from pgratchet.model import Applied, Kind, Migration, Script, Status
from pgratchet.wire import Command

BODY_LIMIT = 1 << 20
"""Bytes: a larger body is not kept, so that a file of data is not stored twice."""


@dataclass(frozen=True, slots=True)
class Names:
    """Where the history lies."""

    schema: str
    table: str

    @property
    def history(self) -> str:
        """The table of versions, as a quoted name."""
        return sql.qualified(self.schema, self.table)

    @property
    def tables(self) -> tuple[str, str, str]:
        """The three tables' bare names: versions, bodies, repeatables."""
        return self.table, f"{self.table}_body", f"{self.table}_repeatable"

    @property
    def identifiers(self) -> dict[str, str]:
        """The names that the SQL resources know, for `sql.load`."""
        keys = ("history", "body", "repeatable")
        return {key: f"{self.schema}\0{table}" for key, table in zip(keys, self.tables, strict=True)}


@dataclass(frozen=True, slots=True)
class Run:
    """Who runs: kept in every row that this run writes."""

    id: str
    host: str
    application: str
    tool_version: str


class State(NamedTuple):
    """What the database says of itself before a plan is made."""

    has_history: bool
    empty: bool
    """No object of a user but the history's own."""
    locks: int
    """How many locks all transactions together may hold."""
    standby: bool
    name: str


class Summary(NamedTuple):
    """The whole history in one row, for a start with nothing to do."""

    baseline: int
    finished: bool
    applied: int
    newest: int | None
    digest: str


def state(connection: Connection, names: Names) -> State:
    """Look at the database; needs no right but to connect."""
    tables = {key: sql.qualified(*value.split("\0")) for key, value in names.identifiers.items()}
    query = sql.load("database_state") % {key: sql.literal(table) for key, table in tables.items()}
    return State(*_row(connection, query))


def summary(connection: Connection, names: Names) -> Summary | None:
    """The history in one row; None where there is no history, or one that we may not read."""
    try:
        return Summary(*_row(connection, sql.load("history_summary", **names.identifiers)))
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        return None


def create(names: Names) -> tuple[str, ...]:
    """The statements that make the history's tables where they are missing."""
    schema = f"CREATE SCHEMA IF NOT EXISTS {sql.quote(names.schema)}"
    wanted = () if names.schema == "public" else (schema,)
    return wanted + tuple(
        sql.load(resource, **_creation_names(names, resource))
        for resource in ("create_history", "create_history_body", "create_history_repeatable")
    )


def read(connection: Connection, names: Names) -> tuple[Applied, ...]:
    """Every row, versions first and in order, then repeatables; without the bodies."""
    query = sql.load("history_rows", **names.identifiers)
    try:
        rows = connection.execute(query.encode()).fetchall()
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"may not read the history: {error.diag.message_primary}",
            f"Its owner has to run: GRANT SELECT ON {names.history} TO this role; its two companions need the same.",
        ) from error
    return tuple(Applied(Kind(row[0]), row[1], row[2], row[3], Status(row[4]), *row[5:]) for row in rows)


def body(connection: Connection, names: Names, checksum: str | None) -> str | None:
    """A file's text as it was applied, where it was kept."""
    if checksum is None:
        return None
    table = sql.qualified(names.schema, f"{names.table}_body")
    query = f"SELECT body FROM {table} WHERE checksum = %s"  # noqa: S608 - the name is quoted
    row = connection.execute(query.encode(), (checksum,)).fetchone()
    return None if row is None else str(row[0])


def digest(migrations: Sequence[Migration], baseline: int) -> str:
    """What `Summary.digest` is where the history holds exactly these files."""
    return naming.digest(
        [
            f"{migration.description if migration.version is None else migration.version}:{migration.checksum}"
            for migration in migrations
            if counts(migration, baseline)
        ]
    )


def counts(migration: Migration, baseline: int) -> bool:
    """Whether a file belongs to a history that began with this baseline (-1: with none)."""
    if migration.kind is Kind.BASELINE:
        return migration.version == baseline
    return migration.version is None or migration.version > baseline


def record(
    names: Names,
    run: Run,
    migration: Migration,
    script: Script,
    *,
    status: Status = Status.APPLIED,
    done: int | None = None,
    kind: Kind | None = None,
    opens: bool = False,
    ends: bool = False,
) -> Command:
    """The command that writes a migration's row; it began where its transaction did."""
    values = (
        migration.description,
        migration.script,
        migration.checksum,
        script.tree_checksum,
        str(script.total if done is None else done),
        str(script.total),
        status.value,
        run.host,
        run.application or None,
        run.tool_version,
        run.id,
    )
    if migration.version is None:
        return Command(
            sql.load("record_repeatable", **names.identifiers), values, migration, opens=opens, ends=ends
        )
    more = (str(migration.version), (kind or migration.kind).value)
    query = sql.load("record_migration", **names.identifiers)
    return Command(query, values + more, migration, opens=opens, ends=ends)


def record_together(
    names: Names, run: Run, steps: Sequence[tuple[Migration, Script, float, float]]
) -> tuple[Command, ...]:
    """The commands that write the rows of steps that ended well in the transaction which is still open.

    Each comes with how many seconds ago it began and ended. One row at a time costs ten times as much.
    """
    versions = [_ended(*step) for step in steps if step[0].version is not None]
    rest = [record(names, run, step[0], step[1]) for step in steps if step[0].version is None]
    values = (json.dumps(versions), run.host, run.application or None, run.tool_version, run.id)
    return (Command(sql.load("record_steps", **names.identifiers), values), *rest)


def _ended(migration: Migration, script: Script, began: float, ended: float) -> dict[str, object]:
    return {
        "version": migration.version,
        "description": migration.description,
        "script": migration.script,
        "kind": migration.kind.value,
        "checksum": migration.checksum,
        "tree_checksum": script.tree_checksum,
        "statements": script.total,
        "began": began,
        "ended": ended,
    }


def keep_bodies(names: Names, migrations: Iterable[Migration]) -> Iterator[Command]:
    """The commands that keep files' texts, for later edits to be shown; those that are too large are left out."""
    query = sql.load("keep_bodies", **names.identifiers)
    kept: list[dict[str, str]] = []
    size = 0
    for migration in migrations:
        length = migration.path.stat().st_size
        if kept and size + length > BODY_LIMIT:
            yield Command(query, (json.dumps(kept),))
            kept, size = [], 0
        if length <= BODY_LIMIT:
            kept.append(
                {"checksum": migration.checksum, "body": migration.path.read_text(encoding="utf-8-sig")}
            )
            size += length
    if kept:
        yield Command(query, (json.dumps(kept),))


def record_zero(names: Names, run: Run) -> Command:
    """The command that writes the row of a database which had a schema of its own before any file."""
    values = ("before the first migration", "-", None, None, "0", "0", "applied", run.host)
    more = (run.application or None, run.tool_version, run.id, "0", Kind.MARKED.value)
    return Command(sql.load("record_migration", **names.identifiers), values + more)


def progress(
    names: Names,
    migration: Migration,
    done: int,
    status: Status = Status.RUNNING,
    journal: dict[str, Any] | None = None,
) -> Command:
    """The command that writes how far a migration has come which no single transaction holds."""
    note = None if journal is None else json.dumps(journal)
    query = sql.load("journal_progress", **_row_names(names, migration))
    return Command(query, (_key(migration), status.value, str(done), note), migration)


def name_backup(connection: Connection, names: Names, run: Run, backup: str | None) -> None:
    """Let the rows of a run name the backup that was taken before it, in their journal, as far as the run has come.

    Afterwards, and it changes nothing about how the run ended: where it fails, the backup's manifest names the run.
    """
    if backup is None or connection.closed or connection.broken:
        return
    for table in names.identifiers["history"], names.identifiers["repeatable"]:
        query = sql.load("history_backup", table=table)
        with suppress(psycopg.Error):
            connection.execute(query.encode(), {"backup": backup, "run": run.id})


def end(names: Names, migration: Migration) -> Command:
    """The command that marks such a migration applied."""
    return Command(
        sql.load("journal_end", **_row_names(names, migration)), (_key(migration),), migration, ends=True
    )


def _row_names(names: Names, migration: Migration) -> dict[str, str]:
    tables = names.identifiers
    if migration.version is None:
        return {"table": tables["repeatable"], "key": "description"}
    return {"table": tables["history"], "key": "version"}


def _key(migration: Migration) -> str:
    return migration.description if migration.version is None else str(migration.version)


def _creation_names(names: Names, resource: str) -> dict[str, str]:
    """A table's own name and those of its constraints, which begin with the table's."""
    key = resource.removeprefix("create_")
    table = names.table + key.removeprefix("history")
    constraints = ("pkey", "version_check", "kind_check", "status_check")
    return {key: f"{names.schema}\0{table}", **{f"{key}_{name}": f"{table}_{name}" for name in constraints}}


def _row(connection: Connection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row
