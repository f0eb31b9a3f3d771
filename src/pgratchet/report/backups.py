"""Backups as people and programs read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pgratchet.backup.keeping import Backup, Standing
from pgratchet.backup.manifest import size
from pgratchet.backup.restoring import Restored
from pgratchet.report import text


def listed(value: Sequence[Backup]) -> str:
    """The table of backups, newest first, and what is wrong with any."""
    if not value:
        return "There is no backup."
    head = ("name", "age", "size", "version", "state", "verified at")
    lines = text.table(head, map(_cells, value))
    lines += [f"{item.name}: {item.problem}" for item in value if item.problem]
    if not any(item.standing is Standing.VERIFIED for item in value):
        lines += [
            "",
            "None of them is verified: `pgratchet verify --drill` restores the newest one to prove it.",
        ]
    return "\n".join(lines)


def one(value: Backup) -> str:
    """A backup that was just taken, or verified."""
    made = value.manifest
    if made is None:
        return f"{value.name}: {value.problem}"
    rows = sum(table.rows for table in made.tables)
    at = "without a history" if made.version is None else f"at version {made.version}"
    holds = f"{text.count(len(made.tables), 'table')}, {text.count(rows, 'row')}, {size(made.bytes)}"
    taken = f"taken in {text.duration(made.seconds)}"
    lines = [f"{value.place}: database {made.database}, {at}; {holds}, {taken}"]
    lines += [f"note: {note}" for note in made.notes]
    proof = value.proof
    if proof is None:
        return "\n".join(
            [*lines, f"Not verified yet: `pgratchet verify {value.name}` restores it to prove it."]
        )
    lines += [f"note: {note}" for note in proof.notes]
    if proof.good:
        server = f"PostgreSQL {proof.server_version}"
        lines.append(
            f"Verified: restored on {server} in {text.duration(proof.seconds)}, every row as it was."
        )
        return "\n".join(lines)
    return "\n".join(
        [*lines, "NOT good:", *(f"  {problem}" for problem in proof.problems or (value.problem,))]
    )


def pruned(value: Sequence[Backup]) -> str:
    """What was deleted."""
    if not value:
        return "Nothing to delete: a rule keeps each of them."
    total = sum(item.manifest.bytes for item in value if item.manifest)
    names = [f"deleted {item.name}" for item in value]
    return "\n".join([*names, f"Deleted {text.count(len(value), 'backup')}, {size(total)}."])


def restored(value: Restored) -> str:
    """What a restore did, and what to do next."""
    at = "without a history" if value.version is None else f"at version {value.version}"
    lines = [f"note: {note}" for note in value.notes]
    lines.append(
        f"Restored {value.name} as the database {value.database}, {at}: {text.count(value.tables, 'table')}, "
        f"{text.count(value.rows, 'row')}, each as it was, in {text.duration(value.seconds)}."
    )
    if value.aside:
        lines.append(
            f"What was there before is kept as the database {value.aside}; drop it when you no longer need it."
        )
    return "\n".join(lines)


def as_object(value: Backup) -> dict[str, Any]:
    """A backup for a program; without its files and tables, which its manifest has."""
    made = value.manifest
    known: dict[str, Any] = {}
    if made:
        names = (
            "database",
            "made_at",
            "seconds",
            "server_version",
            "version",
            "script",
            "codec",
            "bytes",
            "run_id",
        )
        known = {name: getattr(made, name) for name in names}
        known |= {
            "rows": sum(table.rows for table in made.tables),
            "tables": len(made.tables),
            "notes": made.notes,
        }
    proof = asdict(value.proof) if value.proof else None
    standing = {"standing": value.standing, "problem": value.problem, "proof": proof}
    return {"name": value.name, "place": value.place, **standing, **known}


def _cells(item: Backup) -> tuple[str, ...]:
    made, proof = item.manifest, item.proof
    if made is None:
        return (item.name, "", "", "", item.standing.value, "")
    age = (datetime.now(UTC) - made.made_at).total_seconds()
    version = "" if made.version is None else str(made.version)
    when = f"{proof.verified_at:%Y-%m-%d %H:%M}" if proof else ""
    return (item.name, _age(age), size(made.bytes), version, item.standing.value, when)


def _age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"
