"""What was rehearsed, and whether what is about to be run is that very thing."""

from __future__ import annotations

from pathlib import Path

from pgratchet import config, db, rehearsal, schema
from pgratchet.config import Settings
from pgratchet.errors import FindingsError
from pgratchet.model import Preview
from pgratchet.rehearsal import Subject


def require(connection: db.Connection, made: Preview, settings: Settings) -> None:
    """Raise FindingsError where this very plan was not rehearsed for this very schema, or with no go."""
    reason = rehearsal.refusal(folder_of(settings), subject_of(connection, made))
    if reason is not None:
        raise FindingsError(
            f"nothing was run: {reason}", "`pgratchet rehearse` with the same database and the same files."
        )


def subject_of(connection: db.Connection, made: Preview) -> Subject:
    """What a plan would run, and on what."""
    steps = tuple((step.migration.script, step.migration.checksum) for step in made.plan.steps)
    major = connection.info.server_version // 10000
    return Subject(steps, major, schema.snapshot(connection).fingerprint)


def folder_of(settings: Settings) -> Path:
    """Where results are kept."""
    return Path(settings.root, config.section(settings, "rehearse")["folder"])
