"""The verb that looks at files before anything is run: rules, the folder, the base of a branch, a database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgratchet import (
    config,
    files,
    git,
    history,
    integrity,
    lane,
    lint,
    naming,
    parse,
    plan,
    scaffold,
    squawk,
)
from pgratchet.config import Settings
from pgratchet.errors import ConfigurationError, FilesError, ParseError
from pgratchet.findings import Checked
from pgratchet.model import (
    Applied,
    Finding,
    Kind,
    Migration,
    Observer,
    Problem,
    Script,
    Severity,
    Status,
    ignore,
)
from pgratchet.ops.deciding import plan_of
from pgratchet.ops.explaining import check_names
from pgratchet.ops.reaching import connected, settings_of

TARGETS = ("", "citus")
Read = Sequence[tuple[Migration, Script]]


@dataclass(frozen=True, slots=True)
class Database:
    """What a live database adds to the files."""

    rows: tuple[Applied, ...]
    problems: tuple[Problem, ...]
    catalogue: lint.Catalogue | None


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
    options = config.section(chosen, "check")
    check_names(options["ignore"], f"{config.FILE}: check.ignore")
    threshold = severity or Severity(_one_of("severity", options["severity"], tuple(Severity)))
    suited_to = _one_of("target", options["target"], TARGETS)
    folder = Path(chosen.directory)
    migrations, problems = files.look(folder)
    against = _base(folder, base, migrations) if base else None
    found = list(lane.findings(folder, migrations, against)) if against else []
    _refuse(problems, found)
    scripts, unread = _read(migrations)
    seen = _database(chosen, migrations, wait, observer) if live or url is not None else None
    names = _chosen(folder, only, migrations, against, None if everything else seen)
    target = {name for name in scripts if names is None or name in names}
    read = [(migration, scripts[migration.script]) for migration in migrations if migration.script in scripts]
    told = [pair for pair in read if pair[0].script in target]
    catalogue = seen.catalogue if seen else None
    major = catalogue.version // 10000 if catalogue else None
    heard = squawk.look(told, major=major, style=options["style"], off=options["ignore"])
    found += [*unread, *_unwritten(told), *heard.findings]
    found += _problems("history", seen.problems if seen else (), migrations, folder)
    if target:
        found += lint.check(
            read,
            catalogue=catalogue,
            target=suited_to,
            off=options["ignore"],
            only=() if names is None else target,
        )
    notes = [*heard.notes, *(_write(read, migrations) if write else ())]
    found += _problems("lock-file", integrity.problems(migrations, finished=True), migrations, folder)
    return Checked(
        findings=tuple(sorted(found, key=_place)),
        files=tuple(migration.path for migration in migrations if names is None or migration.script in names),
        severity=threshold,
        root=_root(folder),
        notes=tuple(notes),
    )


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


def _read(migrations: Sequence[Migration]) -> tuple[dict[str, Script], list[Finding]]:
    """The text of each file by its name, and a finding for each that cannot be read."""
    scripts: dict[str, Script] = {}
    unread = []
    for migration in migrations:
        try:
            scripts[migration.script] = parse.read(migration.path)
        except ParseError as error:
            place = (error.path, error.line, error.column)
            unread.append(
                Finding("syntax", Severity.ERROR, *place, error.reason, error.hint or "", error.source)
            )
    return scripts, unread


def _chosen(
    folder: Path,
    only: Sequence[str | Path],
    migrations: Sequence[Migration],
    against: lane.Base | None,
    seen: Database | None,
) -> Collection[str] | None:
    """The names of the files to tell of; None for all, as none of them is more pending than another."""
    if not only and against is None and seen is None:
        return None
    names = {migration.script for migration in migrations}
    if only:
        names &= set(_named(folder, only, names))
    if against is not None:
        names &= {migration.script for migration in lane.touched(migrations, against)}
    if seen is not None:
        names -= _applied(migrations, seen.rows)
    return names


def _named(folder: Path, only: Sequence[str | Path], known: Collection[str]) -> Iterator[str]:
    for path in map(Path, only):
        inside = path.resolve().parent == folder.resolve()
        if inside and path.name in known:
            yield path.name
        elif not (inside and naming.ignored(path.name)):
            raise ConfigurationError(f"{path} is no migration of {folder}", "Name its folder with --dir.")


def _applied(migrations: Sequence[Migration], rows: Sequence[Applied]) -> set[str]:
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


def _database(chosen: Settings, migrations: Sequence[Migration], wait: float, observer: Observer) -> Database:
    names = history.Names(chosen.schema, chosen.table)
    with connected(chosen, "check", wait, observer) as connection:
        made, rows, _ = plan_of(connection, names, migrations, to=None, out_of_order=False)
        return Database(rows, made.problems, None)


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


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        hint = f"It can be {', '.join(word for word in known if word)}."
        raise ConfigurationError(f"{config.FILE}: check.{name} cannot be {value!r}", hint)
    return value


def _root(folder: Path) -> Path:
    """Where programs count paths from: the repository, or the folder that the command runs in."""
    try:
        here = git.repository(folder)
    except ConfigurationError:
        here = None
    return here.root if here else Path.cwd()


def _place(finding: Finding) -> tuple[str, int, int, str]:
    return str(finding.path), finding.line, finding.column, finding.rule
