"""What a database's schema is, as its catalogue tells: a snapshot, its fingerprint, and a readable difference."""

from __future__ import annotations

from pgratchet.schema.comparing import Action, Change, Drift, describe, difference, outermost
from pgratchet.schema.items import Item, Snapshot
from pgratchet.schema.reading import NOT_MODELLED, snapshot
from pgratchet.schema.selecting import select

__all__ = [
    "NOT_MODELLED",
    "Action",
    "Change",
    "Drift",
    "Item",
    "Snapshot",
    "describe",
    "difference",
    "outermost",
    "select",
    "snapshot",
]
