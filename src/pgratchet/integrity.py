"""`migrations.lock`: what each file of the folder says, so that two branches with one version meet in git.

A line for each file, in their order, a new one last: git sees a conflict where two branches add a line at one place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgratchet import naming, parse
from pgratchet.errors import ConfigurationError
from pgratchet.model import Migration, Problem

HEAD = """\
# What each migration says. Written by `pgratchet check --write`; where git finds a conflict here, two branches
# have added migrations: `pgratchet new --renumber` moves yours above the other's, and writes this file anew.
"""
OPEN = "open"
"""Instead of the checksums of a file that is still being written."""
LINE = re.compile(r"(?P<script>\S+\.sql) +(?:open|(?P<checksum>[0-9a-f]{64}) +(?P<tree>[0-9a-f]{64}))")
MARKS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


@dataclass(frozen=True, slots=True)
class Line:
    """What was written down of a file; no checksums while it is still being written."""

    script: str
    checksum: str | None = None
    tree_checksum: str | None = None


def render(lines: Sequence[Line]) -> str:
    """The text of the file."""
    return HEAD + "".join(
        f"{line.script} {line.checksum} {line.tree_checksum}\n"
        if line.checksum
        else f"{line.script} {OPEN}\n"
        for line in lines
    )


def lines(text: str, path: Path) -> tuple[Line, ...]:
    """What a text says. Raises ConfigurationError for a line that nobody wrote so, and for a conflict of git."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = LINE.fullmatch(line.strip())
        if match is None:
            raise _wrong(path, number, line)
        found.append(Line(match["script"], match["checksum"], match["tree"]))
    return tuple(found)


def read(folder: Path) -> tuple[Line, ...] | None:
    """What the folder's lock says, or None where it has none. Raises ConfigurationError."""
    path = folder / naming.LOCK
    try:
        return lines(path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"cannot read {path}: {error}", "`pgratchet check --write` writes it."
        ) from error


def write(migrations: Sequence[Migration], unfinished: frozenset[str] = frozenset()) -> bool:
    """Write down what the files say now; tells whether that changed anything. Raises ParseError."""
    return _put(migrations[0].path.parent, [_line(migration, unfinished) for migration in migrations])


def rename(migrations: Sequence[Migration], names: Mapping[str, str]) -> None:
    """Give files that have moved their new names, where the folder has a lock; a conflict of git in it ends so.

    `names` are the old names by the new ones. What is written down of other files stays.
    """
    path = migrations[0].path.parent / naming.LOCK
    if not path.exists():
        return
    matches = map(LINE.fullmatch, path.read_text(encoding="utf-8", errors="replace").splitlines())
    known = {match["script"]: (match["checksum"], match["tree"]) for match in matches if match}
    found = []
    for item in migrations:
        before = known.get(names.get(item.script, item.script))
        found.append(Line(item.script, *before) if before else _line(item, frozenset()))
    _put(path.parent, found)


def reserve(migrations: Sequence[Migration], script: str) -> None:
    """Add a file that is about to be written, where the folder has a lock."""
    folder = migrations[0].path.parent
    known = read(folder)
    if known is not None:
        by_script = {line.script: line for line in known} | {script: Line(script)}
        _put(folder, [by_script[item.script] for item in migrations if item.script in by_script])


def problems(migrations: Sequence[Migration], *, finished: bool = False) -> tuple[Problem, ...]:
    """Where files and lock disagree; nothing where there is no lock. `finished`: no file may be open any more."""
    folder = migrations[0].path.parent if migrations else Path()
    known = read(folder) if migrations else None
    if known is None:
        return ()
    by_script = {line.script: line for line in known}
    here = {migration.script: migration for migration in migrations}
    gone = sorted(set(by_script) - set(here))
    return (
        *(
            Problem("lock", f"{folder / name}: {naming.LOCK} lists it, and it is gone", _GONE)
            for name in gone
        ),
        *_disagreements(here, by_script, finished=finished),
    )


_WRITE = "`pgratchet check --write` writes down what it says now."
_GONE = f"Put it back from version control; or, where it was taken away for good: {_WRITE}"


def _disagreements(
    here: Mapping[str, Migration], known: Mapping[str, Line], *, finished: bool
) -> Iterator[Problem]:
    for name, migration in here.items():
        line = known.get(name)
        if line is None:
            yield Problem("lock", f"{migration.path}: {naming.LOCK} does not list it", _WRITE)
        elif line.checksum is None:
            if finished:
                yield Problem("lock", f"{migration.path}: {naming.LOCK} still has it as {OPEN}", _WRITE)
        elif line.checksum != migration.checksum and line.tree_checksum != _tree(migration):
            yield Problem(
                "lock",
                f"{migration.path}: its statements are others than those that {naming.LOCK} has",
                f"Put it back from version control; or, where it was applied nowhere yet: {_WRITE}",
            )


def _put(folder: Path, found: Sequence[Line]) -> bool:
    path = folder / naming.LOCK
    text = render(found)
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") == text:
        return False
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}", None) from error
    return True


def _line(migration: Migration, unfinished: frozenset[str]) -> Line:
    if migration.script in unfinished:
        return Line(migration.script)
    return Line(migration.script, migration.checksum, _tree(migration))


def _tree(migration: Migration) -> str:
    return parse.read(migration.path).tree_checksum


def _wrong(path: Path, number: int, line: str) -> ConfigurationError:
    if line.startswith(MARKS):
        return ConfigurationError(
            f"{path}:{number}: a conflict of git: two branches have added migrations",
            "`pgratchet new --renumber` moves yours above the other's, and writes this file anew.",
        )
    return ConfigurationError(
        f"{path}:{number}: not a line of {naming.LOCK}", "`pgratchet check --write` writes it anew."
    )
