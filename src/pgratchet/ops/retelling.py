"""The files of a database told anew on scratch databases: as they are, and without some of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pgratchet import (
    config,
    db,
    embedded,
    files,
    history,
    integrity,
    naming,
    parse,
    rehearsal,
    schema,
    scratch,
    sql,
)
from pgratchet.backup import snapshot
from pgratchet.config import Settings
from pgratchet.errors import ConfigurationError, HistoryError, PgratchetError, RunFailed, StatementFailed
from pgratchet.model import Kind, Migration, Observer, Statement, ignore
from pgratchet.ops.applying import up
from pgratchet.ops.reaching import connected
from pgratchet.ops.replaying import MAKES_ROLE, UNREPLAYED, Live, lay_out, look, refuse_outward, server_for
from pgratchet.reverting import Ends, Rows, filling, rows

UNWRITTEN = (
    "Every file has to run on an empty database. Mend it as long as it was applied nowhere; where it was, what did it "
    "find there: an extension, a role, rows, what was made by hand?"
)


@dataclass(frozen=True, slots=True)
class Story:
    """The files that make a database, in a folder of their own, and those of them that are to be taken back."""

    folder: Path
    migrations: tuple[Migration, ...]
    targets: tuple[Migration, ...]
    major: int
    roles: Mapping[str, bool]
    database: str | None
    """The name of the live database, whose history told of the files."""
    sizes: Mapping[str, int]
    """Bytes of its tables."""
    found: schema.Snapshot | None
    """What it is now; None where files are pending, or no database is asked."""

    @property
    def first(self) -> int:
        """The version of the first file to be taken back."""
        return self.targets[0].version or 0

    @property
    def later(self) -> tuple[Migration, ...]:
        """The files that run behind those."""
        last = self.targets[-1].version or 0
        return tuple(item for item in self.migrations if item.version is None or item.version > last)


@dataclass(frozen=True, slots=True)
class Stage:
    """Two scratch databases that began with the same rows."""

    url: str
    """Where every file has run."""
    applier: str
    major: int
    before: schema.Snapshot
    after: schema.Snapshot
    """Before the first file to be taken back, and after the last."""
    now: schema.Snapshot
    wanted: Ends
    """Where every file has run but those."""
    doubtful: Ends
    """The same, run again."""
    refusal: str | None
    """Why there are no made-up rows."""


def story(
    settings: Settings,
    place: Path,
    span: tuple[int, int],
    *,
    on: str | None,
    same_server: bool,
    live: bool,
    wait: float,
    observer: Observer,
) -> Story:
    """Lay out the files of the folder; with a database, those of its history, as applied, and those that are pending.

    Raises ConfigurationError where one of the versions is not there, or not applied.
    """
    migrations = files.read(Path(settings.directory))
    if not live:
        return _of_folder(migrations, place, span, on=on, same_server=same_server)
    names = history.Names(settings.schema, settings.table)
    with connected(settings, "revert", wait, observer) as connection:
        seen = look(connection, names, migrations)
        name = str(connection.info.dbname)
        sizes = {str(row[0]): int(row[1]) for row in connection.execute(sql.load("revert_sizes").encode())}
        found = schema.snapshot(connection)
    _refuse_unapplied(migrations, seen, span)
    lay_out(place, seen, migrations)
    applied = {row.version for row in seen.rows if row.version is not None}
    laid = {path.name for path in place.iterdir()}
    others = (item for item in migrations if item.version not in applied and item.script not in laid)
    pending = [item for item in others if item.kind is not Kind.BASELINE]
    for item in pending:
        (place / item.script).symlink_to(item.path.resolve())
    roles = {} if same_server else dict.fromkeys(seen.roles, True)
    made = _story(place, span, seen.major, roles, same_server=same_server)
    return replace(made, database=name, sizes=sizes, found=None if pending else found)


def _of_folder(
    migrations: Sequence[Migration], place: Path, span: tuple[int, int], *, on: str | None, same_server: bool
) -> Story:
    """The files alone; a baseline that stands for what is to be taken back is left out."""
    major = max(embedded.majors(), default=0)
    if on is None and not major:
        raise ConfigurationError(
            "there is no server to make scratch databases on",
            "Name one with --on URL, or install the embedded PostgreSQL: pip install 'pgratchet[embedded]'",
        )
    if problems := integrity.problems(migrations):
        raise HistoryError(problems)
    for item in migrations:
        if item.kind is not Kind.BASELINE or (item.version or 0) < span[0]:
            (place / item.script).symlink_to(item.path.resolve())
    return _story(place, span, major, {}, same_server=same_server)


def _refuse_unapplied(migrations: Sequence[Migration], seen: Live, span: tuple[int, int]) -> None:
    begun = max((row.version or 0 for row in seen.rows if row.kind is Kind.BASELINE), default=-1)
    if span[0] <= begun:
        raise ConfigurationError(
            f"version {span[0]} is in the baseline {begun} that this database began with: no file of it ran here",
            "Name a later version; --no-database takes the files of the folder alone.",
        )
    applied = {row.version for row in seen.rows}
    for item in migrations:
        asked = item.kind is Kind.VERSIONED and span[0] <= (item.version or 0) <= span[1]
        if asked and item.version not in applied:
            raise ConfigurationError(
                f"{item.script} is not applied to this database: there is nothing to take back",
                "Change or delete the file, as long as it was applied nowhere; --no-database asks no database.",
            )


def statements(migrations: Sequence[Migration]) -> tuple[tuple[Migration, Statement], ...]:
    """Every statement of the files, each with its file."""
    return tuple((item, one) for item in migrations for one in parse.statements(item.path))


@contextmanager
def staged(settings: Settings, story: Story, *, on: str | None, same_server: bool) -> Iterator[Stage]:
    """Run the files with and without those that are to be taken back. Raises RunFailed where they fail."""
    there = settings._replace(direct_url="", directory=str(story.folder), environment="")
    with (
        server_for(settings, story.major, on, same_server=same_server) as server,
        ExitStack() as stack,
    ):
        try:
            stage = _stage(stack, there, story, server, None)
        except RunFailed as error:  # it may be the rows: files that fail without them fail for good
            stage = _stage(stack, there, story, server, error.message)
        yield stage


def _stage(stack: ExitStack, there: Settings, story: Story, server: str, refusal: str | None) -> Stage:
    """Run what comes first, make rows up where they are not refused, and go on with all files and without some."""
    own = history.Names(there.schema, there.table)
    source = stack.enter_context(scratch.database(server, roles=story.roles))
    versions = [item.version for item in story.migrations if item.version is not None]
    if earlier := [version for version in versions if version < story.first]:
        _run(there._replace(url=source), story, to=earlier[-1])
    with _opened(source) as connection:
        major = connection.info.server_version // 10_000
        if story.database is not None and major != story.major:
            raise ConfigurationError(
                f"the scratch server is PostgreSQL {major}, the database's is {story.major}: "
                "what is proven on the one need not hold on the other",
                f"Name one of version {story.major} with --on.",
            )
        for statement in history.create(own):
            connection.execute(statement.encode())
        before = schema.snapshot(connection)
        if refusal is None and (filled := "; ".join(filling.statements(before, owned(own)))):
            connection.execute(filled.encode())
    whole = stack.enter_context(_clone(source))
    _run(there._replace(url=whole), story, to=story.targets[-1].version)
    after = _snapshot(whole)
    if story.later:
        _run(there._replace(url=whole), story)
        wanted, doubtful = (_without(stack, there, story, source) for _ in range(2))
    else:
        wanted = doubtful = ends(source, own)
    with _opened(whole) as connection:
        [(applier,)] = connection.execute("SELECT pg_catalog.quote_ident(current_user)")
    now = _snapshot(whole) if story.later else after
    return Stage(whole, str(applier), major, before, after, now, wanted, doubtful, refusal)


def _without(stack: ExitStack, there: Settings, story: Story, source: str) -> Ends:
    """Run every file but those on a copy."""
    url = stack.enter_context(_clone(source))
    aside = story.folder.with_name(f"{story.folder.name}_without")
    aside.mkdir(exist_ok=True)
    for item in story.migrations:
        if item not in story.targets and not (aside / item.script).exists():
            (aside / item.script).symlink_to(item.path.resolve())
    try:
        up(
            preflight=False,
            backup=False,
            restore_point=False,
            settings=there._replace(url=url, directory=str(aside)),
        )
    except PgratchetError as error:
        message = error.message.replace(f"{aside}/", "")
        scripts = naming.few([item.script for item in story.targets])
        raise RunFailed(
            f"without {scripts} the other files do not run: {message}", _needed(story, error)
        ) from error
    return ends(url, history.Names(there.schema, there.table))


def _needed(story: Story, error: PgratchetError) -> str:
    """What to do about a file that does not run without those that are to be taken back."""
    if isinstance(error, StatementFailed) and (version := error.migration.version) is not None:
        through = f"`pgratchet revert {story.first} --through {version}`"
        return f"{error.migration.script} needs it. Take back all up to it: {through}."
    return "A later file needs it. Take back both: --through VERSION; of a repeatable file, change it first."


def ends(url: str, names: history.Names) -> Ends:
    """The schema, the rows and the sequences of a scratch database."""
    own = owned(names)
    with _opened(url) as connection:
        catalogue = schema.snapshot(connection)
        snapshot.prepare(connection)
        found = {}
        for table, columns in rows.tables(catalogue, own).items():
            [(count, digest, each)] = connection.execute(rows.query(table, columns).encode())
            found[table] = Rows(count, digest, dict(zip(columns, each, strict=False)))
        sequences = {str(name): last for name, last in connection.execute(rows.SEQUENCES.encode())}
        return Ends(catalogue, found, sequences)


def owned(names: history.Names) -> tuple[str, ...]:
    """The history's own tables, as a snapshot names them."""
    plain = r"[a-z_][a-z0-9_$]*"

    def quoted(name: str) -> str:
        return name if re.fullmatch(plain, name) else sql.quote(name)

    return tuple(f"{quoted(names.schema)}.{quoted(table)}" for table in names.tables)


