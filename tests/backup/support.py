"""Two databases side by side, and what a person would type."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from pgratchet.config import Settings
from tests.database.support import ROOT, catalogue, psql
from tests.servers import Database, Server

HERE = Path(__file__).parent


def named(server: Server, name: str, opened: ExitStack | None = None) -> Database:
    return Database(server, name, opened or ExitStack())


def load(database: Database, name: str) -> None:
    done = psql(database, HERE / name)
    assert not done.stderr or "ERROR" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


def databases(server: Server) -> set[str]:
    with psycopg.connect(server.url()) as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}


def rows(database: Database) -> dict[str, str]:
    """Give a hash of the sorted rows of every table, as COPY writes them: nothing that the product computes."""
    found = {}
    with psycopg.connect(database.url, options="-c timezone=UTC -c search_path=") as connection:
        tables = connection.execute(
            "SELECT c.oid::regclass::text, c.relname FROM pg_class c WHERE relkind = 'r' AND relpersistence <> 't' "
            "AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)' "
            "AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')"
        ).fetchall()
        for name, _ in tables:
            with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.SQL(name))) as data:
                lines = b"".join(bytes(block) for block in data).split(b"\n")
            found[name] = f"{len(lines)} {hashlib.sha256(b'|'.join(sorted(lines))).hexdigest()}"
    return found


def same(one: Database, other: Database) -> None:
    """See that two databases are equal: the catalogue as pg_dump writes it, and every row."""
    assert rows(one) == rows(other)
    assert catalogue(one) == catalogue(other)


@contextmanager
def killing() -> Iterator[Callable[..., int]]:
    """Give a function that runs a verb and kills it at its n-th call of a function; with 0, it counts them."""
    command = [sys.executable, "-m", "tests.backup.driver"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe) as driver:
        sent, answers = driver.stdin, driver.stdout
        assert sent
        assert answers

        def killed_at(number: int, verb: str, settings: Settings, **arguments: object) -> int:
            line = json.dumps([number, verb, settings.url, settings.root, arguments])
            print(line, file=sent, flush=True)
            return int(answers.readline())

        yield killed_at
        sent.close()


def pgratchet(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a person would, in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "pgratchet", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
