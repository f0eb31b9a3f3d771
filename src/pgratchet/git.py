"""What git knows of the migrations folder: the only module that runs it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pgratchet.errors import ConfigurationError

REGULAR = {"100644", "100755"}
"""Modes of files; a link or another repository among the migrations is none."""
HOOKS = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}
"""What git tells its hooks: with a repository named so, it would take the folder of the migrations for its root."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository that a folder lies in; `folder` counts from `root`, as git's own paths do."""

    root: Path
    folder: str

    def path(self, name: str) -> str:
        """A file of the folder as git names it."""
        return name if self.folder == "." else f"{self.folder}/{name}"


@dataclass(frozen=True, slots=True)
class Branches:
    """Two commits to compare with: the tip of the base, and where our work left it."""

    base: str
    """As the caller named it."""
    tip: str
    fork: str


def repository(folder: Path) -> Repository | None:
    """The repository around a folder, which may be a linked worktree; None where there is none."""
    if not folder.is_dir():
        return None
    found = _try(folder, "rev-parse", "--show-toplevel")
    if found is None:
        return None
    root = Path(found.strip())
    return Repository(root, folder.resolve().relative_to(root.resolve()).as_posix())


def branches(here: Repository, base: str) -> Branches:
    """The base and the place where HEAD left it. Raises ConfigurationError that says what to fetch."""
    tip = _commit(here, base)
    if tip is None:
        raise ConfigurationError(f"git knows no commit {base} here", _fetch(here, base))
    fork = _try(here.root, "merge-base", tip, "HEAD")
    if fork is None:
        raise ConfigurationError(
            f"git knows no commit that {base} and HEAD have in common", _fetch(here, base)
        )
    return Branches(base, tip, fork.strip())


def files(here: Repository, commit: str) -> tuple[str, ...]:
    """The names of the files that stand in the folder at a commit, without those in folders below it."""
    below = () if here.folder == "." else ("--", f"{here.folder}/")
    listed = _run(here.root, "ls-tree", "-z", commit, *below)
    entries = (entry.partition("\t") for entry in listed.split("\0") if entry)
    return tuple(path.rpartition("/")[2] for kind, _, path in entries if kind.split()[0] in REGULAR)


def changed(here: Repository, commit: str) -> frozenset[str]:
    """The names of the commit's files that the working tree has otherwise, or not at all."""
    listed = _run(here.root, "diff", "-z", "--name-only", "--no-renames", commit, "--", here.folder)
    folder = "" if here.folder == "." else f"{here.folder}/"
    return frozenset(name.removeprefix(folder) for name in listed.split("\0") if name)


def content(here: Repository, commit: str, name: str) -> bytes:
    """A file as it stands in a commit."""
    return _bytes(here.root, "cat-file", "blob", f"{commit}:{here.path(name)}")


def author(here: Repository, commit: str, name: str) -> str | None:
    """Who added a file, as far as the history here goes back; None where that cannot be told.

    A shallow clone's oldest commit seems to add every file, so it tells nothing.
    """
    told = _run(here.root, "log", "-1", "--diff-filter=A", "--format=%H %an", commit, "--", here.path(name))
    by, _, person = told.strip().partition(" ")
    return person if person and by not in _edge(here) else None


def _edge(here: Repository) -> frozenset[str]:
    path = here.root / _run(here.root, "rev-parse", "--git-path", "shallow").strip()
    return frozenset(path.read_text(encoding="ascii").split()) if path.exists() else frozenset()


def _commit(here: Repository, name: str) -> str | None:
    found = _try(here.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return found.strip() if found else None


def _fetch(here: Repository, base: str) -> str:
    """What brings a missing commit here."""
    remotes = _run(here.root, "remote").split()
    if not remotes:
        return "There is no remote to fetch it from: name another commit with --base."
    first, _, rest = base.partition("/")
    remote, branch = (first, rest) if rest and first in remotes else (remotes[0], base)
    refs = f"{remote} {branch}:refs/remotes/{remote}/{branch}"
    then = "" if base == f"{remote}/{branch}" else f", and --base {remote}/{branch}"
    if _run(here.root, "rev-parse", "--is-shallow-repository").strip() == "true":
        return (
            f"This clone is shallow: `git fetch --unshallow {refs}`{then}; in CI, let the checkout fetch all."
        )
    return f"`git fetch {refs}`{then}"


def _run(folder: Path, *arguments: str) -> str:
    return os.fsdecode(_bytes(folder, *arguments))


def _bytes(folder: Path, *arguments: str) -> bytes:
    done = _git(folder, *arguments)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip()
        raise ConfigurationError(f"git {arguments[0]} failed: {reason}", None)
    return done.stdout


def _try(folder: Path, *arguments: str) -> str | None:
    """The answer, or None where git has none; what stops git altogether is an error."""
    done = _git(folder, *arguments)
    if b"dubious ownership" in done.stderr:
        raise ConfigurationError(
            f"git does not trust {folder}, which another user owns",
            f"`git config --global --add safe.directory {folder}`",
        )
    return None if done.returncode else os.fsdecode(done.stdout)


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", str(folder), "--no-pager", "-c", "core.quotePath=false", *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in HOOKS}
    try:
        return subprocess.run(command, capture_output=True, check=False, env={**environment, "LC_ALL": "C"})
    except FileNotFoundError as error:
        raise ConfigurationError(
            "git is not installed, or not on PATH", "Install it, or leave out --base."
        ) from error
