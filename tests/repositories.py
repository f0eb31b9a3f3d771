"""Real git repositories for the tests, with people of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.folders import write_migrations

FOLDER = "database/migrations"
IDENTITY = (
    "-c",
    "user.email=someone@example.org",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "init.defaultBranch=main",
)


@dataclass(frozen=True)
class Work:
    """A working tree."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / FOLDER

    def git(self, *arguments: str, author: str = "Ann") -> str:
        command = ["git", "-C", str(self.root), *IDENTITY, "-c", f"user.name={author}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | bytes], author: str = "Ann") -> None:
        """Write files of the migrations folder, and commit all that the tree has."""
        write_migrations(self.folder, files)
        self.git("add", "--all", author=author)
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change", author=author)


def new(path: Path, files: Mapping[str, str | bytes]) -> Work:
    """Make a repository whose branch `main` has these migrations."""
    path.mkdir(parents=True)
    work = Work(path)
    work.git("init", "--quiet")
    work.commit(files)
    return work


def clone(of: Work, path: Path, *arguments: str) -> Work:
    of.git("clone", "--quiet", *arguments, f"file://{of.root}", str(path))
    return Work(path)
