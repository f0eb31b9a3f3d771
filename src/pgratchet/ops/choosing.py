"""Which of the files `check` tells of: those that were named, that are new since a base, that are still to be run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from pgratchet import lane, naming, plan
from pgratchet.errors import ConfigurationError
from pgratchet.model import Applied, Kind, Migration, Status


def names(
    folder: Path,
    migrations: Sequence[Migration],
    only: Sequence[str | Path],
    against: lane.Base | None,
    applied: Collection[str] | None,
) -> Collection[str] | None:
    """Their names; None for all, where nothing says which of them matter."""
    if not only and against is None and applied is None:
        return None
    found = {migration.script for migration in migrations}
    if only:
        found &= set(_named(folder, only, found))
    if against is not None:
        found &= {migration.script for migration in lane.touched(migrations, against)}
    return found - set(applied or ())


def applied(migrations: Sequence[Migration], rows: Sequence[Applied]) -> set[str]:
    """The files that a database has run as they are, or that a baseline stood for there."""
    known = {plan.identity(row): row for row in rows}
    begun = max((row.version or 0 for row in rows if row.kind is Kind.BASELINE), default=-1)
    done = set()
    for migration in migrations:
        row = known.get(plan.identity(migration))
        current = migration.version is not None or (row is not None and row.checksum == migration.checksum)
        covered = migration.version is not None and migration.version <= begun
        if covered or (row is not None and row.status is Status.APPLIED and current):
            done.add(migration.script)
    return done


def _named(folder: Path, only: Sequence[str | Path], known: Collection[str]) -> Iterator[str]:
    for path in map(Path, only):
        inside = path.resolve().parent == folder.resolve()
        if inside and path.name in known:
            yield path.name
        elif not inside or not (path.exists() or naming.ignored(path.name)):
            raise ConfigurationError(f"{path} is no migration of {folder}", "Name its folder with --dir.")
