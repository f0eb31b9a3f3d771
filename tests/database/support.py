"""What the tests of the bundled database share: its files, psql, and connections as the application has them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import psycopg

from tests.servers import Database

Connection = psycopg.Connection[tuple[Any, ...]]

ROOT = Path(__file__).parent.parent.parent
MIGRATIONS = sorted((ROOT / "database" / "migrations").glob("[BV]*.sql"))
SEEDS = ROOT / "database" / "seeds"

# The two tenants of the test seeds.
FIRST = "7e570000-0000-7000-8000-000000000001"
SECOND = "7e570000-0000-7000-8000-000000000002"
FIRST_USER = "7e570000-0000-7000-8000-000000000011"
FIRST_CONVERSATION = "7e570000-0000-7000-8000-000000000101"
SECOND_CONVERSATION = "7e570000-0000-7000-8000-000000000201"


def psql(database: Database, file: Path, url: str = "") -> subprocess.CompletedProcess[str]:
    """Run a file as a person would."""
    command: list[str | Path] = [
        database.server.bin / "psql",
        "-X",
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
        "-f",
        file,
        url or database.url,
    ]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def apply(database: Database, *files: Path, url: str = "") -> None:
    for file in files:
        done = psql(database, file, url)
        assert done.returncode == 0, f"{file.name}: {done.stderr}"


def catalogue(database: Database) -> str:
    """Everything that pg_dump sees of the schema: definitions, comments, owners and privileges."""
    command: list[str | Path] = [database.server.bin / "pg_dump", "--schema-only", database.url]
    dumped = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return "\n".join(
        line for line in dumped.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))
    )


def as_role(database: Database, role: str, tenant: str = "") -> Connection:
    """Connect as a login that is a member of the role, working for the tenant if there is one."""
    connection = database.connect(options=f"-c app.tenant_id={tenant}" if tenant else "")
    connection.execute(f"SET ROLE {role}")
    return connection


def as_application(database: Database, tenant: str = "") -> Connection:
    return as_role(database, "semantic_kernel_app", tenant)


def rows(connection: Connection, query: str, *values: object, **named: object) -> list[tuple[Any, ...]]:
    return connection.execute(query, named or values).fetchall()


def value(connection: Connection, query: str, *values: object) -> Any:
    """The one value of a query that returns one row."""
    (row,) = rows(connection, query, *values)
    return row[0]
