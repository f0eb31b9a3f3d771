"""The verb that compares a live database with what its own history makes on a scratch database."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pgratchet import config, db, embedded, files, history, parse, schema, scratch, sql
from pgratchet.config import Settings
from pgratchet.errors import ConfigurationError, HistoryError, ParseError, RunFailed, StatementFailed
from pgratchet.model import Applied, Migration, Observer, Status, ignore
from pgratchet.ops.applying import up
from pgratchet.ops.reaching import connected, database, settings_of

# What differs between two databases without anybody having changed the schema: how this one was provisioned, how far
# it was clustered and refreshed, and what `pgratchet mark` wrote on it.
NO_DRIFT = (
    "database itself",
    "setting pgratchet.environment",
    "index *: clustered",
    "materialized view *: not populated",
)
OF_THE_PACKAGE = ("extension *: version", "extension *: comment")
"""What depends on the packages of the host."""

# What may not be done twice: it reaches beyond the database. A block of code is searched, all else begins so.
AT_THE_PUBLISHER = r"(?i)create\s+subscription\b"
ON_THE_SERVER = (
    r"(?i)(?:create|alter|drop)\s+(?:role|group|database|tablespace|user(?!\s+mapping))\b|alter\s+system\b"
)
MAKES_ROLE = r'(?i)create\s+(?:role|user|group)\s+"?(\w+)'
UNREPLAYED = (
    "They ran on the live database: what did they find there that an empty one of this server has not? "
    "An extension, a role, rows, what was made by hand?"
)


@dataclass(frozen=True, slots=True)
class _Live:
    """What the live database is."""

    snapshot: schema.Snapshot
    rows: tuple[Applied, ...]
    bodies: dict[str | None, str]
    """Of the files that are not as they were applied, or not there any more."""
    tables: tuple[str, ...]
    """Patterns of the history's own tables."""
    major: int
    owner: str
    roles: tuple[str, ...]


