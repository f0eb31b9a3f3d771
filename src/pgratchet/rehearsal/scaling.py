"""From a run on a sample to what all rows would have taken: an estimate, straight in proportion to the rows. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pgratchet.rehearsal.records import Blocked, Run, Sample, Seen

WORK = ("rewriting", "verifying", "validating")
"""How the server's words begin for what takes longer with more rows."""
CHANGES = re.compile(r"UPDATE|DELETE|MERGE")


def scaled(run: Run, sample: Sample) -> Run:
    """The run with each statement that worked on rows as much longer as its tables have more rows than the sample.

    A statement that only changed the catalogue takes no longer with more rows. All times stretch alike, so a lock that
    is held over a statement that grows is held for longer.
    """
    ratios = {name: part.ratio for part in sample.parts for name in (part.table, *part.partitions)}
    factors = [_factor(seen, ratios) for seen in run.statements]
    if not any(factor > 1 for factor in factors):
        return run
    later = _stretched(run.statements, factors)
    pairs = list(zip(run.statements, factors, strict=True))
    return replace(
        run,
        milliseconds=later(run.milliseconds),
        statements=tuple(_seen(seen, factor, later) for seen, factor in pairs),
        blocked=tuple(_blocked(item, later) for item in run.blocked),
        wal=run.wal + round(sum(seen.wal * (factor - 1) for seen, factor in pairs)),
        disk=run.disk + round(sum(max(seen.disk, 0) * (factor - 1) for seen, factor in pairs)),
    )


def _factor(seen: Seen, ratios: Mapping[str, float]) -> float:
    """How many rows stand for one in what a statement has to work through: those of its table with the most."""
    worked = seen.read or seen.rewritten or seen.built or any(map(_is_work, seen.reasons))
    if not worked and not (CHANGES.match(seen.tag) and (seen.rows or 0) > 1):
        return 1.0
    words = set(re.findall(r"[^\W\d][\w$]*", seen.sql.lower()))
    touched = {lock.relation for lock in seen.locks} | {*seen.rewritten}
    return max(
        (
            ratio
            for name, ratio in ratios.items()
            if name in touched or name.rsplit(".", maxsplit=1)[-1].strip('"').lower() in words
        ),
        default=1.0,
    )


def _is_work(reason: str) -> bool:
    return reason.startswith(WORK)


def _stretched(statements: Sequence[Seen], factors: Sequence[float]) -> Callable[[float], float]:
    """The clock of the run in which each statement takes its factor as long."""
    starts = [seen.start for seen in statements]
    added = [0.0]
    for seen, factor in zip(statements, factors, strict=True):
        added.append(added[-1] + seen.milliseconds * (factor - 1))

    def later(moment: float) -> float:
        number = bisect_right(starts, moment)
        if number == 0:
            return moment
        last = statements[number - 1]
        spent = min(moment - last.start, last.milliseconds)
        return moment + added[number - 1] + spent * (factors[number - 1] - 1)

    return later


def _seen(seen: Seen, factor: float, later: Callable[[float], float]) -> Seen:
    locks = tuple(replace(lock, start=later(lock.start), end=later(lock.end)) for lock in seen.locks)
    return replace(
        seen,
        start=later(seen.start),
        milliseconds=seen.milliseconds * factor,
        rows=None if seen.rows is None else round(seen.rows * factor),
        read=None if seen.read is None else round(seen.read * factor),
        wal=round(seen.wal * factor),
        temporary=None if seen.temporary is None else round(seen.temporary * factor),
        disk=round(seen.disk * factor),
        locks=locks,
        scaled=factor,
    )


def _blocked(item: Blocked, later: Callable[[float], float]) -> Blocked:
    reads, writes = (
        tuple((later(start), later(end)) for start, end in spans)
        for spans in (item.read_spans, item.write_spans)
    )
    return replace(item, reads=_sum(reads), writes=_sum(writes), read_spans=reads, write_spans=writes)


def _sum(spans: Sequence[tuple[float, float]]) -> float:
    return sum(end - start for start, end in spans)
