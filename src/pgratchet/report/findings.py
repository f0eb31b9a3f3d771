"""Findings for a person, and what all reports of them need: a path that others know, a mark that stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from pgratchet.findings import Checked, Finding, Severity
from pgratchet.report.text import caret, count


def render(value: Checked) -> str:
    """Each finding with its line and what to do, then how many there are."""
    lines = [line for finding in told(value) for line in (*_finding(finding), "")]
    lines += [f"note: {note}" for note in value.notes]
    return "\n".join([*lines, _sum(value)])


def told(value: Checked) -> list[Finding]:
    """What people are to see: notes, of which there are many, only where they were asked for."""
    notes = value.severity is Severity.NOTE
    return [finding for finding in value.findings if notes or finding.severity is not Severity.NOTE]


def relative(path: Path, root: Path) -> str:
    """A path as programs of the repository know it: from its root, with slashes."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def marks(value: Checked) -> Iterator[tuple[Finding, str]]:
    """Each finding with a mark that stays the same while its line is only moved.

    Neither line number nor message counts: a message may say how many rows a table has today.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    for finding in value.findings:
        key = (finding.rule, relative(finding.path, value.root), " ".join(finding.source.split()))
        seen[key] += 1
        text = "\0".join((*key, str(seen[key])))
        yield finding, sha256(text.encode(errors="surrogatepass")).hexdigest()


def sentence(finding: Finding) -> str:
    """What is wrong and what to do, in one text."""
    return f"{finding.message}\n{finding.hint}" if finding.hint else finding.message


def _finding(finding: Finding) -> Iterator[str]:
    place = f"{finding.path}:{finding.line}:{finding.column}"
    first, *rest = finding.message.split("\n")
    yield f"{finding.severity.value}: {place}: {first} ({finding.rule})"
    yield from rest
    if finding.source:
        yield from caret(finding.source, finding.column)
    if not finding.certain:
        yield "  only a look at the database can tell: name it with --url"
    if finding.hint:
        hint, *more = finding.hint.splitlines()
        yield f"  next: {hint}"
        yield from (f"        {line}" for line in more)


def _sum(value: Checked) -> str:
    looked = f"{count(len(value.files), 'file')} checked"
    kinds = Counter(finding.severity for finding in value.findings)
    seen = {finding.severity for finding in told(value)}
    sums = [_many(kinds[severity], severity) for severity in reversed(Severity) if severity in seen]
    hidden = kinds[Severity.NOTE] if Severity.NOTE not in seen else 0
    more = f" {count(hidden, 'note')} not shown: --severity note shows them." if hidden else ""
    if not sums:
        return f"{looked}, nothing found.{more}"
    return f"{looked}: {', '.join(sums)}.{more} `pgratchet explain RULE` says more of one."


def _many(number: int, severity: Severity) -> str:
    return f"{number} {severity.value}" if severity is Severity.UNSURE else count(number, severity.value)
