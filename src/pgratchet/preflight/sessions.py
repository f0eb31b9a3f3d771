"""Checks of who is in the way: transactions, prepared ones, dumps, autovacuum."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pgratchet.model import Check, Verdict
from pgratchet.preflight.limits import Limits
from pgratchet.preflight.needs import Lock, Needs
from pgratchet.preflight.saying import MONITOR, age, named, or_pass, who
from pgratchet.preflight.seen import Held, Seen, Session
from pgratchet.targets import BUILD, FULL, KEY, LIGHT

_EVERY = {"ExclusiveLock", "AccessExclusiveLock", "ShareRowExclusiveLock"}
CONFLICTS = {
    LIGHT: _EVERY | {"ShareUpdateExclusiveLock", "ShareLock"},
    BUILD: _EVERY | {"ShareUpdateExclusiveLock", "RowExclusiveLock"},
    KEY: _EVERY | {"ShareUpdateExclusiveLock", "RowExclusiveLock", "ShareLock"},
    FULL: _EVERY
    | {"ShareUpdateExclusiveLock", "RowExclusiveLock", "ShareLock", "RowShareLock", "AccessShareLock"},
}
"""Which lock of another keeps us from each of ours; a test holds it equal to what servers do."""
WRITERS = {"RowExclusiveLock"}
"""CREATE INDEX CONCURRENTLY takes LIGHT, but waits until the writers of its table have ended."""


class Clash(NamedTuple):
    """A lock that we need, and one that is held against it."""

    lock: Lock
    held: Held

    def __str__(self) -> str:
        need = f"{self.lock.script} needs {self.lock.mode} on {self.lock.table}"
        return f"holds {self.held.mode} on it, and {need}"


def clashes(seen: Seen, needs: Needs) -> Iterator[Clash]:
    """Every pair of a lock held by others and one that the plan needs, where the two exclude each other."""
    for held in seen.held:
        for lock in needs.locks:
            awaited = lock.waits and held.mode in WRITERS
            if lock.table == held.table and (held.mode in CONFLICTS[lock.mode] or awaited):
                yield Clash(lock, held)


def transactions(seen: Seen, needs: Needs, limits: Limits) -> Iterator[Check]:
    """Long transactions, and sessions that sit in one without doing anything."""
    found = list(clashes(seen, needs))
    ordinary = [session for session in seen.sessions if not is_dump(session) and not is_background(session)]
    checks = (_transaction(session, _first(found, session), needs, limits, seen) for session in ordinary)
    reason = f"no transaction is older than {age(limits.long)}, and none sits idle for {age(limits.idle)}"
    return or_pass("transactions", (check for check in checks if check), reason)


def _transaction(
    session: Session, clash: Clash | None, needs: Needs, limits: Limits, seen: Seen
) -> Check | None:
    hint = f"Let it end, or end it: SELECT pg_terminate_backend({session.pid});"
    if session.hidden:
        if clash is None:
            return None
        reason = f"{who(session)}, {clash}; its age and its query are hidden from {seen.server.role}"
        return Check("transactions", Verdict.WARN, reason, _monitor(seen), clash.lock.script)
    old = (session.age or 0) >= limits.long
    idle = (session.state or "").startswith("idle in transaction") and (session.idle or 0) >= limits.idle
    if clash is not None and (session.age or 0) >= max(limits.long, limits.budget):
        reason = f"{who(session)}; it {clash}, for longer than we would wait ({age(limits.budget)})"
        return Check("transactions", Verdict.REFUSE, reason, hint, clash.lock.script)
    if not old and not idle:
        return None
    script = clash.lock.script if clash else needs.concurrent
    waits = f"; it {clash}" if clash else f"; {script} waits for its end" if script else ""
    return Check("transactions", Verdict.WARN, f"{who(session)}{waits}", hint, script)


def prepared(seen: Seen, needs: Needs, limits: Limits) -> Iterator[Check]:
    """Prepared transactions: nobody but their coordinator or a person ends them."""
    del limits
    found = list(clashes(seen, needs))

    def check(name: str, owner: str, seconds: float, key: str) -> Check:
        clash = next((c for c in found if c.held.pid is None and c.held.transaction == key), None)
        literal = "'" + name.replace("'", "''") + "'"
        hint = f"As its coordinator decides, in this database: COMMIT PREPARED {literal}; or ROLLBACK PREPARED {literal};"
        reason = f"the prepared transaction {literal} of {owner} has waited for {age(seconds)}"
        if clash is not None:
            return Check(
                "prepared-transactions", Verdict.REFUSE, f"{reason}; it {clash}", hint, clash.lock.script
            )
        waits = f"; {needs.concurrent} may wait for its end" if needs.concurrent else ""
        return Check("prepared-transactions", Verdict.WARN, f"{reason}{waits}", hint)

    return or_pass("prepared-transactions", (check(*item) for item in seen.prepared), "there is none")


def dumps(seen: Seen, needs: Needs, limits: Limits) -> Iterator[Check]:
    """A dump or an export: it holds a lock on every table until its end."""
    found = list(clashes(seen, needs))
    running = [session for session in seen.sessions if is_dump(session)]
    in_the_way = [(session, clash) for session in running if (clash := _first(found, session))]
    others = [session for session in running if _first(found, session) is None]
    checks = [_dump(session, clash, limits) for session, clash in in_the_way]
    if others:
        reason = f"a dump is running, on no table of the plan as yet: {named(map(who, others))}"
        checks.append(Check("dumps", Verdict.WARN, reason, "Wait for its end where the plan drops tables."))
    return or_pass("dumps", checks, "no pg_dump and no COPY … TO stdout is running")


def _dump(session: Session, clash: Clash, limits: Limits) -> Check:
    refuses = (session.age or 0) >= limits.long
    reason = f"a dump is running: {who(session)}; it {clash}"
    hint = (
        "Run again when the dump has ended; --no-preflight tries for the lock, in short tries, until --lock-budget."
        if refuses
        else "We try for the lock, in short tries, until the dump has ended or --lock-budget is spent."
    )
    return Check("dumps", Verdict.REFUSE if refuses else Verdict.WARN, reason, hint, clash.lock.script)


def autovacuum(seen: Seen, needs: Needs, limits: Limits) -> Iterator[Check]:
    """Autovacuum gives way to us, save the one that prevents a wraparound."""
    del limits
    found = list(clashes(seen, needs))
    workers = [(session, _first(found, session)) for session in seen.sessions if is_background(session)]
    checks = (_worker(session, clash, seen) for session, clash in workers if clash)
    return or_pass("autovacuum", checks, "none is on a table of the plan")


def _worker(session: Session, clash: Clash, seen: Seen) -> Check:
    script = clash.lock.script
    if session.hidden:
        reason = (
            f"{who(session)}, perhaps an autovacuum, {clash}; what it does is hidden from {seen.server.role}"
        )
        return Check("autovacuum", Verdict.WARN, reason, _monitor(seen), script)
    if "to prevent wraparound" in session.query:
        reason = f"{who(session)}; it {clash}, and it does not give way"
        return Check(
            "autovacuum", Verdict.WARN, reason, "Let it end; pg_stat_progress_vacuum shows how far.", script
        )
    reason = f"{who(session)}; it {clash}, and it gives way: it is cancelled while we wait"
    return Check("autovacuum", Verdict.PASS, reason, None, script)


def hidden(seen: Seen, needs: Needs, limits: Limits) -> Iterator[Check]:
    """What other roles do is hidden from one that is not pg_monitor."""
    del needs, limits
    blind = [session for session in seen.sessions if session.hidden]
    if not blind:
        yield Check("visibility", Verdict.PASS, "every session's state and query can be seen")
        return
    reason = f"what {len(blind)} of the sessions do is hidden from {seen.server.role}: a long transaction of theirs is not seen"
    yield Check("visibility", Verdict.WARN, reason, _monitor(seen))


def is_dump(session: Session) -> bool:
    """By the name that pg_dump gives itself, or by what it runs."""
    copies = re.match(r"(?i)copy\b.*\bto stdout", session.query) is not None
    return session.application in {"pg_dump", "pg_dumpall"} or copies


def is_background(session: Session) -> bool:
    """An autovacuum worker; where hidden, a process without a user."""
    return session.kind == "autovacuum worker" or (session.hidden and session.user is None)


def _first(found: list[Clash], session: Session) -> Clash | None:
    return next((clash for clash in found if clash.held.pid == session.pid), None)


def _monitor(seen: Seen) -> str:
    return MONITOR.format(role=seen.server.role)
