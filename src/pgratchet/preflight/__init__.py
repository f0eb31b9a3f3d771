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
from pgratchet.preflight import needs as plan
from pgratchet.preflight import rights, server, sessions, tables
from pgratchet.preflight.limits import Limits
from pgratchet.preflight.needs import Needs
from pgratchet.preflight.saying import or_pass
from pgratchet.preflight.seen import Seen, see

__all__ = ["Limits", "decide", "look"]

LIMITS = Limits()


class Rule(NamedTuple):
    """A check, and what must have been seen for it to say anything."""

    name: str
    needs: tuple[str, ...]
    decide: Callable[[Seen, Needs, Limits], Iterator[Check]]


RULES = (
    Rule("writable", (), server.writable),
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
)


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
    needs = plan.read(steps, scripts, fresh=fresh)
    return decide(see(connection, needs, names), needs, names, environment=environment, limits=limits)


def decide(
    seen: Seen, needs: Needs, names: Names, *, environment: str = "", limits: Limits = LIMITS
) -> tuple[Check, ...]:
    """What was seen against what is needed: refusals first, then warnings."""
    checks = [_unseen(seen, "environment", ("mark",)) or server.environment(seen, environment)]
    checks += [rights.history(seen, names)] if needs.steps else []
    for rule in RULES:
        unseen = _unseen(seen, rule.name, rule.needs)
        checks += [unseen] if unseen else rule.decide(seen, needs, limits)
    checks += _coverage(needs)
    order = list(Verdict)
    return tuple(sorted(checks, key=lambda check: -order.index(check.verdict)))


def _unseen(seen: Seen, name: str, fields: tuple[str, ...]) -> Check | None:
    reason = seen.why_unseen(*fields)
    hint = "The run can go on; look at this by hand."
    return Check(name, Verdict.WARN, f"cannot be seen: {reason}", hint) if reason else None


def _coverage(needs: Needs) -> Iterator[Check]:
    unread = (
        Check("coverage", Verdict.PASS, f"not all of {script} is looked at: {why}", None, script)
        for script, why in needs.unread
    )
    return or_pass("coverage", unread, "every statement of the plan was read")
