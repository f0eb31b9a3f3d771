"""Checks of the server as a whole: may it be written to, is it the right one, who follows it."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.model import Check, Verdict
from pgratchet.preflight.facts import Facts, Limits
from pgratchet.preflight.saying import MONITOR, age, named, or_pass, size
from pgratchet.preflight.seen import Slot, Standby

LOST = {
    "lost": "its WAL is gone: who reads it has to be set up anew",
    "unreserved": "its WAL is about to be removed",
}


def writable(facts: Facts) -> Iterator[Check]:
    """A standby takes no change, nor does a session that may only read."""
    server = facts.seen.server
    if server.standby:
        hint = "Give the primary's address; in a URL with several hosts: ?target_session_attrs=read-write."
        yield Check("writable", Verdict.REFUSE, "the server is a standby: it takes no change", hint)
    elif server.read_only:
        reason = (
            f"{server.role} may only read in database {server.database}: default_transaction_read_only is on"
        )
        reset = f'ALTER DATABASE "{server.database}" RESET default_transaction_read_only;'
        hint = f"Is it the right database? If so, where it is set: {reset} or the same of the role."
        yield Check("writable", Verdict.REFUSE, reason, hint)
    else:
        yield Check("writable", Verdict.PASS, "the server is a primary, and takes changes")


def environment(facts: Facts) -> Iterator[Check]:
    """The mark of the database against the setting `environment`."""
    found, wanted = facts.seen.mark, facts.environment
    setting = f"the setting environment is {wanted}" if wanted else "the setting environment is not given"
    marked = f"database {facts.seen.server.database} " + (f"is marked {found}" if found else "has no mark")
    if wanted and found and wanted != found:
        hint = (
            "Is it the right database? `pgratchet mark` shows its mark; PGRATCHET_ENVIRONMENT is the setting."
        )
        yield Check("environment", Verdict.REFUSE, f"{setting}, and {marked}", hint)
    else:
        yield Check("environment", Verdict.PASS, f"{marked}, and {setting}")


def standbys(facts: Facts) -> Iterator[Check]:
    """A standby that lags gets further behind by a change that writes much."""
    there, role = facts.seen.standbys, facts.seen.server.role
    checks = [_standby(item, facts.limits) for item in there if _lags(item, facts.limits)]
    if blind := [item.name for item in there if item.state is None]:
        reason = f"how far {named(blind)} is behind is hidden from {role}"
        checks.append(Check("standbys", Verdict.WARN, reason, MONITOR.format(role=role)))
    good = f"{named(item.name for item in there)} keeps up" if there else "none follows this server"
    return or_pass("standbys", checks, good)


def _lags(item: Standby, limits: Limits) -> bool:
    return (item.bytes or 0) > limits.lag_bytes or (item.seconds or 0) > limits.lag_seconds


def _standby(item: Standby, limits: Limits) -> Check:
    late = f" and {age(item.seconds)}" if (item.seconds or 0) > limits.lag_seconds else ""
    reason = f"{item.name} is {size(item.bytes or 0)}{late} behind"
    hint = "Wait until it keeps up: what reads there sees the change late, and a synchronous one delays each commit."
    return Check("standbys", Verdict.WARN, reason, hint)


def slots(facts: Facts) -> Iterator[Check]:
    """A slot that nobody reads keeps WAL until the disk is full."""
    checks = (check for item in facts.seen.slots if (check := _slot(item, facts.limits)))
    return or_pass("replication-slots", checks, "none is lost, and none keeps much that nobody reads")


def _slot(item: Slot, limits: Limits) -> Check | None:
    hint = f"If nobody needs it any more: SELECT pg_drop_replication_slot('{item.name}');"
    if item.state in LOST:
        reason = f"the replication slot {item.name} is {item.state}: {LOST[item.state]}"
        return Check("replication-slots", Verdict.WARN, reason, hint)
    if not item.active and (item.retained or 0) > limits.retained:
        kept = size(item.retained or 0)
        reason = f"nobody reads the replication slot {item.name}, and it keeps {kept} of WAL"
        return Check("replication-slots", Verdict.WARN, reason, hint)
    return None
