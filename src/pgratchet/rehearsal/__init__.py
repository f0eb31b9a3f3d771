"""The plan run on a copy, watched, and judged: copy, run, proofs, one answer."""

from __future__ import annotations

from pgratchet.rehearsal.copying import copied
from pgratchet.rehearsal.databases import Busy, cloned
from pgratchet.rehearsal.driving import Load, load
from pgratchet.rehearsal.judging import judge
from pgratchet.rehearsal.proving import proven
from pgratchet.rehearsal.records import (
    Answer,
    Blocked,
    Copy,
    Latency,
    Lock,
    Part,
    Proof,
    Reason,
    Rehearsal,
    Run,
    Sample,
    Seen,
    Subject,
    Weighed,
    Workload,
    blocks,
)
from pgratchet.rehearsal.running import watched
from pgratchet.rehearsal.scaling import scaled
from pgratchet.rehearsal.sources import Kept, Origin, Source, Wishes, look
from pgratchet.rehearsal.storing import refusal, write
from pgratchet.rehearsal.weighing import explained, foreseen, weigh

__all__ = [
    "Answer",
    "Blocked",
    "Busy",
    "Copy",
    "Kept",
    "Latency",
    "Load",
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
    "Weighed",
    "Wishes",
    "Workload",
    "blocks",
    "cloned",
    "copied",
    "explained",
    "foreseen",
    "judge",
    "load",
    "look",
    "proven",
    "refusal",
    "scaled",
    "watched",
    "weigh",
    "write",
]
