"""The statements that lead one schema to another: decided from two snapshots alone, kept data first."""

from __future__ import annotations

from pgratchet.mending.deciding import mend
from pgratchet.mending.records import Mending, Unmended

__all__ = ["Mending", "Unmended", "mend"]
