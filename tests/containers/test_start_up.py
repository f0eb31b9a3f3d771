"""The entry point where the database is there, comes late, refuses, or does not come at all."""

from __future__ import annotations

import shutil
import socket
import time
from pathlib import Path

import psycopg
import pytest

from tests import servers
from tests.containers.entry_point import Run, count, exists, run
from tests.folders import write_migrations
from tests.servers import Database, Server

pytestmark = pytest.mark.one_version
FILES = {"V1__first.sql": "CREATE TABLE first ();", "V2__second.sql": "CREATE TABLE second ();"}
NOBODY_LISTENS = "postgresql://user:s3cret@127.0.0.1:1/app"


def test_a_start_applies_what_is_pending_and_the_next_one_finds_nothing_to_do(
    database: Database, folder: Path
) -> None:
    write_migrations(folder, FILES)
    assert run(folder, DATABASE_URL=database.url).code == 0
    assert exists(database, "second")
    assert run(folder, DATABASE_URL=database.url).code == 0
    assert count(database, "SELECT count(*) FROM schema_migrations") == 2


def test_it_waits_for_a_database_that_comes_up_later(server: Server, folder: Path) -> None:
    write_migrations(folder, FILES)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    place = servers.make_folder()
    try:
        password = servers._create(server.bin, place)
        url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
        started = Run(folder, DATABASE_URL=url)
        assert started.next_line().startswith("waiting for database postgres at 127.0.0.1")
        time.sleep(1.5)
        assert started.process.poll() is None, "it gave up"
        with servers._started(server.bin, place, f"port = {port}\n"):
            ended = started.ended()
            assert ended.code == 0, ended.stderr
            with psycopg.connect(url) as connection:
                assert connection.execute("SELECT version FROM schema_migrations ORDER BY 1").fetchall() == [
                    (1,),
                    (2,),
                ]
    finally:
        shutil.rmtree(place, ignore_errors=True)


def test_a_database_that_does_not_come_ends_with_8_when_the_time_is_over(folder: Path) -> None:
    write_migrations(folder, FILES)
    ended = run(folder, "up", "--wait", "2", DATABASE_URL=NOBODY_LISTENS)
    assert ended.code == 8, ended.stderr
    assert ended.seconds >= 2
    assert "127.0.0.1:1" in ended.stderr
    assert "s3cret" not in ended.stderr + ended.stdout


def _refused(database: Database) -> int:
    return database.server.log.read_text().count("password authentication failed")


def test_a_wrong_password_ends_at_once_with_2_and_is_not_shown(database: Database, folder: Path) -> None:
    write_migrations(folder, FILES)
    url = database.url.replace(database.server.password, "wr0ng-s3cret")
    before = _refused(database)
    ended = run(folder, DATABASE_URL=url)
    assert ended.code == 2, ended.stderr
    assert ended.seconds < 50, "the image waits for 60 s where it waits"
    assert "password authentication failed" in ended.stderr
    assert "wr0ng-s3cret" not in ended.stderr + ended.stdout
    assert 1 <= _refused(database) - before <= 2, "a look whether there is anything to do, then the run"


def test_a_missing_database_ends_at_once_with_2(server: Server, folder: Path) -> None:
    write_migrations(folder, FILES)
    ended = run(folder, DATABASE_URL=server.url("nowhere"))
    assert ended.code == 2, ended.stderr
    assert ended.seconds < 50, "the image waits for 60 s where it waits"
    assert '"nowhere" does not exist' in ended.stderr


def test_a_failing_migration_ends_with_1_and_the_ones_before_it_stay(
    database: Database, folder: Path
) -> None:
    write_migrations(folder, FILES)
    assert run(folder, DATABASE_URL=database.url).code == 0
    write_migrations(folder, {"V3__broken.sql": "CREATE TABLE third (); SELECT 1 / 0;"})
    ended = run(folder, DATABASE_URL=database.url)
    assert ended.code == 1, ended.stderr
    assert "V3__broken.sql:1:" in ended.stderr
    assert exists(database, "second")
    assert not exists(database, "third")


def test_status_answers_3_while_migrations_are_pending_and_0_after(database: Database, folder: Path) -> None:
    write_migrations(folder, FILES)
    asked = ("status", "--exit-code", "--wait", "10")
    assert run(folder, *asked, DATABASE_URL=database.url).code == 3
    assert not exists(database, "schema_migrations"), "asking must not write"
    assert run(folder, DATABASE_URL=database.url).code == 0
    assert run(folder, *asked, DATABASE_URL=database.url).code == 0


def test_an_image_older_than_the_database_starts_without_an_error(database: Database, folder: Path) -> None:
    write_migrations(folder, FILES)
    assert run(folder, DATABASE_URL=database.url).code == 0
    (folder / "V2__second.sql").unlink()
    ended = run(folder, DATABASE_URL=database.url)
    assert ended.code == 0, ended.stderr
    assert count(database, "SELECT max(version) FROM schema_migrations") == 2
    asked = run(folder, "status", "--exit-code", "--wait", "10", DATABASE_URL=database.url)
    assert asked.code == 0, "its pods, which wait for their own files alone, must start again too"
