"""What squawk finds beside our own rules, where it is installed: the only module that runs it.

Where both know of a hazard ours decides, since they know the files before, the catalogue and the types; squawk's word
stands for the rest. It ends with 1 both for findings and for its own failures, so only its output counts.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Collection, Iterator, Sequence
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pgratchet.findings import Finding, Severity
from pgratchet.model import Migration, Script

PACKAGE = "squawk-cli"
PREFIX = "squawk-"
"""Before the names of its rules, which are not ours."""
SECONDS = 120
AT_ONCE = 500
"""Files of one call; their names have to fit into a command line."""

RUNNERS = frozenset(
    {
        "ban-concurrent-index-creation-in-transaction",
        "ban-uncommitted-transaction",
        "prefer-robust-stmts",
        "require-lock-timeout",
        "require-statement-timeout",
        "require-timeout-settings",
        "syntax-error",
        "transaction-nesting",
    }
)
"""What a run of pgratchet sees to by itself: the transactions, the time-outs, that nothing is run twice."""

OURS = {
    "adding-field-with-default": ("add-column-volatile-default", "add-column-generated-stored"),
    "adding-foreign-key-constraint": ("add-foreign-key", "add-column-foreign-key"),
    "adding-not-nullable-field": ("set-not-null",),
    "adding-required-field": ("add-required-column",),
    "adding-serial-primary-key-field": ("add-primary-key", "add-column-unique"),
    "ban-add-column": ("change-columns",),
    "ban-alter-domain-with-add-constraint": ("add-domain-constraint",),
    "ban-alter-policy-condition": ("change-policy",),
    "ban-alter-policy-roles": ("change-policy",),
    "ban-alter-row-level-security": ("enable-row-security", "disable-row-security"),
    "ban-alter-system-options": ("alter-system",),
    "ban-create-policy": ("change-policy",),
    "ban-drop-column": ("drop-column",),
    "ban-drop-constraint": ("drop-constraint", "drop-foreign-key"),
    "ban-drop-database": ("drop-database",),
    "ban-drop-default": ("change-default",),
    "ban-drop-domain": ("drop-object",),
    "ban-drop-extension": ("drop-extension",),
    "ban-drop-function": ("drop-object",),
    "ban-drop-not-null": ("change-default",),
    "ban-drop-schema": ("drop-schema",),
    "ban-drop-sequence": ("drop-object",),
    "ban-drop-table": ("drop-table",),
    "ban-drop-type": ("drop-object",),
    "ban-drop-view": ("drop-object",),
    "ban-new-write-restriction": ("restrict-writes",),
    "ban-revoke": ("revoke-right",),
    "ban-set-default": ("change-default",),
    "ban-set-schema": ("set-schema",),
    "ban-truncate-cascade": ("truncate-table",),
    "changing-column-type": ("change-column-type", "change-type-rebuilds-index", "narrow-column-type"),
    "constraint-missing-not-valid": (
        "add-check",
        "add-exclusion-constraint",
        "add-foreign-key",
        "add-primary-key",
        "add-unique-constraint",
    ),
    "disallowed-unique-constraint": ("add-unique-constraint", "add-column-unique"),
    "identifier-too-long": ("name-too-long",),
    "prefer-repack": ("cluster-table", "vacuum-full"),
    "renaming-column": ("rename-column",),
    "renaming-object": ("rename-object", "rename-table", "rename-enum-value"),
    "renaming-table": ("rename-table",),
    "require-concurrent-index-creation": ("create-index-blocking",),
    "require-concurrent-index-deletion": ("drop-index-blocking",),
    "require-concurrent-partition-detach": ("detach-partition-blocking",),
    "require-concurrent-reindex": ("reindex-blocking",),
}
"""The rules of squawk whose hazard is one of ours, with ours."""

STYLE = frozenset(
    {
        "ban-char-field",
        "ban-create-domain-with-constraint",
        "prefer-bigint-over-int",
        "prefer-bigint-over-smallint",
        "prefer-identity",
        "prefer-text-field",
        "prefer-timestamp-tz",
        "require-table-schema",
    }
)
"""Matters of taste, told only where they are asked for, as notes."""


class Heard(NamedTuple):
    """What squawk said; `notes` say why it said nothing, where it did not."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def program() -> Path | None:
    """The program that the package brings, in this Python's own environment; None where it is not installed."""
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return None
    found = (Path(str(file.locate())) for file in files if file.stem == "squawk")
    return next((path for path in found if path.exists()), None)


