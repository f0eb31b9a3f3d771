"""Every SQL resource is one statement, which every version of the server accepts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import pq

from pgratchet import history, sql
from tests.database.support import MIGRATIONS
from tests.house.source import FILES, PACKAGE, RESOURCES
from tests.servers import Server

NAMES = history.Names("house", "history_of_the_house")
HISTORY = sql.literal(NAMES.history)
TEXTS = dict.fromkeys(("names", "history", "schema", "name", "message", "hint", "attribute"), HISTORY)
RUN_TIME = defaultdict(lambda: "1", TEXTS, relation="pg_catalog.pg_class", targets=f"({HISTORY}, 'SHARE')")
KEYS = {"history": "version", "repeatable": "description"}
[ACCOUNT] = [file for file in MIGRATIONS if file.name.startswith("V005")]
Connection = psycopg.Connection[tuple[Any, ...]]


def filled_in(resource: str, table: str) -> str:
    """Give a resource its identifiers, and what else is put into it when it is sent: numbers, names."""
    tables = NAMES.identifiers
    text = sql.load(resource, **tables, table=tables[table], key=KEYS[table])
    if "%(" in text:
        text %= defaultdict(lambda: HISTORY)
    return text.format_map(RUN_TIME) if re.search(r"\{\w+\}", text) else text


@pytest.fixture
def connection(server: Server) -> Iterator[Connection]:
    """Give a transaction that has the tables of the history and of the account of backups, and is rolled back."""
    with psycopg.connect(server.url()) as opened:
        opened.execute(
            "CREATE FUNCTION public.uuid_v7() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'"
        )
        opened.execute(ACCOUNT.read_text().partition("\n-- Backups --")[0].encode())
        for statement in history.create(NAMES):
            opened.execute(statement.encode())
        yield opened
        opened.rollback()


def accepted(connection: Connection, statement: str) -> None:
    """Let the server analyse a statement, which takes no more than one at a time so, or run what it only parses."""
    result = connection.pgconn.prepare(b"", statement.encode())
    assert result.status == pq.ExecStatus.COMMAND_OK, result.error_message.decode()
    if statement.startswith(("DO", "CREATE")):
        connection.execute(statement.encode())


@pytest.mark.parametrize("table", KEYS)
def test_every_version_of_the_server_accepts_every_resource(connection: Connection, table: str) -> None:
    for path in RESOURCES:
        if not path.stem.startswith("create_"):
            accepted(connection, filled_in(path.stem, table))


def test_every_version_of_the_server_makes_the_tables_twice_in_a_row(connection: Connection) -> None:
    for statement in history.create(NAMES):
        accepted(connection, statement)


def test_each_resource_that_makes_something_is_among_what_the_history_makes() -> None:
    made = "".join(history.create(NAMES))
    for path in RESOURCES:
        if path.stem.startswith("create_"):
            assert path.read_text(encoding="utf-8").partition("(")[2].splitlines()[1] in made


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in RESOURCES])
def test_every_resource_is_used_and_names_the_catalogue_in_full(path: Path) -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in FILES)
    assert f'"{path.stem}"' in code
    text = re.sub(r"'[^']*'|--.*", "", path.read_text(encoding="utf-8"))
    assert not re.findall(r"(?<!pg_catalog\.)\bpg_(?!catalog\b)\w+(?!\.)", text)


def test_no_other_module_holds_a_long_statement() -> None:
    assert sorted(PACKAGE.rglob("*.sql")) == RESOURCES
