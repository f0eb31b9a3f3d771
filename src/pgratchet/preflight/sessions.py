"""Checks of who is in the way: transactions, prepared ones, dumps, autovacuum."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from pgratchet import sql
from pgratchet.model import Check, Verdict
from pgratchet.parse.lock_targets import CONFLICTS
from pgratchet.preflight.facts import Facts
from pgratchet.preflight.needs import Lock
from pgratchet.preflight.saying import MONITOR, age, named, or_pass, who
from pgratchet.preflight.seen import Held, Prepared, Session


class Clash(NamedTuple):
    """A lock that we need, and one that is held against it."""

    lock: Lock
    held: Held

    @property
    def words(self) -> str:
        """Both, for the end of a sentence about who holds it."""
        return f"holds {self.held.mode} on {self.held.table}, where {self.lock.script} needs {self.lock.mode}"


def clashes(facts: Facts) -> tuple[Clash, ...]:
    """Every pair of a lock held by others and one that the plan needs, where the two exclude each other."""
    return tuple(
        Clash(lock, held)
        for held in facts.seen.held
        for lock in facts.needs.locks
        if lock.table == held.table and _excludes(held, lock)
    )


def _excludes(held: Held, lock: Lock) -> bool:
    # A build with CONCURRENTLY takes its lock beside writers, and then waits for their end.
    return held.mode in CONFLICTS[lock.mode] or (lock.waits and held.mode == "RowExclusiveLock")


def transactions(facts: Facts) -> Iterator[Check]:
    """Long transactions, and sessions that sit in one without doing anything."""
    limits = facts.limits
    ordinary = [item for item in facts.seen.sessions if not is_dump(item) and not is_background(item)]
    reason = f"none is older than {age(limits.long)}, and none sits idle for {age(limits.idle)}"
    return _checks("transactions", ordinary, facts, _transaction, reason)


def _transaction(facts: Facts, session: Session, clash: Clash | None) -> Check | None:
    check = partial(Check, "transactions", script=clash.lock.script if clash else facts.needs.concurrent)
    if session.hidden:
        return check(Verdict.WARN, f"{_hidden(facts, session, clash)}", _monitor(facts)) if clash else None
    limits, seconds = facts.limits, session.age or 0
    hint = f"Let it end, or end it: SELECT pg_terminate_backend({session.pid});"
    if clash and seconds >= max(limits.long, limits.budget):
        reason = f"{who(session)}; it {clash.words}, for longer than we would wait ({age(limits.budget)})"
        return check(Verdict.REFUSE, reason, hint)
    idle = (session.state or "").startswith("idle in transaction") and (session.idle or 0) >= limits.idle
    if seconds < limits.long and not idle:
        return None
    return check(Verdict.WARN, f"{who(session)}{_consequence(facts, clash)}", hint)


def prepared(facts: Facts) -> Iterator[Check]:
    """Prepared transactions: nobody but their coordinator or a person ends them."""
    found = clashes(facts)
    checks = (
        _prepared(facts, item, next((clash for clash in found if _of(clash, item)), None))
        for item in facts.seen.prepared
    )
    return or_pass("prepared-transactions", checks, "there is none")


def _of(clash: Clash, item: Prepared) -> bool:
    return clash.held.pid is None and clash.held.transaction == item.transaction


def _prepared(facts: Facts, item: Prepared, clash: Clash | None) -> Check:
    name = sql.literal(item.name)
    hint = (
        f"As its coordinator decides, in this database: COMMIT PREPARED {name}; or ROLLBACK PREPARED {name};"
    )
    reason = f"{name} of {item.owner} has waited for {age(item.age)}{_consequence(facts, clash)}"
    verdict = Verdict.REFUSE if clash else Verdict.WARN
    return Check("prepared-transactions", verdict, reason, hint, clash.lock.script if clash else None)


def dumps(facts: Facts) -> Iterator[Check]:
    """A dump or an export: it keeps a lock on every table that it reads until its end."""
    running = [item for item in facts.seen.sessions if is_dump(item)]
    return _checks("dumps", running, facts, _dump, "no pg_dump and no COPY … TO stdout is running")


def _dump(facts: Facts, session: Session, clash: Clash | None) -> Check:
    check = partial(Check, "dumps", script=clash.lock.script if clash else None)
    reason = f"{who(session)}{_consequence(facts, clash)}"
    if clash and (session.age or 0) >= facts.limits.long:
        hint = "Run again when it has ended; with --no-preflight we try for the lock until --lock-budget is spent."
        return check(Verdict.REFUSE, reason, hint)
    hint = "We try for a lock that it holds, in short tries, until it has ended or --lock-budget is spent."
    return check(Verdict.WARN, reason, hint)


def autovacuum(facts: Facts) -> Iterator[Check]:
    """Autovacuum gives way to us, save the one that prevents a wraparound."""
    workers = [item for item in facts.seen.sessions if is_background(item)]
    return _checks("autovacuum", workers, facts, _worker, "none is in the way on a table of the plan")


def _worker(facts: Facts, session: Session, clash: Clash | None) -> Check | None:
    if clash is None:
        return None
    check = partial(Check, "autovacuum", script=clash.lock.script)
    if session.hidden:
        reason = f"perhaps an autovacuum: {_hidden(facts, session, clash)}"
        return check(Verdict.WARN, reason, _monitor(facts))
    if "to prevent wraparound" in session.query:
        reason = f"{who(session)}; it {clash.words}, and it does not give way"
        return check(Verdict.WARN, reason, "Let it end; pg_stat_progress_vacuum shows how far it is.")
    return check(Verdict.PASS, f"{who(session)}; it {clash.words}, and gives way: our wait cancels it")


def hidden(facts: Facts) -> Iterator[Check]:
    """What other roles do is hidden from one that is not pg_monitor."""
    blind = [item for item in facts.seen.sessions if item.hidden]
    if blind:
        users = named(sorted({item.user or "the server itself" for item in blind}))
        reason = f"what sessions of {users} do, and since when, is hidden from {facts.seen.server.role}"
        yield Check("visibility", Verdict.WARN, reason, _monitor(facts))
    else:
        yield Check("visibility", Verdict.PASS, "what every session does can be seen")


def is_dump(session: Session) -> bool:
    """By the name that pg_dump gives itself, or by what it runs."""
    copies = re.match(r"(?i)copy\b.*\bto stdout", session.query) is not None
    return session.application in {"pg_dump", "pg_dumpall"} or copies


def is_background(session: Session) -> bool:
    """An autovacuum worker; where hidden, a process without a user."""
    return session.kind == "autovacuum worker" or (session.hidden and session.user is None)


def _checks(
    name: str,
    sessions: list[Session],
    facts: Facts,
    decide: Callable[[Facts, Session, Clash | None], Check | None],
    good: str,
) -> Iterator[Check]:
    first = {clash.held.pid: clash for clash in reversed(clashes(facts))}
    found = (decide(facts, session, first.get(session.pid)) for session in sessions)
    return or_pass(name, (check for check in found if check), good)


def _consequence(facts: Facts, clash: Clash | None) -> str:
    if clash:
        return f"; it {clash.words}"
    # Whatever it waits for: every snapshot that is older than the index.
    return f"; {facts.needs.concurrent} waits for its end" if facts.needs.concurrent else ""


def _hidden(facts: Facts, session: Session, clash: Clash) -> str:
    return f"{who(session)}; it {clash.words}; the rest is hidden from {facts.seen.server.role}"


def _monitor(facts: Facts) -> str:
    return MONITOR.format(role=sql.quote(facts.seen.server.role))
