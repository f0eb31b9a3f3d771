"""From the transactions of a workload to how long they took: before the plan, beside each statement, after it. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import itemgetter

from pgratchet.rehearsal.driving import Load
from pgratchet.rehearsal.records import Latency, Run, Workload
from pgratchet.rehearsal.scripting import Transaction

MESSAGES = 3
"""Different words of the server that are kept."""
At = Callable[[float], float]
Span = tuple[float, float, str | None]
"""The beginning and the end of a transaction, in milliseconds, and why it failed."""


def beside(run: Run, load: Load, done: Sequence[Transaction], at: At) -> Run:
    """A run with what the workload met before it, beside each of its statements, and after it.

    Beside a statement is what was not over when it began, and had begun when it ended; what failed counts for the
    last statement that had begun. Times are of the run's clock, which stands still while we look; a transaction
    within such a stop is left out.
    """
    spans = ((at(item.start), at(item.end), item.error) for item in done)
    told = sorted((span for span in spans if span[1] > span[0] or span[2]), key=itemgetter(1))
    ends = [end for _, end, _ in told]
    longest = max((end - start for start, end, _ in told), default=0.0)

    def within(start: float, end: float, until: float) -> Latency | None:
        near = told[bisect_right(ends, start) : bisect_right(ends, end + longest)]
        well = [span for span in near if not span[2] and span[0] < end]
        return latency([*well, *(span for span in told if span[2] and start <= span[1] < until)])

    starts = [*(seen.start for seen in run.statements), math.inf]
    statements = (
        replace(seen, latency=within(seen.start, seen.start + seen.milliseconds, following))
        for seen, following in zip(run.statements, starts[1:], strict=True)
    )
    whole = Workload(
        load.path.name,
        load.by,
        load.clients,
        before=latency([span for span in told if span[1] <= 0]),
        during=within(0, run.milliseconds, run.milliseconds),
        after=latency([span for span in told if span[0] >= run.milliseconds]),
    )
    return replace(run, statements=tuple(statements), workload=whole)


def latency(spans: Sequence[Span]) -> Latency | None:
    """The times of transactions; None where there is none. Those that failed are counted, and not timed."""
    if not spans:
        return None
    times = sorted(end - start for start, end, error in spans if error is None)
    words = dict.fromkeys(error for *_, error in spans if error)
    failed = sum(error is not None for *_, error in spans)
    p50, p99, worst = (_share(times, share) for share in (0.5, 0.99, 1.0))
    return Latency(len(times), p50, p99, worst, failed, tuple(words)[:MESSAGES])


def _share(times: Sequence[float], share: float) -> float:
    """The time that this share of all did not exceed."""
    return times[max(0, math.ceil(len(times) * share) - 1)] if times else 0.0
