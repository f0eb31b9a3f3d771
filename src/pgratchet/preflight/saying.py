"""Words of the checks: ages, sizes, sessions, and lists that end in time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pgratchet.model import Check, Verdict
from pgratchet.preflight.seen import Session

SHOWN = 5
MONITOR = "A superuser can show it to us: GRANT pg_monitor TO {role};"


def age(seconds: float | None) -> str:
    """A time as people say it."""
    if seconds is None:
        return "an unknown time"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def size(number: int) -> str:
    """A number of bytes as people say it."""
    for unit, bits in (("GB", 30), ("MB", 20), ("kB", 10)):
        if number >= 1 << bits:
            return f"{number / (1 << bits):.1f} {unit}"
    return f"{number} bytes"


def who(session: Session) -> str:
    """A session: pid, user, application, state, age, query."""
    names = f"pid {session.pid}, {session.user or session.kind or 'a background process'}"
    program = session.application or "no application name"
    if session.hidden:
        return f"{names}, {program}"
    state = session.state or "active"
    return f"{names}, {program}, {state}, transaction of {age(session.age)}: {session.query}"


def named(names: Iterable[str]) -> str:
    """A list of names that stays short."""
    found = list(names)
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


def few(checks: Iterable[Check]) -> Iterator[Check]:
    """Every refusal, and the first warnings; the others are counted."""
    found = list(checks)
    warnings = [check for check in found if check.verdict is Verdict.WARN]
    left_out = warnings[SHOWN:]
    yield from (check for check in found if check not in left_out)
    if left_out:
        yield Check(left_out[0].name, Verdict.WARN, f"and {len(left_out)} more like these")


def or_pass(name: str, checks: Iterable[Check], reason: str) -> Iterator[Check]:
    """The checks, or where there are none, that all is well."""
    found: Sequence[Check] = list(few(checks))
    yield from found or [Check(name, Verdict.PASS, reason)]
