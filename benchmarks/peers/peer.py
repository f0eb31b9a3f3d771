"""What a peer is: a record, and the migrations that it is given."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.install import Install


@dataclass(frozen=True, slots=True)
class Migration:
    """One change, as plain SQL in a file of its own."""

    number: int
    source: Path

    @property
    def name(self) -> str:
        return f"change_{self.number}"

    @property
    def sql(self) -> str:
        return self.source.read_text()

    def write(self, target: Path, before: str = "", after: str = "") -> None:
        """Write the change as a peer wants it; in pieces, since it may be 200 MB."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out, self.source.open("rb") as file:
            out.write(before.encode())
            shutil.copyfileobj(file, out, 1 << 20)
            out.write(after.encode())


@dataclass(frozen=True, slots=True)
class Project:
    """The same migrations for everybody, and a place to lay them out for one peer."""

    folder: Path
    programs: Path
    """The server's own, psql among them: what Debian calls psql is a script that finds it."""
    host: str
    port: int
    user: str
    database: str
    migrations: tuple[Migration, ...]

    @property
    def url(self) -> str:
        return f"{self.postgresql}?sslmode=disable"

    @property
    def postgresql(self) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.database}"

    @property
    def sql(self) -> Path:
        """Where a peer's migrations are laid out, where it lets us choose."""
        return self.folder / "migrations"

    def write(self, name: str, text: str) -> None:
        """Write a file of settings."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


Command = Callable[[Path, Project], list[str]]


def nothing(_home: Path, _project: Project) -> dict[str, str]:
    """No variables but those that every command gets."""
    return {}


@dataclass(frozen=True, slots=True)
class Peer:
    """How to install a tool, to lay out a project for it, and to bring a database up to date.

    Every function gets the folder that the tool is installed in, then the project.
    """

    name: str
    install: Install
    prepare: Callable[[Path, Project], None]
    command: Command
    environment: Callable[[Path, Project], dict[str, str]] = nothing
    idle: Command | None = None
    """The command with nothing to do, where that is another one."""
    starts: bool = True
    """Whether it takes part with nothing to do."""
    most: int = 10_000
    """The most files that it gets through in a time worth waiting for."""
    whole: bool = True
    """Whether it takes part with one file of 200 MB."""
    api: str = ""
    """Python that defines `up(url, folder)`, for a tool that can be called inside a process."""
    python: Callable[[Path], Path] = lambda home: home / "bin" / "python"
    """Which interpreter that is for."""
