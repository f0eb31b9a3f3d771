"""The rules of a pull request: what the base has stays as it is, and what is new comes above it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pgratchet import git, naming, parse
from pgratchet.errors import ParseError
from pgratchet.findings import Finding, Severity
from pgratchet.model import Kind, Migration

NOBODY_YET = "not committed yet"


@dataclass(frozen=True, slots=True)
class Base:
    """What the base has in the folder of the migrations."""

    name: str
    fork: frozenset[str]
    """The files that were there when our work left the base."""
    tip: frozenset[str]
    """Those that are there now."""
    edited: frozenset[str] = frozenset()
    """Files of both whose statements are others here."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """Files of both that are gone here, and the new file that says what they said."""
    same: frozenset[str] = frozenset()
    """Files that are new on the base, and here are just the same."""
    authors: Mapping[str, str] = field(default_factory=dict)
    """Who added a file, for those whose version was taken twice."""

    @property
    def newest(self) -> int:
        """The highest version of the base; -1 for none."""
        names = (naming.read(name) for name in self.fork | self.tip)
        return max((name.version for name in names if name and name.version is not None), default=-1)


def read(here: git.Repository, branches: git.Branches, migrations: Sequence[Migration]) -> Base:
    """The base as git has it. Raises ConfigurationError."""
    fork, tip = _names(here, branches.fork), _names(here, branches.tip)
    ours = {migration.script: migration for migration in migrations}
    changed = git.changed(here, branches.fork) & git.changed(here, branches.tip)
    before = {name: git.content(here, branches.fork, name) for name in changed & fork & tip}
    there = {name: git.content(here, branches.tip, name) for name in (tip - fork) & set(ours)}
    found = Base(
        name=branches.base,
        fork=fork,
        tip=tip,
        edited=frozenset(n for n, text in before.items() if n in ours and not _says(ours[n].path, text)),
        moved=dict(_moves(ours, before, fork)),
        same=frozenset(name for name, text in there.items() if _says(ours[name].path, text)),
    )
    return replace(found, authors=dict(_authors(here, branches, list(_taken(migrations, found)))))


def own(migrations: Sequence[Migration], base: Base) -> tuple[Migration, ...]:
    """The files that are new here: the base has them under no name, or has others of their name."""
    renamed = set(_renamed(migrations, base).values())
    return tuple(
        migration for migration in migrations if migration.script not in base.fork | base.same | renamed
    )


def touched(migrations: Sequence[Migration], base: Base) -> tuple[Migration, ...]:
    """The files that merging would bring or change."""
    new = own(migrations, base)
    return tuple(item for item in migrations if item in new or item.script in base.edited)


def findings(folder: Path, migrations: Sequence[Migration], base: Base) -> tuple[Finding, ...]:
    """Everything that merging these files into the base would do wrong."""
    renamed = _renamed(migrations, base)
    baselines = (migration.version or 0 for migration in migrations if migration.kind is Kind.BASELINE)
    covered = max(baselines, default=-1)
    gone = [name for name in sorted(_gone(migrations, base)) if _version(name) > covered]
    taken = list(_taken(migrations, base))
    return (
        *(_edited(folder / name, base) for name in sorted(base.edited) if _version(name) >= 0),
        *(_moved(folder / name, renamed.get(name), base) for name in gone),
        *(_collision(ours, theirs, base) for ours, theirs in taken),
        *_too_low(migrations, base, {ours.script for ours, _ in taken}),
    )


def renumbered(migrations: Sequence[Migration], base: Base) -> tuple[tuple[Path, Path], ...]:
    """Where our own new files have to move so that all are above the base, in the order that they have now."""
    moves = []
    newest = base.newest
    for migration in _versioned(own(migrations, base)):
        version = max(migration.version or 0, newest + 1)
        written = migration.script[1:].partition("__")[0]
        name = f"V{str(version).zfill(len(written))}__{migration.description}.sql"
        if version != migration.version:
            moves.append((migration.path, migration.path.with_name(name)))
        newest = version
    return tuple(moves)


def _moves(
    ours: Mapping[str, Migration], before: Mapping[str, bytes], fork: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Each file that is gone, with a new one that says the same."""
    for name in before.keys() - ours.keys():
        for script, migration in ours.items():
            if script not in fork and _says(migration.path, before[name]):
                yield name, script