def look(
    files: Sequence[tuple[Migration, Script]],
    *,
    major: int | None = None,
    style: bool = False,
    off: Collection[str] = (),
) -> Heard:
    """What squawk finds in files that our own parser has read; nothing where it is not installed."""
    path = program()
    if path is None:
        return Heard()
    silent = {*off, *(f"{PREFIX}{name}" for name in (() if style else STYLE))}
    scripts = {migration.path: script for migration, script in files}
    findings: list[Finding] = []
    notes: dict[str, None] = {}
    for batch, flags in _batches(files):
        heard = _call(path, batch, [*flags, *([f"--pg-version={major}"] if major else [])])
        findings += [
            item
            for item in heard.findings
            if item.rule not in silent and not _taken(item, scripts[item.path])
        ]
        notes |= dict.fromkeys(heard.notes)
    return Heard(tuple(findings), tuple(notes))


def read(output: str, files: dict[str, Path]) -> Iterator[Finding]:
    """The findings of squawk's JSON that ours do not speak of; `files` are the paths by their names."""
    for item in json.loads(output):
        name = item["rule_name"]
        if name not in RUNNERS and name not in OURS:
            yield _finding(item, files[item["file"]])


def _taken(finding: Finding, script: Script) -> bool:
    """Whether a comment of ours takes it back."""
    begun = [item.number for item in script.statements or () if item.line <= finding.line]
    return any(
        finding.rule in ignore.rules and ignore.statement in {0, *begun[-1:]} for ignore in script.ignores
    )


def _batches(
    files: Sequence[tuple[Migration, Script]],
) -> Iterator[tuple[list[Path], list[str]]]:
    """The files in as many as fit into a call, apart by how they are run; those of data are too large for it."""
    small = [(migration.path, script) for migration, script in files if script.statements is not None]
    for transactional in (True, False):
        paths = [path for path, script in small if script.transactional is transactional]
        flags = ["--assume-in-transaction"] if transactional else []
        for start in range(0, len(paths), AT_ONCE):
            yield paths[start : start + AT_ONCE], flags


def _call(path: Path, files: list[Path], flags: list[str]) -> Heard:
    """One run in the folder of the files: so no name is taken for a pattern or an option."""
    command = [str(path), "--reporter=json", *flags, *(file.name for file in files)]
    try:
        done = subprocess.run(
            command, cwd=files[0].parent, capture_output=True, check=False, timeout=SECONDS, encoding="utf-8"
        )
        return Heard(tuple(read(done.stdout, {file.name: file for file in files})))
    except (OSError, subprocess.TimeoutExpired) as error:
        return Heard(notes=(f"squawk could not be run, so its rules were not looked at: {error}",))
    except (ValueError, KeyError, TypeError):
        told = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[0]
        return Heard(notes=(f"squawk failed, so its rules were not looked at; it said: {told}",))


def _finding(item: dict[str, Any], path: Path) -> Finding:
    raw = _line(path, item["line"])
    before = raw[: item["column"]].decode(errors="ignore").removeprefix("\ufeff")
    return Finding(
        rule=f"{PREFIX}{item['rule_name']}",
        severity=Severity.NOTE if item["rule_name"] in STYLE else Severity.WARNING,
        path=path,
        line=item["line"] + 1,
        column=len(before) + 1,
        message=item["message"],
        hint=item["help"] or f"-- squawk-ignore {item['rule_name']} before the statement takes this back.",
        source=raw.decode(errors="replace").removeprefix("\ufeff"),
    )


def _line(path: Path, number: int) -> bytes:
    """A line of a file, counted from 0, in whose bytes squawk counts columns."""
    with path.open("rb") as stream:
        return next(islice(stream, number, None), b"").rstrip(b"\r\n")
