"""From what was seen and the limits to an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgratchet import Answer, Blocked, Copy, Lock, Proof, Run, Seen, config
from pgratchet.rehearsal import Part, Sample, judge
from pgratchet.rehearsal.judging import safe_form

LIMITS = {
    option.name: option.default for option in config.SECTIONS["rehearse"] if isinstance(option.default, float)
}
COPY = Copy("template", "its files were copied", 1000, 0.1)
LOCK = Lock("public.users", "table", "AccessExclusiveLock", 0.0, 100.0)


def seen(sql: str = "ALTER TABLE users ADD COLUMN a int", **more: Any) -> Seen:
    made = Seen("V2__a.sql", "/m/V2__a.sql", 1, 3, sql, "ALTER TABLE", 0.0, 50.0, locks=(LOCK,))
    return replace(made, **more)


def run(*statements: Seen, **more: Any) -> Run:
    return replace(Run(100.0, statements or (seen(),), (), 0, 0), **more)


def answer(of: Run, *proofs: Proof, copy: Copy = COPY) -> Answer:
    return judge(of, proofs, copy, LIMITS)[0]


def test_within_every_limit_it_is_a_go() -> None:
    assert judge(run(), (), COPY, LIMITS) == (Answer.GO, ())


OVER = {
    "blocked_reads_ms": lambda value: run(blocked=(Blocked("public.users", value, 0.0, measured=True),)),
    "blocked_writes_ms": lambda value: run(blocked=(Blocked("public.users", 0.0, value, measured=True),)),
    "lock_held_ms": lambda value: run(seen(locks=(replace(LOCK, end=value),))),
    "wal_bytes": lambda value: run(seen(wal=value)),
    "disk_bytes": lambda value: run(disk=value),
    "duration_ms": lambda value: run(milliseconds=value),
}


@pytest.mark.parametrize("key", OVER)
@given(share=st.floats(0, 3))
def test_a_limit_that_is_passed_is_no_go_and_half_of_it_is_care(key: str, share: float) -> None:
    value = LIMITS[key] * share
    found, reasons = judge(OVER[key](value), (), COPY, LIMITS)
    expected = Answer.NO_GO if value > LIMITS[key] else Answer.CARE if value > LIMITS[key] / 2 else Answer.GO
    assert found is expected
    assert [reason.where for reason in reasons] == ["/m/V2__a.sql:3"] * (expected is not Answer.GO)


def test_every_limit_of_the_configuration_counts() -> None:
    assert set(OVER) == LIMITS.keys() - {"care"}


def test_the_statement_that_worked_longest_under_the_lock_is_named() -> None:
    quick = seen(milliseconds=1.0, locks=(replace(LOCK, end=5000.0),))
    slow = seen("UPDATE users SET a = 1", number=2, line=9, start=1.0, milliseconds=4990.0, rows=5, locks=())
    blocked = (Blocked("public.users", 5000.0, 5000.0, measured=True),)
    _, reasons = judge(run(quick, slow, blocked=blocked), (), COPY, LIMITS)
    places = {reason.what.split(" of ")[0]: reason.where for reason in reasons}
    assert places["reads"] == "/m/V2__a.sql:9"
    assert (
        places["AccessExclusiveLock on public.users held for 5,000 ms (the limit is 2,000 ms)"]
        == "/m/V2__a.sql:3"
    )


def test_without_rows_no_time_counts() -> None:
    slow = run(blocked=(Blocked("public.users", 9e9, 9e9, measured=True),), milliseconds=9e9)
    assert answer(slow, copy=replace(COPY, way="schema")) is Answer.CARE


def test_a_failure_is_no_go_also_without_rows() -> None:
    failed = run(failure="no such table", failed_at="/m/V2__a.sql:3")
    assert answer(failed, copy=replace(COPY, way="schema")) is Answer.NO_GO


def test_a_proof_that_does_not_hold_weighs_what_it_says() -> None:
    for weighs, expected in ((None, Answer.GO), (Answer.CARE, Answer.CARE), (Answer.NO_GO, Answer.NO_GO)):
        assert (
            answer(run(), Proof("V2__a.sql", "applied twice", holds=False, detail="differs", weighs=weighs))
            is expected
        )


def test_drift_is_a_go_with_care() -> None:
    assert answer(run(seen(drift=('relation "users" already exists, skipping',)))) is Answer.CARE


@pytest.mark.parametrize(
    ("sql", "did", "told"),
    [
        ("CREATE UNIQUE INDEX i ON users (a)", {}, "CREATE INDEX CONCURRENTLY"),
        ("REINDEX TABLE users", {}, "REINDEX … CONCURRENTLY"),
        ("REFRESH MATERIALIZED VIEW seen", {}, "REFRESH MATERIALIZED VIEW CONCURRENTLY"),
        ("UPDATE users SET a = 1", {"rows": 5}, "in batches"),
        ("ALTER TABLE users ALTER COLUMN a TYPE bigint", {"rewritten": ("users",)}, "column of the new type"),
        (
            "ALTER TABLE users ALTER a SET DATA TYPE bigint",
            {"rewritten": ("users",)},
            "column of the new type",
        ),
        ("ALTER TABLE users ALTER a SET NOT NULL", {"reasons": ("verifying table",)}, "NOT VALID"),
        ("ALTER TABLE users ADD CONSTRAINT u UNIQUE (a)", {"built": ("u",)}, "USING INDEX"),
        ("ALTER TABLE users ADD CHECK (a > 0)", {"reasons": ("verifying table",)}, "VALIDATE CONSTRAINT"),
        ("ALTER TABLE o ADD FOREIGN KEY (u) REFERENCES users", {"reasons": ("validating",)}, "VALIDATE"),
        ("ALTER TABLE users ADD a float DEFAULT random()", {"rewritten": ("users",)}, "SET DEFAULT"),
        ("ALTER TABLE users ADD COLUMN a int", {}, "to the end of the transaction"),
        ("DROP TABLE users", {}, "to the end of the transaction"),
    ],
)
def test_each_cause_has_its_safe_form(sql: str, did: dict[str, Any], told: str) -> None:
    assert told in safe_form(seen(sql, **did))


SAMPLE = Sample(100, (Part("public.users", 100, 2000), Part("public.days", 7, 7)))


def test_a_limit_that_an_estimate_passes_says_that_it_is_one() -> None:
    of = run(seen(scaled=20.0), milliseconds=LIMITS["duration_ms"] + 1)
    found, reasons = judge(of, (), replace(COPY, way="sample", sample=SAMPLE), LIMITS)
    assert found is Answer.NO_GO
    assert reasons[0].what.endswith("as estimated from a sample")
    assert "100 of 2,000 rows of public.users" in reasons[1].what


def test_a_plan_that_works_on_no_rows_can_go_on_a_sample() -> None:
    assert answer(run(), copy=replace(COPY, way="sample", sample=SAMPLE)) is Answer.GO
    assert answer(run(seen(scaled=20.0)), copy=replace(COPY, way="sample", sample=SAMPLE)) is Answer.CARE
