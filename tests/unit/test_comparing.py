"""Sequences of a restored database beside what they were: no snapshot holds them, and they move while a dump runs."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pgratchet.backup.comparing import counters
from pgratchet.backup.manifest import Counter
from pgratchet.backup.snapshot import moved

STILL = Counter("public", "s", 42, called=True, cycles=False)
VALUES = st.integers(-(2**63), 2**63 - 1)


def test_one_that_stood_still_must_stand_there_to_the_bit() -> None:
    assert not list(counters((STILL,), (STILL,)))
    assert list(counters((STILL,), (replace(STILL, called=False),))) == [
        'the sequence "public"."s" stood at 42, and stands at 42, not given out'
    ]
    assert list(counters((STILL,), (replace(STILL, value=43),)))
    assert not list(counters((STILL,), ()))  # the catalogue tells of that


@given(VALUES, VALUES, VALUES, st.booleans())
def test_one_that_moved_may_have_come_as_far_as_it_did_and_no_further(
    begun: int, ended: int, restored: int, called: bool
) -> None:
    before = replace(STILL, value=begun, called=called)
    [told] = moved((before,), (replace(before, value=ended),))
    right = min(begun, ended) <= restored <= max(begun, ended)
    found = list(counters((told,), (replace(before, value=restored),)))
    assert bool(found) is not right
    assert (
        not list(counters((replace(told, cycles=begun != ended),), (replace(before, value=restored),)))
        or begun == ended
    )


def test_one_that_is_gone_after_the_dump_is_as_it_was_before() -> None:
    assert moved((STILL,), ()) == (STILL,)
