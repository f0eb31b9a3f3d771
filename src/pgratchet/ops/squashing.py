"""The verb that writes a baseline in place of older files, once it is proven to make what they make."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgratchet import (
    baselines,
    embedded,
    files,
    history,
    integrity,
    naming,
    parse,
    pgtools,
    schema,
    scratch,
    sql,
)
from pgratchet.backup import comparing, databases, programs, snapshot
from pgratchet.backup.manifest import Table
from pgratchet.baselines import HERE, Made, Role, Squashed
from pgratchet.config import Settings
from pgratchet.errors import ConfigurationError, HistoryError, ParseError, RunFailed, StatementFailed
from pgratchet.model import Kind, Migration, Observer, Statement, ignore
from pgratchet.ops.applying import up
from pgratchet.ops.deciding import preview_of
from pgratchet.ops.reaching import connected, settings_of
from pgratchet.ops.replaying import MAKES_ROLE, UNREPLAYED, refuse_outward, server_for

ROWS = 1000
"""Of one INSERT."""
MAKES_ANY_ROLE = r"(?i)\bcreate\s+(?:role|user|group)\b"
WRITES = r"(?i)(?:insert|update|copy|with|merge|do|select|call|create\s+(?:unlogged\s+)?table\s+[^(]+\bas)\b"
SEQUENCES = "SELECT schemaname, sequencename, last_value FROM pg_catalog.pg_sequences"


@dataclass(frozen=True, slots=True)
class Seen:
    """All of a scratch database that the baseline has to make again."""

    catalogue: schema.Snapshot
    tables: Mapping[str, Table]
    """By quoted name, without the history's own."""
    sequences: Mapping[str, int | None]
    large_objects: Table | None
    roles: Mapping[str, Role]
    properties: Mapping[str, Any]
    applier: str
    major: int


@dataclass(frozen=True, slots=True)
class Bench:
    """Where scratch databases are made; a server of our own is made anew for each."""

    settings: Settings
    major: int
    on: str | None
    same_server: bool
    roles: Mapping[str, bool]

    @contextmanager
    def database(self, without: Collection[str] = ()) -> Iterator[str]:
        """Yield the URL of an empty database on a server that may lack some of the roles."""
        roles = {name: made for name, made in self.roles.items() if name not in without or not made}
        with (
            server_for(self.settings, self.major, self.on, same_server=self.same_server) as server,
            scratch.database(server, roles=roles) as url,
        ):
            yield url


def squash(
    through: int,
    url: str | None = None,
    directory: str | Path | None = None,
    *,
    description: str = "schema",
    on: str | None = None,
    same_server: bool = False,
    refuse_data: bool = False,
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> Squashed:
    """Write a baseline that makes what the files up to a version make, schema and rows; the files stay.

    They are applied to a scratch database, and what is there is dumped; the dump alone is applied to another, and
    written only where no difference is left between the two. The scratch server is as with `drift`; without a
    database, the embedded PostgreSQL's newest.

    Raises ConfigurationError where there is nothing to squash or no server for it, HistoryError where files were
    edited, RunFailed where files or baseline fail there, or differ.
    """
    chosen = settings or settings_of(url, directory)
    folder = Path(chosen.directory)
    migrations = files.read(folder)
    path = _path(folder, migrations, through, description)
    stands_for = baselines.stood_for(migrations, through)
    statements = _statements(stands_for, same_server=same_server)
    bench = _bench(chosen, migrations, statements, wait, observer, on=on, same_server=same_server)
    names = history.Names(chosen.schema, chosen.table)
    with bench.database() as scratch_url:
        before = _replayed(chosen, scratch_url, through, names, observer)
        if refuse_data:
            _refuse_data(before, statements)
        made = Made(names, before.applier, _roles_made(before, statements), _adornments(before))
        body = baselines.text(dump(scratch_url, before.major, names), made)
    head = baselines.header(stands_for, through, before.major, before.catalogue.fingerprint)
    without = {role.name for role in made.roles}
    with bench.database(without) as scratch_url:
        after = _proven(chosen, scratch_url, path.name, head + "\n" + body, names, observer)
    if found := tuple(_differences(before, after, without)):
        raise _refused("would not make what the files make:\n" + "\n".join(found))
    _write(path, head + "\n" + body)
    rows = {name: table.rows for name, table in before.tables.items() if table.rows}
    scripts = tuple(item.script for item in stands_for)
    return Squashed(
        path, through, scripts, rows, tuple(sorted(without)), before.catalogue.fingerprint, before.major
    )


def dump(url: str, major: int, names: history.Names) -> str:
    """The schema of a database and its rows, as statements; of the history's tables no row."""
    ours = (f"--exclude-table-data={sql.qualified(names.schema, table)}" for table in names.tables)
    options = ("--no-subscriptions", "--inserts", f"--rows-per-insert={ROWS}", "--encoding=UTF8", *ours)
    program = pgtools.find("pg_dump", at_least=major)
    return programs.run([program, *options], programs.environment(url, "pgratchet squash"))


def _path(folder: Path, migrations: Sequence[Migration], through: int, description: str) -> Path:
    there = [item for item in migrations if item.version == through]
    words = naming.snake(description)
    if not words:
        raise ConfigurationError(f"{description!r} has no letter or digit that a name could be made of", None)
    if not there:
        raise ConfigurationError(f"there is no version {through}", "`pgratchet status` lists the versions.")
    if there[0].kind is Kind.BASELINE:
        raise ConfigurationError(
            f"{there[0].path}: there is a baseline at version {through} already",
            "Take a later version; or delete this file, if no database that matters has begun with it.",
        )
    return folder / f"B{there[0].script[1:].partition('__')[0]}__{words}.sql"


def _statements(
    migrations: Sequence[Migration], *, same_server: bool
) -> tuple[tuple[Migration, Statement], ...]:
    """Every statement with its file; refused, with its place, what may not be done twice."""
    found = tuple((item, one) for item in migrations for one in parse.statements(item.path))
    for migration, statement in found:
        try:
            refuse_outward([statement.sql], same_server=same_server)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"{_place(migration, statement)}: {error.message}", error.hint
            ) from error
    return found


