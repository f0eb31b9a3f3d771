"""The real pgbouncer, in front of a test's database."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from tests.servers import Database, _account, _free_port, _own, make_folder

MISSING = "pgbouncer is not on the PATH: apt-get install pgbouncer, or deselect with -m 'not pgbouncer'"
SETTINGS = """
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def pooling(database: Database, mode: str, size: int = 20) -> Iterator[str]:
    """Run a pgbouncer of its own; gives the URL that leads through it."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.fail(MISSING)
    folder = make_folder()
    port = _free_port()
    _write(folder / "users", f'"postgres" "{database.server.password}"\n')
    text = SETTINGS.format(server=database.server.port, port=port, folder=folder, mode=mode, size=size)
    _write(folder / "pgbouncer.ini", text)
    _own(folder)
    process = subprocess.Popen(
        [program, folder / "pgbouncer.ini"],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **_account(),
    )
    url = conninfo.make_conninfo(database.url, port=port, sslmode="disable")
    try:
        _wait(port)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)  # at once; SIGINT would wait for its clients
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    _own(path)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline, "pgbouncer did not start"
            time.sleep(0.02)
        else:
            return


def sessions(database: Database) -> list[tuple[object, ...]]:
    """What clients have left in the server's sessions that the pooler keeps: a lock or none, by process."""
    query = (
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with psycopg.connect(database.url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()
