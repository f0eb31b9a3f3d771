"""The embedded cluster on the disk: where its data and its programs lie, and how it is made."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pgratchet import pgtools
from pgratchet.embedded.account import LOCALE, Account, give, may_write, run, write_new
from pgratchet.errors import ConfigurationError, DatabaseUnreachable

STATE = Path("/var/lib/pgratchet")
"""Where root puts what another account has to reach and cannot, under /root for example."""

# The port is given at each start. All else is as PostgreSQL ships it: fsync is on.
SETTINGS = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data folder, made or not yet, with the programs of its version; without an account it is our own."""

    data: Path
    major: int
    bin: Path
    account: Account | None

    @property
    def log(self) -> Path:
        """What the server has said since its last start."""
        return self.data / "server.log"


@dataclass(frozen=True, slots=True)
class Access:
    """How to get in: kept beside the data, readable by the owner alone."""

    port: int
    password: str

    @property
    def url(self) -> str:
        """The same for psql, libpq, psycopg and, with `+psycopg` after the scheme, SQLAlchemy."""
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/postgres"


def majors() -> tuple[int, ...]:
    """Give the major versions that are installed, oldest first."""
    return tuple(pgtools.wheel())


def find(major: int | None = None) -> Path:
    """Find the folder of PostgreSQL's programs: of this major version, or of the newest."""
    installed = pgtools.wheel()
    if not installed:
        message = "the embedded PostgreSQL is not installed"
        raise ConfigurationError(message, "Run: pip install 'pgratchet[embedded]'")
    wanted = max(installed) if major is None else major
    if wanted not in installed:
        here = " and ".join(map(str, installed))
        raise ConfigurationError(f"the embedded PostgreSQL comes as version {here}, not as {wanted}")
    return installed[wanted]


def locate(folder: Path, major: int | None, account: Account | None) -> Cluster:
    """Say where this folder's cluster is, or will be, and with which programs it runs."""
    data = _place(folder, account)
    chosen = check_major(data, major) or major or max(majors(), default=0)
    return Cluster(data, chosen, reachable(find(chosen), chosen, account), account)


def check_major(data: Path, wanted: int | None) -> int | None:
    """Read the version of the data that is there; an error if it is not the one wanted."""
    try:
        found = int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None
    if wanted not in (None, found):
        raise ConfigurationError(
            f"the embedded database in {data} is of PostgreSQL {found}, not {wanted}",
            f"Take {found}, or dump it and start {wanted} in another folder.",
        )
    return found


def create(cluster: Cluster) -> None:
    """Make the cluster under another name first, so that one half made is never taken for a whole one."""
    half = cluster.data.with_name("data.new")
    shutil.rmtree(half, ignore_errors=True)
    password = secrets.token_hex(16)
    file = cluster.data.with_name("password")
    file.unlink(missing_ok=True)
    write_new(file, password, cluster.account)
    try:
        done = _initdb(cluster, half, file)
    finally:
        file.unlink()
    if done.returncode:
        raise failure(cluster, "could not make its data folder", done)
    write_access(half, Access(free_port(), password), cluster.account)
    half.rename(cluster.data)


def read_access(data: Path) -> Access:
    """Read the port and the password of this cluster."""
    return Access(**json.loads((data / "pgratchet.json").read_text()))


def write_access(data: Path, access: Access, account: Account | None) -> None:
    """Keep the port and the password, whole or not at all."""
    new = data / "pgratchet.json.new"
    new.unlink(missing_ok=True)
    write_new(new, json.dumps({"port": access.port, "password": access.password}), account)
    new.replace(data / "pgratchet.json")


def free_port() -> int:
    """Let the system choose a port; who listens there has to be ready to find it taken again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def failure(cluster: Cluster, what: str, done: subprocess.CompletedProcess[str]) -> DatabaseUnreachable:
    """Say what failed in the words of the server's log, or of the program where there is none."""
    log = cluster.log.read_text(errors="replace") if cluster.log.exists() else ""
    lines = (log or done.stderr or done.stdout).strip().splitlines()
    tail = "\n".join(f"  {line}" for line in lines[-10:])
    return DatabaseUnreachable(
        f"the embedded PostgreSQL {cluster.major} {what}:\n{tail}",
        f"Its data is in {cluster.data}; the whole log is server.log there.",
    )


def _place(folder: Path, account: Account | None) -> Path:
    """Say where the data lies or will lie: in the folder, or behind a link to where the account can go."""
    data = folder / "data"
    if data.is_symlink() and not data.resolve().parent.exists():
        data.unlink()  # what it led to is gone, with a container for example
    if not data.is_symlink() and not data.exists() and not may_write(account, folder):
        STATE.mkdir(mode=0o755, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=f"{folder.absolute().parent.name}-", dir=STATE))
        give(place, account)
        data.symlink_to(place / "data")
    return data.resolve()


def _initdb(cluster: Cluster, data: Path, password: Path) -> subprocess.CompletedProcess[str]:
    options = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={password}", "--data-checksums"]
    # With its own provider text sorts the same on every machine, and after every upgrade of the C library.
    provider = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if cluster.major >= 17 else []
    locale = ["--encoding=UTF8", f"--locale={LOCALE}", *provider]
    return run([cluster.bin / "initdb", *options, *locale, *SETTINGS, "-D", data], cluster.account)


def reachable(programs: Path, major: int, account: Account | None) -> Path:
    """Give the programs where the account can run them: where they are, or else a copy of them (40 MB)."""
    try:
        done = run([programs / "postgres", "--version"], account)
    except PermissionError:
        if account is None:
            raise
        # The time of the file stands for the release of the package.
        copy = STATE / f"postgresql-{major}-{(programs / 'postgres').stat().st_mtime_ns:x}"
        if not copy.exists():
            _copy(programs.parent, copy, account)
        return copy.joinpath(*programs.parts[-3:])
    if done.returncode:
        raise ConfigurationError(f"{programs}/postgres does not run on this machine: {done.stderr.strip()}")
    return programs


def _copy(installation: Path, copy: Path, account: Account) -> None:
    """Copy what the wheel has of one version, and beside it the libraries that its programs look for there."""
    half = Path("/nonexistent")
    package = installation.parent
    try:
        STATE.mkdir(mode=0o755, exist_ok=True)
        half = Path(tempfile.mkdtemp(dir=STATE))
        shutil.copytree(installation, half / "it" / package.name / installation.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, half / "it" / libraries.name, symlinks=True)
        for path in (half / "it", *(half / "it").rglob("*")):
            path.chmod(path.stat().st_mode | (0o555 if os.access(path, os.X_OK) else 0o444))
        (half / "it").rename(copy)
    except OSError as problem:
        if not copy.exists():  # another run has been quicker
            raise ConfigurationError(
                f"the account {account.name} cannot run the programs in {installation}, "
                f"and they cannot be copied to {STATE}: {problem.strerror}",
                "Install pgratchet where every account can read it, or do not run as root.",
            ) from problem
    finally:
        shutil.rmtree(half, ignore_errors=True)
