"""What the example's tests share: its settings, its pool, its service, and people of the development seeds."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from examples.semantic_kernel_app.settings import Settings
from examples.semantic_kernel_app.starting import application_url
from examples.semantic_kernel_app.tenancy import Person, TenantPool, working_for
from tests.servers import Database

T = TypeVar("T")
ROOT = Path(__file__).parent.parent.parent
ADA = Person(UUID("0d000000-0000-7000-8000-000000000001"), UUID("0d000000-0000-7000-8000-000000000011"))
LENA = Person(UUID("0d000000-0000-7000-8000-000000000002"), UUID("0d000000-0000-7000-8000-000000000021"))


def settings_for(database: Database, demo_login: str = "ada@harbour.example") -> Settings:
    folder = str(ROOT / "database" / "migrations")
    return Settings(database.url, database.url, migrations=folder, demo_login=demo_login, wait=300)


def as_person(database: Database, person: Person, work: Callable[[TenantPool], Awaitable[T]]) -> T:
    """Run work with the application's own pool, for a person."""

    async def run() -> T:
        async with TenantPool(application_url(settings_for(database)), min_size=1, open=False) as pool:
            with working_for(person.tenant_id):
                return await work(pool)

    return asyncio.run(run())


@contextmanager
def process(url: str, port: int, log: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service as a process of its own; it is ended by SIGTERM."""
    environment = {**os.environ, "DATABASE_URL": url, "PORT": str(port), **variables}
    with log.open("wb") as output:
        command = [sys.executable, "-m", "examples.semantic_kernel_app"]
        running = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield running
        finally:
            running.terminate()
            running.wait(30)


def await_health(running: subprocess.Popen[bytes], port: int, log: Path) -> str:
    """Wait until a service says that it is well; fails where it has ended."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert running.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
