"""From what was seen and the limits to one answer, with every reason for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from pgratchet.rehearsal.records import (
    MODES,
    READS,
    WRITES,
    Answer,
    Blocked,
    Copy,
    Lock,
    Proof,
    Reason,
    Run,
    Sample,
    Seen,
    blocks,
)

TIMES = ("blocked_reads_ms", "blocked_writes_ms", "lock_held_ms", "duration_ms")
BATCHES = "Change the rows in batches, each a transaction of its own."
LAST = (
    "Its lock is held to the end of the transaction: put what takes long into a file before it, "
    "or this into a file of its own."
)
ALONGSIDE = "Let the application do without it first: old and new run side by side while it is rolled out."
CHECK = "Add it NOT VALID, and VALIDATE CONSTRAINT in the next file: that blocks neither reads nor writes."
# The first that fits a statement: a pattern of its text, and its safe form.
SAFE = (
    (r"create\s+(?:unique\s+)?index", "CREATE INDEX CONCURRENTLY, in a file of its own."),
    (r"reindex", "REINDEX … CONCURRENTLY, in a file of its own."),
    (r"refresh\s+materialized", "REFRESH MATERIALIZED VIEW CONCURRENTLY, which wants a unique index."),
    (r"vacuum|cluster", "Outside of migrations, at a quiet hour; pg_repack does it without the lock."),
    (r"update|delete|insert|merge|copy", BATCHES),
    (
        r"alter\s+table.*\balter\s+(?:column\s+)?\S+\s+(?:set\s+data\s+)?type",
        "Add a column of the new type, fill it in batches, and change over to it.",
    ),
    (
        r"alter\s+table.*\bset\s+not\s+null",
        "ADD CHECK (… IS NOT NULL) NOT VALID, VALIDATE it in the next file, then SET NOT NULL: it reads nothing then.",
    ),
    (
        r"alter\s+table.*\badd\s+(?:constraint\s+\S+\s+)?(?:unique|primary)",
        "CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT … USING INDEX.",
    ),
    (r"alter\s+table.*\b(?:foreign\s+key|references|check)\b", CHECK),
    (
        r"alter\s+table.*\badd\s+(?:column\s+)?.*\b(?:default|generated)\b",
        "Add the column without a value, SET DEFAULT for new rows, and fill the old ones in batches.",
    ),
)


def judge(
    run: Run, proofs: Sequence[Proof], copy: Copy, limits: Mapping[str, float]
) -> tuple[Answer, tuple[Reason, ...]]:
    """The answer is that of the worst reason."""
    timed = copy.way != "schema"
    reasons = [*_failed(run), *_drift(run), *_unproven(proofs), *_refused(run)]
    if timed:
        over = [*_blocked(run, limits), *_held(run, limits), *_sizes(run, limits)]
        reasons += over if copy.sample is None else [*_sampled(run, copy.sample), *map(_estimated, over)]
    else:
        reasons.append(
            Reason(
                Answer.CARE,
                "rehearsed without rows: its times and sizes say nothing of the real ones",
                None,
                "Rehearse on a copy with rows before it goes to a large database.",
            )
        )
    order = [Answer.NO_GO, Answer.CARE, Answer.GO]
    reasons.sort(key=lambda reason: order.index(reason.answer))
    return (reasons[0].answer if reasons else Answer.GO), tuple(reasons)


def safe_form(seen: Seen) -> str:
    """What a statement is better replaced with."""
    text = " ".join(seen.sql.lower().split())
    heavy = bool(seen.rewritten or seen.built or seen.reasons or seen.rows)
    found = (form for pattern, form in SAFE if re.match(pattern, text))
    return next(found, LAST) if heavy or not text.startswith("alter") else LAST


def _failed(run: Run) -> Iterator[Reason]:
    if run.failure is not None:
        hint = "Mend the file; on the database itself it would have failed the same way."
        yield Reason(Answer.NO_GO, f"it fails on the copy: {run.failure}", run.failed_at, hint)


def _drift(run: Run) -> Iterator[Reason]:
    for seen in run.statements:
        for message in seen.drift:
            what = f"{message}: it was there before this file had ever run"
            yield Reason(
                Answer.CARE, what, seen.where, "Compare the two: the file does not make it what it says."
            )


def _refused(run: Run) -> Iterator[Reason]:
    """What the workload can no longer do; before the plan it could."""
    met = [(seen.where, seen.latency) for seen in run.statements]
    after = run.workload.after if run.workload else None
    for where, latency in (*met, (None, after if not any(one and one.failed for _, one in met) else None)):
        if latency is not None and latency.failed:
            what = f"{latency.failed:,} transactions of the workload fail from here on: {latency.failures[0]}"
            yield Reason(Answer.CARE, what, where, ALONGSIDE)
            return


def _unproven(proofs: Sequence[Proof]) -> Iterator[Reason]:
    for proof in proofs:
        if not proof.holds and proof.weighs is not None:
            safe = "Guard each statement, so that a run that was cut short can go on."
            yield Reason(proof.weighs, f"{proof.what}: {proof.detail}", proof.script, safe)


def _blocked(run: Run, limits: Mapping[str, float]) -> Iterator[Reason]:
    for item in run.blocked:
        for word, value, key, modes in (
            ("reads", item.reads, "blocked_reads_ms", {READS}),
            ("writes", item.writes, "blocked_writes_ms", {READS, WRITES}),
        ):
            if answer := _over(value, limits, key):
                seen = _culprit(run, item, modes)
                limit = f"the limit is {limits[key]:,.0f} ms"
                yield _reason(answer, f"{word} of {item.table} blocked for {value:,.0f} ms ({limit})", seen)


def _held(run: Run, limits: Mapping[str, float]) -> Iterator[Reason]:
    for seen in run.statements:
        found = [lock for lock in seen.locks if blocks(lock) in {READS, WRITES}]
        if not found:
            continue
        lock = max(found, key=lambda item: (item.kind != "index", item.milliseconds))
        if answer := _over(lock.milliseconds, limits, "lock_held_ms"):
            held = f"{lock.mode} on {lock.relation} held for {lock.milliseconds:,.0f} ms"
            yield _reason(answer, f"{held} (the limit is {limits['lock_held_ms']:,.0f} ms)", seen)


def _sizes(run: Run, limits: Mapping[str, float]) -> Iterator[Reason]:
    for seen in run.statements:
        if answer := _over(seen.wal, limits, "wal_bytes"):
            limit = f"the limit is {limits['wal_bytes']:,.0f}"
            yield _reason(answer, f"{seen.wal:,} bytes of WAL written ({limit})", seen)
    if answer := _over(run.disk, limits, "disk_bytes"):
        what = f"the database grew by {run.disk:,} bytes (the limit is {limits['disk_bytes']:,.0f})"
        yield _reason(answer, what, _most(run, lambda seen: seen.disk))
    if answer := _over(run.milliseconds, limits, "duration_ms"):
        what = f"the plan took {run.milliseconds:,.0f} ms (the limit is {limits['duration_ms']:,.0f} ms)"
        yield _reason(answer, what, _most(run, lambda seen: seen.milliseconds))


def _sampled(run: Run, sample: Sample) -> Iterator[Reason]:
    """What worked on some of the rows has said nothing of the others."""
    for seen in run.statements:
        if seen.scaled > 1:
            parts = [part for part in sample.parts if part.ratio == seen.scaled]
            rows = " and ".join(f"{part.rows:,} of {part.total:,} rows of {part.table}" for part in parts)
            what = f"it worked on a sample, {rows}: what is in no row of it was not tried"
            yield Reason(Answer.CARE, what, seen.where, "Rehearse it on a copy with all rows as well.")


def _estimated(reason: Reason) -> Reason:
    return replace(reason, what=f"{reason.what}, as estimated from a sample")


def _over(value: float, limits: Mapping[str, float], key: str) -> Answer | None:
    if value > limits[key]:
        return Answer.NO_GO
    return Answer.CARE if value > limits[key] * limits["care"] else None


def _reason(answer: Answer, what: str, seen: Seen | None) -> Reason:
    return Reason(answer, what, seen.where if seen else None, safe_form(seen) if seen else LAST)


def _most(run: Run, key: Callable[[Seen], float]) -> Seen | None:
    return max(run.statements, key=key, default=None)


def _culprit(run: Run, item: Blocked, wanted: set[str]) -> Seen | None:
    """The statement that kept others from the table: the one that worked longest while its lock was held."""
    locks = [
        lock
        for seen in run.statements
        for lock in seen.locks
        if lock.relation == item.table and blocks(lock) in wanted
    ]
    return max(run.statements, key=lambda seen: _under(seen, locks), default=None) if locks else None


def _under(seen: Seen, locks: Sequence[Lock]) -> tuple[float, int]:
    end = seen.start + seen.milliseconds
    spent = max((min(end, lock.end) - max(seen.start, lock.start) for lock in locks), default=0.0)
    return max(spent, 0.0), max((MODES.index(lock.mode) for lock in seen.locks), default=0)
