"""A rehearsal as one page of HTML that needs nothing else: read in a browser, on a phone, on paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files

from pgratchet.rehearsal import Answer, Rehearsal, Seen, blocks
from pgratchet.report import drawing
from pgratchet.report.rehearsals import (
    LOAD_HEAD,
    deeds,
    grouped,
    kept_waiting,
    limits,
    milliseconds,
    nobody_waited,
    place,
    proof_cells,
    size,
    telling,
    title,
    words,
    workload_cells,
    workload_said,
)
from pgratchet.report.text import count, duration

CLASSES = {Answer.GO: "go", Answer.CARE: "care", Answer.NO_GO: "stop"}
# A shape of its own for each answer: colour alone says nothing to some.
SHAPES = {
    Answer.GO: '<circle cx="10" cy="10" r="9"/>',
    Answer.CARE: '<path d="M10 1 19.5 18.5H.5z"/>',
    Answer.NO_GO: '<path d="M6 1h8l5 5v8l-5 5H6l-5-5V6z"/>',
}


def html(value: Rehearsal) -> str:
    """The whole page."""
    style = files("pgratchet.report").joinpath("rehearsal.css").read_text(encoding="utf-8")
    name = escape(f"{value.answer}: {title(value)}")
    body = "\n".join(["<header>", *_head(value), *_figures(value), "</header>", *_sections(value)])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>"
    )


def _head(value: Rehearsal) -> Iterator[str]:
    kind = CLASSES[value.answer]
    yield f'<p class="answer {kind}">{_sign(value.answer)}{escape(value.answer.capitalize())}</p>'
    yield f"<h1>{escape(title(value))}</h1>"
    when = escape(value.at[:16].replace("T", " "))
    yield f'<p class="soft">Rehearsed {when} UTC on a copy of {size(value.copy.bytes)}: {escape(value.copy.said)}.</p>'
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
    yield '<ul class="figures">'
    yield from (
        f'<li class="card"><b>{text}</b><span class="small soft">{name}</span></li>' for name, text in figures
    )
    yield "</ul>"


def _timeline(value: Rehearsal) -> Iterator[str]:
    """A row of the statements, then one for each table: its locks by what they block, and when clients waited."""
    run = value.run
    locks = [lock for seen in run.statements for lock in seen.locks if blocks(lock) and lock.kind != "index"]
    waited = {item.table for item in run.blocked if item.reads or item.writes}
    if not locks and not waited:
        yield "<p>No table that was there before was locked against anybody.</p>"
        return
    whole = max(run.milliseconds, 1.0)
    yield drawing.legend()
    yield '<div class="card">'
    work = (
        drawing.bar("work", seen.start, seen.milliseconds, 1.0, whole, f"{_place(seen)} {words(seen)}")
        for seen in run.statements
    )
    said = f"{count(len(run.statements), 'statement')} in {duration(run.milliseconds / 1000)}"
    yield drawing.row("statements", "".join(work), said)
    for table in sorted(waited | {lock.relation for lock in locks}):
        mine = (lock for lock in locks if lock.relation == table)
        yield drawing.table_row(table, mine, (item for item in run.blocked if item.table == table), whole)
    yield f'<div class="row"><span class="axis-name"></span>{drawing.axis(whole)}</div></div>'


def _bars(value: Rehearsal) -> Iterator[str]:
    whole = max((seen.milliseconds for seen in value.run.statements), default=1.0) or 1.0
    shown, all_ = telling(value.run.statements), value.run.statements
    if len(shown) < len(all_):
        yield f'<p class="soft small">{len(shown)} of {len(all_):,}; the table below has all.</p>'
    yield '<ul class="card bars">'
    for seen in shown:
        did = escape("; ".join(deeds(seen)))
        yield f'<li class="bar"><div class="label"><code>{escape(_place(seen))}</code> '
        yield f'<span class="code soft">{escape(words(seen))}</span>'
        yield f'<br><b class="small">{did}</b>' if did else ""
        yield f"</div>{drawing.svg(drawing.bar('work', 0, seen.milliseconds, 0.6, whole))}"
        yield f'<span class="value">{duration(seen.milliseconds / 1000)}</span></li>'
    yield "</ul>"


def _blocked(value: Rehearsal) -> Iterator[str]:
    """For each table that somebody waited for two bars, and a mark where the limit is."""
    bounds = {"reads": value.limits["blocked_reads_ms"], "writes": value.limits["blocked_writes_ms"]}
    waited = kept_waiting(value)
    whole = max(*bounds.values(), *(time for item in waited for time in (item.reads, item.writes))) * 1.05
    yield from (f"<p>{escape(said)}</p>" for said in nobody_waited(value))
    if not waited:
        return
    said = ", ".join(f"{_milliseconds(bound)} for {word}" for word, bound in bounds.items())
    yield f'<p class="soft small">The dashed line is the limit: {said}.</p>\n<ul class="card bars">'
    for item in waited:
        for word, time in (("reads", item.reads), ("writes", item.writes)):
            drawn = drawing.bar(word, 0, time, 0.6, whole) + drawing.limit(bounds[word], whole)
            yield f'<li class="row"><span class="name"><span class="code">{escape(item.table)}</span> {word}</span>'
            yield f'<div class="bar">{drawing.svg(drawn)}<span class="value">{duration(time / 1000)}</span></div></li>'
    yield "</ul>"


def _workload(value: Rehearsal) -> Iterator[str]:
    """How long its transactions took: a bar to the slowest hundredth, and a thin one to the worst."""
    load = value.run.workload
    if load is None:
        return
    slow = [seen for seen in telling(value.run.statements) if seen.latency and seen.latency.transactions]
    rows = [("before the plan", load.before), *((_place(seen), seen.latency) for seen in slow)]
    rows += [("after the plan", load.after)]
    whole = max((latency.worst for _, latency in rows if latency), default=0.0) or 1.0
    yield f'<p class="soft small">{escape(workload_said(load))} '
    yield 'Thick: 99 of 100 took no longer; thin: the longest.</p>\n<ul class="card bars">'
    for name, latency in rows:
        if latency is None:
            continue
        drawn = drawing.bar("thin", 0, latency.worst, 0.15, whole) + drawing.bar(
            "work", 0, latency.p99, 0.6, whole
        )
        p50, p99, worst = map(milliseconds, (latency.p50, latency.p99, latency.worst))
        yield f'<li class="row"><span class="name code">{escape(name)}</span><div>{drawing.svg(drawn)}'
        yield f'<span class="small">p50 {p50}, p99 {p99}, worst {worst} of {latency.transactions:,}</span>'
        yield "</div></li>"
    yield "</ul>"
    yield from _table(
        "Transactions of the workload", LOAD_HEAD, workload_cells(value), numbers=range(1, 5), wide=0
    )


def _findings(value: Rehearsal) -> Iterator[str]:
    """What `check` says, and what was seen."""
    head = ("place", "rule", "check says", "as", "seen", "counts as")
    rows = (
        (place(item.where), item.rule, item.message, item.said or "nothing", item.why, item.counts)
        for item in value.findings
    )
    yield from _table("Findings of check, and what was seen", head, rows)


def _figures_of_all(value: Rehearsal) -> Iterator[str]:
    head = ("statement", "starts", "time", "rows", "rows read", "WAL", "temporary", "disk", "did", "notices")
    yield from _table(
        "Every statement", head, map(_statement, value.run.statements), numbers=range(1, 8), wide=0
    )


def _locks(value: Rehearsal) -> Iterator[str]:
    rows = [
        (
            lock.relation,
            lock.mode,
            blocks(lock) or "",
            _place(seen),
            _milliseconds(lock.start),
            _milliseconds(lock.milliseconds),
            "in passing" if lock.sampled else "at its end",
        )
        for seen in value.run.statements
        for lock in seen.locks
        if blocks(lock)
    ]
    head = ("relation", "mode", "blocks", "taken for", "from", "held", "seen")
    yield from _table("Every lock that blocks somebody", head, rows, numbers=range(4, 6))


def _blocked_tables(value: Rehearsal) -> Iterator[str]:
    rows = [
        (
            item.table,
            _milliseconds(item.reads),
            _milliseconds(item.writes),
            "clients that tried" if item.measured else "its locks",
        )
        for item in value.run.blocked
    ]
    head = ("table", "reads", "writes", "by")
    yield from _table("Every table that was blocked", head, rows, numbers=range(1, 3))


def _proofs(value: Rehearsal) -> Iterator[str]:
    yield from _table("Proofs", ("proof", "file", "holds", "because"), proof_cells(value), wide=3)


def _how_far(value: Rehearsal) -> Iterator[str]:
    yield '<ul class="small">'
    yield from (f"<li>{escape(line)}</li>" for line in (*value.notes, *limits(value)))
    yield f'</ul>\n<p class="soft small">pgratchet {escape(value.tool)}; schema {value.subject.fingerprint[:16]}</p>'


def _sections(value: Rehearsal) -> Iterator[str]:
    """All that is below the answer, each part under a heading that it is named by."""
    parts = (
        ("Locks over time", True, _timeline),
        ("Statements", bool(value.run.statements), _bars),
        ("Blocked time", bool(value.run.blocked), _blocked),
        ("Workload", value.run.workload is not None, _workload),
        ("Findings of check", bool(value.findings), _findings),
        ("In figures", True, _figures_of_all),
        ("Every lock that blocks somebody", True, _locks),
        ("Every table that was blocked", True, _blocked_tables),
        ("Proofs", bool(value.proofs), _proofs),
        ("How far this goes", True, _how_far),
    )
    for heading, shown, part in parts:
        if shown:
            mark = heading.lower().replace(" ", "-")
            yield f'<section aria-labelledby="{mark}">\n<h2 id="{mark}">{heading}</h2>'
            yield from part(value)
            yield "</section>"


def _statement(seen: Seen) -> tuple[str, ...]:
    return (
        f"{_place(seen)} {words(seen)}",
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
    name: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Iterable[int] = (),
    wide: int = -1,
) -> Iterator[str]:
    kinds = ["number" if n in set(numbers) else "wide" if n == wide else "" for n in range(len(head))]
    # A keyboard can only move what has the focus, and a reader names what it moves.
    yield f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(name)}"><table><thead><tr>'
    yield "".join(
        f'<th scope="col" class="{kind}">{word}</th>' for kind, word in zip(kinds, head, strict=True)
    )
    yield "</tr></thead><tbody>"
    for row in rows:
        (first, name_), *cells = zip(kinds, row, strict=True)
        yield f'<tr><th scope="row" class="{first}">{escape(name_)}</th>'
        yield "".join([*(f'<td class="{kind}">{escape(cell)}</td>' for kind, cell in cells), "</tr>"])
    yield "</tbody></table></div>"


def _place(seen: Seen) -> str:
    return f"{seen.script}:{seen.line}"


def _sign(answer: Answer) -> str:
    return f'<svg viewBox="0 0 20 20" aria-hidden="true">{SHAPES[answer]}</svg>'


def _milliseconds(value: float) -> str:
    return f"{value:,.0f} ms"
