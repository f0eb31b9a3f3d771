"""A database with a history of one file, and rehearsals of what comes after it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

import pgratchet
from pgratchet import Rehearsal, schema
from tests.folders import write_migrations
from tests.servers import Database

BASE = """
    CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, size int);
    CREATE TABLE orders (id int PRIMARY KEY, buyer int);
    INSERT INTO users SELECT n, 'user ' || n, n FROM generate_series(1, 2000) AS n;
    INSERT INTO orders SELECT n, n FROM generate_series(1, 100) AS n;
"""

Rehearse = Callable[..., Rehearsal]


@pytest.fixture
def _at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let results be kept in the test's own folder, and no setting come from outside."""
    for name in list(os.environ):
        if name.startswith(("PGRATCHET_", "PG", "DATABASE_URL")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for what is thrown away, of this test alone, which a server's account can enter."""
    with TemporaryDirectory(prefix="pgratchet-") as name:
        Path(name).chmod(0o755)
        monkeypatch.setenv("TMPDIR", name)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


@pytest.fixture
def rehearse(database: Database, folder: Path, _at_home: None) -> Rehearse:
    """Apply the base, add files to it and rehearse them; the database must be as it was."""

    def call(files: dict[str, str], *, base: str = BASE, **wishes: object) -> Rehearsal:
        write_migrations(folder, {"V1__base.sql": base})
        pgratchet.up(database.url, folder, preflight=False)
        write_migrations(folder, files)
        before = picture(database)
        found = pgratchet.rehearse(database.url, folder, **wishes)  # type: ignore[arg-type]
        assert found is not None
        assert picture(database) == before
        assert not copies(database)
        return found

    return call


def picture(database: Database) -> tuple[str, list[tuple[object, ...]]]:
    """Give the schema and the rows of every table, with how often each was changed."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND oid >= 16384 ORDER BY 1"
        ).fetchall()
        rows: list[tuple[object, ...]] = []
        for (table,) in tables:
            query = f"SELECT count(*), sum(hashtext(t::text || t.xmin || t.ctid)) FROM {table} AS t"
            rows += [(table, *row) for row in connection.execute(query.encode())]
        return schema.snapshot(connection).fingerprint, rows


def copies(database: Database) -> list[str]:
    """Give the databases of rehearsals, and of backups that were restored for them, that the server has."""
    with psycopg.connect(database.server.url(), autocommit=True) as connection:
        query = "SELECT datname FROM pg_database WHERE datname ~ '^pgratchet_(rehearsal|restoring)_'"
        return [str(name) for (name,) in connection.execute(query)]
