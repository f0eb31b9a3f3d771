"""The statements that lead one schema to another: decided from two snapshots alone, kept data first."""

from __future__ import annotations

from pgratchet.mending.deciding import mend
from pgratchet.mending.guarding import guarded
from pgratchet.mending.proposing import NAMES, Proposal, Way, text
from pgratchet.mending.records import Mending, Unmended

__all__ = ["NAMES", "Mending", "Proposal", "Unmended", "Way", "guarded", "mend", "text"]
