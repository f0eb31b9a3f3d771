"""The verb that compares a live database with what its own history makes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from pgratchet import config, files, history, schema
from pgratchet.config import Settings
from pgratchet.model import Observer, ignore
from pgratchet.ops.reaching import connected, settings_of
from pgratchet.ops.replaying import Live, Replayed, is_zero, look, replay

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
    with connected(chosen, "drift", wait, observer) as connection, connection.transaction():
        # The history and the schema of one moment, whatever runs beside us.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        live = look(connection, history.Names(chosen.schema, chosen.table), migrations)
        found = schema.snapshot(connection)
    made = replay(live, chosen, migrations, on=on, same_server=same_server, observer=observer)
    ignored = (*NO_DRIFT, *live.tables, *config.section(chosen, "drift")["ignore"], *ignore_also)
    return _compared(live, found, made, ignored, versions=same_server)


def _compared(
    live: Live, found: schema.Snapshot, made: Replayed, ignored: Collection[str], *, versions: bool
) -> schema.Drift:
    notes: list[str] = []
    owners = made.by_owner and len({row.applied_by for row in live.rows}) <= 1
    if not owners:
        ignored = (*ignored, "*: owner")
        notes.append("owners are not compared: the files were not all applied by the role that replayed them")
    if not versions:
        notes += _versions(made.snapshot, found)
        ignored = (*ignored, *OF_THE_PACKAGE)
    if any(map(is_zero, live.rows)):
        notes.append("the history begins with a schema that no file makes: all of that is drift")
    before, after = (schema.select(snapshot, ignored) for snapshot in (made.snapshot, found))
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
