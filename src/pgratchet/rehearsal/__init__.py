"""The plan run on a copy, watched, and judged: copy, run, proofs, one answer."""

from __future__ import annotations

from pgratchet.rehearsal.copying import Origin, Source, Wishes, copied, look
from pgratchet.rehearsal.databases import Busy, cloned
from pgratchet.rehearsal.judging import judge
from pgratchet.rehearsal.proving import proven
from pgratchet.rehearsal.records import (
    Answer,
    Blocked,
    Copy,
    Lock,
    Proof,
    Reason,
    Rehearsal,
    Run,
    Seen,
    Subject,
    blocks,
)
from pgratchet.rehearsal.running import watched
from pgratchet.rehearsal.storing import refusal, write

__all__ = [
    "Answer",
    "Blocked",
    "Busy",
    "Copy",
    "Lock",
    "Origin",
    "Proof",
    "Reason",
    "Rehearsal",
    "Run",
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
    "watched",
    "write",
]
