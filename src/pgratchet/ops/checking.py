"""The verb that looks at files before anything is run: rules, the folder, the base of a branch, a database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pgratchet import (
    catalogue,
    config,
    files,
    git,
    history,
    integrity,
    lane,
    lint,
    naming,
    parse,
    scaffold,
    squawk,
)
from pgratchet.config import Settings
from pgratchet.errors import ConfigurationError, FilesError, ParseError
from pgratchet.findings import Checked, Finding, Severity
from pgratchet.model import Applied, Migration, Observer, Problem, Script, ignore
from pgratchet.ops import choosing
from pgratchet.ops.deciding import plan_of
from pgratchet.ops.explaining import check_names
from pgratchet.ops.reaching import connected, settings_of

Read = Sequence[tuple[Migration, Script]]


@dataclass(frozen=True, slots=True)
class Options:
    """What the table `check` of the settings says."""

    severity: Severity
    target: str
    off: tuple[str, ...]
    style: bool


@dataclass(frozen=True, slots=True)
class Database:
    """What a live database adds to the files."""

    rows: tuple[Applied, ...]
    problems: tuple[Problem, ...]
    catalogue: lint.Catalogue


def check(
    only: Sequence[str | Path] = (),
    *,
    url: str | None = None,
    directory: str | Path | None = None,
    base: str | None = None,
    live: bool = False,
    everything: bool = False,
    write: bool = False,
    severity: Severity | None = None,
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> Checked:
    """Look at the files of the folder, at some of them (`only`), or at those that are new since `base`.

    With a database, named by `url` or by the settings and `live`, its catalogue decides what files alone cannot tell,
    and what it has applied is left out; `everything` tells of that too. `write` writes migrations.lock.

    Raises a subclass of PgratchetError: FilesError, ConfigurationError, DatabaseUnreachable.
    """
    chosen = settings or settings_of(url, directory)
    options = _options(chosen, severity)
    folder = Path(chosen.directory)
    migrations, problems = files.look(folder)
    against = _base(folder, base, migrations) if base else None
    merged = lane.findings(folder, migrations, against) if against else ()
    _refuse(problems, merged)
    read, unread = _read(migrations)
    seen = _database(chosen, migrations, wait, observer) if live or url is not None else None
    applied = choosing.applied(migrations, seen.rows) if seen and not everything else None
    names = choosing.names(folder, migrations, only, against, applied)
    pending = names if applied is None else choosing.names(folder, migrations, (), None, applied)
    heard = _by_rules(read, names, pending, seen.catalogue if seen else None, options)
    written = tuple(_write(read, migrations)) if write else ()
    locked = _locked(migrations)
    history_problems = _problems("history", seen.problems if seen else (), migrations, folder)
    found = (
        *merged,
        *unread,
        *heard.findings,
        *history_problems,
        *_problems("lock-file", locked, migrations, folder),
    )
    return Checked(
        findings=tuple(sorted(_with_lines(found), key=_place)),
        files=tuple(migration.path for migration in migrations if names is None or migration.script in names),
        severity=options.severity,
        root=_root(folder),
        notes=(*heard.notes, *written),
    )


def _options(chosen: Settings, severity: Severity | None) -> Options:
    given = config.section(chosen, "check")
    check_names(given["ignore"], f"{config.FILE}: check.ignore")
    threshold = severity or Severity(given["severity"])
    return Options(threshold, given["target"], given["ignore"], given["style"])


def _base(folder: Path, base: str, migrations: Sequence[Migration]) -> lane.Base:
    here = git.repository(folder)
    if here is None:
        raise ConfigurationError(
            f"{folder} is in no git repository", "Leave out --base, or name another --dir."
        )
    return lane.read(here, git.branches(here, base), migrations)


def _refuse(problems: Sequence[Problem], found: Sequence[Finding]) -> None:
    """A folder that cannot be read is an error, save for one version twice that a finding explains better."""
    explained = any(finding.rule == "version-taken" for finding in found)
    left = tuple(problem for problem in problems if problem.code != "duplicate" or not explained)
    if left:
        raise FilesError(left)


def _read(migrations: Sequence[Migration]) -> tuple[Read, list[Finding]]:
    """Each file with its text, and a finding for each that cannot be read."""
    read = []
    unread = []
    for migration in migrations:
        try:
            read.append((migration, parse.read(migration.path)))
        except ParseError as error:
            place = (error.path, error.line, error.column)
            unread.append(
                Finding("syntax", Severity.ERROR, *place, error.reason, error.hint or "", error.source)
            )
    return read, unread


def _by_rules(
    read: Read,
    names: Collection[str] | None,
    pending: Collection[str] | None,
    known: lint.Catalogue | None,
    options: Options,
) -> squawk.Heard:
    """What our rules, and squawk's beside them, find in the files with these names; None for all.

    `pending` are those that would run together, and so know of each other's objects.
    """
    told = [pair for pair in read if names is None or pair[0].script in names]
    if not told:
        return squawk.Heard()
    found = lint.check(
        read,
        catalogue=known,
        target=options.target,
        off=options.off,
        only=() if pending is None else pending,
    )
    paths = {migration.path for migration, _ in told}
    heard = squawk.look(
        told, major=known.version // 10000 if known else None, style=options.style, off=options.off
    )
    kept = (finding for finding in found if finding.path in paths)
    return squawk.Heard((*kept, *_unwritten(told), *heard.findings), heard.notes)


def _database(chosen: Settings, migrations: Sequence[Migration], wait: float, observer: Observer) -> Database:
    names = history.Names(chosen.schema, chosen.table)
    with connected(chosen, "check", wait, observer) as connection:
        made, rows, _ = plan_of(connection, names, migrations, to=None, out_of_order=False)
        return Database(rows, made.problems, catalogue.read(connection))


def _locked(migrations: Sequence[Migration]) -> tuple[Problem, ...]:
    """Where the lock and the files disagree; a lock that cannot be read is one such place."""
    try:
        return integrity.problems(migrations, finished=True)
    except ConfigurationError as error:
        return (Problem("lock", error.message, error.hint or ""),)
    except ParseError:  # a finding already
        return ()


def _with_lines(found: Sequence[Finding]) -> Iterator[Finding]:
    """The findings with the whole line of the file, also where what found them kept the statement alone."""
    lines: dict[Path, list[str]] = {}
    for finding in found:
        if finding.source and finding.path not in lines:
            text = finding.path.read_bytes().decode("utf-8-sig", errors="replace")
            lines[finding.path] = text.split("\n")
        whole = lines.get(finding.path, ())[finding.line - 1 : finding.line] if finding.source else ()
        yield replace(finding, source=whole[0].rstrip("\r")) if whole else finding


def _unwritten(read: Read) -> Iterator[Finding]:
    for migration, script in read:
        for problem in scaffold.problems(migration, script):
            yield from _problems("unwritten", (problem,), (migration,), migration.path)


def _problems(
    rule: str, problems: Sequence[Problem], migrations: Sequence[Migration], folder: Path
) -> Iterator[Finding]:
    """Problems as findings, each at the file that its message begins with."""
    for problem in problems:
        path, message = folder, problem.message
        for migration in migrations:
            if message.startswith(f"{migration.path}: "):
                path, message = migration.path, message.removeprefix(f"{migration.path}: ")
                break
        yield Finding(rule, Severity.ERROR, path, 1, 1, message, problem.hint)


def _write(read: Read, migrations: Sequence[Migration]) -> Iterator[str]:
    if len(read) < len(migrations):
        yield f"{naming.LOCK} was not written: not every file can be read"
    elif migrations:
        unfinished = (
            migration.script for migration, script in read if [*scaffold.problems(migration, script)]
        )
        if integrity.write(migrations, frozenset(unfinished)):
            yield f"wrote {migrations[0].path.parent / naming.LOCK}"


def _root(folder: Path) -> Path:
    """Where programs count paths from: the repository, or the folder that the command runs in."""
    try:
        here = git.repository(folder)
    except ConfigurationError:
        here = None
    if here is None:
        return Path.cwd()
    # As our paths begin, which may lead there through a link, where git's do not.
    root = here.root.resolve()
    return next((path for path in (folder, *folder.parents) if path.resolve() == root), here.root)


def _place(finding: Finding) -> tuple[str, int, int, str]:
    return str(finding.path), finding.line, finding.column, finding.rule
