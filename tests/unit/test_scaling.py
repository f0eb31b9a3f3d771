"""What a run on a sample stands for: what worked on rows takes longer with more of them, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pgratchet.rehearsal import Blocked, Lock, Part, Run, Sample, Seen, scaled

SAMPLE = Sample(100, (Part("public.users", 100, 1000, ("public.users_old",)), Part("public.days", 7, 7)))
FIRST = Seen("V1__a.sql", "V1__a.sql", 1, 1, "ALTER TABLE users ADD note text", "ALTER TABLE", 0, 10)
WORK = replace(
    FIRST,
    number=2,
    line=2,
    sql="ALTER TABLE users ALTER id TYPE bigint",
    start=10,
    milliseconds=100,
    read=100,
    wal=5000,
    disk=800,
    rewritten=("public.users",),
)
LOCK = Lock("public.users", "table", "AccessExclusiveLock", 0, 120)
RUN = Run(
    120,
    (replace(FIRST, locks=(LOCK,)), WORK),
    (Blocked("public.users", 110, 60, True, ((5, 115),), ((60, 120),)),),  # noqa: FBT003
    wal=6000,
    disk=800,
)


def test_times_stretch_where_rows_were_worked_on() -> None:
    found = scaled(RUN, SAMPLE)
    first, work = found.statements
    assert (first.start, first.milliseconds, first.scaled) == (0, 10, 1)
    assert (work.start, work.milliseconds, work.scaled) == (10, 1000, 10)
    assert (work.read, work.wal, work.disk) == (1000, 50_000, 8000)
    assert found.milliseconds == 1020
    assert (first.locks[0].start, first.locks[0].end) == (0, 1020)
    assert (found.wal, found.disk) == (51_000, 8000)


def test_blocked_time_stretches_with_the_statements_that_it_lies_in() -> None:
    [item] = scaled(RUN, SAMPLE).blocked
    assert list(item.read_spans) == [(5, 1015)]
    assert item.reads == 1010
    assert list(item.write_spans) == [(510, 1020)]
    assert item.writes == 510


@pytest.mark.parametrize(
    ("changes", "factor"),
    [
        ({"rewritten": ("public.users",)}, 10),
        ({"sql": "CREATE INDEX ON users (a)", "built": ("public.users_a",)}, 10),
        ({"sql": "UPDATE users SET a = 1", "tag": "UPDATE", "rows": 5, "read": None}, 10),
        ({"sql": "UPDATE users SET a = 1 WHERE id = 3", "tag": "UPDATE", "rows": 1, "read": 0}, 1),
        ({"sql": "INSERT INTO users VALUES (1), (2)", "tag": "INSERT", "rows": 2, "read": 0}, 1),
        ({"sql": "UPDATE days SET a = 1", "tag": "UPDATE", "rows": 7, "read": 7}, 1),
        ({"sql": "UPDATE users_old SET a = 1", "tag": "UPDATE", "rows": 7, "read": 7}, 10),
        ({"sql": 'UPDATE "Users" SET a = 1', "tag": "UPDATE", "rows": 7, "read": 7}, 10),
        ({"sql": "DO $$ … $$", "tag": "DO", "read": 100, "locks": (LOCK,)}, 10),
        ({"sql": "CREATE TABLE new (id int)", "tag": "CREATE TABLE", "read": 0}, 1),
    ],
)
def test_a_statement_is_scaled_by_the_table_that_it_worked_on(
    changes: dict[str, object], factor: float
) -> None:
    seen = replace(FIRST, **changes)  # type: ignore[arg-type]
    assert scaled(replace(RUN, statements=(seen,)), SAMPLE).statements[0].scaled == factor
