"""The verbs: what the command line and a library user both call. Values in, values out."""

from __future__ import annotations

from pgratchet.ops.applying import preflight, preview, up
from pgratchet.ops.checking import check
from pgratchet.ops.drifting import drift
from pgratchet.ops.explaining import explain, rules
from pgratchet.ops.reaching import database
from pgratchet.ops.recording import baseline, mark, seed, status
from pgratchet.ops.renumbering import renumber

__all__ = [
    "baseline",
    "check",
    "database",
    "drift",
    "explain",
    "mark",
    "preflight",
    "preview",
    "renumber",
    "rules",
    "seed",
    "status",
    "up",
]
