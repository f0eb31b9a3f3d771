"""The file that takes a drift away: which statements it has, and what its header says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from textwrap import wrap

from pgratchet.mending.records import Mending
from pgratchet.schema import Change, Drift, describe

WIDTH = 100
LARGE = 40
"""Lines of differences in a header."""


class Way(StrEnum):
    """Which of the two sides is made like the other."""

    BACK = "back"
    """The live database, like what the migrations make."""
    FILES = "files"
    """What the migrations make, like the live database."""


PURPOSES = {
    Way.BACK: "brings a database that was changed by hand back to what the migrations make",
    Way.FILES: "takes into the migrations what was changed by hand",
}
TO_DO = {
    Way.BACK: "{} is made by {}: change a comment in it, and `pgratchet up` runs it again",
    Way.FILES: "{} is made by {}: write the change into that file",
}
"""What is said of something that a repeatable file makes."""
NAMES = {Way.BACK: "take back drift", Way.FILES: "take in drift"}
ELSEWHERE = {
    Way.BACK: "Where nothing was changed by hand it does nothing.",
    Way.FILES: "Where it was changed by hand already it does nothing more.",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """The next migration, which takes a drift away."""

    way: Way
    drift: Drift
    mending: Mending
    """With statements that may run twice."""
    doubt: str | None
    """Why it is not proven, or None."""
    path: Path | None
    """None where it was not written."""
    major: int
    """Of the server on which it was tried."""


def of_repeatables(changes: Iterable[Change], texts: Mapping[str, str]) -> dict[str, str]:
    """What of the differences a repeatable file makes, by title, with the name of that file."""
    titles = dict.fromkeys(change.item.parent or change.item.title for change in changes)
    found = ((title, script) for title in titles for script, text in texts.items() if _makes(text, title))
    return dict(found)


def _makes(text: str, title: str) -> bool:
    """Whether a file creates something of that name, with its schema or without."""
    name = title.partition("(")[0].rpartition(" ")[2]
    parts = [rf'"?{re.escape(part.strip(chr(34)))}"?' for part in name.rsplit(".", 1)]
    word = rf"(?:{parts[0]}\s*\.\s*)?{parts[1]}" if len(parts) == 2 else parts[0]
    return re.search(rf"(?i)\bcreate\s+(?:[a-z]+\s+)+?{word}(?![\w$])", text) is not None


def text(proposal: Proposal) -> str:
    """The file."""
    body = "".join(f"{statement};\n\n" for statement in proposal.mending.statements).rstrip("\n")
    return "\n".join(header(proposal)) + f"\n\n{body}\n"


def header(proposal: Proposal) -> Iterator[str]:
    """What it is for, how far it is proven, what is lost, what it leaves."""
    way, mending = proposal.way, proposal.mending
    yield from _entry("Purpose:", PURPOSES[way])
    if proposal.doubt is None:
        yield from _entry(
            "Proof:", f"tried twice on a scratch database of PostgreSQL {proposal.major}, without rows"
        )
    else:
        yield from _entry("Proof:", f"none: {proposal.doubt}")
    yield from _entry("", ELSEWHERE[way])
    for number, title in enumerate(mending.loses):
        yield from _entry("" if number else "Loses:", f"{title}, with what is in it")
    notes = [
        *mending.notes,
        *(f"{one.change.item.title} stays as it is: {one.reason}" for one in mending.unmended),
    ]
    for number, note in enumerate(notes):
        yield from _entry("" if number else "Note:", note)
    yield from _entry("Risk:", "which tables are locked, and how long: `pgratchet rehearse` tells")
    yield from _entry("Reverse:", "`pgratchet drift --write` the other way, before this is applied")
    yield "--"
    lines = describe(proposal.drift.changes).splitlines()
    yield from (f"--   {line}" for line in lines[:LARGE])
    if len(lines) > LARGE:
        yield f"--   … and {len(lines) - LARGE} lines more: see `pgratchet drift`"


def _entry(word: str, entry: str) -> Iterator[str]:
    plain = " ".join(entry.split())
    for number, line in enumerate(wrap(plain, WIDTH, break_long_words=False, break_on_hyphens=False)):
        yield f"-- {word if not number else '':<8} {line}"
