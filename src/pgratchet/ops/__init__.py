"""The verbs: what the command line and a library user both call. Values in, values out."""

from __future__ import annotations

from pgratchet.ops.applying import preflight, preview, up
from pgratchet.ops.backing_up import back_up, backups, prune_backups, restore, verify_backup
from pgratchet.ops.checking import check
from pgratchet.ops.drifting import drift
from pgratchet.ops.explaining import explain, rules
from pgratchet.ops.reaching import database
from pgratchet.ops.recording import baseline, mark, seed, status
from pgratchet.ops.rehearsing import rehearse
from pgratchet.ops.renumbering import renumber
from pgratchet.ops.squashing import squash

__all__ = [
    "back_up",
    "backups",
    "baseline",
    "check",
    "database",
    "drift",
    "explain",
    "mark",
    "preflight",
    "preview",
    "prune_backups",
    "rehearse",
    "renumber",
    "restore",
    "rules",
    "seed",
    "squash",
    "status",
    "up",
    "verify_backup",
]
