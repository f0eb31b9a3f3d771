"""Copies that are more than a database: a backup, which is proven by it, and the whole cluster by pg_basebackup."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import pgratchet
from pgratchet import Answer, config
from pgratchet.backup.keeping import Standing
from pgratchet.errors import BackupError, ConfigurationError, RunFailed
from tests.folders import write_migrations
from tests.rehearsal.conftest import BASE, Rehearse, copies
from tests.servers import Database, Server

CHANGE = {"V2__note.sql": "ALTER TABLE users ADD COLUMN note text;\n"}
COUNT = {"V2__look.sql": "CREATE TABLE found AS SELECT id FROM users;\n"}


@pytest.fixture
def backup(database: Database, folder: Path, _at_home: None) -> pgratchet.Backup:
    """A backup of the base, in the folder where a test is at home; nobody has verified it."""
    write_migrations(folder, {"V1__base.sql": BASE})
    pgratchet.up(database.url, folder, preflight=False)
    return pgratchet.back_up(database.url)


def test_a_backup_as_the_copy_is_verified_by_it(
    backup: pgratchet.Backup, rehearse: Rehearse, database: Database
) -> None:
    assert backup.standing is Standing.UNVERIFIED
    database.connect().execute("DELETE FROM users WHERE id > 10")  # what came later is not in it
    found = rehearse(COUNT, from_backup="newest")
    assert (found.copy.way, found.run.statements[0].rows) == ("backup", 2000)
    assert backup.name in found.copy.said
    assert found.proofs
    [after] = pgratchet.backups()
    assert after.usable
    assert not copies(database)


@pytest.mark.one_version
def test_a_backup_is_restored_on_an_embedded_server_where_that_is_wished(
    backup: pgratchet.Backup, rehearse: Rehearse, temporary: Path
) -> None:
    found = rehearse(COUNT, from_backup=backup.name, embedded=True, prove=False)
    assert "on an embedded server" in found.copy.said
    assert found.run.statements[0].rows == 2000
    assert pgratchet.backups()[0].usable
    assert not list(temporary.iterdir())


@pytest.mark.one_version
def test_a_damaged_backup_is_no_copy(
    backup: pgratchet.Backup, rehearse: Rehearse, database: Database
) -> None:
    [data] = Path(backup.place).glob("data/toc.dat")
    content = bytearray(data.read_bytes())
    content[-1] ^= 1
    data.write_bytes(content)
    with pytest.raises(BackupError, match="is not what it was"):
        rehearse(CHANGE, from_backup="newest")
    assert pgratchet.backups()[0].standing is Standing.FAILED
    assert not copies(database)


@pytest.mark.one_version
def test_a_backup_of_another_time_is_no_copy(
    backup: pgratchet.Backup, database: Database, folder: Path
) -> None:
    write_migrations(folder, CHANGE)
    pgratchet.up(database.url, folder, preflight=False)
    write_migrations(folder, {"V3__more.sql": "ALTER TABLE users ADD COLUMN more text;\n"})
    with pytest.raises(ConfigurationError, match=r"of another time: the database has V2__note\.sql applied"):
        pgratchet.rehearse(database.url, folder, from_backup=backup.name)
    assert not copies(database)


def test_a_cluster_is_copied_and_gone_in_the_end(
    rehearse: Rehearse, database: Database, temporary: Path
) -> None:
    database.connect().execute("SELECT 1")
    found = rehearse({**COUNT, "V3__role.sql": "CREATE ROLE rehearsed_in_a_cluster;\n"}, base_backup=True)
    assert (found.copy.way, found.run.statements[0].rows) == ("cluster", 2000)
    assert found.run.failure is None
    assert all(proof.detail for proof in found.proofs)
    assert not list(temporary.iterdir())
    connection = database.connect()
    query = "SELECT FROM pg_roles WHERE rolname = 'rehearsed_in_a_cluster'"
    assert connection.execute(query).fetchone() is None


@pytest.mark.one_version
def test_a_cluster_reaches_no_publisher_and_is_not_marked(
    rehearse: Rehearse, database: Database, folder: Path
) -> None:
    pgratchet.mark("production", settings=config.load({"url": database.url}))
    connection = database.connect()
    # Nobody listens there: to drop it as it is would fail, or drop a slot that others read.
    connection.execute(
        "CREATE SUBSCRIPTION abroad CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p "
        "WITH (connect = false, slot_name = 'abroad')"
    )
    try:
        with pytest.raises(ConfigurationError, match="marked as production"):
            rehearse({"V2__drop.sql": "DROP SUBSCRIPTION abroad;\n"}, base_backup=True)
        found = pgratchet.rehearse(database.url, folder, base_backup=True, data_may_leave=True, prove=False)
        assert found is not None
        assert found.run.failure is None
    finally:
        connection.execute("ALTER SUBSCRIPTION abroad SET (slot_name = NONE)")
        connection.execute("DROP SUBSCRIPTION abroad")


@pytest.mark.one_version
def test_who_may_not_replicate_is_told_what_would_do(
    rehearse: Rehearse,
    database: Database,
    folder: Path,
    run_on: Callable[[Server, str], None],
    temporary: Path,
) -> None:
    assert rehearse(CHANGE, prove=False).answer is Answer.GO
    run_on(database.server, "CREATE ROLE no_replica LOGIN CREATEDB PASSWORD 'nobody'")
    try:
        database.connect().execute("GRANT pg_read_all_data TO no_replica")
        url = database.url.replace(f"postgres:{database.server.password}", "no_replica:nobody")
        with pytest.raises(RunFailed, match="pg_basebackup failed") as caught:
            pgratchet.rehearse(url, folder, base_backup=True)
        assert "REPLICATION" in (caught.value.hint or "")
        assert not list(temporary.iterdir())
    finally:
        run_on(database.server, "DROP ROLE no_replica")


@pytest.mark.one_version
@pytest.mark.usefixtures("_at_home")
def test_without_the_servers_own_programs_no_cluster_is_copied(
    rehearse: Rehearse, database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rehearse(CHANGE, prove=False)
    monkeypatch.setenv("PGRATCHET_PG_BIN", str(tmp_path))
    with pytest.raises(
        ConfigurationError, match=r"a server of PostgreSQL \d+ with pg_basebackup, pg_ctl is needed"
    ):
        pgratchet.rehearse(database.url, folder, base_backup=True)


@pytest.mark.one_version
@pytest.mark.parametrize(
    "wishes",
    [
        {"rows": 5, "schema_only": True},
        {"from_backup": "newest", "rows": 5},
        {"base_backup": True, "embedded": True},
    ],
)
def test_two_ways_at_once_are_refused(
    backup: pgratchet.Backup, database: Database, folder: Path, wishes: dict[str, object]
) -> None:
    with pytest.raises(ConfigurationError, match="exclude each other"):
        pgratchet.rehearse(database.url, folder, **wishes)  # type: ignore[arg-type]
