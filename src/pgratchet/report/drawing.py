"""Bars and rows of bars as SVG, for pages that need no script and no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from pgratchet.rehearsal import Blocked, Lock, blocks
from pgratchet.report.text import duration

# What a lock blocks: its class, how much of a row's height it takes, and in words.
STRENGTHS = {
    "reads and writes": ("reads", 1.0, "blocks reads and writes"),
    "writes": ("writes", 0.66, "blocks writes"),
    "changes of the schema and VACUUM": ("changes", 0.33, "blocks changes of the schema and VACUUM"),
}
WAITED = 0.14
"""The part of a row's height that says that a client waited."""
WIDE, HIGH = 1000.0, 22.0
TICKS = 4


def svg(drawn: str, said: str = "") -> str:
    """A track with bars on it. Without words of its own it is for the eye alone: the text beside it says the same."""
    track = f'<rect class="track" width="{WIDE:.0f}" height="{HIGH}"/>'
    size = f'viewBox="0 0 {WIDE:.0f} {HIGH:.0f}" height="{HIGH:.0f}" preserveAspectRatio="none"'
    name = f'role="img" aria-label="{escape(said)}"' if said else 'aria-hidden="true"'
    return f"<svg {size} {name}>{track}{drawn}</svg>"


def bar(kind: str, start: float, length: float, part: float, whole: float = WIDE, name: str = "") -> str:
    """A bar from the bottom up, `part` of the height, never too thin to be seen."""
    left, wide = start / whole * WIDE, max(length / whole * WIDE, 2.0)
    high = HIGH * part
    said = f"<title>{escape(name)}: {duration(length / 1000)}</title>" if name else ""
    place = f'x="{min(left, WIDE - 2):.1f}" y="{HIGH - high:.1f}" width="{wide:.1f}" height="{high:.1f}"'
    return f'<rect class="{kind}" {place}>{said}</rect>'


def limit(at: float, whole: float) -> str:
    """A dashed line where a limit is."""
    x = f"{at / whole * WIDE:.1f}"
    return (
        f'<line class="limit" x1="{x}" x2="{x}" y1="0" y2="{HIGH:.0f}" vector-effect="non-scaling-stroke"/>'
    )


def row(name: str, drawn: str, said: str) -> str:
    """A name and its track."""
    return f'<div class="row"><span class="name code">{escape(name)}</span>{svg(drawn, said)}</div>'


def axis(whole: float) -> str:
    """What the places on a track mean."""
    ticks = (
        f'<span style="left:{n / TICKS * 100:.0f}%">{duration(whole * n / TICKS / 1000)}</span>'
        for n in range(TICKS + 1)
    )
    return f'<div class="axis" aria-hidden="true">{"".join(ticks)}</div>'


def legend() -> str:
    """What the bars of a table's row mean."""
    kinds = [*STRENGTHS.values(), ("tried", WAITED, "a client waited")]
    shown = (f"<span>{svg(bar(kind, 0, WIDE, part))}{words}</span>" for kind, part, words in kinds)
    return f'<div class="legend small">{"".join(shown)}</div>'


def table_row(table: str, locks: Iterable[Lock], blocked: Iterable[Blocked], whole: float) -> str:
    """The locks of a table, the strongest over the others, and below them when clients waited."""
    mine = sorted(locks, key=_strength)
    drawn, said = "", [table]
    for lock in mine:
        kind, part, words = STRENGTHS[blocks(lock) or ""]
        drawn += bar(kind, lock.start, lock.milliseconds, part, whole, f"{lock.mode} on {lock.relation}")
    for lock in sorted(mine, key=lambda lock: lock.start):
        words = STRENGTHS[blocks(lock) or ""][2]
        said.append(f"{words} for {duration(lock.milliseconds / 1000)} from {duration(lock.start / 1000)} on")
    for item in blocked:
        drawn += _waits(item, whole)
        said.append(f"reads waited {duration(item.reads / 1000)}, writes {duration(item.writes / 1000)}")
    return row(table, drawn, "; ".join(said))


def _strength(lock: Lock) -> float:
    return STRENGTHS[blocks(lock) or ""][1]


def _waits(item: Blocked, whole: float) -> str:
    spans = [(span, "a read waited") for span in item.read_spans]
    spans += [(span, "a write waited") for span in item.write_spans]
    return "".join(bar("tried", start, end - start, WAITED, whole, name) for (start, end), name in spans)
