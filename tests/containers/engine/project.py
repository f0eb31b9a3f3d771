"""The project's compose.yaml, unedited, in a folder of its own: so a test can add files to it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.containers.declared import ROOT

COMPOSE = shlex.split(os.environ.get("COMPOSE", "docker compose"))
IMAGE = "pgratchet:local"
NUMBERS = count(1)
# Any free port: several projects run at the same time.
os.environ["APP_PORT"] = os.environ["CHAT_PORT"] = "0"


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    output: str
    seconds: float


def run(*command: str, within: float = 300) -> Done:
    """Run a command; its two outputs come back as one."""
    began = time.monotonic()
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=within,
        check=False,
    )
    return Done(done.returncode, done.stdout, time.monotonic() - began)


def docker(*arguments: str) -> str:
    """Run docker, which must succeed; gives its output."""
    done = run("docker", *arguments)
    assert done.code == 0, f"docker {' '.join(arguments)}: {done.output}"
    return done.output.strip()


class Project:
    """One compose project of its own: containers, network, volume, and a copy of the files it mounts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"pgratchet-test-{os.getpid()}-{next(NUMBERS)}"
        shutil.copytree(ROOT / "deploy" / "compose", folder / "deploy" / "compose")
        (folder / "database" / "seeds").mkdir(parents=True)
        # What is tested is the containers; the application's own migrations have their tests.
        self.migrations = folder / "database" / "migrations"
        self.migrations.mkdir()
        self.secrets = folder / "deploy" / "compose" / "development"
        self._database = ""

    def use_the_projects_own_database_folder(self) -> None:
        shutil.rmtree(self.folder / "database")
        shutil.copytree(ROOT / "database", self.folder / "database")

    def compose(self, *arguments: str, within: float = 300) -> Done:
        place = ["-f", str(ROOT / "compose.yaml"), "--project-directory", str(self.folder), "-p", self.name]
        return run(*COMPOSE, *place, *arguments, within=within)

    def up(self, *arguments: str) -> Done:
        return self.compose("up", "-d", "--no-build", *arguments)

    def start_database(self) -> None:
        started = self.up("database")
        assert started.code == 0, started.output
        self.await_database()

    def await_database(self) -> None:
        [container] = self.containers("database")
        wait_until(lambda: docker("inspect", "-f", "{{.State.Health.Status}}", container) == "healthy")

    def containers(self, service: str) -> list[str]:
        """Give a service's containers; past compose, whose older program takes a second for each call."""
        labels = {"project": self.name, "service": service, "oneoff": "False"}
        filters = [f"--filter=label=com.docker.compose.{name}={value}" for name, value in labels.items()]
        return docker("ps", "-a", "-q", "--no-trunc", *filters).split()

    def state(self, service: str) -> str:
        """Give 'running', 'created', 'exited 0' …, or 'absent'."""
        found = self.containers(service)
        if not found:
            return "absent"
        [container] = found
        status, code = docker("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", container).split()
        return f"exited {code}" if status == "exited" else status

    def ended(self, container: str, within: float = 180) -> int:
        """Wait for a container's end; gives its exit code."""
        return int(docker_wait(container, within))

    def logs(self, service: str) -> str:
        return self.compose("logs", "--no-color", service).output

    def ask(self, *queries: str, database: str = "semantic_kernel") -> str:
        """Ask the database, in its container."""
        if not self._database:
            [self._database] = self.containers("database")
        each = [word for query in queries for word in ("-c", query)]
        return docker("exec", self._database, "psql", "-XAtq", "-U", "user", "-d", database, *each)

    def empty(self) -> None:
        """Make the running database as it was at first: a new server for each test would take most of the time."""
        drop = "DROP DATABASE semantic_kernel WITH (FORCE)"
        self.ask(drop, "CREATE DATABASE semantic_kernel", database="postgres")
        for path in self.migrations.iterdir():
            path.unlink()

    def start_migrate(self) -> str:
        """Start another `migrate` beside the service's own; gives its container."""
        done = self.compose("run", "-d", "--no-deps", "migrate")
        assert done.code == 0, done.output
        return done.output.split()[-1]

    def remove(self) -> None:
        self.compose("--profile", "chat", "down", "--volumes", "--remove-orphans", "-t", "2")


def docker_wait(container: str, within: float) -> str:
    done = run("docker", "wait", container, within=within)
    assert done.code == 0, done.output
    return done.output.strip()


def wait_until(holds: object, within: float = 180) -> float:
    """Wait until a function gives something true; gives the seconds that took."""
    assert callable(holds)
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within, f"not so within {within} s"
        time.sleep(0.3)  # each look costs a process or three
    return time.monotonic() - began
