"""The plan run on a copy, watched, and judged: copy, run, proofs, one answer."""

from __future__ import annotations

from pgratchet.rehearsal.copying import copied
from pgratchet.rehearsal.databases import Busy, cloned
from pgratchet.rehearsal.judging import judge
from pgratchet.rehearsal.proving import proven
from pgratchet.rehearsal.records import (
    Answer,
    Blocked,
    Copy,
    Lock,
    Part,
    Proof,
    Reason,
    Rehearsal,
    Run,
    Sample,
    Seen,
    Subject,
    blocks,
)
from pgratchet.rehearsal.running import watched
from pgratchet.rehearsal.scaling import scaled
from pgratchet.rehearsal.sources import Kept, Origin, Source, Wishes, look
from pgratchet.rehearsal.storing import refusal, write

__all__ = [
    "Answer",
    "Blocked",
    "Busy",
    "Copy",
    "Kept",
    "Lock",
    "Origin",
    "Part",
    "Proof",
    "Reason",
    "Rehearsal",
    "Run",
    "Sample",
    "Seen",
    "Source",
    "Subject",
    "Wishes",
    "blocks",
    "cloned",
    "copied",
    "judge",
    "look",
    "proven",
    "refusal",
    "scaled",
    "watched",
    "write",
]
