"""The verb that runs a plan on a copy first, and says what it would do to the database and to its users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pgratchet import __version__, config, db, files, history, rehearsal
from pgratchet.backup import keeping, shelf
from pgratchet.backup.settings import choices
from pgratchet.config import Settings
from pgratchet.errors import BackupError, ConfigurationError, HistoryError, PgratchetError
from pgratchet.findings import Finding
from pgratchet.model import Observer, Preview, ignore
from pgratchet.ops import outward
from pgratchet.ops.deciding import preview_of
from pgratchet.ops.reaching import database, run_of, settings_of
from pgratchet.ops.requiring import folder_of, subject_of
from pgratchet.rehearsal import Copy, Kept, Origin, Rehearsal, Subject, Wishes

NEWEST = "newest"


def rehearse(
    url: str | None = None,
    directory: str | Path | None = None,
    *,
    on: str | None = None,
    server: str | None = None,
    embedded: bool = False,
    schema_only: bool = False,
    rows: int | None = None,
    from_backup: str | None = None,
    base_backup: bool = False,
    data_may_leave: bool = False,
    mask: str | Path | None = None,
    workload: str | Path | None = None,
    clients: int = 4,
    seconds: float = 5.0,
    prove: bool = True,
    to: int | None = None,
    out_of_order: bool = False,
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> Rehearsal | None:
    """Run what is pending on a copy of the database and watch it; None where nothing is. Never touches the database.

    The copy is made on the database's own server: of its files where nobody is connected, else by pg_dump and
    pg_restore. `server` names another one, `embedded` takes one that is made for it, and `on` names a copy that
    somebody prepared. `rows` takes so many of each table, and those that they refer to: times are estimates then.
    `from_backup` names a backup, or is `newest`: it is restored, and so verified. `base_backup` copies the whole
    cluster, and starts it here. From a database marked as production rows go elsewhere only with `data_may_leave`.
    `mask` is a file of SQL that changes the copy's rows first; `prove` applies each file twice as well, and breaks off
    what no single transaction can hold. `workload` is a script of pgbench's that so many `clients` run on the copy
    meanwhile, and for some `seconds` before and after. The result is kept in the folder that pgratchet.toml names.

    Raises as `up` does, save that a file which fails on the copy is a result: no go.
    """
    chosen = settings or settings_of(url, directory)
    config.section(chosen, "rehearse")  # a mistake in there is told before anything is copied
    load = None if workload is None else rehearsal.load(Path(workload), clients, seconds)
    kept = None if from_backup is None else _kept(chosen, from_backup)
    masking = None if mask is None else Path(mask)
    wishes = Wishes(on, server, embedded, schema_only, rows, kept, base_backup, data_may_leave, masking)
    _refuse_two_ways(wishes)
    names, migrations = history.Names(chosen.schema, chosen.table), files.read(Path(chosen.directory))
    target = database(chosen, direct=True)
    name = f"pgratchet {__version__} rehearse"
    with db.opened(target, name=name, wait=wait, observer=observer) as connection:
        made = preview_of(connection, names, migrations, to=to, out_of_order=out_of_order)
        if made.plan.problems:
            raise HistoryError(made.plan.problems)
        if not made.plan.steps:
            return None
        _refuse_outward(made, wishes)
        origin = Origin(target, rehearsal.look(connection), names, db.environment(connection))
        subject = subject_of(connection, made)
        foreseen = rehearsal.foreseen(connection, made)
    value = _rehearsed(chosen, origin, made, subject, wishes, load, prove=prove, observer=observer)
    value = _weighed(value, foreseen)
    rehearsal.write(folder_of(chosen), value)
    return value


def _rehearsed(
    settings: Settings,
    origin: Origin,
    made: Preview,
    subject: Subject,
    wishes: Wishes,
    load: rehearsal.Load | None,
    *,
    prove: bool,
    observer: Observer,
) -> Rehearsal:
    run, names = run_of(settings), origin.names
    values = config.section(settings, "rehearse")
    limits = {name: value for name, value in values.items() if isinstance(value, float)}
    with rehearsal.copied(origin, wishes, observer) as (there, copy), ExitStack() as stack:
        second, notes = _for_proofs(stack, there, prove=prove)
        seen = rehearsal.watched(there, names, run, made, observer, load)
        seen = rehearsal.scaled(seen, copy.sample) if copy.sample else seen
        provable = second is not None and seen.failure is None
        proofs = rehearsal.proven(second, names, run, made) if second and provable else ()
        notes = (*made.plan.notes, *notes, *_notes(there, origin.source, copy))
        if load and copy.sample:
            notes = (*notes, "the workload's times are those on the sample: they are not scaled")
    answer, reasons = rehearsal.judge(seen, proofs, copy, limits)
    return Rehearsal(
        answer=answer,
        reasons=reasons,
        database=origin.source.name,
        subject=subject,
        copy=copy,
        run=seen,
        proofs=proofs,
        findings=(),
        notes=notes,
        limits=limits,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        tool=__version__,
    )


def _weighed(value: Rehearsal, foreseen: Sequence[Finding]) -> Rehearsal:
    found = rehearsal.weigh(foreseen, value.run)
    return replace(value, findings=found, reasons=rehearsal.explained(value.reasons, found))


def _kept(settings: Settings, name: str) -> Kept:
    """The backup that is meant, on its shelf."""
    said = choices(settings)
    found = keeping.find(shelf.listed(said.shelf), said.shelf.place, None if name == NEWEST else name)
    if found.manifest is None:
        raise BackupError(
            found.problem or f"{found.name} is damaged", "`pgratchet backups` lists the others."
        )
    return Kept(said.shelf, found, said.jobs)


def _refuse_two_ways(wishes: Wishes) -> None:
    """Raise ConfigurationError for wishes that no copy can meet together."""
    places = (wishes.on, wishes.server, wishes.embedded or None, wishes.cluster or None)
    contents = (wishes.on, wishes.schema_only or None, wishes.rows, wishes.backup, wishes.cluster or None)
    for group, names in (
        (places, "--on, --server, --embedded and --base-backup"),
        (contents, "--on, --schema-only, --rows, --from-backup and --base-backup"),
    ):
        if sum(item is not None for item in group) > 1:
            raise ConfigurationError(f"{names} exclude each other", "Keep one of them.")
    if wishes.rows is not None and wishes.rows < 1:
        raise ConfigurationError("--rows wants a number of rows", "Without rows: --schema-only.")


def _refuse_outward(made: Preview, wishes: Wishes) -> None:
    """What reaches beyond its database would reach the real server, or a publisher, from a copy as well."""
    for step in made.plan.steps:
        for item in made.scripts[step.migration.script].statements or ():
            if found := outward.reach(item.sql, same_server=not wishes.thrown_away, anew=True):
                raise ConfigurationError(
                    f"{step.migration.path}:{item.line}: {found} reaches beyond its database: on a copy it would "
                    "change what others use",
                    "Make it outside of the migrations."
                    if wishes.thrown_away
                    else "Rehearse with --embedded, whose server is gone in the end.",
                )


def _for_proofs(stack: ExitStack, there: str, *, prove: bool) -> tuple[str | None, tuple[str, ...]]:
    """A second copy, at the state before the plan."""
    if not prove:
        return None, ()
    with db.opened(there, name="pgratchet look", wait=0, observer=ignore) as connection:
        name = str(connection.info.dbname)
    try:
        return stack.enter_context(rehearsal.cloned(there, name)), ()
    except (PgratchetError, rehearsal.Busy) as error:
        reason = error.message if isinstance(error, PgratchetError) else "somebody is connected to the copy"
        return None, (f"nothing is proven, since there is no second copy: {reason}",)


def _notes(there: str, source: rehearsal.Source, copy: Copy) -> Iterator[str]:
    with db.opened(there, name="pgratchet look", wait=0, observer=ignore) as connection:
        major = connection.info.server_version // 10000
    if major != source.major:
        yield f"the copy was on PostgreSQL {major}, the database is on {source.major}"
    if copy.bytes < source.bytes / 2 and copy.way not in {"schema", "sample"}:
        yield f"the copy has {copy.bytes:,} bytes, the database {source.bytes:,}: it is larger, or bloated"
