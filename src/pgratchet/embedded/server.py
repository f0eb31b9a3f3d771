"""The embedded server as a process: one for each folder, however many start it at once."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from pgratchet.embedded import account as accounts
from pgratchet.embedded import cluster as clusters
from pgratchet.embedded.account import Account
from pgratchet.embedded.cluster import Cluster
from pgratchet.errors import ConfigurationError, DatabaseUnreachable

PATIENCE = 120.0
"""Seconds for a start or a stop: a killed server has to replay its log first."""

NO_PROCESS = 2**31 - 1
"""A number that no system gives to a process."""


def start(folder: Path, major: int | None = None) -> str:
    """Start the server of this folder, made first if need be, and return its URL.

    The lock passes to the server, all of whose processes hold it until the last one ends. So it alone tells
    who runs: a process number that somebody else has got since, a reboot, two starts at once, or two
    containers with one folder cannot fool it.
    """
    with _explained(folder):
        account = _prepare(folder)
        deadline = time.monotonic() + PATIENCE
        with _opened(folder) as lock:
            while not _take(lock, fcntl.LOCK_EX):
                if found := _ready_url(folder / "data"):
                    clusters.check_major(folder / "data", major)
                    return found
                if time.monotonic() > deadline:
                    raise DatabaseUnreachable(
                        f"the embedded PostgreSQL in {folder} is neither up nor down after {PATIENCE:.0f} s",
                        f"See {folder / 'data' / 'server.log'}.",
                    )
                time.sleep(0.05)
            return _start(clusters.locate(folder, major, account), lock)


def stop(folder: Path) -> bool:
    """Stop the server of this folder; False if none ran. Sessions are ended; what they committed is kept."""
    if not is_running(folder):
        return False
    with _explained(folder):
        cluster = clusters.locate(folder, None, accounts.choose(folder))
        done = _pg_ctl(cluster, ["stop", "-m", "fast"])
    if done.returncode:
        raise clusters.failure(cluster, "did not stop", done)
    return True


def url(folder: Path) -> str | None:
    """Give the URL of this folder's server; None while it does not run, or is not ready."""
    with _explained(folder):
        try:
            with _opened(folder) as lock:
                return None if _take(lock, fcntl.LOCK_SH) else _ready_url(folder / "data")
        except FileNotFoundError:
            return None


def major(folder: Path) -> int | None:
    """Give the major version of this folder's data; None while there are none."""
    with _explained(folder):
        return clusters.check_major(folder / "data", None)


def is_running(folder: Path) -> bool:
    """Tell whether this folder's server accepts connections."""
    return url(folder) is not None


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into a sentence."""
    try:
        yield
    except OSError as problem:
        raise ConfigurationError(
            f"cannot keep the embedded PostgreSQL in {folder}: {problem.strerror}: {problem.filename}",
            "Run as the account that owns the folder, or name a database with --url.",
        ) from problem


def _prepare(folder: Path) -> Account | None:
    """Make what is missing of the folder, for the server's account; what is there stays as it is."""
    account = accounts.choose(folder)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
        accounts.give(folder, account)
    for name, text in ((".gitignore", "*\n"), ("lock", "")):
        with suppress(FileExistsError):
            accounts.write_new(folder / name, text, account)
    return account


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder / "lock", os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)  # and no LOCK_UN, which would take it from the server as well


def _take(descriptor: int, mode: int) -> bool:
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _ready_url(data: Path) -> str | None:
    """Read what the server says of itself: line 4 is its port, line 8 "ready" once it takes connections.

    A killed one says so still, and has processes for a moment more: so knock at its door as well.
    """
    try:
        lines = (data / "postmaster.pid").read_text().split("\n")
        access = clusters.read_access(data)
    except FileNotFoundError:
        return None
    ready = len(lines) > 7 and lines[7].strip() == "ready" and _answers(int(lines[3]))
    return replace(access, port=int(lines[3])).url if ready else None


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _start(cluster: Cluster, lock: int) -> str:
    """Start on the port of last time, so that a URL written down stays true; on another if it is taken."""
    if not cluster.data.exists():
        clusters.create(cluster)
    _forget_stale_process(cluster.data, cluster.account)
    last = clusters.read_access(cluster.data)
    ports = (last.port if _is_free(last.port) else clusters.free_port(), clusters.free_port())
    for port in ports:
        done = _start_on(cluster, port, lock)
        if done.returncode == 0:
            access = replace(last, port=port)
            clusters.write_access(cluster.data, access, cluster.account)
            return access.url
        if "Address already in use" not in cluster.log.read_text(errors="replace"):
            break
    raise clusters.failure(cluster, "did not start", done)


def _start_on(cluster: Cluster, port: int, lock: int) -> subprocess.CompletedProcess[str]:
    with suppress(FileNotFoundError):
        cluster.log.replace(cluster.log.with_suffix(".log.old"))
    return _pg_ctl(cluster, ["start", "-l", cluster.log, "-o", f"-p {port}"], lock)


def _pg_ctl(
    cluster: Cluster, arguments: list[str | Path], keep: int | None = None
) -> subprocess.CompletedProcess[str]:
    command = [cluster.bin / "pg_ctl", *arguments, "-D", cluster.data, "-t", str(int(PATIENCE))]
    return accounts.run(command, cluster.account, keep)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _forget_stale_process(data: Path, account: Account | None) -> None:
    """Strike out a process number in which PostgreSQL would believe, since somebody else has it by now.

    We hold the lock, so it is no server of ours; one that somebody has started by hand must stay, though.
    The rest of the file stays as well: by it PostgreSQL finds and frees the memory of its predecessor.
    """
    file = data / "postmaster.pid"
    with suppress(FileNotFoundError):
        pid, _, rest = file.read_text().partition("\n")
        if _is_unrelated(pid, data):
            file.unlink()
            accounts.write_new(file, f"{NO_PROCESS}\n{rest}", account)


def _is_unrelated(pid: str, data: Path) -> bool:
    """Tell whether a process lives and works elsewhere, or is a zombie that its container never collects."""
    if not Path("/proc/self/cwd").exists():  # macOS
        command = ["/bin/ps", "-o", "args=", "-p", pid]
        alive = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return bool(alive) and str(data) not in alive
    try:
        return Path(f"/proc/{pid}/cwd").readlink() != data
    except FileNotFoundError:
        return Path(f"/proc/{pid}").exists()
    except PermissionError:  # of another account: PostgreSQL sees through that by itself
        return False
