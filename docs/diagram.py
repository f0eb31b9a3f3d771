"""Draws the tables and their foreign keys as one SVG, for light and dark pages.

Tables stand in columns, grouped by what they are for. A line leaves the column of a child for the gap beside it,
runs down or up there on a track that belongs to its parent, and enters the parent: so no line crosses a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from docs.catalogue import Catalogue, Reference, Relation

LAYOUT: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...] = (
    (
        ("Rate limits", ("rate_limits", "rate_limit_overrides", "rate_limit_buckets",
                         "rate_limit_durable_buckets", "rate_limit_leases")),
        ("Usage and audit", ("api_usage", "audit_log")),
    ),
    (
        ("Tenants", ("plans", "tenants")),
        ("Skills", ("skills",)),
        ("Embeddings", ("embedding_models", "embeddings")),
    ),
    (("People", ("users", "roles", "user_roles", "login_directory", "api_keys")),),
    (
        ("Conversations", ("conversations", "messages")),
        ("History of migrations", ("schema_migrations", "schema_migrations_body")),
    ),
    (
        ("Backups", ("backups", "backup_files", "backup_verifications", "restores")),
        ("Repeatable migrations", ("schema_migrations_repeatable",)),
    ),
)  # fmt: skip
"""The columns of the page from left to right. A table of the catalogue that is missing here is an error."""

WIDTH = 244
GAP = 76
ROW = 17
HEAD = 26
SPACE = 20
PAD = 14
TITLE = 30
MARGIN = 28
TRACK = 12
LABEL = "The tables of the bundled database and their foreign keys"
SHORT = {
    "timestamp with time zone": "timestamptz",
    "double precision": "float8",
    "boolean": "bool",
    "integer": "int",
}
STYLE = """
svg { --page: #ffffff; --group: #f3f5f8; --edge: #d5dbe3; --box: #ffffff; --head: #2f5d8c; --on-head: #ffffff;
      --text: #1f2933; --soft: #65717f; --line: #7a8aa0; --key: #9a5b00; }
@media (prefers-color-scheme: dark) {
  svg { --page: #0d1117; --group: #151b23; --edge: #303a46; --box: #1c232d; --head: #28527d; --on-head: #f0f4f8;
        --text: #dfe6ee; --soft: #93a1b1; --line: #7488a0; --key: #e3a94b; }
}
text { font: 12px ui-sans-serif, system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--text); }
.page { fill: var(--page); }
.group { fill: var(--group); stroke: var(--edge); }
.group-title { font-size: 13px; font-weight: 600; fill: var(--soft); }
.box { fill: var(--box); stroke: var(--edge); }
.head { fill: var(--head); }
.name { font-weight: 600; fill: var(--on-head); }
.key { fill: var(--key); font-weight: 600; }
.type { font-size: 10.5px; fill: var(--soft); text-anchor: end; }
.line { fill: none; stroke: var(--line); stroke-width: 1.4; }
.note { font-size: 11px; fill: var(--soft); }
"""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a table stands."""

    table: Relation
    column: int
    x: int
    y: int

    @property
    def height(self) -> int:
        """Of the head and a row for each column."""
        return HEAD + ROW * len(self.table.columns) + 6

    def row(self, name: str) -> int:
        """The middle of a column's row."""
        at = [column.name for column in self.table.columns].index(name)
        return self.y + HEAD + ROW * at + ROW // 2 + 3


def draw(found: Catalogue) -> str:
    """The whole picture."""
    tables = {table.name: table for table in found.relations if not table.is_view}
    placed = {name for column in LAYOUT for _, names in column for name in names}
    if placed != set(tables):
        raise ValueError(f"say in LAYOUT where these tables stand: {sorted(placed ^ set(tables))}")
    boxes: dict[str, Box] = {}
    groups: list[str] = []
    bottom = 0
    for at, column in enumerate(LAYOUT):
        y = MARGIN
        for title, names in column:
            top = y
            y += TITLE
            for name in names:
                boxes[name] = Box(tables[name], at, MARGIN + PAD + at * (WIDTH + GAP), y)
                y += boxes[name].height + SPACE
            groups += _group(title, boxes[names[0]].x - PAD, top, y - SPACE + PAD - top)
            y += PAD
        bottom = max(bottom, y)
    width, height = 2 * MARGIN + 2 * PAD + len(LAYOUT) * (WIDTH + GAP), bottom + MARGIN
    note = (
        "Bold and coloured: the primary key.  ?: may be null.  A line runs from the foreign key (fork) to the table "
        "it refers to (bar)."
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{LABEL}">',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
        *groups,
        *_lines(found.references, boxes),
        *(line for box in boxes.values() for line in _box(box)),
        f'<text class="note" x="{MARGIN}" y="{height - MARGIN // 2}">{note}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _group(title: str, x: int, y: int, height: int) -> Iterator[str]:
    yield f'<rect class="group" x="{x}" y="{y}" width="{WIDTH + 2 * PAD}" height="{height}" rx="8"/>'
    yield f'<text class="group-title" x="{x + PAD}" y="{y + 20}">{escape(title)}</text>'


def _box(box: Box) -> Iterator[str]:
    yield f'<rect class="box" x="{box.x}" y="{box.y}" width="{WIDTH}" height="{box.height}" rx="4"/>'
    yield f'<path class="head" d="M{box.x} {box.y + HEAD}v{4 - HEAD}q0-4 4-4h{WIDTH - 8}q4 0 4 4v{HEAD - 4}z"/>'
    yield f'<text class="name" x="{box.x + 9}" y="{box.y + 18}">{escape(box.table.name)}</text>'
    for column in box.table.columns:
        y = box.row(column.name) + 4
        kind = SHORT.get(column.kind, column.kind) + ("" if column.required else "?")
        style = ' class="key"' if column.in_key else ""
        yield f'<text{style} x="{box.x + 9}" y="{y}">{escape(column.name)}</text>'
        yield f'<text class="type" x="{box.x + WIDTH - 9}" y="{y}">{escape(kind)}</text>'


def _lines(references: tuple[Reference, ...], boxes: dict[str, Box]) -> Iterator[str]:
    """Each foreign key on the track that its parent has in the gap; the tracks of a gap stand side by side.

    A parent that only tables on the left refer to has its track on the left, so that lines of different parents
    that are equally high do not lie over each other.
    """
    reach: dict[int, dict[str, int]] = {}
    for one in references:
        parents_of_gap = reach.setdefault(_gap(boxes[one.child], boxes[one.parent]), {})
        parents_of_gap[one.parent] = max(parents_of_gap.get(one.parent, 0), boxes[one.child].column)
    tracks = {gap: sorted(found, key=lambda name: (found[name], name)) for gap, found in reach.items()}
    for one in references:
        child, parent = boxes[one.child], boxes[one.parent]
        gap = _gap(child, parent)
        parents = tracks[gap]
        middle = MARGIN + PAD + gap * (WIDTH + GAP) - GAP // 2
        track = middle + round((parents.index(one.parent) - (len(parents) - 1) / 2) * TRACK)
        start, begin = _side(child, gap), child.row(one.columns[-1])
        stop, end = _side(parent, gap), parent.row(_key(parent))
        out, back = (1 if start < track else -1), (1 if stop < track else -1)
        yield f'<path class="line" d="M{start} {begin}H{track}V{end}H{stop}"/>'
        yield f'<path class="line" d="M{start} {begin - 5}l{8 * out} 5l{-8 * out} 5"/>'
        yield f'<path class="line" d="M{stop + 6 * back} {end - 5}v10"/>'


def _gap(child: Box, parent: Box) -> int:
    """The gap before that column; tables of one column use the gap behind it."""
    return max(child.column, parent.column) + (child.column == parent.column)


def _side(box: Box, gap: int) -> int:
    return box.x + WIDTH if gap > box.column else box.x


def _key(box: Box) -> str:
    return [column.name for column in box.table.columns if column.in_key][-1]