def drift(
    url: str | None = None,
    directory: str | Path | None = None,
    *,
    on: str | None = None,
    same_server: bool = False,
    ignore_also: Collection[str] = (),
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> schema.Drift:
    """Compare the schema of the database with the one that the files of its history make; writes nothing to it.

    The files are applied, as they were, to a scratch database that is dropped in the end: on an embedded server of the
    same major version, on the server of the URL `on`, or on the database's own. `ignore_also` are patterns beside
    those of pgratchet.toml.

    Raises ConfigurationError where there is no history or no server for it, RunFailed where the files fail there.
    """
    chosen = settings or settings_of(url, directory)
    migrations = files.read(Path(chosen.directory))
    with connected(chosen, "drift", wait, observer) as connection:
        live = _look(connection, history.Names(chosen.schema, chosen.table), migrations)
    ignored = (*NO_DRIFT, *live.tables, *config.section(chosen, "drift")["ignore"], *ignore_also)
    with tempfile.TemporaryDirectory(prefix="pgratchet-") as folder:
        scripts = _lay_out(Path(folder), live, migrations)
        _refuse_outward(scripts, same_server=same_server)
        own = (re.match(MAKES_ROLE, statement) for statement in scripts)
        roles = {} if same_server else dict.fromkeys(live.roles, True)
        roles |= {found[1].lower(): False for found in own if found}
        with _server(chosen, live.major, on, same_server=same_server) as server:
            made = _replayed(server, chosen, Path(folder), live, roles, observer)
    return _compared(live, made, ignored, versions=same_server)


def _look(connection: db.Connection, names: history.Names, migrations: Sequence[Migration]) -> _Live:
    if not history.state(connection, names).has_history:
        raise ConfigurationError(
            "the database has no history: there is nothing to compare its schema with",
            "`pgratchet up` makes one, `pgratchet baseline VERSION` for a schema that is there already.",
        )
    rows = history.read(connection, names)
    if unfinished := [row.script for row in rows if row.status is not Status.APPLIED]:
        raise ConfigurationError(
            f"{unfinished[0]} is applied in part; what the schema should be is not known until it is done",
            "Run `pgratchet up` first.",
        )
    here = {migration.checksum for migration in migrations}
    wanted = {row.checksum for row in rows if row.checksum and row.checksum not in here}
    bodies = {checksum: history.body(connection, names, checksum) for checksum in wanted}
    tables = {key: sql.literal(sql.qualified(*name.split("\0"))) for key, name in names.identifiers.items()}
    [(major, owner, patterns, roles)] = connection.execute((sql.load("drift_live") % tables).encode())
    return _Live(
        schema.snapshot(connection),
        rows,
        {checksum: body for checksum, body in bodies.items() if body is not None},
        tuple(patterns),
        major,
        owner,
        tuple(roles),
    )


def _lay_out(folder: Path, live: _Live, migrations: Sequence[Migration]) -> tuple[str, ...]:
    """Put the files into a folder as the history has them; returns the text of each that is not too large."""
    here = {migration.checksum: migration.path for migration in migrations}
    named = {migration.script: migration.path for migration in migrations}
    for row in live.rows:
        path = folder / Path(row.script).name
        if source := here.get(row.checksum) if row.checksum else named.get(row.script):
            path.symlink_to(source)
        elif row.checksum in live.bodies:
            path.write_text(live.bodies[row.checksum], encoding="utf-8")
        elif not _is_zero(row):
            raise ConfigurationError(
                f"{row.script} is not here as it was applied, and the history holds no copy of it",
                "Run where the files of the applied versions are; `pgratchet status` shows which differ.",
            )
    found = (parse.read(path).statements or () for path in folder.iterdir())
    return tuple(statement.sql for statements in found for statement in statements)


def _is_zero(row: Applied) -> bool:
    """Whether the row stands for a schema that was there before any file."""
    return row.version == 0 and row.checksum is None


def _refuse_outward(statements: Sequence[str], *, same_server: bool) -> None:
    if any(_does(AT_THE_PUBLISHER, statement) for statement in statements):
        raise ConfigurationError(
            "a file makes a subscription, which would be made at the publisher again; it cannot be replayed",
            "Make subscriptions outside of the migrations.",
        )
    for found in (_does(ON_THE_SERVER, statement) for statement in statements):
        if found and same_server:
            raise ConfigurationError(
                f"a file has {found[0]}, which reaches beyond its database: it is not run again on this server",
                "Name another server with --on URL, or install the embedded PostgreSQL.",
            )


def _does(pattern: str, statement: str) -> re.Match[str] | None:
    block = re.match(r"(?i)do\b", statement)
    return re.search(pattern, statement) if block else re.match(pattern, statement)


@contextmanager
def _server(settings: Settings, major: int, on: str | None, *, same_server: bool) -> Iterator[str]:
    if on is not None:
        yield config.normal_url(on)
    elif same_server:
        yield database(settings, direct=True)
    elif major in embedded.majors():
        with scratch.server(major) as url:
            yield url
    else:
        raise ConfigurationError(
            f"there is no embedded PostgreSQL {major} to make the schema on that the migrations make",
            f"Name a scratch server of version {major} with --on URL, or take --same-server.",
        )


def _replayed(
    server: str, settings: Settings, folder: Path, live: _Live, roles: Mapping[str, bool], observer: Observer
) -> tuple[schema.Snapshot, bool]:
    """The schema that the files make, and whether the role made it to which the live database belongs."""
    with scratch.database(server, role=live.owner, roles=roles) as url:
        there = settings._replace(url=url, direct_url="", directory=str(folder), environment="")
        with connected(there, "drift", 0.0, observer) as connection:
            [(major, role)] = connection.execute(
                "SELECT current_setting('server_version_num')::int / 10000, current_user::text"
            )
            if major != live.major:
                raise ConfigurationError(
                    f"the scratch server is PostgreSQL {major}, the database's is {live.major}: "
                    "they write the same schema down in different words",
                    f"Name one of version {live.major} with --on.",
                )
            try:
                up(preflight=False, settings=there)
            except (StatementFailed, ParseError, HistoryError) as error:
                message = error.message.replace(str(folder), settings.directory)
                raise RunFailed(f"the files cannot be replayed: {message}", UNREPLAYED) from error
            return schema.snapshot(connection), role == live.owner


def _compared(
    live: _Live, made: tuple[schema.Snapshot, bool], ignored: Collection[str], *, versions: bool
) -> schema.Drift:
    expected, same_role = made
    notes: list[str] = []
    owners = same_role and len({row.applied_by for row in live.rows}) <= 1
    if not owners:
        ignored = (*ignored, "*: owner")
        notes.append("owners are not compared: the files were not all applied by the role that replayed them")
    if not versions:
        notes += _versions(expected, live.snapshot)
        ignored = (*ignored, *OF_THE_PACKAGE)
    if any(map(_is_zero, live.rows)):
        notes.append("the history begins with a schema that no file makes: all of that is drift")
    before, after = (schema.select(snapshot, ignored) for snapshot in (expected, live.snapshot))
    version = max((row.version for row in live.rows if row.version is not None), default=None)
    return schema.Drift(version, schema.difference(before, after), after.fingerprint, tuple(notes))


def _versions(expected: schema.Snapshot, found: schema.Snapshot) -> Iterator[str]:
    """Notes on extensions whose version is another: that of a scratch server depends on its packages."""
    there = {
        item.title: item.properties.get("version") for item in expected.items if item.kind == "extension"
    }
    for item in found.items:
        version = item.properties.get("version")
        if item.title in there and there[item.title] != version:
            yield f"{item.title} is {version} here and {there[item.title]} where the files were replayed"
