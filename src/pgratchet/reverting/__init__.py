"""Taking a migration back by going forward: what it did, what is lost with it, and the file that undoes it. Pure."""

from __future__ import annotations

from pgratchet.reverting.judging import Ends, Judged, judge
from pgratchet.reverting.records import Data, Reverted, Risk, SchemaProof
from pgratchet.reverting.rows import Rows

__all__ = ["Data", "Ends", "Judged", "Reverted", "Risk", "Rows", "SchemaProof", "judge"]
