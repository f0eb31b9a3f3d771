"""Drift for people and for programs."""

from __future__ import annotations

from typing import Any

from pgratchet.mending import Proposal, Way
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


NEXT = {
    Way.BACK: (
        "Look at it, then `pgratchet up`: it brings this database back, and does nothing to one that nobody changed."
    ),
    Way.FILES: "Look at it, then `pgratchet up`: here it finds everything done, elsewhere it does it.",
}


def proposal(value: Proposal) -> str:
    """The differences, and the file that takes them away."""
    return "\n".join([text(value.drift), *(["", *written(value)] if value.drift.changes else [])])


def written(value: Proposal) -> list[str]:
    """What was written, and what is to be known of it."""
    notes = [f"loses: {title}, with what is in it" for title in value.mending.loses]
    notes += [f"note: {note}" for note in value.mending.notes]
    notes += [f"stays: {one.change.item.title}: {one.reason}" for one in value.mending.unmended]
    if value.path is None:
        return ["No file was written: no statement takes the difference away.", *notes]
    proof = "proven on a scratch database" if value.doubt is None else f"not proven: {value.doubt}"
    return [f"{value.path} is written, {proof}.", *notes, NEXT[value.way]]


def proposal_object(value: Proposal) -> dict[str, Any]:
    """The same for a program."""
    return as_object(value.drift) | {
        "way": value.way.value,
        "file": None if value.path is None else str(value.path),
        "proven": value.doubt is None,
        "doubt": value.doubt,
        "statements": list(value.mending.statements),
        "loses": list(value.mending.loses),
        "stays": [{"item": one.change.item.title, "reason": one.reason} for one in value.mending.unmended],
        "remarks": list(value.mending.notes),
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
