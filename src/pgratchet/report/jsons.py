"""What a program reads: one JSON object with `schema_version`, the same fields in every version of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pgratchet.errors import (
    FilesError,
    HistoryError,
    ParseError,
    PgratchetError,
    PreflightError,
    StatementFailed,
)
from pgratchet.findings import Checked
from pgratchet.lint import Rule
from pgratchet.model import Check, Done, Migration, Outcome, Overview, Preview

SCHEMA_VERSION = 1


def render(command: str, fields: Mapping[str, Any]) -> str:
    """The one object that a command prints."""
    return json.dumps(
        {"schema_version": SCHEMA_VERSION, "command": command, **fields}, default=_plain, ensure_ascii=False
    )


def outcome(value: Outcome) -> dict[str, Any]:
    """What a run did."""
    return {
        "applied": [_done(item) for item in value.done],
        "version": value.version,
        "applied_in_all": value.applied,
        "notes": list(value.notes),
    }


def overview(value: Overview) -> dict[str, Any]:
    """Files and history side by side."""
    return {
        "database": value.database,
        "version": value.version,
        "pending": value.pending,
        "migrations": [asdict(entry) for entry in value.entries],
        "problems": [asdict(problem) for problem in value.problems],
        "notes": list(value.notes),
    }


def preview(value: Preview) -> dict[str, Any]:
    """What a run would do."""
    return {
        "steps": [
            {
                **migration(step.migration),
                "transactional": value.scripts[step.migration.script].transactional,
                "statements": [item.sql for item in value.scripts[step.migration.script].statements or ()],
                "statements_done": step.done,
            }
            for step in value.plan.steps
        ],
        "problems": [asdict(problem) for problem in value.plan.problems],
        "notes": list(value.plan.notes),
    }


def checks(value: Sequence[Check]) -> dict[str, Any]:
    """What was found before a run."""
    return {"checks": [asdict(check) for check in value]}


def checked(value: Checked) -> dict[str, Any]:
    """What `check` found."""
    return {
        "findings": [{**asdict(item), "fails": value.fails(item)} for item in value.findings],
        "files": value.files,
        "root": value.root,
        "severity": value.severity,
        "failed": value.failed,
        "notes": list(value.notes),
    }


def rule(value: Rule) -> dict[str, Any]:
    """What a rule is about."""
    names = ("id", "family", "severity", "title", "why", "safe", "lock", "setup", "bad", "good", "target")
    return {name: getattr(value, name) for name in names}


def migration(value: Migration) -> dict[str, Any]:
    """A file."""
    return {
        "version": value.version,
        "description": value.description,
        "script": value.script,
        "kind": value.kind,
        "checksum": value.checksum,
    }


def error(value: PgratchetError) -> dict[str, Any]:
    """A failure, with what was done before it."""
    fields: dict[str, Any] = {
        "type": type(value).__name__,
        "message": value.message,
        "hint": value.hint,
        "exit_code": value.exit_code,
    }
    match value:
        case StatementFailed():
            names = ("line", "column", "sqlstate", "primary", "detail", "server_hint", "context", "state")
            fields |= {name: getattr(value, name) for name in names}
            fields |= {"file": value.migration.path, "statement": value.statement.number}
        case ParseError():
            fields |= {"file": value.path, "line": value.line, "column": value.column}
        case HistoryError() | FilesError():
            fields["problems"] = [asdict(problem) for problem in value.problems]
        case PreflightError():
            fields |= checks(value.checks)
    return {"error": fields, **(outcome(value.outcome) if value.outcome else {})}


def _done(item: Done) -> dict[str, Any]:
    return {**migration(item.migration), "seconds": round(item.seconds, 6), "statements": item.statements}


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
