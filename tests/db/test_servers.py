"""The fixtures themselves: what the other tests rely on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests import servers
from tests.folders import write_migrations
from tests.servers import Database, Server

ROOT = Path(__file__).parents[2]
QUICK = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}


def pytest_command(file: Path, *arguments: str) -> list[str]:
    own = ["-p", "tests.conftest", "-p", "no:cacheprovider", "--rootdir", str(file.parent), "-W", "error"]
    return [sys.executable, "-m", "pytest", "-q", *own, *arguments, str(file)]


def run_pytest(folder: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a test file of its own with our fixtures."""
    file = folder / "test_inner.py"
    file.write_text(code)
    return subprocess.run(
        pytest_command(file, *arguments),
        cwd=ROOT,
        env=QUICK,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def wait_until_gone(path: Path) -> None:
    deadline = time.monotonic() + 10
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not path.exists()


def test_server_is_of_the_version_that_its_record_says(server: Server) -> None:
    with psycopg.connect(server.url()) as connection:
        assert connection.info.server_version // 10000 == server.major


def test_server_wants_a_password(server: Server) -> None:
    wrong = server.url().replace(server.password, "wrong")
    for url in (wrong, f"{wrong}?host={server.folder}"):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url)


def test_every_test_gets_an_empty_database(database: Database) -> None:
    connection = database.connect()
    assert connection.autocommit
    assert connection.info.dbname == database.name
    found = connection.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    assert found.fetchone() == (0,)


def test_pgvector_is_usable_where_the_record_says_so(database: Database) -> None:
    connection = database.connect()
    available = connection.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'")
    assert available.fetchone() == (int(database.server.has_vector),)
    if database.server.has_vector:
        connection.execute("CREATE EXTENSION vector")
        connection.execute("SELECT '[1,2]'::vector <-> '[2,3]'::vector")


def test_files_are_written_byte_for_byte(folder: Path) -> None:
    paths = write_migrations(folder, {"V1__a.sql": "SELECT 'ä';\r\n", "deeper/V2__b.sql": b"\xff"})
    assert [path.read_bytes() for path in paths] == [b"SELECT '\xc3\xa4';\r\n", b"\xff"]


def test_one_test_cannot_harm_the_next(tmp_path: Path) -> None:
    code = """
import gc, os, psycopg, signal
left = []
def test_leaves_a_session_in_its_database(database):
    left.append(psycopg.connect(database.url))
def test_finds_no_database_of_another_test(database):
    left.pop().close()
    found = database.connect().execute("SELECT datname FROM pg_database WHERE datname LIKE 'test%'")
    assert found.fetchall() == [(database.name,)]
def test_crashes_the_server(database):
    os.kill(database.connect().info.backend_pid, signal.SIGKILL)
def test_has_a_server_again(database):
    database.connect().execute("SELECT 1")
def test_forgets_to_close(database):
    psycopg.connect(database.url)
    gc.collect()
"""
    done = run_pytest(tmp_path, code, "--pg", "18")
    assert "1 failed, 4 passed in" in done.stdout, done.stdout
    assert "ResourceWarning" in done.stdout


def test_missing_server_is_a_failure_and_not_a_skip(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "def test_it(server): pass", "--pg", "99")
    assert done.returncode == 1
    assert "no PostgreSQL 99" in done.stdout


def test_markers_choose_the_versions(tmp_path: Path) -> None:
    code = """
import pytest
def test_all(server): pass
@pytest.mark.one_version
def test_newest(server): pass
@pytest.mark.pg(">=16,<18")
def test_range(database): pass
@pytest.mark.pg("<18")
@pytest.mark.one_version
def test_newest_of_range(database): pass
"""
    done = run_pytest(tmp_path, code, "--pg", "16,18", "--collect-only")
    chosen = sorted(line.split("::")[1] for line in done.stdout.splitlines() if "::" in line)
    expected = ["test_all[pg16]", "test_all[pg18]", "test_newest[pg18]"]
    assert chosen == [*expected, "test_newest_of_range[pg16]", "test_range[pg16]"]


def test_wrong_range_of_a_marker_is_an_error(tmp_path: Path) -> None:
    code = "import pytest\n@pytest.mark.pg('16+')\ndef test_it(server): pass"
    done = run_pytest(tmp_path, code)
    assert done.returncode != 0
    assert "not '16+'" in done.stdout + done.stderr


def test_killed_run_leaves_neither_server_nor_folder(tmp_path: Path) -> None:
    file = tmp_path / "test_inner.py"
    note = tmp_path / "note"
    file.write_text(f"""
import pathlib, time
def test_waits(server):
    pathlib.Path({str(note)!r}).write_text(f"{{server.pid}} {{server.folder}}\\n")
    time.sleep(60)
""")
    command = pytest_command(file, "--pg", "18")
    with subprocess.Popen(command, cwd=ROOT, env=QUICK, stdout=subprocess.DEVNULL) as run:
        deadline = time.monotonic() + 30
        while not (note.exists() and note.read_text().endswith("\n")) and time.monotonic() < deadline:
            time.sleep(0.05)
        run.send_signal(signal.SIGKILL)
    pid, folder = note.read_text().split()
    wait_until_gone(Path(folder))
    # What is left of it can only be a zombie, where no process 1 collects the orphans.
    alive = subprocess.run(
        ["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False
    ).stdout
    assert not alive or alive.startswith("Z")


def test_old_leftovers_are_removed_and_young_folders_are_not() -> None:
    old, young = (servers.make_folder() for _ in range(2))
    (old / "data").mkdir()
    os.utime(old, (1, 1))
    servers.remove_leftovers()
    assert not old.exists()
    assert young.exists()
    young.rmdir()