def _place(migration: Migration, statement: Statement) -> str:
    return f"{migration.path}:{statement.line}:{statement.column}"


def _bench(
    chosen: Settings,
    migrations: Sequence[Migration],
    statements: Sequence[tuple[Migration, Statement]],
    wait: float,
    observer: Observer,
    *,
    on: str | None,
    same_server: bool,
) -> Bench:
    """Take version and roles of the database, where one is named, and let its history tell of edited files."""
    made = [name.lower() for _, statement in statements for name in re.findall(MAKES_ROLE, statement.sql)]
    roles = dict.fromkeys(made, False)
    if problems := integrity.problems(migrations):
        raise HistoryError(problems)
    if on is not None or (chosen.url is None and not same_server):
        newest = max(embedded.majors(), default=0)
        if on is None and not newest:
            raise ConfigurationError(
                "there is no server to make scratch databases on",
                "Name one with --on URL, or install the embedded PostgreSQL: pip install 'pgratchet[embedded]'",
            )
        return Bench(chosen, newest, on, same_server, roles)
    names = history.Names(chosen.schema, chosen.table)
    with connected(chosen, "squash", wait, observer) as connection:
        plan = preview_of(connection, names, migrations, to=None, out_of_order=True).plan
        known = [str(row[0]) for row in connection.execute("SELECT rolname FROM pg_catalog.pg_roles")]
        major = connection.info.server_version // 10_000
    if edited := tuple(problem for problem in plan.problems if problem.code == "edited"):
        raise HistoryError(edited)
    theirs = () if same_server else (name for name in known if not name.startswith("pg_"))
    return Bench(chosen, major, on, same_server, dict.fromkeys(theirs, True) | roles)


def _replayed(chosen: Settings, url: str, through: int, names: history.Names, observer: Observer) -> Seen:
    there = chosen._replace(url=url, direct_url="", environment="")
    try:
        up(to=through, preflight=False, backup=False, restore_point=False, observer=observer, settings=there)
    except (StatementFailed, ParseError, HistoryError) as error:
        raise RunFailed(f"the files cannot be replayed: {error.message}", UNREPLAYED) from error
    return _look(there, names)


