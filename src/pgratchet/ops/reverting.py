"""The verb that takes a migration back: the next forward file, written once it is proven."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pgratchet import (
    config,
    db,
    embedded,
    files,
    history,
    mending,
    naming,
    parse,
    rehearsal,
    scaffold,
    schema,
)
from pgratchet.backup.keeping import Standing
from pgratchet.config import Settings
from pgratchet.errors import PgratchetError, RunFailed
from pgratchet.mending import Mending
from pgratchet.model import Kind, Migration, Observer, ignore
from pgratchet.ops import backing_up
from pgratchet.ops.deciding import preview_of
from pgratchet.ops.reaching import run_of, settings_of
from pgratchet.ops.retelling import Stage, Story, ends, owned, staged, statements, story
from pgratchet.rehearsal import Run
from pgratchet.reverting import Judged, Reverted, SchemaProof, judge, judging, reading, renaming, writing

ALONE = "-- pgratchet: transaction=none"
"""What is not to block anybody must not wait for the end of a transaction."""


class _Wishes(NamedTuple):
    online: bool | None
    limit: float
    """Bytes of a table, from which on forms are taken that block nobody."""
    unproven: bool


class _Draft(NamedTuple):
    """The statements of the new file, and what was seen of them."""

    statements: tuple[str, ...]
    directives: tuple[str, ...]
    mended: Mending
    writes: tuple[reading.Write, ...]
    gone: tuple[str, ...]
    online: bool


def revert(
    version: int,
    url: str | None = None,
    directory: str | Path | None = None,
    *,
    through: int | None = None,
    on: str | None = None,
    same_server: bool = False,
    ask_database: bool = True,
    online: bool | None = None,
    unproven: bool = False,
    wait: float = 0.0,
    observer: Observer = ignore,
    settings: Settings | None = None,
) -> Reverted:
    """Write the next file, which takes back what a version did, or all from `version` to `through`.

    Every file is run on a scratch database, and all but those on another; the new file makes the first schema into
    the second, and is written only where it was seen to do so there, with made-up rows in the tables. Where a
    database is named, its history says which files those are, as they were applied, unless `ask_database` is false.
    The scratch server is as with `drift`. `online` takes forms that block nobody; None: where a table of the database
    is large. `unproven` writes the nearest thing, with what is wrong with it in its header.

    Raises ConfigurationError where a version is not there or not applied, RunFailed where the other files need it, or
    where nothing can be proven.
    """
    chosen = settings or settings_of(url, directory)
    span = (version, version if through is None else through)
    wishes = _Wishes(online, config.section(chosen, "revert")["online_bytes"], unproven)
    ours = embedded.major(Path(chosen.root, ".pgratchet")) is not None
    live = ask_database and (chosen.url is not None or same_server or ours)
    with tempfile.TemporaryDirectory(prefix="pgratchet-") as place:
        folder = Path(place, "files")
        folder.mkdir()
        told = story(
            chosen, folder, span, on=on, same_server=same_server, live=live, wait=wait, observer=observer
        )
        with staged(chosen, told, on=on, same_server=same_server) as stage:
            return _written(chosen, told, stage, wishes)


def _written(chosen: Settings, told: Story, stage: Stage, wishes: _Wishes) -> Reverted:
    """Draft the file, try it, and write it where it holds."""
    draft = _draft(chosen, told, stage, wishes)
    path = scaffold.next_file(chosen.directory, writing.description(told.targets))
    run, judged = _tried(chosen, told, stage, draft, path.name)
    made = _made(chosen, told, stage, draft, path, run, judged)
    if judged.schema is SchemaProof.NOT and not wishes.unproven:
        raise _refused(made)
    migrations = files.read(path.parent)
    others = [(item, parse.read(item.path)) for item in migrations]
    here = Migration(Kind.VERSIONED, _number(path), "", path, "")
    text = writing.text(made, draft.statements, draft.directives)
    scaffold.finished(path, writing.waived(text, here, naming.few(made.takes_back), others))
    return made


def _draft(chosen: Settings, told: Story, stage: Stage, wishes: _Wishes) -> _Draft:
    changes = schema.difference(stage.now, stage.wanted.schema)
    online = _large(told, changes, wishes.limit) if wishes.online is None else wishes.online
    texts = statements(told.targets)
    renames = renaming.renames(texts, stage.before, stage.after)
    alike = renaming.alike(stage.now, stage.wanted.schema)
    mended = mending.mend(
        stage.now,
        stage.wanted.schema,
        renames={**alike, **renames},
        role=stage.applier,
        major=stage.major,
        online=online,
    )
    writes = reading.writes(texts, stage.now)
    gone = judging.dropped(stage.before, stage.after, set(renames.values()))
    found = (
        *(write.undo for write in writes if write.undo),
        *(writing.here(statement, stage.applier) for statement in mended.statements),
        *writing.counters(stage.now, stage.wanted.schema),
    )
    own = [f"table {name}" for name in owned(history.Names(chosen.schema, chosen.table))]
    return _Draft(
        found,
        (ALONE,) if online and len(found) > 1 else (),
        mended,
        writes,
        tuple(title for title in gone if title not in own),
        online,
    )


def _large(told: Story, changes: Sequence[schema.Change], limit: float) -> bool:
    touched = {(change.item.parent or change.item.title).partition(" ")[2] for change in changes}
    return any(told.sizes.get(name, 0) > limit for name in touched)


def _tried(chosen: Settings, told: Story, stage: Stage, draft: _Draft, script: str) -> tuple[Run, Judged]:
    """Run the file as `up` would, where every other has run, and compare."""
    names = history.Names(chosen.schema, chosen.table)
    path = told.folder / script
    body = "".join(f"{statement};\n" for statement in draft.statements) or "SELECT 1;\n"
    path.write_text("".join(f"{line}\n" for line in (*draft.directives, "-- tried")) + body, encoding="utf-8")
    with db.opened(stage.url, name="pgratchet revert", wait=0, observer=ignore) as connection:
        made = preview_of(connection, names, files.read(told.folder), to=None, out_of_order=False)
    run = rehearsal.watched(stage.url, names, run_of(chosen), made, ignore)
    changes = schema.difference(stage.now, stage.wanted.schema)
    bare = judging.untried(stage.wanted, changes)
    found = ends(stage.url, names)
    judged = judge(stage.wanted, found, stage.doubtful, draft.gone, draft.writes, tried=not bare)
    if bare and stage.refusal is None:
        note = f"no row could be made up for {', '.join(bare)}, so nothing is known of theirs"
        judged = judged._replace(notes=(*judged.notes, note))
    if run.failure is not None:
        message = run.failure.replace(f"{told.folder}/", "")
        statement = next((seen.sql for seen in run.statements if seen.error is not None), "")
        differences = "\n".join(filter(None, [f"it does not run: {message}", statement]))
        judged = judged._replace(schema=SchemaProof.NOT, differences=differences)
    return run, judged


def _made(
    chosen: Settings, told: Story, stage: Stage, draft: _Draft, path: Path, run: Run, judged: Judged
) -> Reverted:
    scripts = tuple(item.script for item in told.targets)
    notes = [*judged.notes, *reading.beyond(statements(told.targets)), *draft.mended.notes]
    unmended = (item for item in draft.mended.unmended if item.change.item.name not in judged.reordered)
    notes += [f"{item.change.item.title}: {item.reason}" for item in unmended]
    if told.found is not None:
        changes = schema.difference(stage.now, stage.wanted.schema)
        notes += judging.strays(stage.now, told.found, changes)
    if stage.refusal:
        notes.append(f"tried without rows, since made-up ones stand in the way: {stage.refusal}")
    goes = [title for title in draft.mended.loses if not title.startswith(("sequence", "materialized"))]
    goes += [f"the rows that were put into {write.table}" for write in draft.writes if write.undo]
    return Reverted(
        path=path,
        takes_back=scripts,
        schema=judged.schema,
        differences=judged.differences,
        reordered=judged.reordered,
        data=judged.data,
        lost=judged.lost,
        goes=tuple(dict.fromkeys(goes)),
        notes=tuple(dict.fromkeys(notes)),
        backup=_backup(chosen, told) if judged.lost else None,
        risks=tuple(writing.risks(run.statements)),
        statements=len(draft.statements),
        online=draft.online,
        server=stage.major,
    )


def _backup(chosen: Settings, told: Story) -> str | None:
    """The newest verified backup from before the first file that is taken back."""
    with suppress(PgratchetError):  # one that cannot be listed is none that can be named
        for item in backing_up.backups(settings=chosen):
            known = item.manifest if item.standing is Standing.VERIFIED else None
            same = known is not None and told.database in {None, known.database}
            if known and same and known.version is not None and known.version < told.first:
                return item.name
    return None


def _number(path: Path) -> int:
    return int(path.name[1:].partition("__")[0])


def _refused(made: Reverted) -> RunFailed:
    why = "".join(f"\nnote: {note}" for note in made.notes)
    scripts = naming.few(made.takes_back)
    return RunFailed(
        f"no file was found that takes back {scripts} and can be proven to do so:\n{made.differences}{why}",
        "Nothing was written. --unproven writes the nearest thing, to be finished by hand.",
    )
