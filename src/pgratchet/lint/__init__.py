"""Rules about what a migration does to a database in use, and the check of files by them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from pgratchet.findings import Finding, Severity
from pgratchet.lint import clearing, ignoring
from pgratchet.lint.catalogue import Catalogue
from pgratchet.lint.known import Known
from pgratchet.lint.reading import File, Found, Rules
from pgratchet.lint.rule import Rule
from pgratchet.lint.rules import (
    builds,
    citus_changes,
    citus_schema,
    compatibility,
    discipline,
    idempotence,
    locks,
    loss,
    replacing,
    rewrites,
    scans,
    searching,
    security,
    transactions,
    vectors,
)
from pgratchet.model import Kind, Migration, Script, Step

__all__ = ["RULES", "Catalogue", "Rule", "check", "losses"]

EARLIER = -2
"""The file of a baseline, which is run on an empty database: what it makes is new in it, and old in all others."""
_FAMILIES = (
    ignoring.RULES,
    builds.RULES,
    citus_changes.RULES,
    citus_schema.RULES,
    compatibility.RULES,
    discipline.RULES,
    idempotence.RULES,
    locks.RULES,
    loss.RULES,
    replacing.RULES,
    rewrites.RULES,
    scans.RULES,
    searching.RULES,
    security.RULES,
    transactions.RULES,
    vectors.RULES,
)
RULES: tuple[Rule, ...] = tuple(
    sorted((rule for family in _FAMILIES for rule in family), key=lambda rule: rule.id)
)
"""Every rule, in the order of their ids."""


def check(
    migrations: Sequence[tuple[Migration, Script]],
    *,
    catalogue: Catalogue | None = None,
    target: str = "",
    off: Collection[str] = (),
    also: Collection[str] = (),
    only: Collection[str] = (),
) -> tuple[Finding, ...]:
    """The findings of files in the order in which they are applied.

    `only` names the files that are to be run, and told of: an object that one of them makes is no hazard in
    another, and with a catalogue the files before them are in it. Without `only` each file is judged as if those
    before it had been run, save that what a catalogue does not have yet is new. `also` names rules that are looked
    at only where somebody asks for them.
    """
    off = {*off, *(rule.id for rule in RULES if not rule.wanted and rule.id not in also)}
    numbers = {number for number, (migration, _) in enumerate(migrations) if migration.script in only}
    together = frozenset(numbers) if only else frozenset(range(len(migrations))) if catalogue else None
    known = Known(catalogue, together, target)
    rules = _by_act(off)
    # A baseline is run once: nothing of it is there before, and nobody runs it again.
    once = _by_act({*off, *(rule.id for rule in idempotence.RULES)})
    ids = {rule.id for rule in RULES}
    findings: list[Finding] = []
    for number, (migration, script) in enumerate(migrations):
        told = not only or number in numbers
        if catalogue and not told:
            continue
        empty = migration.kind is Kind.BASELINE
        schema = Known(None, None, target) if empty else known
        place = EARLIER if empty else number
        found = _found(place, migration, script, (once if empty else rules) if told else {}, schema)
        kept = ignoring.sift(migration, script, found, ids, off) if told else ()
        findings += [finding for finding in kept if finding.rule not in off]
        if empty and not catalogue and _opens(migration, migrations):
            known = schema
            known.together = together
    return tuple(sorted(findings, key=lambda item: (str(item.path), item.line, item.column, item.rule)))


def losses(steps: Sequence[Step], scripts: Mapping[str, Script], catalogue: Catalogue) -> Iterator[Finding]:
    """What a plan loses for good, of what the database holds before it. No comment in a file takes that back."""
    known = Known(catalogue, frozenset(range(len(steps))), "")
    rules = _by_act({rule.id for rule in RULES if rule.family != loss.FAMILY})
    for number, step in enumerate(steps):
        script = scripts[step.migration.script]
        for found in _found(number, step.migration, script, rules, known):
            # A note tells of a function that is defined there, and called by nobody.
            if found.statement > step.done and found.finding.severity is not Severity.NOTE:
                yield found.finding


def _found(number: int, migration: Migration, script: Script, rules: Rules, known: Known) -> list[Found]:
    known.file = number
    known.altered.clear()
    known.keys.clear()
    known.cleared.clear()
    known.leaving = clearing.leaving(script)
    known.empty.clear()
    return File(migration, script, rules, known).findings()


def _opens(baseline: Migration, migrations: Sequence[tuple[Migration, Script]]) -> bool:
    """Whether the files that it stands for are gone, so that it alone says what is there."""
    return not any(
        item.kind is Kind.VERSIONED and (item.version or 0) <= (baseline.version or 0)
        for item, _ in migrations
    )


def _by_act(off: Collection[str]) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in RULES:
        for name in rule.on if rule.id not in off else ():
            found.setdefault(name, []).append(rule)
    return found
