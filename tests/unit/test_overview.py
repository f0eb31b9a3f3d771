"""Files and history side by side: how each migration stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pgratchet import plan
from pgratchet.model import Applied, Kind, Migration, Overview, Status
from pgratchet.plan import Edit, Facts
from tests.unit.records import AT, baseline, file, repeatable, row, stopped

OTHER = "edited since"


def made(migrations: Sequence[Migration], history: Sequence[Applied], **facts: Any) -> Overview:
    decided = plan.plan(migrations, history, Facts(**{"empty": not history, **facts}))
    return plan.overview(migrations, history, decided, database="shop")


def standings(found: Overview) -> list[tuple[str, str]]:
    return [(entry.script.partition("__")[0], entry.standing.value) for entry in found.entries]


def test_applied_and_pending_stand_in_the_order_of_versions_and_repeatables_last() -> None:
    found = made([file(2), file(10), repeatable("views")], [row(2)])
    assert standings(found) == [("V2", "applied"), ("V10", "pending"), ("R", "pending")]
    assert (found.database, found.version, found.pending) == ("shop", 2, 2)


def test_an_applied_entry_says_when_by_whom_and_how_long() -> None:
    [entry] = made([file(1)], [row(1)]).entries
    assert (entry.applied_at, entry.applied_by, entry.execution_time_ms) == (AT, "deployer", 12)


def test_what_a_baseline_stands_for_is_covered() -> None:
    found = made([file(1), file(2), baseline(2), file(3)], [row(baseline(2))])
    assert standings(found) == [("V1", "covered"), ("B2", "baseline"), ("V2", "covered"), ("V3", "pending")]


def test_what_was_recorded_by_hand_is_marked() -> None:
    found = made([file(1), file(2)], [row(1, kind=Kind.MARKED)])
    assert standings(found) == [("V1", "marked"), ("V2", "pending")]


def test_the_row_of_a_database_marked_at_zero_is_shown() -> None:
    before = row(0, kind=Kind.MARKED, script="-", checksum=None)
    assert standings(made([file(1)], [before])) == [("-", "marked"), ("V1", "pending")]


@pytest.mark.parametrize("status", [Status.RUNNING, Status.FAILED])
def test_an_unfinished_entry_says_how_far_it_came(status: Status) -> None:
    [entry] = made([file(1)], [stopped(1, 3, status)]).entries
    assert (entry.standing.value, entry.statements_done, entry.statements_total) == (status.value, 3, 4)


def test_an_edited_file_is_called_edited() -> None:
    found = made([file(1, checksum=OTHER)], [row(1)])
    assert standings(found) == [("V1", "edited")]
    assert [problem.code for problem in found.problems] == ["edited"]


def test_a_changed_repeatable_is_pending() -> None:
    now = repeatable("views", OTHER)
    found = made(
        [now], [row(repeatable("views"))], edits={now.script: Edit(same_tree=False, applied="a", now="b")}
    )
    assert standings(found) == [("R", "pending")]


def test_a_row_without_its_file_is_missing_or_ahead() -> None:
    found = made([file(2)], [row(1), row(2), row(3)])
    assert standings(found) == [("V1", "missing"), ("V2", "applied"), ("V3", "ahead")]


def test_a_row_of_a_repeatable_whose_file_is_gone_is_missing() -> None:
    assert standings(made([file(1)], [row(1), row(repeatable("views"))]))[-1] == ("R", "missing")


def test_problems_and_notes_are_those_of_the_plan() -> None:
    found = made([file(1), file(2), file(3)], [row(1), row(3), row(4)])
    assert [problem.code for problem in found.problems] == ["out-of-order"]
    assert len(found.notes) == 1
