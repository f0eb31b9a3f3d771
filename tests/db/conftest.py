"""A database with the schema that the tests change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest

from tests.db.schema_changes import BASE, READER, WRITER
from tests.servers import Database


@pytest.fixture
def filled(database: Database) -> Iterator[Database]:
    """Give a database with the schema that the changes are made on."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        for role in (READER, WRITER):
            with suppress(psycopg.errors.DuplicateObject):  # where a test was cut short
                connection.execute(f"CREATE ROLE {role}".encode())
        connection.execute("SET client_min_messages = error")
        connection.execute(BASE.encode())
    yield database
    database.opened.close()  # what a test still locks would be waited for
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("ALTER SUBSCRIPTION sub SET (slot_name = NONE)")
        connection.execute("DROP SUBSCRIPTION sub")
        for role in (READER, WRITER):
            connection.execute(f"DROP OWNED BY {role} CASCADE".encode())
            connection.execute(f"DROP ROLE {role}".encode())
