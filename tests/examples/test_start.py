"""The start brings the schema up to date or waits for it, and refuses to serve with too many rights."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

import pgratchet
from examples.semantic_kernel_app.settings import Settings, from_environment
from examples.semantic_kernel_app.starting import SchemaNotReady, started
from tests.database.support import MIGRATIONS, rows
from tests.examples.support import ROOT, await_health, free_port, process, settings_for
from tests.servers import Database

pytestmark = pytest.mark.one_version
HISTORY = "SELECT count(*), count(DISTINCT run_id), bool_and(status = 'applied') FROM schema_migrations"
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"


def start(settings: Settings) -> None:
    async def run() -> None:
        async with started(settings):
            pass

    asyncio.run(run())


def test_two_processes_that_start_at_once_on_an_empty_database_both_serve(
    database: Database, tmp_path: Path
) -> None:
    services = [(free_port(), tmp_path / f"{number}.log") for number in range(2)]
    with ExitStack() as running:
        made = [running.enter_context(process(database.url, port, log)) for port, log in services]
        answers = [await_health(one, *where) for one, where in zip(made, services, strict=True)]
    newest = int(MIGRATIONS[-1].name[1:4])
    assert answers == [f'{{"status":"ok","schema_version":{newest}}}'] * 2
    assert rows(database.connect(), HISTORY) == [(len(MIGRATIONS), 1, True)]
    assert [one.returncode for one in made] == [-signal.SIGTERM] * 2, (
        "uvicorn ends cleanly, then by the signal"
    )


def test_a_start_without_the_right_to_migrate_waits_until_somebody_has_migrated(database: Database) -> None:
    async def waits_then_serves() -> None:
        ready = asyncio.Event()

        async def serve() -> None:
            async with started(replace(settings_for(database), migration_url=None)):
                ready.set()

        waiting = asyncio.create_task(serve())
        partly = await asyncio.to_thread(pgratchet.up, database.url, ROOT / "database" / "migrations", to=3)
        assert partly.version == 3
        assert not ready.is_set()
        await asyncio.to_thread(pgratchet.up, database.url, ROOT / "database" / "migrations")
        await waiting
        assert ready.is_set()

    asyncio.run(waits_then_serves())


def test_a_start_that_nobody_migrates_for_ends(database: Database) -> None:
    with pytest.raises(SchemaNotReady, match=f"{len(MIGRATIONS)} migrations are still pending"):
        start(replace(settings_for(database), migration_url=None, wait=0.5))
    assert rows(database.connect(), TABLES) == []


def test_a_login_that_is_a_member_of_the_role_waits_and_serves_with_no_right_to_migrate(
    seeded: Database,
) -> None:
    login = f"login_of_{seeded.name}"
    owner = seeded.connect()
    owner.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'secret' IN ROLE semantic_kernel_app")
    try:
        url = psycopg.conninfo.make_conninfo(seeded.url, user=login, password="secret")
        start(replace(settings_for(seeded), url=url, migration_url=None, role=""))
    finally:
        owner.execute(f"DROP ROLE {login}")


def test_the_owner_of_the_tables_may_not_serve(seeded: Database) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row level security does not hold"):
        start(replace(settings_for(seeded), role=""))


def test_a_migration_that_fails_ends_the_start(database: Database, folder: Path) -> None:
    (folder / "V1__a.sql").write_text("SELECT 1 / 0;")
    with pytest.raises(pgratchet.StatementFailed):
        start(replace(settings_for(database), migrations=str(folder)))
    assert rows(database.connect(), TABLES) == []


def test_the_settings_come_from_the_environment_and_secrets_from_files(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://host/db\n")
    file = {"DATABASE_URL_FILE": str(tmp_path / "url")}
    assert from_environment(file) == Settings("postgresql://host/db", "postgresql://host/db")
    assert from_environment({**file, "MIGRATIONS": "wait"}).migration_url is None
    assert from_environment({**file, "MIGRATION_URL": "postgresql://owner@host/db"}).migration_url is not None
    assert from_environment({**file, "OPENAI_API_KEY": "k"}).openai_key == "k"
    with pytest.raises(SystemExit, match="DATABASE_URL"):
        from_environment({})
