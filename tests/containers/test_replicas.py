"""Several replicas start at the same moment: one migrates, the others wait and find nothing to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.containers.entry_point import Run, count
from tests.folders import write_migrations
from tests.servers import Database

# The pause makes sure that the others arrive while one is at work.
PLAIN = {
    "V1__ran.sql": "CREATE TABLE ran (version int NOT NULL); INSERT INTO ran VALUES (1);",
    "V2__slow.sql": "SELECT pg_sleep(1); INSERT INTO ran VALUES (2);",
    "V3__last.sql": "CREATE TABLE last (); INSERT INTO ran VALUES (3);",
}
CONCURRENT = {
    "V1__ran.sql": "CREATE TABLE ran (version int NOT NULL); INSERT INTO ran VALUES (1);",
    "V2__slow.sql": "SELECT pg_sleep(1); INSERT INTO ran VALUES (2);",
    "V3__index.sql": "CREATE INDEX CONCURRENTLY ran_version ON ran (version);",
    "V4__after.sql": "INSERT INTO ran VALUES (4);",
}


@pytest.mark.one_version
@pytest.mark.parametrize(
    ("replicas", "files"), [(2, PLAIN), (5, CONCURRENT)], ids=["two", "five_with_index_concurrently"]
)
def test_each_version_is_applied_once_and_every_replica_succeeds(
    database: Database, folder: Path, files: dict[str, str], replicas: int
) -> None:
    write_migrations(folder, files)
    started = [Run(folder, DATABASE_URL=database.url) for _ in range(replicas)]
    ended = [each.ended() for each in started]
    assert [each.code for each in ended] == [0] * replicas, [each.stderr for each in ended]
    assert any("waiting for another run" in each.stderr for each in ended), "they did not meet"
    versions = count(database, "SELECT count(*) FROM ran")
    assert versions == count(database, "SELECT count(DISTINCT version) FROM ran") == 3
    assert count(database, "SELECT count(*) FROM schema_migrations WHERE status = 'applied'") == len(files)
    assert count(database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
