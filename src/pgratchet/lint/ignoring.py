"""Takes back what a comment `-- pgratchet: ignore <rule> <reason>` tells it to, and judges the comments themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

from pgratchet.findings import Finding, Severity
from pgratchet.lint.reading import Found
from pgratchet.lint.rule import Rule
from pgratchet.model import Ignore, Migration, Script

OTHERS = "squawk-"
"""Before the names of rules that are not ours to judge; `squawk` takes its findings back itself."""
_SETUP = "CREATE TABLE users (id bigint PRIMARY KEY, age integer);"

NO_REASON = Rule(
    id="ignore-without-reason",
    family="ignoring",
    severity=Severity.ERROR,
    title="A rule is ignored without a reason",
    why="Who reads the file next cannot tell a decision from a habit.",
    safe="Write the reason behind the rule: -- pgratchet: ignore <rule> <the reason>",
    setup=_SETUP,
    bad="-- pgratchet: ignore drop-column\nALTER TABLE users DROP COLUMN age;",
    good="-- pgratchet: ignore drop-column nobody has read it since version 3\nALTER TABLE users DROP COLUMN age;",
    on=(),
)
UNUSED = Rule(
    id="ignore-unused",
    family="ignoring",
    severity=Severity.WARNING,
    title="An ignored rule finds nothing there",
    why="A comment that takes nothing back hides the next finding that comes to stand under it.",
    safe="Delete the rule from the comment.",
    setup=_SETUP,
    bad="-- pgratchet: ignore drop-column it was renamed\nALTER TABLE users ADD COLUMN height integer;",
    good="ALTER TABLE users ADD COLUMN height integer;",
    on=(),
)
UNKNOWN = Rule(
    id="ignore-unknown-rule",
    family="ignoring",
    severity=Severity.ERROR,
    title="An ignored rule does not exist",
    why="A misspelt rule is not ignored, and nobody notices.",
    safe="Write the rule as the finding spells it.",
    setup=_SETUP,
    bad="-- pgratchet: ignore no-such-rule nobody knows it\nALTER TABLE users ADD COLUMN height integer;",
    good="ALTER TABLE users ADD COLUMN height integer;",
    on=(),
)

RULES = (NO_REASON, UNKNOWN, UNUSED)


def sift(
    migration: Migration, script: Script, found: Sequence[Found], known: Collection[str], off: Collection[str]
) -> Iterator[Finding]:
    """The findings that no comment takes back, and those about the comments."""
    used: set[tuple[Ignore, str]] = set()
    for item in found:
        taken = [
            ignore
            for ignore in script.ignores
            if item.finding.rule in ignore.rules and ignore.statement in {0, item.statement}
        ]
        used.update((ignore, item.finding.rule) for ignore in taken)
        if not taken:
            yield item.finding
    for ignore in script.ignores:
        for rule in ignore.rules:
            if rule not in known and not rule.startswith(OTHERS):
                near = get_close_matches(rule, known, 1)
                hint = f"Did you mean {near[0]}?" if near else UNKNOWN.safe
                yield _finding(UNKNOWN, migration, ignore, f"there is no rule {rule}", hint)
            elif not ignore.reason:
                yield _finding(NO_REASON, migration, ignore, f"{rule} is ignored without a reason")
            elif rule in known and (ignore, rule) not in used and rule not in off:
                yield _finding(UNUSED, migration, ignore, f"{rule} finds nothing to ignore here")


def _finding(rule: Rule, migration: Migration, ignore: Ignore, message: str, hint: str = "") -> Finding:
    reason = f" {ignore.reason}" if ignore.reason else ""
    source = " " * (ignore.column - 1) + f"-- pgratchet: ignore {', '.join(ignore.rules)}{reason}"
    return Finding(
        rule.id, rule.severity, migration.path, ignore.line, ignore.column, message, hint or rule.safe, source
    )
