"""The verbs: what the command line and a library user both call. Values in, values out.

Each is loaded when it is first used: `up` needs none of what the others are made of.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgratchet.ops.applying import preflight, preview, up
    from pgratchet.ops.backing_up import back_up, backups, prune_backups, restore, verify_backup
    from pgratchet.ops.checking import check
    from pgratchet.ops.drifting import drift, mend_drift
    from pgratchet.ops.explaining import explain, rules
    from pgratchet.ops.reaching import database
    from pgratchet.ops.recording import baseline, mark, seed, status
    from pgratchet.ops.rehearsing import rehearse
    from pgratchet.ops.renumbering import renumber
    from pgratchet.ops.reverting import revert
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
    "mend_drift",
    "preflight",
    "preview",
    "prune_backups",
    "rehearse",
    "renumber",
    "restore",
    "revert",
    "rules",
    "seed",
    "squash",
    "status",
    "up",
    "verify_backup",
]

_MODULES = {
    "applying": {"preflight", "preview", "up"},
    "backing_up": {"back_up", "backups", "prune_backups", "restore", "verify_backup"},
    "checking": {"check"},
    "drifting": {"drift", "mend_drift"},
    "explaining": {"explain", "rules"},
    "reaching": {"database"},
    "recording": {"baseline", "mark", "seed", "status"},
    "rehearsing": {"rehearse"},
    "renumbering": {"renumber"},
    "reverting": {"revert"},
    "squashing": {"squash"},
}


def __getattr__(name: str) -> Any:
    module = next((module for module, names in _MODULES.items() if name in names), None)
    if module is None:
        raise AttributeError(f"module 'pgratchet.ops' has no attribute {name!r}")
    return getattr(import_module(f"pgratchet.ops.{module}"), name)
