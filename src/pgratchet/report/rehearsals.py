"""A rehearsal for a terminal, for a pull request and for a program."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pgratchet import naming
from pgratchet.rehearsal import Answer, Blocked, Latency, Reason, Rehearsal, Run, Seen, Workload, blocks
from pgratchet.report.text import count, duration, table

SIGNS = {Answer.GO: "✅", Answer.CARE: "⚠️", Answer.NO_GO: "⛔"}
HEAD = ("statement", "time", "rows", "WAL", "temporary", "disk", "strongest lock", "held", "did")
LOAD_HEAD = ("workload", "transactions", "p50", "p99", "worst", "failed")
PHASES = ("before the plan", "during the plan", "after the plan")
SAID_OTHERWISE = ("rewriting table", "building index")
"""Reasons of the server's that our own words have already."""
TELLING = re.compile(r"hnsw|ivfflat|drop cascades")
"""Notices that are more than talk: a graph that does not fit into memory, lists made from little data."""
SHOWN = 60
"""Letters of a statement."""
NOTICEABLE = 0.5
"""Milliseconds: what is shorter is shown as none."""
MANY = 30
"""Statements that are shown where all would be too many to read."""


def as_object(value: Rehearsal) -> dict[str, Any]:
    """All of it, for a program."""
    return {**asdict(value), "limits_of_the_method": list(limits(value))}


def text(value: Rehearsal) -> str:
    """The answer, what it stands on, what was seen, and what was not."""
    lines = [f"{value.answer.upper()}: {title(value)}", f"Copy: {value.copy.said}.", ""]
    for answer, where, safe, found in grouped(value.reasons):
        lines += [f"{answer}: {f'{where}: ' if where else ''}{what}" for what in found]
        lines += [f"  safe form: {safe}"]
    lines += [""] if value.reasons else []
    lines += [*table(HEAD, map(statement_cells, telling(value.run.statements))), ""]
    if len(value.run.statements) > MANY:
        lines += [f"These are {MANY} of {len(value.run.statements):,} statements; --json has all.", ""]
    if waited := kept_waiting(value):
        head = ("blocked", "reads", "writes", "by")
        lines += [*table(head, map(blocked_cells, waited)), ""]
    lines += [*(said for said in nobody_waited(value)), ""] if value.run.blocked else []
    if value.run.workload:
        lines += [workload_said(value.run.workload), *table(LOAD_HEAD, workload_cells(value)), ""]
    lines += [f"check: {said}" for said in overruled(value)]
    lines += [""] if value.findings else []
    if value.proofs:
        lines += [*table(("proof", "file", "holds", "because"), proof_cells(value)), ""]
    lines += [f"note: {note}" for note in value.notes]
    lines += ["How far this goes:", *(f"  {limit}" for limit in limits(value))]
    return "\n".join(lines)


def markdown(value: Rehearsal) -> str:
    """What a team pastes into its pull request: the answer in sight, the figures folded."""
    lines = [f"## {SIGNS[value.answer]} {value.answer.capitalize()}: {title(value)}", ""]
    for answer, where, safe, found in grouped(value.reasons):
        there = f" `{place(where)}`" if where else ""
        whats = "; ".join(map(_cell, found))
        lines.append(f"- **{answer.capitalize()}**{there}: {whats}<br>*Safe form:* {_cell(safe)}")
    lines += ["- Nothing reaches a limit, and every proof that counts holds."] * (not value.reasons)
    if waited := kept_waiting(value):
        head = ("table", "reads blocked", "writes blocked", "by")
        lines += ["", *_table(head, map(blocked_cells, waited))]
    lines += [line for said in nobody_waited(value) for line in ("", said)]
    if value.run.workload:
        rows = [cells for cells in workload_cells(value) if cells[0] in PHASES]
        lines += ["", workload_said(value.run.workload), "", *_table(LOAD_HEAD, rows)]
        lines += _folded(
            "Workload beside each statement", _table(LOAD_HEAD, workload_cells(value), code=True)
        )
    if value.findings:
        lines += ["", *(f"- `check`: {_cell(said)}" for said in overruled(value))]
    shown, of = telling(value.run.statements), count(len(value.run.statements), "statement")
    name = of if len(shown) == len(value.run.statements) else f"{len(shown)} of {of}; --json has all"
    lines += _folded(name, _table(HEAD, map(statement_cells, shown), code=True))
    if value.proofs:
        proofs = _table(("proof", "file", "holds", "because"), proof_cells(value))
        lines += _folded(count(len(value.proofs), "proof"), proofs)
    said = [f"- {line}" for line in (f"Copy: {value.copy.said}.", *value.notes, *limits(value))]
    return "\n".join([*lines, *_folded("Copy, notes, and how far this goes", said)])


