"""Migrations and rows of a history, made by hand for the tests of what is decided on them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pgratchet.model import Applied, Kind, Migration, Status

PREFIX = {Kind.VERSIONED: "V", Kind.BASELINE: "B", Kind.MARKED: "V", Kind.ADOPTED: "V"}
AT = datetime(2024, 1, 31, 12, 30, tzinfo=UTC)


def file(version: int, kind: Kind = Kind.VERSIONED, checksum: str = "as written") -> Migration:
    script = f"{PREFIX[kind]}{version}__change.sql"
    return Migration(kind, version, "change", Path("/migrations") / script, checksum)


def baseline(version: int) -> Migration:
    return file(version, Kind.BASELINE)


def repeatable(name: str, checksum: str = "as written") -> Migration:
    return Migration(Kind.REPEATABLE, None, name, Path(f"/migrations/R__{name}.sql"), checksum)


def row(of: Migration | int, **changes: Any) -> Applied:
    """The row that a migration leaves; `changes` are the fields that differ."""
    migration = file(of) if isinstance(of, int) else of
    applied = Applied(
        kind=migration.kind,
        version=migration.version,
        description=migration.description,
        script=migration.script,
        status=Status.APPLIED,
        checksum=migration.checksum,
        tree_checksum="tree",
        statements_done=4,
        statements_total=4,
        started_at=AT,
        applied_at=AT,
        execution_time_ms=12,
        applied_by="deployer",
    )
    return replace(applied, **changes)


def stopped(of: Migration | int, done: int, status: Status = Status.FAILED, **changes: Any) -> Applied:
    """The row of a migration that came as far as `done` of its 4 statements."""
    return row(of, status=status, statements_done=done, applied_at=None, execution_time_ms=None, **changes)
