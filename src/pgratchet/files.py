"""The migrations folder: what stands in it, in order, or every reason why that cannot be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from pgratchet import naming
from pgratchet.errors import ConfigurationError, FilesError
from pgratchet.model import Kind, Migration, Problem

KINDS = {"V": Kind.VERSIONED, "B": Kind.BASELINE, "R": Kind.REPEATABLE}
RULE = "V<version>__<description>.sql, with two underscores and the description in snake_case"


def read(folder: Path) -> tuple[Migration, ...]:
    """The migrations of a folder: baselines and versioned ones by version, then repeatables by name.

    Raises FilesError with every problem found, ConfigurationError where there is no such folder.
    """
    found, problems = look(folder)
    if problems:
        raise FilesError(problems)
    return found


def look(folder: Path) -> tuple[tuple[Migration, ...], tuple[Problem, ...]]:
    """The migrations of a folder in the same order, and every problem found beside them."""
    found: list[Migration] = []
    problems: list[Problem] = []
    for path in _entries(folder):
        try:
            found.append(_migration(path))
        except FilesError as error:
            problems.extend(error.problems)
    found.sort(key=_order)
    problems.extend(_duplicates(found))
    return tuple(found), tuple(problems)


def next_version(migrations: Sequence[Migration]) -> str:
    """The version that a new file takes, as wide as the newest one is written."""
    numbered = [migration for migration in migrations if migration.version is not None]
    if not numbered:
        return "001"
    newest = numbered[-1]
    written = newest.script[1:].partition("__")[0]
    return str((newest.version or 0) + 1).zfill(len(written))


def seeds(folder: Path, environment: str) -> tuple[Migration, ...]:
    """The seed files of an environment, in the order of their names.

    Raises ConfigurationError for `production` and for a folder that is missing or holds no SQL.
    """
    if environment == "production":
        raise ConfigurationError(
            "seeds are for development and tests, never for production",
            "Data that production needs belongs into a migration.",
        )
    place = folder / environment
    known = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if environment not in known:
        others = f"There are some for {', '.join(known)}; or put" if known else "Put"
        raise ConfigurationError(
            f"there are no seeds for {environment} in {folder}",
            f"{others} .sql files into a folder of that name there.",
        )
    paths = [path for path in sorted(place.iterdir()) if path.suffix == ".sql" and path.name[0] != "."]
    if not paths:
        raise ConfigurationError(f"{place} holds no .sql file", "Write one, or name another environment.")
    return tuple(Migration(Kind.REPEATABLE, None, path.stem, path, _checksum(path)) for path in paths)


def _entries(folder: Path) -> Iterator[Path]:
    try:
        names = sorted(folder.iterdir())
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"there is no folder {folder}", "Name it with --dir, or make it with `pgratchet init`."
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the folder {folder}: {error.strerror}",
            "Name the folder of the migrations with --dir.",
        ) from error
    for path in names:
        if not naming.ignored(path.name):
            yield path


def _migration(path: Path) -> Migration:
    name = naming.read(path.name)
    if name is None or path.is_dir():
        raise FilesError((_misnamed(path),))
    return Migration(KINDS[name.prefix], name.version, name.description, path, _checksum(path))


def _misnamed(path: Path) -> Problem:
    if path.is_dir():
        return Problem("folder", f"{path}: a folder among the migrations", "Move it elsewhere.", path.name)
    better = naming.suggestion(path.name)
    hint = f"Rename it to {better}." if better else f"Name it {RULE}."
    return Problem("name", f"{path}: not a migration's name ({RULE})", hint, path.name)


def _checksum(path: Path) -> str:
    try:
        checksum = naming.checksum(str(path))
    except OSError as error:
        hint = "Let the user that runs pgratchet read it."
        raise FilesError(
            (Problem("unreadable", f"{path}: cannot be read: {error.strerror}", hint, path.name),)
        ) from error
    if checksum is None:
        hint = "Write the migration, or delete the file."
        raise FilesError((Problem("empty", f"{path}: the file is empty", hint, path.name),))
    return checksum


def _order(migration: Migration) -> tuple[int, int, str, str]:
    """Baselines stand before the versioned file of their number; repeatables are last."""
    last = migration.version is None
    kind = 0 if migration.kind is Kind.BASELINE else 1
    return (int(last), migration.version or 0, str(kind), migration.description)


def _duplicates(found: Sequence[Migration]) -> Iterator[Problem]:
    for one, other in pairwise(found):
        if one.version is not None and one.version == other.version and one.kind is other.kind:
            yield Problem(
                "duplicate",
                f"{one.path} and {other.path}: two files with version {one.version}",
                "Give the newer one the next free version.",
                other.script,
            )