def grouped(reasons: Iterable[Reason]) -> Iterator[tuple[Answer, str | None, str, list[str]]]:
    """Reasons that one change would take away together: answer, place, safe form, and what was seen."""
    found: dict[tuple[Answer, str | None, str], list[str]] = {}
    for reason in reasons:
        found.setdefault((reason.answer, reason.where, reason.safe), []).append(reason.what)
    for (answer, where, safe), whats in found.items():
        yield answer, where, safe, whats


def kept_waiting(value: Rehearsal) -> list[Blocked]:
    """The tables for which somebody waited."""
    return [item for item in value.run.blocked if max(item.reads, item.writes) >= NOTICEABLE]


def nobody_waited(value: Rehearsal) -> Iterator[str]:
    """A sentence about the others."""
    waited = kept_waiting(value)
    if others := [item.table for item in value.run.blocked if item not in waited]:
        yield f"Nobody waited for {', '.join(others)}."


def telling(statements: Sequence[Seen]) -> list[Seen]:
    """The statements that tell most, in their order: those that failed, blocked somebody or took longest."""
    weights = sorted(
        statements,
        key=lambda seen: (seen.error is None, not any(map(blocks, seen.locks)), -seen.milliseconds),
    )
    kept = {id(seen) for seen in weights[:MANY]}
    return [seen for seen in statements if id(seen) in kept]


def title(value: Rehearsal) -> str:
    """What was rehearsed, in a few words."""
    files = [name for name, _ in value.subject.files]
    return f"{naming.few(files)} on a copy of {value.database} (PostgreSQL {value.subject.major})"


def statement_cells(seen: Seen) -> tuple[str, ...]:
    """A statement as a row of a table."""
    strongest = next((lock for lock in seen.locks if blocks(lock)), None)
    return (
        f"{seen.script}:{seen.line} {words(seen)}",
        duration(seen.milliseconds / 1000),
        "" if seen.rows is None else f"{seen.rows:,}",
        size(seen.wal),
        "not told" if seen.temporary is None else size(seen.temporary),
        size(seen.disk),
        f"{strongest.mode} on {strongest.relation}" if strongest else "",
        duration(strongest.milliseconds / 1000) if strongest else "",
        "; ".join(deeds(seen)),
    )


def deeds(seen: Seen) -> Iterator[str]:
    """What a statement did beyond its lock, and what its figures are."""
    if seen.scaled > 1:
        yield f"estimated: {seen.scaled:,.4g} times what it took on the sample"
    yield from (f"rewrote {name}" for name in seen.rewritten)
    yield from (f"built {name}" for name in seen.built)
    yield from (reason for reason in seen.reasons if not reason.startswith(SAID_OTHERWISE))
    yield from (f"drift: {message}" for message in seen.drift)
    yield from (f"says: {text}" for text in seen.notices if TELLING.search(text))
    if seen.error:
        yield f"failed: {seen.error}"


def blocked_cells(item: Blocked) -> tuple[str, ...]:
    """A table's blocked time as a row of a table."""
    by = "clients that tried" if item.measured else "its locks"
    return item.table, duration(item.reads / 1000), duration(item.writes / 1000), by


def workload_said(load: Workload) -> str:
    """What ran, in a sentence."""
    return f"Workload: {load.script}, {count(load.clients, 'client')} ({load.by})."


def workload_cells(value: Rehearsal) -> list[tuple[str, ...]]:
    """How long the workload's transactions took: before, beside each statement that tells most, meanwhile, after."""
    load = value.run.workload
    if load is None:
        return []
    beside = (
        (f"{seen.script}:{seen.line} {words(seen)}", seen.latency) for seen in telling(value.run.statements)
    )
    phases = zip(PHASES, (load.before, load.during, load.after), strict=True)
    first, *others = ((name, latency) for name, latency in phases)
    return [latency_cells(name, latency) for name, latency in (first, *beside, *others)]


def latency_cells(name: str, latency: Latency | None) -> tuple[str, ...]:
    """The times of transactions as a row of a table."""
    if latency is None:
        return name, "0", "", "", "", ""
    times = (latency.p50, latency.p99, latency.worst)
    told = (milliseconds(time) if latency.transactions else "" for time in times)
    failed = f"{latency.failed:,}: {latency.failures[0]}" if latency.failed else ""
    return name, f"{latency.transactions:,}", *told, failed


