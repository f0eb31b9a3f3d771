"""Findings of `check` beside what was seen: what did not happen counts no more, and what it missed is added. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pgratchet import catalogue, db, lint
from pgratchet.findings import Finding, Severity
from pgratchet.model import Preview
from pgratchet.rehearsal.records import READS, WRITES, Reason, Run, Seen, Weighed, blocks

FAMILIES = ("rewrites", "builds", "scans", "locks")
UNSEEN = {
    "rewrites": "no table, index or view that was there got a new file",
    "builds": "no index was built on a table that was there",
    "scans": "PostgreSQL looked through no table",
    "locks": "no lock kept anybody from what was there",
}
"""Why a finding of a family counts no more."""
UNDECIDED = frozenset(
    {"rewrite-twice", "second-table-locked", "work-behind-lock", "lock-of-many-partitions"}
    | {"add-domain-constraint"}
)
"""Rules about more than one statement, and one whose scan PostgreSQL does not tell of."""
LOOKED = ("verifying", "validating")
ENOUGH = ("existing constraints on", "updated partition constraint", "partition constraint")


def foreseen(connection: db.Connection, made: Preview) -> tuple[Finding, ...]:
    """What the rules say of a plan and the database that it is for, of what a comment ignores too."""
    read = [
        (step.migration, replace(made.scripts[step.migration.script], ignores=())) for step in made.plan.steps
    ]
    names = {migration.script for migration, _ in read}
    return lint.check(read, catalogue=catalogue.read(connection), only=names)


def weigh(found: Sequence[Finding], run: Run) -> tuple[Weighed, ...]:
    """Each finding that what was seen confirms or refutes, then what was seen and is in no finding."""
    family = {rule.id: rule.family for rule in lint.RULES if rule.family in FAMILIES}
    mine: dict[int, set[str]] = {}
    weighed = []
    for finding in found:
        place = _statement(finding, run.statements)
        if place is None or finding.rule not in family:
            continue
        mine.setdefault(place, set()).add(family[finding.rule])
        if finding.severity is not Severity.NOTE and finding.rule not in UNDECIDED:
            weighed.append(_weighed(finding, family[finding.rule], run.statements[place], run))
    for place, seen in enumerate(run.statements):
        weighed += _missed(seen, mine.get(place, set()), run)
    return tuple(item for item in weighed if item is not None)


def explained(reasons: Sequence[Reason], weighed: Sequence[Weighed]) -> tuple[Reason, ...]:
    """Reasons that name the rule whose page has their safe form in full, where one was right about the statement."""
    rules = {item.statement: item.rule for item in reversed(weighed) if item.said is item.counts}
    return tuple(
        replace(reason, safe=f"{reason.safe} `pgratchet explain {rules[reason.where]}` says more.")
        if reason.where in rules
        else reason
        for reason in reasons
    )


def _statement(finding: Finding, statements: Sequence[Seen]) -> int | None:
    """The number of the statement that a finding is about; None where it did not run to its end."""
    place = (finding.line, finding.column)
    of_file = [
        number
        for number, seen in enumerate(statements)
        if seen.path == str(finding.path) and (seen.line, seen.column) <= place
    ]
    return of_file[-1] if of_file and statements[of_file[-1]].error is None else None


def _weighed(finding: Finding, family: str, seen: Seen, run: Run) -> Weighed | None:
    where = f"{finding.path}:{finding.line}"
    words = finding.message.split("\n")[0]
    happened = "; ".join(HAPPENED[family](seen, run))
    if happened:
        return Weighed(finding.rule, where, seen.where, words, finding.severity, finding.severity, happened)
    if family == "scans" and _silenced(seen, run):
        return None
    why = [UNSEEN[family], *(text for text in (*seen.reasons, *seen.drift) if _tells_why(text, seen))]
    return Weighed(finding.rule, where, seen.where, words, finding.severity, Severity.NOTE, ": ".join(why))


def _missed(seen: Seen, said: set[str], run: Run) -> Iterator[Weighed]:
    """What no finding says: a rewrite, or a scan or a build while others have to wait."""
    if seen.error is not None or "rewrites" in said:
        return
    waiting = list(_locks(seen, run))
    for family, rule in (("rewrites", "rewrite"), ("builds", "build"), ("scans", "scan")):
        happened = list(HAPPENED[family](seen, run))
        if happened and family not in said and (family == "rewrites" or waiting):
            why = "; ".join(happened if family == "rewrites" else [*happened, waiting[0]])
            yield Weighed(
                f"seen-{rule}",
                seen.where,
                seen.where,
                f"a {rule} that no rule sees",
                None,
                Severity.WARNING,
                why,
            )
        if happened:
            return


def _rewrites(seen: Seen, _: Run) -> Iterator[str]:
    yield from (f"rewrote {name}" for name in seen.rewritten)
    if seen.tag == "ALTER INDEX":  # one that is moved to another tablespace
        yield from (f"rewrote {name}" for name in seen.built)


def _builds(seen: Seen, run: Run) -> Iterator[str]:
    yield from (f"built {name}" for name in seen.built)
    yield from _rewrites(seen, run)


def _scans(seen: Seen, run: Run) -> Iterator[str]:
    yield from (text for text in seen.reasons if text.startswith(LOOKED))
    yield from _rewrites(seen, run)


def _locks(seen: Seen, run: Run) -> Iterator[str]:
    """Locks that were held while the statement ran, whichever one had taken them."""
    end = seen.start + seen.milliseconds
    for lock in (lock for other in run.statements for lock in other.locks):
        if blocks(lock) in {READS, WRITES} and lock.start <= end and lock.end >= seen.start:
            yield f"{lock.mode} on {lock.relation} blocked {blocks(lock)}"


HAPPENED: dict[str, Callable[[Seen, Run], Iterator[str]]] = {
    "rewrites": _rewrites,
    "builds": _builds,
    "scans": _scans,
    "locks": _locks,
}
"""What was seen of the thing that a family of rules is about."""


def _tells_why(text: str, seen: Seen) -> bool:
    return text in seen.drift or text.startswith(ENOUGH)


def _silenced(seen: Seen, run: Run) -> bool:
    """Whether the file has told the server to keep its reasons to itself."""
    return any(
        "client_min_messages" in other.sql and other.script == seen.script and other.number <= seen.number
        for other in run.statements
    )
