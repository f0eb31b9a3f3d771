"""Rules about what a migration does to a database in use, and the check of files by them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from pgratchet.findings import Finding, Severity
from pgratchet.lint import ignoring
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
    rewrites,
    scans,
    security,
    transactions,
    vectors,
)
from pgratchet.model import Migration, Script, Step

__all__ = ["RULES", "Catalogue", "Rule", "check", "losses"]

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
    rewrites.RULES,
    scans.RULES,
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
    only: Collection[str] = (),
) -> tuple[Finding, ...]:
    """The findings of files in the order in which they are applied.

    `only` names the files that are to be run, and told of: an object that one of them makes is no hazard in
    another, and with a catalogue the files before them are in it. Without `only` each file is judged as if those
    before it had been run, save that what a catalogue does not have yet is new.
    """
    numbers = {number for number, (migration, _) in enumerate(migrations) if migration.script in only}
    together = frozenset(numbers) if only else frozenset(range(len(migrations))) if catalogue else None
    known = Known(catalogue, together, target)
    rules = _by_act(off)
    ids = {rule.id for rule in RULES}
    findings: list[Finding] = []
    for number, (migration, script) in enumerate(migrations):
        told = not only or number in numbers
        if catalogue and not told:
            continue
        found = _found(number, migration, script, rules if told else {}, known)
        kept = ignoring.sift(migration, script, found, ids, off) if told else ()
        findings += [finding for finding in kept if finding.rule not in off]
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
    return File(migration, script, rules, known).findings()


def _by_act(off: Collection[str]) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in RULES:
        for name in rule.on if rule.id not in off else ():
            found.setdefault(name, []).append(rule)
    return found