def milliseconds(value: float) -> str:
    """A short time with a digit more than a long one."""
    return f"{value:.1f} ms" if 0 < value < 10 else duration(value / 1000)


def overruled(value: Rehearsal) -> Iterator[str]:
    """What of the findings of `check` counts otherwise after what was seen, and how many stand."""
    for item in value.findings:
        if item.said is None:
            yield f"{item.where}: added: {item.message} ({item.why})"
        elif item.counts is not item.said:
            yield f"{item.where}: {item.rule} was a {item.said}, now a {item.counts}: {item.why}"
    stand = sum(item.said is item.counts for item in value.findings)
    if stand:
        yield f"{count(stand, 'finding')} {'was' if stand == 1 else 'were'} seen to be so"


def proof_cells(value: Rehearsal) -> Iterator[tuple[str, ...]]:
    """The proofs as rows of a table."""
    for proof in value.proofs:
        yield proof.what, proof.script, "yes" if proof.holds else "no", proof.detail


def words(seen: Seen) -> str:
    """A statement on one line, cut where it is long."""
    found = " ".join(seen.sql.split())
    return found if len(found) <= SHOWN else f"{found[: SHOWN - 1]}…"


def size(number: float) -> str:
    """Bytes as people say them."""
    sign, rest = ("-", -number) if number < 0 else ("", number)
    for unit in ("B", "kB", "MB"):
        if rest < 1000:
            return f"{sign}{rest:.0f} {unit}" if unit == "B" else f"{sign}{rest:.1f} {unit}"
        rest /= 1000
    return f"{sign}{rest:.1f} GB"


def place(where: str | None) -> str:
    """File and line, without the folders."""
    return Path(where).name if where else ""


def limits(value: Rehearsal) -> Iterator[str]:
    """How far the method goes."""
    if value.copy.way == "schema":
        yield "The copy had no rows: no time and no size here is meant."
    if any(seen.scaled > 1 for seen in value.run.statements):
        yield (
            "The copy is a sample: times and sizes of what worked on rows are scaled by how many more rows the table "
            "has, as if each row took the same. They are estimates, and an index that outgrows the memory takes longer."
        )
    elif value.copy.sample:
        yield "The copy is a sample; no statement worked through the rows of a table of which it has not all."
    yield "Times are those of the copy's server at that hour; other hardware and other traffic make others."
    others = "Nobody but the workload" if value.run.workload else "Nobody"
    yield f"{others} works on a copy: waits for the application's own transactions are seen by `pgratchet preflight`."
    if value.run.interval:
        yield (
            f"Clients tried each table anew at the latest {value.run.interval:.0f} ms after their last answer; what is "
            "shorter can be missed."
        )
    yield "A lock that is given back within its statement is seen by looks, 10 ms apart, and can be missed."
    yield (
        "After each statement we look at what it did; the clock of all times here stands still for that, "
        f"{duration(value.run.looked / 1000)} in all."
    )
    yield wal_said(value.run)
    yield "Rows that parallel workers read are not all counted."
    if value.run.workload:
        yield (
            "The workload goes as fast as the copy lets it, beside the plan and on the same processors: compare its "
            "times with those before the plan, not with production's. Beside a statement is what was under way while "
            "it ran, so what waited for one counts at each that ran meanwhile."
        )
    if value.proofs:
        yield "A proof compares the schema and the rows of every table, and not the values of sequences."


def wal_said(run: Run) -> str:
    """Of whom the WAL is."""
    said = "WAL is what the whole server wrote meanwhile"
    if run.wal_own is None:
        return f"{said}."
    exact = " (of statements outside of a transaction: what it wrote itself)"
    return f"{said}{exact}; the session of the plan itself wrote {size(run.wal_own)} in all."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, code: bool = False) -> list[str]:
    cells = [head, *(((_code if code else _cell)(row[0]), *map(_cell, row[1:])) for row in rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return [lines[0], f"|{'---|' * len(head)}", *lines[1:]]


def _folded(name: str, lines: Sequence[str]) -> list[str]:
    return ["", f"<details><summary>{name}</summary>", "", *lines, "", "</details>"]


def _code(value: str) -> str:
    """SQL in a cell, in which a star is a star."""
    quoted = value.replace("`", "'").replace("|", "\\|").replace("\n", " ")
    return f"`{quoted}`"


def _cell(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")
