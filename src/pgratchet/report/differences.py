"""Drift for people and for programs."""

from __future__ import annotations

from typing import Any

from pgratchet.report.text import count
from pgratchet.schema import Action, Change, Drift, describe, outermost

WORDS = {Action.ADDED: "unexpected", Action.REMOVED: "missing", Action.CHANGED: "different"}


def text(value: Drift) -> str:
    """Every difference, from what the migrations make to what is there."""
    lines = [f"note: {note}" for note in value.notes]
    place = f"what the migrations make, at version {value.version}"
    if not value.changes:
        return "\n".join([*lines, f"No drift: the schema is {place}."])
    number = count(len(outermost(value.changes)), "difference")
    return "\n".join([*lines, f"{number} from {place}:", "", describe(value.changes, WORDS)])


def as_object(value: Drift) -> dict[str, Any]:
    """The same for a program; `expected` and `found` are null where an item has not that property."""
    return {
        "version": value.version,
        "fingerprint": value.fingerprint,
        "differences": [_difference(change) for change in value.changes],
        "notes": list(value.notes),
    }


def _difference(change: Change) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "difference": WORDS[change.action],
        "kind": change.item.kind,
        "name": change.item.name,
    }
    if change.action is Action.CHANGED:
        return fields | {"property": change.property, "expected": change.old, "found": change.new}
    return fields | {"part_of": change.item.parent, "properties": dict(change.item.properties)}
