"""A rehearsal with something of everything, for the tests of what is written about it."""

from __future__ import annotations

from pgratchet import (
    Answer,
    Blocked,
    Copy,
    Latency,
    Lock,
    Proof,
    Reason,
    Rehearsal,
    Run,
    Seen,
    Severity,
    Subject,
    Weighed,
    Workload,
)

WARNING = Severity.WARNING
SEEN = Seen(
    script="V2__a<b.sql",
    path="/m/V2__a<b.sql",
    number=1,
    line=3,
    sql="UPDATE users SET a = '|' || b * 2 WHERE a < b",
    tag="UPDATE",
    start=10.0,
    milliseconds=1500.0,
    rows=1200,
    wal=5_000_000,
    temporary=None,
    disk=-300,
    locks=(Lock("public.users", "table", "AccessExclusiveLock", 10.0, 2000.0),),
    rewritten=("public.users",),
    notices=(
        "<script>alert(1)</script>",
        "hnsw graph no longer fits into maintenance_work_mem after 100 tuples",
    ),
    latency=Latency(7, 1800.0, 1985.0, 1990.0, 1, ('column "a" is <gone>',)),
)
SPANS = ((10.0, 2000.0),)
VALUE = Rehearsal(
    answer=Answer.NO_GO,
    reasons=(
        Reason(Answer.NO_GO, "reads of public.users blocked", "/m/V2__a<b.sql:3", "Do it otherwise."),
        Reason(Answer.NO_GO, "writes of public.users blocked", "/m/V2__a<b.sql:3", "Do it otherwise."),
        Reason(Answer.CARE, "without a place", None, "Look."),
    ),
    database="shop",
    subject=Subject((("V2__a<b.sql", "sum"),), 18, "f" * 64),
    copy=Copy("template", "its files were copied", 12_000_000, 0.2),
    run=Run(
        2100.0,
        (SEEN,),
        (Blocked("public.users", 1990.0, 1990.0, measured=True, read_spans=SPANS, write_spans=SPANS),),
        6,
        7,
        wal_own=5,
        workload=Workload(
            "load.sql",
            "pgbench 18",
            4,
            before=Latency(900, 0.42, 2.5, 12.0),
            during=Latency(30, 1800.0, 1985.0, 1990.0),
            after=None,
        ),
    ),
    proofs=(Proof("V2__a<b.sql", "applied twice", holds=False, detail="the second run changes it"),),
    findings=(
        Weighed(
            "change-column-type",
            "/m/V2__a<b.sql:3",
            "/m/V2__a<b.sql:3",
            "is rewritten",
            WARNING,
            WARNING,
            "rewrote public.users",
        ),
        Weighed(
            "set-not-null",
            "/m/V2__a<b.sql:3",
            "/m/V2__a<b.sql:3",
            "is read",
            WARNING,
            Severity.NOTE,
            "it looked through no table",
        ),
        Weighed(
            "seen-build",
            "/m/V2__a<b.sql:3",
            "/m/V2__a<b.sql:3",
            "a build that no rule sees",
            None,
            WARNING,
            "built public.i",
        ),
    ),
    notes=("a note",),
    limits={"blocked_reads_ms": 1000.0, "blocked_writes_ms": 1000.0},
    at="2024-01-31T12:30:00+00:00",
    tool="0.1.0",
)
