"""What the guide says of physical backups: taken, verified, and brought back to the point before `up`."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet.model import Event, Noticed
from tests import servers
from tests.crash.process import eventually
from tests.folders import write_migrations
from tests.servers import Server


@pytest.fixture
def archiving(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """Give a server of version 16 (the verifying program of the embedded 18 crashes) and the archive of its log."""
    archive = servers.make_folder()
    servers._own(archive)
    settings = f"archive_mode = on\narchive_command = 'cp %p {archive}/%f'\n"
    try:
        with servers.running(16, settings) as server:
            yield server, archive
    finally:
        shutil.rmtree(archive)


def verified(server: Server, data: Path) -> bool:
    command: list[str | Path] = [server.bin / "pg_verifybackup", "--no-parse-wal", data]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_what_a_migration_destroyed_is_had_back_at_the_restore_point_of_its_run(
    archiving: tuple[Server, Path], folder: Path
) -> None:
    server, archive = archiving
    place = servers.make_folder()
    servers._own(place)
    data = place / "data"
    write_migrations(folder, {"V1__a.sql": "CREATE TABLE a AS SELECT n FROM generate_series(1, 100) AS n;"})
    pgratchet.up(server.url(), folder)
    source = f"host=127.0.0.1 port={server.port} user=postgres password={server.password}"
    try:
        servers._run([server.bin / "pg_basebackup", "-d", source, "--checkpoint=fast", "-D", data])
        assert verified(server, data)
        file = data / "global" / "pg_control"
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert not verified(server, data)
        file.write_bytes(whole)

        heard: list[Event] = []
        write_migrations(folder, {"V2__b.sql": "DROP TABLE a;"})
        pgratchet.up(server.url(), folder, restore_point=True, observer=heard.append)
        [point] = [event.message.split("'")[1] for event in heard if isinstance(event, Noticed)]
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("SELECT pg_switch_wal()")
            last = (
                "SELECT last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1) FROM pg_stat_archiver"
            )
            eventually(lambda: connection.execute(last).fetchone() == (True,))
        (data / "recovery.signal").touch()
        settings = (
            f"restore_command = 'cp {archive}/%f %p'\narchive_mode = off\n"
            f"recovery_target_name = '{point}'\nrecovery_target_action = promote\n"
        )
        with servers._started(server.bin, place, settings) as (port, _):
            url = f"postgresql://postgres:{server.password}@127.0.0.1:{port}/postgres"
            with psycopg.connect(url) as restored:
                assert restored.execute("SELECT count(*) FROM a").fetchone() == (100,)
            assert pgratchet.status(url, folder).version == 1
    finally:
        shutil.rmtree(place, ignore_errors=True)