def _authors(
    here: git.Repository, branches: git.Branches, taken: Sequence[tuple[Migration, str]]
) -> Iterator[tuple[str, str]]:
    committed = set(git.files(here, "HEAD")) if taken else set()
    for ours, theirs in taken:
        mine = git.author(here, "HEAD", ours.script) if ours.script in committed else NOBODY_YET
        people = ((ours.script, mine), (theirs, git.author(here, branches.tip, theirs)))
        yield from ((name, author) for name, author in people if author)


def _names(here: git.Repository, commit: str) -> frozenset[str]:
    return frozenset(name for name in git.files(here, commit) if naming.read(name))


def _says(path: Path, before: bytes) -> bool:
    """Whether a file has the statements of a text."""
    try:
        then = parse.read_text(before.decode("utf-8-sig"), path.name)
        return then.tree_checksum == parse.read(path).tree_checksum
    except (ParseError, UnicodeDecodeError):
        return before == path.read_bytes()


def _version(name: str) -> int:
    found = naming.read(name)
    return -1 if found is None or found.version is None else found.version


def _versioned(migrations: Sequence[Migration]) -> list[Migration]:
    return [migration for migration in migrations if migration.kind is Kind.VERSIONED]


def _gone(migrations: Sequence[Migration], base: Base) -> frozenset[str]:
    return (base.fork & base.tip) - {migration.script for migration in migrations}


def _renamed(migrations: Sequence[Migration], base: Base) -> dict[str, str]:
    """The files of the base that have another name here: one with their statements, or with their version."""
    gone = _gone(migrations, base)
    new = {_key(m.script): m.script for m in migrations if m.script not in base.fork | base.tip}
    by_version = {name: new[_key(name)] for name in gone if _version(name) >= 0 and _key(name) in new}
    return {**by_version, **{name: to for name, to in base.moved.items() if name in gone}}


def _key(name: str) -> tuple[str, int]:
    return name[0], _version(name)


def _taken(migrations: Sequence[Migration], base: Base) -> Iterator[tuple[Migration, str]]:
    """Each new file of ours with the file of the base that has its version."""
    theirs = {_key(name): name for name in sorted(base.fork | base.tip)}
    for migration in own(migrations, base):
        name = theirs.get(_key(migration.script))
        if name is not None and migration.version is not None:
            yield migration, name


def _edited(path: Path, base: Base) -> Finding:
    return _finding(
        "edited-after-merge",
        path,
        f"{base.name} has this file, and its statements were changed here",
        f"Put it back (`git checkout {base.name} -- {path}`), and make the change a new migration: "
        '`pgratchet new "…"`.',
    )


def _moved(path: Path, to: str | None, base: Base) -> Finding:
    if to is not None:
        return _finding(
            "renamed-after-merge",
            path.with_name(to),
            f"{base.name} has this file as {path.name}",
            f"Give it its name back: `git mv {path.with_name(to)} {path}`.",
        )
    return _finding(
        "deleted-after-merge",
        path,
        f"{base.name} has this file, and it is gone here",
        f"Put it back (`git checkout {base.name} -- {path}`). To take back what it did, write the next migration.",
    )


def _collision(ours: Migration, theirs: str, base: Base) -> Finding:
    another = f"version {ours.version} too, in {theirs}"
    what = "a file of this name too, with other statements" if theirs == ours.script else another
    names = (name for name in dict.fromkeys((theirs, ours.script)) if name in base.authors)
    people = "; ".join(f"{name}: {base.authors[name]}" for name in names)
    told = f" ({people})" if people else ""
    return _finding("version-taken", ours.path, f"{base.name} has {what}{told}", _renumber(base))


def _too_low(migrations: Sequence[Migration], base: Base, taken: set[str]) -> Iterator[Finding]:
    for migration in _versioned(own(migrations, base)):
        if (migration.version or 0) <= base.newest and migration.script not in taken:
            yield _finding(
                "version-too-low",
                migration.path,
                f"version {migration.version} is new, and {base.name} is at version {base.newest} already",
                _renumber(base),
            )


def _renumber(base: Base) -> str:
    return f"`pgratchet new --renumber --base {base.name}` moves the new files above it."


def _finding(rule: str, path: Path, message: str, hint: str) -> Finding:
    return Finding(rule, Severity.ERROR, path, 1, 1, message, hint)
