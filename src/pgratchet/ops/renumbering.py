"""The verb that moves a branch's own new files above those that its base got meanwhile."""

from __future__ import annotations

from pathlib import Path

from pgratchet import files, git, integrity, lane
from pgratchet.config import Settings
from pgratchet.errors import ConfigurationError, FilesError
from pgratchet.ops.reaching import settings_of


def renumber(
    base: str = "origin/main",
    directory: str | Path | None = None,
    *,
    settings: Settings | None = None,
) -> tuple[tuple[Path, Path], ...]:
    """Rename the new files whose version the base has, or has passed; returns each old path with the new one.

    Their order stays. Raises ConfigurationError outside of a repository and where the base is not there,
    FilesError for a file that has no version to begin with.
    """
    folder = Path((settings or settings_of(None, directory)).directory)
    migrations, problems = files.look(folder)
    if wrong := tuple(problem for problem in problems if problem.code != "duplicate"):
        raise FilesError(wrong)
    here = git.repository(folder)
    if here is None:
        raise ConfigurationError(f"{folder} is in no git repository", "Renumbering compares with a branch.")
    moves = lane.renumbered(migrations, lane.read(here, git.branches(here, base), migrations))
    # The last one first: so each finds its place empty.
    for before, after in reversed(moves):
        _move(before, after)
    if migrations:
        integrity.rename(files.read(folder), {after.name: before.name for before, after in moves})
    return moves


def _move(before: Path, after: Path) -> None:
    if after.exists():
        raise ConfigurationError(
            f"cannot rename {before} to {after}: it is there already", "Rename it first."
        )
    try:
        before.rename(after)
    except OSError as error:
        raise ConfigurationError(f"cannot rename {before}: {error.strerror}", None) from error
