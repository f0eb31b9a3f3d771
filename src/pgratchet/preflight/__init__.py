"""Looks at the live database before a run: is anything in the way of what the pending steps need?

One round trip reads (`seen`), pure functions read the files (`needs`) and decide (all others). A check
warns of what a run can live with, and refuses what would certainly fail, or wait in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pgratchet.db import Connection
from pgratchet.history import Names
from pgratchet.model import Check, Script, Step, Verdict
from pgratchet.preflight import needs, rights, seen, server, sessions, tables
from pgratchet.preflight.facts import LIMITS, Facts, Limits
from pgratchet.preflight.saying import or_pass

__all__ = ["Limits", "decide", "look"]


class Rule(NamedTuple):
    """A check, and the fields of `Seen` without which it can say nothing."""

    name: str
    fields: tuple[str, ...]
    decide: Callable[[Facts], Iterator[Check]]


def look(
    connection: Connection,
    steps: Sequence[Step],
    scripts: Mapping[str, Script],
    names: Names,
    *,
    environment: str = "",
    limits: Limits = LIMITS,
    fresh: bool = False,
) -> tuple[Check, ...]:
    """Look once for all steps together; writes nothing. `fresh`: the database holds no table yet."""
    needed = needs.read(steps, scripts, fresh=fresh)
    return decide(Facts(seen.see(connection, needed, names), needed, names, environment, limits))


def decide(facts: Facts) -> tuple[Check, ...]:
    """What was seen against what is needed: refusals first, then warnings."""
    found: list[Check] = []
    for rule in RULES:
        unseen = _unseen(facts, rule)
        found += [unseen] if unseen else rule.decide(facts)
    order = list(Verdict)
    return tuple(sorted(found, key=lambda check: -order.index(check.verdict)))


def _unseen(facts: Facts, rule: Rule) -> Check | None:
    reason = facts.seen.why_unseen(*rule.fields)
    hint = "The run can go on; look at this by hand."
    return Check(rule.name, Verdict.WARN, f"cannot be seen: {reason}", hint) if reason else None


def _coverage(facts: Facts) -> Iterator[Check]:
    unread = (
        Check("coverage", Verdict.PASS, f"not all of {script} is looked at: {why}", None, script)
        for script, why in facts.needs.unread
    )
    return or_pass("coverage", unread, "every statement of the plan was read")


RULES = (
    Rule("writable", (), server.writable),
    Rule("environment", ("mark",), server.environment),
    Rule("history", (), rights.history),
    Rule("privileges", ("tables",), rights.privileges),
    Rule("extensions", ("extensions",), rights.extensions),
    Rule("transactions", ("sessions", "held"), sessions.transactions),
    Rule("prepared-transactions", ("prepared", "held"), sessions.prepared),
    Rule("dumps", ("sessions", "held"), sessions.dumps),
    Rule("autovacuum", ("sessions", "held"), sessions.autovacuum),
    Rule("visibility", ("sessions",), sessions.hidden),
    Rule("standbys", ("standbys",), server.standbys),
    Rule("replication-slots", ("slots",), server.slots),
    Rule("indexes", ("indexes", "tables"), tables.indexes),
    Rule("partitions", ("detached",), tables.partitions),
    Rule("lock-space", ("tables",), tables.lock_space),
    Rule("disk", ("sizes", "host"), tables.disk),
    Rule("coverage", (), _coverage),
)
