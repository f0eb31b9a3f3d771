"""Several replicas start at the same moment: one migrates, the others wait and find nothing to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.containers.entry_point import Run, count, eventually
from tests.folders import write_migrations
from tests.servers import Database

# The test holds this lock until the others have arrived while one is at work.
GATE = "SELECT pg_advisory_xact_lock(7)"
AT_THE_LOCK = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name LIKE 'pgratchet% up %' AND datname = current_database()
  AND query LIKE '%advisory%'
"""
PLAIN = {
    "V1__ran.sql": "CREATE TABLE ran (version int NOT NULL); INSERT INTO ran VALUES (1);",
    "V2__slow.sql": f"{GATE}; INSERT INTO ran VALUES (2);",
    "V3__last.sql": "CREATE TABLE last (); INSERT INTO ran VALUES (3);",
}
CONCURRENT = {
    "V1__ran.sql": "CREATE TABLE ran (version int NOT NULL); INSERT INTO ran VALUES (1);",
    "V2__slow.sql": f"{GATE}; INSERT INTO ran VALUES (2);",
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
    with database.connect() as gate:
        gate.execute("SELECT pg_advisory_lock(7)")
        started = [Run(folder, DATABASE_URL=database.url) for _ in range(replicas)]
        eventually(lambda: count(database, AT_THE_LOCK) == replicas, within=30)
    ended = [each.ended() for each in started]
    assert [each.code for each in ended] == [0] * replicas, [each.stderr for each in ended]
    assert sum("waiting for another run" in each.stderr for each in ended) == replicas - 1
    versions = count(database, "SELECT count(*) FROM ran")
    assert versions == count(database, "SELECT count(DISTINCT version) FROM ran") == 3
    assert count(database, "SELECT count(*) FROM schema_migrations WHERE status = 'applied'") == len(files)
    assert count(database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
