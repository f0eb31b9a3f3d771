"""A rehearsal as one page of HTML that needs nothing else: read in a browser, on a phone, on paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files

from pgratchet.rehearsal import Answer, Blocked, Lock, Rehearsal, Seen, blocks
from pgratchet.report.rehearsals import (
    deeds,
    grouped,
    limits,
    place,
    proof_cells,
    size,
    telling,
    title,
    words,
)
from pgratchet.report.text import duration

CLASSES = {Answer.GO: "go", Answer.CARE: "care", Answer.NO_GO: "stop"}
# A shape of its own for each answer: colour alone says nothing to some.
SHAPES = {
    Answer.GO: '<circle cx="10" cy="10" r="9"/>',
    Answer.CARE: '<path d="M10 1 19.5 18.5H.5z"/>',
    Answer.NO_GO: '<path d="M6 1h8l5 5v8l-5 5H6l-5-5V6z"/>',
}
# What a lock blocks: its class, how much of a row's height it takes, and in words.
STRENGTHS = {
    "reads and writes": ("reads", 1.0, "blocks reads and writes"),
    "writes": ("writes", 0.66, "blocks writes"),
    "changes of the schema and VACUUM": ("changes", 0.33, "blocks changes of the schema and VACUUM"),
}
LIMIT = '<line class="limit" x1="{x}" x2="{x}" y1="0" y2="22" vector-effect="non-scaling-stroke"/>'
WIDE, HIGH = 1000.0, 22.0
TICKS = 4


def html(value: Rehearsal) -> str:
    """The whole page."""
    style = files("pgratchet.report").joinpath("rehearsal.css").read_text(encoding="utf-8")
    name = escape(f"{value.answer}: {title(value)}")
    body = "\n".join(
        [*_head(value), *_figures(value), *_timeline(value), *_bars(value), *_blocked(value), *_tables(value)]
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>"
    )


def _head(value: Rehearsal) -> Iterator[str]:
    kind = CLASSES[value.answer]
    yield f'<div class="answer {kind}">{_sign(value.answer)}{escape(value.answer.capitalize())}</div>'
    yield f"<h1>{escape(title(value))}</h1>"
    yield f'<p class="soft">Rehearsed {escape(value.at.replace("T", " "))} on a copy of {size(value.copy.bytes)}: '
    yield f"{escape(value.copy.said)}.</p>"
    yield '<ul class="reasons">'
    for answer, where, safe, found in grouped(value.reasons):
        there = f"<code>{escape(place(where))}</code>" if where else ""
        yield f'<li class="card {CLASSES[answer]}"><p><b>{escape(answer.capitalize())}.</b> {there}</p><ul>'
        yield from (f"<li>{escape(what)}</li>" for what in found)
        yield f'</ul><p class="small soft">Safe form: {escape(safe)}</p></li>'
    if not value.reasons:
        yield '<li class="card go"><p>Nothing reaches a limit, and every proof that counts holds.</p></li>'
    yield "</ul>"


def _figures(value: Rehearsal) -> Iterator[str]:
    run = value.run
    reads = max((item.reads for item in run.blocked), default=0.0)
    writes = max((item.writes for item in run.blocked), default=0.0)
    estimated = ", estimated" if any(seen.scaled > 1 for seen in run.statements) else ""
    figures = (
        (f"the whole plan{estimated}", duration(run.milliseconds / 1000)),
        (f"reads of a table blocked{estimated}", duration(reads / 1000)),
        (f"writes of a table blocked{estimated}", duration(writes / 1000)),
        ("WAL", size(run.wal)),
        ("more disk, at the most", size(run.disk)),
    )
    yield '<div class="figures">'
    yield from (
        f'<div class="card"><b>{text}</b><span class="small soft">{name}</span></div>'
        for name, text in figures
    )
    yield "</div>"


def _timeline(value: Rehearsal) -> Iterator[str]:
    """A row of the statements, then one for each table: its locks by what they block, and when clients waited."""
    run = value.run
    locks = [lock for seen in run.statements for lock in seen.locks if blocks(lock) and lock.kind != "index"]
    whole = max(run.milliseconds, 1.0)
    yield "<h2>Locks over time</h2>"
    if not locks and not any(item.reads or item.writes for item in run.blocked):
        yield "<p>No table that was there before was locked against anybody.</p>"
        return
    yield '<div class="legend small">'
    for kind, part, words_ in STRENGTHS.values():
        yield f"<span>{_svg(_rectangle(kind, 0, WIDE, part))}{words_}</span>"
    yield f"<span>{_svg(_rectangle('tried', 0, WIDE, 0.14))}a client waited</span></div>"
    yield '<div class="card">'
    work = "".join(
        _rectangle(
            "work", seen.start, seen.milliseconds, 1.0, whole, f"{seen.script}:{seen.line} {words(seen)}"
        )
        for seen in run.statements
    )
    yield _row("statements", work)
    waited = {item.table for item in run.blocked if item.reads or item.writes}
    for table in sorted(waited | {lock.relation for lock in locks}):
        mine = sorted((lock for lock in locks if lock.relation == table), key=_strength)
        drawn = "".join(_lock(lock, whole) for lock in mine)
        waits = "".join(_waits(item, whole) for item in run.blocked if item.table == table)
        yield _row(table, drawn + waits)
    yield f'<div class="row"><span class="axis-name"></span>{_axis(whole)}</div></div>'


def _bars(value: Rehearsal) -> Iterator[str]:
    whole = max((seen.milliseconds for seen in value.run.statements), default=1.0) or 1.0
    shown, all_ = telling(value.run.statements), value.run.statements
    yield "<h2>Statements</h2>"
    if len(shown) < len(all_):
        yield f'<p class="soft small">{len(shown)} of {len(all_):,}; the table below has all.</p>'
    yield '<div class="card bars">'
    for seen in shown:
        did = escape("; ".join(deeds(seen)))
        yield f'<div class="bar"><div class="label"><code>{escape(seen.script)}:{seen.line}</code> '
        yield f'<span class="code soft">{escape(words(seen))}</span>'
        yield f'<br><b class="small">{did}</b>' if did else ""
        yield f"</div>{_svg(_rectangle('work', 0, seen.milliseconds, 0.6, whole))}"
        yield f'<span class="value">{duration(seen.milliseconds / 1000)}</span></div>'
    yield "</div>"


def _blocked(value: Rehearsal) -> Iterator[str]:
    """For each table two bars, and a mark where the limit is."""
    if not value.run.blocked:
        return
    bounds = {"reads": value.limits["blocked_reads_ms"], "writes": value.limits["blocked_writes_ms"]}
    times = [time for item in value.run.blocked for time in (item.reads, item.writes)]
    whole = max(*times, *bounds.values()) * 1.05
    yield "<h2>Blocked time</h2>"
    yield '<p class="soft small">The dashed line is the limit.</p>\n<div class="card">'
    for item in value.run.blocked:
        for word, time in (("reads", item.reads), ("writes", item.writes)):
            mark = bounds[word] / whole * WIDE
            bar = _svg(_rectangle(word, 0, time, 0.6, whole) + LIMIT.format(x=f"{mark:.1f}"))
            yield f'<div class="row"><span class="name"><span class="code">{escape(item.table)}</span> {word}</span>'
            yield f'<div class="bar">{bar}<span class="value">{duration(time / 1000)}</span></div></div>'
    yield "</div>"


def _tables(value: Rehearsal) -> Iterator[str]:
    yield "<h2>In figures</h2>"
    head = ("statement", "starts", "time", "rows", "rows read", "WAL", "temporary", "disk", "did", "notices")
    yield from _table(head, map(_statement, value.run.statements), numbers=range(1, 8), wide=0)
    yield "<h2>Every lock that blocks somebody</h2>"
    locks = [(seen, lock) for seen in value.run.statements for lock in seen.locks if blocks(lock)]
    rows = [
        (
            lock.relation,
            lock.mode,
            blocks(lock) or "",
            f"{seen.script}:{seen.line}",
            _milliseconds(lock.start),
            _milliseconds(lock.milliseconds),
            "seen in passing" if lock.sampled else "",
        )
        for seen, lock in locks
    ]
    yield from _table(
        ("relation", "mode", "blocks", "taken for", "from", "held", ""), rows, numbers=range(4, 6)
    )
    yield "<h2>Every table that was blocked</h2>"
    blocked = [
        (
            item.table,
            _milliseconds(item.reads),
            _milliseconds(item.writes),
            "clients that tried" if item.measured else "its locks",
        )
        for item in value.run.blocked
    ]
    yield from _table(("table", "reads", "writes", "by"), blocked, numbers=range(1, 3))
    if value.proofs:
        yield "<h2>Proofs</h2>"
        yield from _table(("proof", "file", "holds", "because"), proof_cells(value), wide=3)
    yield '<h2>How far this goes</h2>\n<ul class="small">'
    yield from (f"<li>{escape(line)}</li>" for line in (*value.notes, *limits(value)))
    yield f'</ul>\n<p class="soft small">pgratchet {escape(value.tool)}; schema {value.subject.fingerprint[:16]}</p>'


def _statement(seen: Seen) -> tuple[str, ...]:
    return (
        f"{seen.script}:{seen.line} {words(seen)}",
        _milliseconds(seen.start),
        _milliseconds(seen.milliseconds),
        "" if seen.rows is None else f"{seen.rows:,}",
        "" if seen.read is None else f"{seen.read:,}",
        size(seen.wal),
        "not told" if seen.temporary is None else size(seen.temporary),
        size(seen.disk),
        "; ".join(deeds(seen)),
        "; ".join(seen.notices),
    )


def _table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = (), wide: int = -1
) -> Iterator[str]:
    kinds = ["number" if n in set(numbers) else "wide" if n == wide else "" for n in range(len(head))]
    yield '<div class="scroll"><table><thead><tr>'
    yield "".join(f'<th class="{kind}">{name}</th>' for kind, name in zip(kinds, head, strict=True))
    yield "</tr></thead><tbody>"
    for row in rows:
        cells = zip(kinds, row, strict=True)
        yield "".join(["<tr>", *(f'<td class="{kind}">{escape(cell)}</td>' for kind, cell in cells), "</tr>"])
    yield "</tbody></table></div>"


def _row(name: str, drawn: str) -> str:
    return f'<div class="row"><span class="name code">{escape(name)}</span>{_svg(drawn)}</div>'


def _svg(drawn: str) -> str:
    track = f'<rect class="track" width="{WIDE:.0f}" height="{HIGH}"/>'
    size_ = f'viewBox="0 0 {WIDE:.0f} {HIGH:.0f}" height="{HIGH:.0f}" preserveAspectRatio="none"'
    return f'<svg {size_} role="img">{track}{drawn}</svg>'


def _rectangle(
    kind: str, start: float, length: float, part: float, whole: float = WIDE, name: str = ""
) -> str:
    """A bar from the bottom up, `part` of the height, never too thin to be seen."""
    left, wide = start / whole * WIDE, max(length / whole * WIDE, 2.0)
    high = HIGH * part
    said = f"<title>{escape(name)}: {duration(length / 1000)}</title>" if name else ""
    place_ = f'x="{min(left, WIDE - 2):.1f}" y="{HIGH - high:.1f}" width="{wide:.1f}" height="{high:.1f}"'
    return f'<rect class="{kind}" {place_}>{said}</rect>'


def _lock(lock: Lock, whole: float) -> str:
    kind, part, _ = STRENGTHS[blocks(lock) or ""]
    return _rectangle(kind, lock.start, lock.milliseconds, part, whole, f"{lock.mode} on {lock.relation}")


def _strength(lock: Lock) -> float:
    """The strongest is drawn over the others."""
    return STRENGTHS[blocks(lock) or ""][1]


def _waits(item: Blocked, whole: float) -> str:
    spans = [(span, "a read waited") for span in item.read_spans] + [
        (span, "a write waited") for span in item.write_spans
    ]
    return "".join(_rectangle("tried", start, end - start, 0.14, whole, name) for (start, end), name in spans)


def _axis(whole: float) -> str:
    ticks = (
        f'<span style="left:{n / TICKS * 100:.0f}%">{duration(whole * n / TICKS / 1000)}</span>'
        for n in range(TICKS + 1)
    )
    return f'<div class="axis">{"".join(ticks)}</div>'


def _sign(answer: Answer) -> str:
    return f'<svg viewBox="0 0 20 20" aria-hidden="true">{SHAPES[answer]}</svg>'


def _milliseconds(value: float) -> str:
    return f"{value:,.0f} ms"
