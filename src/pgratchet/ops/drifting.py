"""The verbs that compare a live database with what its own history makes, and that take the difference away."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pgratchet import config, files, history, scaffold, schema
from pgratchet.config import Settings
from pgratchet.errors import ConfigurationError, RunFailed
from pgratchet.mending import NAMES, Proposal, Way, guarded, mend, proposing, proving, text
from pgratchet.mending.kinds import KINDS
from pgratchet.model import Kind, Migration, Observer, ignore
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


@dataclass(frozen=True, slots=True)
class _Seen:
    """Both sides, as they are compared."""

    drift: schema.Drift
    expected: schema.Snapshot
    found: schema.Snapshot
    ignored: Collection[str]
    live: Live
    made: Replayed
    repeatables: tuple[Migration, ...]


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
    with _seen(chosen, on, ignore_also, wait, observer, same_server=same_server) as seen:
        return seen.drift


def mend_drift(
    way: Way,
    url: str | None = None,
    directory: str | Path | None = None,
    *,
    on: str | None = None,
    same_server: bool = False,
    ignore_also: Collection[str] = (),
    unproven: bool = False,
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> Proposal:
    """Write the next migration, which brings the live database back, or takes into the files what was changed there.

    It is tried on the scratch database with which the drift was found, from both schemas, and written only where it
    leads to the one that is wanted; `unproven` writes it all the same. Nothing is written where there is no drift, or
    where no statement takes it away. The rest is as with `drift`.

    Raises RunFailed beside what `drift` does where the file is not proven.
    """
    chosen = settings or settings_of(url, directory)
    with _seen(chosen, on, ignore_also, wait, observer, same_server=same_server) as seen:
        repeatables = {item.script: item.path.read_text(encoding="utf-8") for item in seen.repeatables}
        made = _proposal(way, seen, repeatables)
    if not made.mending.statements:
        return made
    if made.doubt is not None and not unproven:
        raise RunFailed(
            f"the file that would take the drift away is not proven: {made.doubt}",
            "Nothing was written. --unproven writes it all the same, for you to mend.",
        )
    path = scaffold.next_file(chosen.directory, NAMES[way])
    made = replace(made, path=path)
    scaffold.finished(path, text(made))
    return made


def _proposal(way: Way, seen: _Seen, repeatables: Mapping[str, str]) -> Proposal:
    """Decide the file and try it. What a repeatable file makes is left to that one, which runs after all versions."""
    connection, major = seen.made.connection, seen.live.major
    theirs = proposing.of_repeatables(seen.drift.changes, repeatables)
    expected, found = (schema.select(side, theirs) for side in (seen.expected, seen.found))
    [(role,)] = connection.execute("SELECT quote_ident(current_user)")
    forth = mend(expected, found, role=role, major=major)
    made = forth if way is Way.FILES else mend(found, expected, role=role, major=major)
    notes = (*made.notes, *(proposing.TO_DO[way].format(title, script) for title, script in theirs.items()))
    guards = replace(made, statements=tuple(map(guarded, made.statements)), notes=notes)
    if not made.statements:
        return Proposal(way, seen.drift, guards, None, None, major)
    why = proving.doubt(
        connection,
        way,
        guards,
        there=expected,
        changed=found,
        change=forth.statements,
        look=lambda snapshot: schema.select(snapshot, (*seen.ignored, *theirs)),
    )
    return Proposal(way, seen.drift, guards, why, None, major)


@contextmanager
def _seen(
    chosen: Settings,
    on: str | None,
    ignore_also: Collection[str],
    wait: float,
    observer: Observer,
    *,
    same_server: bool,
) -> Iterator[_Seen]:
    """Compare the two, and keep the scratch database for what comes next."""
    asked = (*config.section(chosen, "drift")["ignore"], *ignore_also)
    _refuse_unknown_kinds(asked)
    migrations = files.read(Path(chosen.directory))
    with connected(chosen, "drift", wait, observer) as connection, connection.transaction():
        # The history and the schema of one moment, whatever runs beside us.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        live = look(connection, history.Names(chosen.schema, chosen.table), migrations)
        found = schema.snapshot(connection)
    with replay(live, chosen, migrations, on=on, same_server=same_server, observer=observer) as made:
        ignored = (*NO_DRIFT, *live.tables, *asked)
        seen = _compared(live, found, made, ignored, versions=same_server)
        yield replace(seen, repeatables=tuple(item for item in migrations if item.kind is Kind.REPEATABLE))


def _refuse_unknown_kinds(patterns: Iterable[str]) -> None:
    """Raise ConfigurationError for a pattern that no item's title can begin like: it would ignore nothing."""
    for pattern in patterns:
        word = pattern.partition(" ")[0]
        if not {"*", "?"} & set(word) and not any(pattern.startswith(f"{kind} ") for kind in KINDS):
            raise ConfigurationError(
                f"{pattern!r} ignores nothing: a pattern begins with a kind of object, as in `table public.sk_*`",
                f"The kinds are: {', '.join(KINDS)}.",
            )


def _compared(
    live: Live, found: schema.Snapshot, made: Replayed, ignored: Collection[str], *, versions: bool
) -> _Seen:
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
    drift = schema.Drift(version, schema.difference(before, after), after.fingerprint, tuple(notes))
    return _Seen(drift, before, after, ignored, live, made, ())


def _versions(expected: schema.Snapshot, found: schema.Snapshot) -> Iterator[str]:
    """Notes on extensions whose version is another: that of a scratch server depends on its packages."""
    there = {
        item.title: item.properties.get("version") for item in expected.items if item.kind == "extension"
    }
    for item in found.items:
        version = item.properties.get("version")
        if item.title in there and there[item.title] != version:
            yield f"{item.title} is {version} here and {there[item.title]} where the files were replayed"
