"""The schema that a live database's own history makes: its files, applied as they were, to a scratch database."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pgratchet import config, db, embedded, history, parse, schema, scratch, sql
from pgratchet.config import Settings
from pgratchet.errors import ConfigurationError, HistoryError, ParseError, RunFailed, StatementFailed
from pgratchet.model import Applied, Migration, Observer, Status
from pgratchet.ops import outward
from pgratchet.ops.applying import up
from pgratchet.ops.reaching import connected, database

MAKES_ROLE = r'(?i)\bcreate\s+(?:role|user(?!\s+mapping)|group)\s+"?(\w+)'
UNREPLAYED = (
    "They ran on the live database: what did they find there that an empty one of this server has not? "
    "An extension, a role, rows, what was made by hand?"
)


@dataclass(frozen=True, slots=True)
class Live:
    """What a live database says of the files that made it."""

    rows: tuple[Applied, ...]
    bodies: dict[str | None, str]
    """Of the files that are not as they were applied, or not there any more."""
    tables: tuple[str, ...]
    """Patterns of the history's own tables."""
    major: int
    owner: str
    """Of the history: who applies the files."""
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the files make."""

    connection: db.Connection
    """To the scratch database."""
    snapshot: schema.Snapshot
    by_owner: bool
    """Made by a role of the name of the live history's owner."""


def look(connection: db.Connection, names: history.Names, migrations: Sequence[Migration]) -> Live:
    """Read what stands in a history, and whose it is. Raises ConfigurationError where that does not say it all."""
    if not history.state(connection, names).has_history:
        raise ConfigurationError(
            "the database has no history: what its schema should be is not known",
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
    return Live(
        rows,
        {checksum: body for checksum, body in bodies.items() if body is not None},
        tuple(patterns),
        major,
        owner,
        tuple(roles),
    )


@contextmanager
def replay(
    live: Live,
    settings: Settings,
    migrations: Sequence[Migration],
    *,
    on: str | None,
    same_server: bool,
    observer: Observer,
) -> Iterator[Replayed]:
    """Apply the files of a history to a scratch database, dropped in the end, and read the schema that they make."""
    with tempfile.TemporaryDirectory(prefix="pgratchet-") as folder:
        statements = lay_out(Path(folder), live, migrations)
        refuse_outward(statements, same_server=same_server)
        roles = {} if same_server else dict.fromkeys(live.roles, True)
        made = (name.lower() for statement in statements for name in re.findall(MAKES_ROLE, statement))
        roles |= dict.fromkeys(made, False)
        with (
            server_for(settings, live.major, on, same_server=same_server) as server,
            _applied(server, settings, Path(folder), live, roles, observer) as made_there,
        ):
            yield made_there


def is_zero(row: Applied) -> bool:
    """Whether the row stands for a schema that was there before any file."""
    return row.version == 0 and row.checksum is None


def lay_out(folder: Path, live: Live, migrations: Sequence[Migration]) -> tuple[str, ...]:
    """Put the files into a folder as the history has them; returns the text of each that is not too large."""
    here = {migration.checksum: migration.path for migration in migrations}
    named = {migration.script: migration.path for migration in migrations}
    for row in live.rows:
        path = folder / Path(row.script).name
        if source := here.get(row.checksum) if row.checksum else named.get(row.script):
            path.symlink_to(source)
        elif row.checksum in live.bodies:
            path.write_text(live.bodies[row.checksum], encoding="utf-8")
        elif not is_zero(row):
            raise ConfigurationError(
                f"{row.script} is not here as it was applied, and the history holds no copy of it",
                "Run where the files of the applied versions are; `pgratchet status` shows which differ.",
            )
    found = (parse.read(path).statements or () for path in folder.iterdir())
    return tuple(statement.sql for statements in found for statement in statements)


def refuse_outward(statements: Sequence[str], *, same_server: bool) -> None:
    """Raise ConfigurationError for a statement that may not be done twice."""
    for found in filter(None, (outward.reach(item, same_server=same_server) for item in statements)):
        if outward.is_at_the_publisher(found):
            raise ConfigurationError(
                "a file makes a subscription, which would be made at the publisher again; it cannot be replayed",
                "Make subscriptions outside of the migrations.",
            )
        raise ConfigurationError(
            f"a file has {found}, which reaches beyond its database: it is not run again on this server",
            "Name another server with --on URL, or install the embedded PostgreSQL.",
        )


@contextmanager
def server_for(settings: Settings, major: int, on: str | None, *, same_server: bool) -> Iterator[str]:
    """Yield the URL of the server for scratch databases: the one named, the database's own, or an embedded one."""
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


@contextmanager
def _applied(
    server: str, settings: Settings, folder: Path, live: Live, roles: Mapping[str, bool], observer: Observer
) -> Iterator[Replayed]:
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
            yield Replayed(connection, schema.snapshot(connection), role == live.owner)
