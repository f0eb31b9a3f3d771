"""Checks of the server as a whole: may it be written to, is it the right one, who follows it."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.model import Check, Verdict
from pgratchet.preflight.limits import Limits
from pgratchet.preflight.needs import Needs
from pgratchet.preflight.saying import MONITOR, age, named, or_pass, size
from pgratchet.preflight.seen import Seen, Slot, Standby

LOST = {
    "lost": "its WAL is gone: who reads it has to be set up anew",
    "unreserved": "its WAL is about to be removed",
}


def writable(seen: Seen, needs: Needs, limits: Limits) -> Iterator[Check]:
    """A standby takes no change, nor does a session that may only read."""
    del needs, limits
    server = seen.server
    if server.standby:
        hint = "Give the primary's address; in a URL with several hosts: ?target_session_attrs=read-write."
        yield Check("writable", Verdict.REFUSE, "the server is a standby: it takes no change", hint)
    elif server.read_only:
        reason = (
            f"{server.role} may only read in database {server.database}: default_transaction_read_only is on"
        )
        hint = (
            "Is it the right database? If so, where it is set: "
            f'ALTER DATABASE "{server.database}" RESET default_transaction_read_only; or the same of the role.'
        )
        yield Check("writable", Verdict.REFUSE, reason, hint)
    else:
        yield Check("writable", Verdict.PASS, "the server is a primary, and takes changes")


def environment(seen: Seen, wanted: str) -> Check:
    """The mark of the database against the setting `environment`."""
    found = seen.mark
    if wanted and found and wanted != found:
        reason = f"the setting environment is {wanted}, and database {seen.server.database} is marked {found}"
        hint = "Is it the right database? `pgratchet mark` shows and writes the mark, PGRATCHET_ENVIRONMENT is the setting."
        return Check("environment", Verdict.REFUSE, reason, hint)
    marked = f"the database is marked {found}" if found else "the database has no mark"
    setting = f"the setting environment is {wanted}" if wanted else "the setting environment is not given"
    return Check("environment", Verdict.PASS, f"{marked}, and {setting}")


def standbys(seen: Seen, needs: Needs, limits: Limits) -> Iterator[Check]:
    """A standby that lags gets further behind by a change that writes much."""
    del needs
    blind = [item.name for item in seen.standbys if item.state is None]
    checks = [_standby(item, limits) for item in seen.standbys if _lags(item, limits)]
    if blind:
        reason = f"how far {named(blind)} is behind is hidden from {seen.server.role}"
        hint = MONITOR.format(role=seen.server.role)
        checks.append(Check("standbys", Verdict.WARN, reason, hint))
    followers = (
        f"{named(item.name for item in seen.standbys)} keeps up"
        if seen.standbys
        else "none follows this server"
    )
    return or_pass("standbys", checks, followers)


def _lags(item: Standby, limits: Limits) -> bool:
    return (item.bytes or 0) > limits.lag_bytes or (item.seconds or 0) > limits.lag_seconds


def _standby(item: Standby, limits: Limits) -> Check:
    late = f" and {age(item.seconds)}" if (item.seconds or 0) > limits.lag_seconds else ""
    reason = f"{item.name} is {size(item.bytes or 0)}{late} behind"
    hint = "Wait until it keeps up: what reads there sees the change late, and a synchronous one delays each commit."
    return Check("standbys", Verdict.WARN, reason, hint)


def slots(seen: Seen, needs: Needs, limits: Limits) -> Iterator[Check]:
    """A slot that nobody reads keeps WAL until the disk is full."""
    del needs
    checks = (check for item in seen.slots if (check := _slot(item, limits)))
    return or_pass("replication-slots", checks, "none is lost, and none keeps much that nobody reads")


def _slot(item: Slot, limits: Limits) -> Check | None:
    literal = "'" + item.name + "'"
    hint = f"If nobody needs it any more: SELECT pg_drop_replication_slot({literal});"
    if item.state in LOST:
        reason = f"the replication slot {item.name} is {item.state}: {LOST[item.state]}"
        return Check("replication-slots", Verdict.WARN, reason, hint)
    if not item.active and (item.retained or 0) > limits.retained:
        reason = (
            f"nobody reads the replication slot {item.name}, and it keeps {size(item.retained or 0)} of WAL"
        )
        return Check("replication-slots", Verdict.WARN, reason, hint)
    return None
