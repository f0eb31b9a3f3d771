"""A scenario's outcome, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from benchmarks.measure import Sample

FLOOR = "psql"
YARDSTICK = "dbmate"
HEADER = ("tool", "wall", "min – max", "client CPU", "server CPU", "peak MB", f"/ {FLOOR}", f"/ {YARDSTICK}")


@dataclass(slots=True)
class Table:
    """The samples of each tool in the order of the rounds, and what could not be measured."""

    name: str
    title: str
    rows: dict[str, list[Sample]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    load: list[float] = field(default_factory=list)
    """The machine's load before and after."""

    def text(self) -> str:
        """The table in Markdown, the quickest tool first."""
        ordered = sorted(self.rows, key=lambda tool: median(sample.wall for sample in self.rows[tool]))
        cells = [HEADER, *(self._row(tool) for tool in ordered)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(HEADER))]
        lines = [_line(row, widths) for row in cells]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        runs = max(map(len, self.rows.values()), default=0)
        load = " and ".join(f"{value:.1f}" for value in self.load)
        notes = [f"- {tool}: {reason}" for tool, reason in self.notes.items()]
        head = [
            f"## {self.name}: {self.title}",
            f"{runs} rounds; load of the machine before and after: {load}",
            "",
        ]
        return "\n".join([*head, *lines, *([""] if notes else []), *notes, ""])

    def json(self) -> dict[str, Any]:
        """Everything that was measured, run by run."""
        return asdict(self)

    def _row(self, tool: str) -> tuple[str, ...]:
        samples = self.rows[tool]
        walls = [sample.wall for sample in samples]
        return (
            tool,
            _time(median(walls)),
            f"{_time(min(walls))} – {_time(max(walls))}",
            _median(samples, lambda sample: sample.cpu, _time),
            _median(samples, lambda sample: sample.server, _time),
            _median(samples, lambda sample: sample.peak, lambda value: f"{value / 1e6:.0f}"),
            self._ratio(tool, FLOOR),
            self._ratio(tool, YARDSTICK),
        )

    def _ratio(self, tool: str, other: str) -> str:
        """The median of the ratios round by round: what slows the machine for a while slows both."""
        match = next((name for name in self.rows if re.fullmatch(rf"{other}( [0-9.]+)?", name)), None)
        if match is None:
            return ""
        pairs = zip(self.rows[tool], self.rows[match], strict=False)
        return f"{median(one.wall / base.wall for one, base in pairs):.2f}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if number == 0 else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return f"| {' | '.join([first, *others])} |"


def _median(
    samples: Sequence[Sample], value: Callable[[Sample], float | None], show: Callable[[float], str]
) -> str:
    known = [found for sample in samples if (found := value(sample)) is not None]
    return show(median(known)) if known else ""


def _time(seconds: float) -> str:
    if seconds < 0.1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 2 else f"{seconds:.2f} s"
