"""The verbs: what the command line and a library user both call. Values in, values out."""

from __future__ import annotations

from pgratchet.ops.applying import preflight, preview, up
from pgratchet.ops.drifting import drift
from pgratchet.ops.reaching import database
from pgratchet.ops.recording import baseline, mark, seed, status
from pgratchet.ops.renumbering import renumber

__all__ = ["baseline", "database", "drift", "mark", "preflight", "preview", "renumber", "seed", "status", "up"]