def _story(
    place: Path,
    span: tuple[int, int],
    major: int,
    roles: Mapping[str, bool],
    *,
    same_server: bool,
) -> Story:
    migrations = files.read(place)
    versioned = [item for item in migrations if item.kind is Kind.VERSIONED]
    targets = tuple(item for item in versioned if span[0] <= (item.version or 0) <= span[1])
    for version in span:
        if version not in {item.version for item in targets}:
            raise ConfigurationError(
                f"there is no file of version {version}", "`pgratchet status` lists the versions."
            )
    texts = [statement.sql for _, statement in statements(migrations)]
    refuse_outward(texts, same_server=same_server)
    made = dict.fromkeys((name.lower() for text in texts for name in re.findall(MAKES_ROLE, text)), False)
    return Story(place, migrations, targets, major, {**roles, **made}, None, {}, None)


def _run(there: Settings, story: Story, to: int | None = None) -> None:
    try:
        up(to=to, preflight=False, backup=False, restore_point=False, settings=there)
    except PgratchetError as error:
        message = error.message.replace(f"{story.folder}/", "")
        hint = UNWRITTEN if story.database is None else UNREPLAYED
        raise RunFailed(f"the files cannot be replayed: {message}", hint) from error


def _snapshot(url: str) -> schema.Snapshot:
    with _opened(url) as connection:
        return schema.snapshot(connection)


@contextmanager
def _clone(url: str) -> Iterator[str]:
    with _opened(url) as connection:
        name = str(connection.info.dbname)
    with rehearsal.cloned(url, name) as there:
        yield there


def _opened(url: str) -> AbstractContextManager[db.Connection]:
    return db.opened(config.normal_url(url), name="pgratchet revert", wait=0, observer=ignore)