def _proven(
    chosen: Settings, url: str, script: str, text: str, names: history.Names, observer: Observer
) -> Seen:
    with tempfile.TemporaryDirectory(prefix="pgratchet-") as folder:
        (Path(folder) / script).write_text(text, encoding="utf-8")
        there = chosen._replace(url=url, direct_url="", directory=folder, environment="")
        try:
            up(preflight=False, backup=False, restore_point=False, observer=observer, settings=there)
        except (StatementFailed, ParseError, HistoryError) as error:
            statement = f"\n{error.statement.sql}" if isinstance(error, StatementFailed) else ""
            raise _refused(f"does not run: {error.message.replace(folder + '/', '')}{statement}") from error
        return _look(there, names)


def _refused(message: str) -> RunFailed:
    return RunFailed(
        f"the baseline {message}",
        "Nothing was written. Something in the files cannot be squashed: take an earlier version, or write it by hand.",
    )


def _look(there: Settings, names: history.Names) -> Seen:
    with connected(there, "squash", 0.0, ignore) as connection:
        catalogue = schema.snapshot(connection)
        found = connection.execute(sql.load("squash_roles").encode())
        roles = {row[0]: Role(row[0], row[1], tuple(row[2]), tuple(row[3])) for row in found}
        [(properties,)] = connection.execute(sql.load("backup_database").encode())
        [(applier,)] = connection.execute("SELECT current_user::text")
        snapshot.prepare(connection)
        tables = {
            item.quoted: snapshot.digest(connection, item.schema, item.name)
            for item in snapshot.relations(connection)
            if item.schema != names.schema or item.name not in names.tables
        }
        return Seen(
            catalogue,
            tables,
            {sql.qualified(row[0], row[1]): row[2] for row in connection.execute(SEQUENCES)},
            snapshot.large_objects(connection),
            roles,
            properties,
            applier,
            connection.info.server_version // 10_000,
        )


def _roles_made(seen: Seen, statements: Sequence[tuple[Migration, Statement]]) -> tuple[Role, ...]:
    """Roles that a statement names which also makes roles."""
    makers = [item.sql for _, item in statements if re.search(MAKES_ANY_ROLE, item.sql)]
    return tuple(
        role
        for role in seen.roles.values()
        if any(re.search(rf"(?i)(?<!\w){re.escape(role.name)}(?!\w)", maker) for maker in makers)
    )


def _adornments(seen: Seen) -> tuple[str, ...]:
    """What the files have set on the database itself; its owner is who made it."""
    granted = [item for item in seen.properties["privileges"] or () if item["role"] != seen.applier]
    privileges = None if seen.properties["privileges"] is None else granted
    found = databases.adornments(HERE, {**seen.properties, "privileges": privileges})
    return tuple(statement for statement in found if " OWNER TO " not in statement)


def _refuse_data(seen: Seen, statements: Sequence[tuple[Migration, Statement]]) -> None:
    filled = [table for table in seen.tables.values() if table.rows]
    if not filled:
        return
    lines = []
    for table in filled:
        word = rf"(?i)(?<!\w){re.escape(table.name)}(?!\w)"
        places = [
            _place(migration, item)
            for migration, item in statements
            if re.match(WRITES, item.sql) and re.search(word, item.sql)
        ]
        at = ", ".join(places) or "a statement that does not name it"
        lines.append(f"{sql.qualified(table.schema, table.name)} has {table.rows} rows, of {at}")
    raise ConfigurationError(
        "the files leave rows, and --refuse-data is given:\n" + "\n".join(lines),
        "Without --refuse-data the baseline carries them over.",
    )


def _differences(before: Seen, after: Seen, roles: Collection[str]) -> Iterator[str]:
    if changes := schema.difference(before.catalogue, after.catalogue):
        yield schema.describe(changes)
    for name in before.tables.keys() & after.tables.keys():
        yield from comparing.rows(before.tables[name], after.tables[name])
    for name in before.sequences.keys() & after.sequences.keys():
        if before.sequences[name] != after.sequences[name]:
            yield f"the sequence {name} had come to {before.sequences[name]}, and now to {after.sequences[name]}"
    yield from (
        f"the role {name} is not the same" for name in roles if before.roles[name] != after.roles.get(name)
    )
    if before.large_objects != after.large_objects:
        yield "the large objects are not the same"


def _write(path: Path, text: str) -> None:
    """Put the file in its place at once; files of such a name are passed over."""
    made = path.with_name(f".{path.name}.partial")
    try:
        made.write_text(text, encoding="utf-8")
        made.replace(path)
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}", None) from error
    integrity.rename(files.read(path.parent), {})
