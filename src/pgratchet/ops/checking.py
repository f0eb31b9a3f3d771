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
from pgratchet.errors import ConfigurationError, ParseError
from pgratchet.findings import Checked, Finding, Severity
from pgratchet.model import Applied, Kind, Migration, Observer, Problem, Script, ignore
from pgratchet.ops import choosing
from pgratchet.ops.deciding import plan_of
from pgratchet.ops.explaining import check_names
from pgratchet.ops.reaching import connected, settings_of

UNFIT = {
    "name": "file-name",
    "folder": "file-name",
    "empty": "file-unreadable",
    "unreadable": "file-unreadable",
    "duplicate": "version-twice",
}
"""The rules by what is wrong with a file of the folder."""
Read = Sequence[tuple[Migration, Script]]


@dataclass(frozen=True, slots=True)
class Options:
    """What the table `check` of the settings says."""

    severity: Severity
    target: str
    off: tuple[str, ...]
    style: bool
    also: tuple[str, ...] = ()


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

    Raises a subclass of PgratchetError: ConfigurationError, DatabaseUnreachable.
    """
    chosen = settings or settings_of(url, directory)
    options = _options(chosen, severity)
    folder = Path(chosen.directory)
    migrations, problems = files.look(folder)
    against = _base(folder, base, migrations) if base else None
    merged = lane.findings(folder, migrations, against) if against else ()
    unfit = tuple(_unfit(folder, problems, merged))
    read, unread = _read(migrations)
    seen = _database(chosen, migrations, wait, observer) if live or url is not None else None
    applied = choosing.applied(migrations, seen.rows) if seen else None
    names = choosing.names(folder, migrations, only, against, None if everything else applied)
    pending = names if applied is None else choosing.names(folder, migrations, (), None, applied)
    heard = _by_rules(read, names, pending, seen.catalogue if seen else None, options)
    written = tuple(_write(read, migrations, whole=not unfit)) if write else ()
    locked = _locked(migrations)
    history_problems = _problems("history", seen.problems if seen else (), migrations, folder)
    found = (
        *merged,
        *unfit,
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
    also = ("unqualified-name",) if given["qualified"] else ()
    return Options(threshold, given["target"], given["ignore"], given["style"], also)


def _base(folder: Path, base: str, migrations: Sequence[Migration]) -> lane.Base:
    here = git.repository(folder)
    if here is None:
        raise ConfigurationError(
            f"{folder} is in no git repository", "Leave out --base, or name another --dir."
        )
    return lane.read(here, git.branches(here, base), migrations)


def _unfit(folder: Path, problems: Sequence[Problem], found: Sequence[Finding]) -> Iterator[Finding]:
    """What keeps the folder from being run; two files with one version may be explained better already."""
    explained = any(finding.rule == "version-taken" for finding in found)
    for problem in problems:
        path = folder / (problem.script or "")
        message = problem.message.removeprefix(f"{path}: ")
        if problem.code != "duplicate" or not explained:
            yield Finding(UNFIT[problem.code], Severity.ERROR, path, 1, 1, message, problem.hint)


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
    found = _by_ours(read, told, pending, known, options)
    paths = {migration.path for migration, _ in told}
    in_use = [pair for pair in told if pair[0].kind is not Kind.BASELINE]
    heard = squawk.look(
        in_use, major=known.version // 10000 if known else None, style=options.style, off=options.off
    )
    kept = (finding for finding in found if finding.path in paths)
    return squawk.Heard((*kept, *_unwritten(told), *_line_ends(told, options), *heard.findings), heard.notes)


def _by_ours(
    read: Read, told: Read, pending: Collection[str] | None, known: lint.Catalogue | None, options: Options
) -> list[Finding]:
    """What is still to be run is judged with the catalogue, which has what was run: that, by the files before it."""

    def look(catalogue: lint.Catalogue | None, only: Collection[str]) -> tuple[Finding, ...]:
        return lint.check(
            read, catalogue=catalogue, target=options.target, off=options.off, also=options.also, only=only
        )

    if known is None or pending is None:
        return list(look(known, pending or ()))
    done = {migration.path for migration, _ in told if migration.script not in pending}
    before = [finding for finding in look(None, ()) if finding.path in done] if done else []
    return [*before, *(look(known, pending) if pending else ())]


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


def _line_ends(read: Read, options: Options) -> Iterator[Finding]:
    for migration, _ in read if "line-ends" not in options.off else ():
        with migration.path.open("rb") as stream:
            mark = stream.read(3) == naming.BOM
            stream.seek(0)
            first = next((number for number, line in enumerate(stream, 1) if line.endswith(b"\r\n")), 0)
        if mark or first:
            what = (
                "begins with a byte order mark" if mark else "has carriage returns at the ends of its lines"
            )
            hint = "Save it as UTF-8 without a mark, with line feeds alone."
            yield Finding("line-ends", Severity.NOTE, migration.path, first or 1, 1, f"the file {what}", hint)


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


def _write(read: Read, migrations: Sequence[Migration], *, whole: bool) -> Iterator[str]:
    if not whole or len(read) < len(migrations):
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
