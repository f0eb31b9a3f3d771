"""A comparison that is stopped leaves nothing on the server."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet import embedded, scratch
from tests.crash.process import ROOT, eventually
from tests.folders import write_migrations
from tests.servers import Database

pytestmark = pytest.mark.one_version

SLOW = "SELECT pg_sleep(CASE WHEN current_database() LIKE 'pgratchet_scratch%' THEN 600 ELSE 0 END);"
ASLEEP = "SELECT FROM pg_stat_activity WHERE datname LIKE 'pgratchet_scratch%' AND wait_event = 'PgSleep'"


@pytest.mark.parametrize(("end", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_and_the_scratch_database_is_gone(
    database: Database, folder: Path, end: signal.Signals, code: int
) -> None:
    write_migrations(folder, {"V1__a.sql": SLOW})
    pgratchet.up(database.url, folder)
    connection = database.connect()
    command = [
        sys.executable,
        "-m",
        "pgratchet",
        "drift",
        "--same-server",
        "--url",
        database.url,
        "--dir",
        str(folder),
    ]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        eventually(lambda: connection.execute(ASLEEP).fetchall())
        process.send_signal(end)
        _, told = process.communicate(timeout=60)
    assert process.returncode == code, told
    assert "Traceback" not in told
    query = "SELECT datname FROM pg_database WHERE datname LIKE 'pgratchet_scratch%'"
    assert not connection.execute(query).fetchall()


def test_a_server_that_a_killed_run_left_is_stopped_and_deleted_when_it_is_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    old = place / f"{scratch.PREFIX}{int(time.time()) - 90_000}_0123abcd"
    young = place / f"{scratch.PREFIX}{int(time.time())}_0123abcd"
    young.mkdir()
    url = embedded.start(old)
    try:
        scratch._remove_servers()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
        assert not old.exists()
        assert young.exists()
    finally:
        scratch._remove_server(old)
        shutil.rmtree(place)
