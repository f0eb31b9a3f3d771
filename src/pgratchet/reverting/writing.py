"""The text of the file that takes a migration back: its header, its statements, and what `check` is told of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap

from pgratchet import lint, naming, parse, scaffold, sql
from pgratchet.findings import Finding, Severity
from pgratchet.lint import ignoring
from pgratchet.model import Migration, Script
from pgratchet.rehearsal import Seen, blocks
from pgratchet.rehearsal.records import MODES
from pgratchet.reverting.records import Reverted, Risk, SchemaProof
from pgratchet.schema import Item, Snapshot

WIDTH = 110
LOSS = "data loss"
OWN = {rule.id for rule in ignoring.RULES}
TABLES = {"table", "materialized view"}
SHOWN = 60
"""Letters of a statement in the header."""
TURNS = 3
"""A rule that is taken back can uncover another one."""
LOSES = "TO BE CONFIRMED: {scripts} is taken back, and what was written there since goes with it"
OTHER = "the way back before {scripts}; what it locks stands in the header"


def description(targets: Sequence[Migration]) -> str:
    """What the file is called, behind its version."""
    first, last = targets[0], targets[-1]
    if first is last:
        return f"revert_{first.description}"
    return f"revert_{first.version}_through_{last.version}"


def here(statement: str, applier: str) -> str:
    """A statement that names whoever runs the file, and not the role that runs things on the scratch database."""
    role = re.escape(applier)
    if re.match(r"(?i)alter\b.*\bowner\s+to\b", statement, re.DOTALL):
        return re.sub(rf"\bOWNER TO {role}$", "OWNER TO CURRENT_USER", statement)
    if re.match(r"(?i)grant|revoke|alter\s+default\s+privileges", statement):
        return re.sub(rf"\b(TO|FROM|FOR ROLE) {role}(?=$|[\s,])", r"\1 CURRENT_USER", statement)
    return statement


def counters(now: Snapshot, wanted: Snapshot) -> Iterator[str]:
    """Statements that let sequences which are made anew go on behind the highest number that is in use."""
    there = {item.title for item in now.items}
    for item in wanted.items:
        column = item.properties.get("owned by column", "").partition(" as ")[0]
        if item.kind == "sequence" and column and item.title not in there and item.parent in there:
            yield _counter(item, column)


def _counter(item: Item, column: str) -> str:
    table = (item.parent or "").removeprefix("table ")
    values = f"{sql.literal(item.name)}, max({column})"
    least = item.properties["minimum"]
    return f"SELECT setval({values}) FROM {table} HAVING max({column}) >= {least}"  # noqa: S608 - a snapshot quotes names


def text(made: Reverted, statements: Iterable[str], directives: Sequence[str] = ()) -> str:
    """The file, with a header that says how far it is proven."""
    body = "".join(f"{statement};\n\n" for statement in statements).rstrip("\n")
    head = "".join(f"{line}\n" for line in (*directives, *header(made)))
    return f"{head}\n{body}\n" if body else f"{head}\nSELECT 'nothing to take back';\n"


def header(made: Reverted) -> Iterator[str]:
    """What was proven, what is lost, what it locks: for whoever reviews the file."""
    scripts = ", ".join(made.takes_back)
    yield from _entry("Purpose", f"takes back {scripts}")
    yield from _entry("Proof", f"schema: {made.schema}; data: {made.data}")
    yield from _entry("", _meaning(made))
    for number, entry in enumerate(made.lost):
        yield from _entry("" if number else "Lost", entry)
    for number, entry in enumerate(made.goes):
        yield from _entry("" if number else "Goes", f"{entry}, with what was written to it since")
    if made.backup:
        yield from _entry("Backup", f"{made.backup}, verified, is from before {made.takes_back[0]}")
    for number, entry in enumerate(made.notes):
        yield from _entry("" if number else "Note", entry)
    risks = [risk_words(risk) for risk in made.risks] or ["no lock keeps others from a table"]
    for number, entry in enumerate(risks):
        yield from _entry("" if number else "Risk", entry)
    yield from _entry("Reverse", f"what {naming.few(made.takes_back)} did, once more, as the next version")


def _meaning(made: Reverted) -> str:
    if made.schema is SchemaProof.NOT:
        return f"what differs from the schema without it: {' | '.join(made.differences.splitlines())}"
    order = f", but for the order of the columns of {', '.join(made.reordered)}" if made.reordered else ""
    return (
        f"seen on PostgreSQL {made.server}: all files and then this one make the schema that the files make "
        f"without it{order}"
    )


def _entry(word: str, entry: str) -> Iterator[str]:
    plain = scaffold.one_line(entry).replace("pgratchet:", "pgratchet :")  # that would be a directive
    lines = wrap(plain, WIDTH - 12, break_long_words=False, break_on_hyphens=False)
    for number, line in enumerate(lines):
        mark = f"{word}:" if word and not number else ""
        yield f"-- {mark:<9}{line}"


def risk_words(risk: Risk) -> str:
    """A risk in a line."""
    deeds = [*(["rewrites it"] if risk.rewritten else []), *(["reads all of it"] if risk.scanned else [])]
    return f"{risk.lock} on {risk.table}{''.join(f', {deed}' for deed in deeds)}: {risk.sql}"


def risks(seen: Sequence[Seen]) -> Iterator[Risk]:
    """What the run did to each table that was there before, by its worst statement."""
    locks = [lock for item in seen for lock in item.locks if blocks(lock) and lock.kind in TABLES]
    for table in dict.fromkeys(lock.relation for lock in locks):
        strongest = max((lock.mode for lock in locks if lock.relation == table), key=MODES.index)
        rewrites = [item for item in seen if table in item.rewritten]
        reads = [item for item in seen if any(_reads(reason, table) for reason in item.reasons)]
        takes = [
            item
            for item in seen
            if any((lock.relation, lock.mode) == (table, strongest) for lock in item.locks)
        ]
        words = " ".join((*rewrites, *reads, *takes)[0].sql.split())
        shown = words if len(words) <= SHOWN else f"{words[: SHOWN - 1]}…"
        yield Risk(table, strongest, bool(rewrites), bool(reads), shown)


def _reads(reason: str, table: str) -> bool:
    """Whether the server says that it reads all of the table, which it names without its schema."""
    bare = table.rpartition(".")[2].strip('"')
    return f'"{bare}"' in reason and not reason.startswith("rewriting")


def waived(written: str, here: Migration, scripts: str, others: Sequence[tuple[Migration, Script]]) -> str:
    """The file with a comment above each statement that a rule is about: going back is what the file is for.

    What may lose rows is left to be confirmed by whoever merges it.
    """
    families = {rule.id: rule.family for rule in lint.RULES}
    for _ in range(TURNS):
        script = parse.read_text(written, str(here.path))
        found = [item for item in lint.check([*others, (here, script)]) if item.path == here.path]
        told = [item for item in found if item.severity is not Severity.NOTE and item.rule not in OWN]
        if not told:
            break
        written = _with_comments(written, script, told, families, scripts)
    return written


def _with_comments(
    written: str, script: Script, found: Sequence[Finding], families: Mapping[str, str], scripts: str
) -> str:
    lines = written.splitlines()
    starts = [statement.line for statement in script.statements or ()]
    by_place: dict[tuple[int, str], list[str]] = {}
    for item in found:
        line = max((start for start in starts if start <= item.line), default=starts[0])
        reason = LOSES if families[item.rule] == LOSS else OTHER
        by_place.setdefault((line, reason), []).append(item.rule)
    for (line, reason), rules in sorted(by_place.items(), reverse=True):
        comment = f"-- pgratchet: ignore {', '.join(dict.fromkeys(rules))} {reason.format(scripts=scripts)}"
        lines.insert(line - 1, comment)
    return "\n".join(lines) + "\n"
