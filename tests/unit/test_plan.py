"""The plan, decision by decision, on records: what is run, what is refused, what is only told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgratchet import plan
from pgratchet.model import Applied, Kind, Migration, Plan, Problem, Status, Step
from pgratchet.plan import Edit, Facts
from tests.unit.records import baseline, file, repeatable, row, stopped

OTHER = "edited since"


def made(migrations: Sequence[Migration], history: Sequence[Applied], **facts: Any) -> Plan:
    return plan.plan(migrations, history, Facts(**{"empty": not history, **facts}))


def run(found: Plan) -> list[str]:
    return [step.migration.script.partition("__")[0] for step in found.steps]


def codes(found: Plan) -> list[str]:
    return [problem.code for problem in found.problems]


def only_problem(found: Plan) -> Problem:
    [problem] = found.problems
    return problem


def test_everything_is_pending_in_a_new_database() -> None:
    found = made([file(1), file(2), repeatable("views")], [])
    assert (run(found), found.problems, found.fresh) == (["V1", "V2", "R"], (), True)
    assert (found.applied, found.version) == (0, None)


def test_what_is_applied_is_not_run_again() -> None:
    found = made([file(1), file(2), file(3)], [row(1), row(2)])
    assert (run(found), found.problems, found.fresh) == (["V3"], (), False)
    assert (found.applied, found.version) == (2, 2)


def test_nothing_is_run_where_everything_is_applied() -> None:
    found = made([file(1), repeatable("views")], [row(1), row(repeatable("views"))])
    assert found == Plan(steps=(), applied=2, version=1)


def test_an_empty_folder_and_an_empty_database_make_an_empty_plan() -> None:
    assert made([], []) == Plan(steps=(), fresh=True)


def test_a_target_stops_the_plan_after_its_version_and_before_repeatables() -> None:
    found = made([file(1), file(2), file(3), repeatable("views")], [row(1)], to=2)
    assert (run(found), found.problems) == (["V2"], ())


def test_a_target_that_no_file_has_is_refused() -> None:
    assert only_problem(made([file(1), file(3)], [], to=2)).message == "there is no version 2"


def test_a_target_that_is_behind_the_database_runs_nothing_and_says_how_to_go_back() -> None:
    found = made([file(1), file(2)], [row(1), row(2)], to=1)
    assert (found.steps, found.problems) == ((), ())
    assert "at version 2 already" in found.notes[0]
    assert "write a migration that reverses" in found.notes[0]


def test_a_version_below_the_newest_applied_is_refused_with_cause_and_cure() -> None:
    found = made([file(1), file(2), file(3)], [row(1), row(3)])
    problem = only_problem(found)
    assert problem.code == "out-of-order"
    assert problem.message.startswith(
        "/migrations/V2__change.sql: version 2 comes after version 3 was applied"
    )
    assert "a version over 3" in problem.hint
    assert "--out-of-order" in problem.hint


def test_a_version_below_the_newest_applied_is_run_where_that_is_allowed() -> None:
    found = made([file(1), file(2), file(3), file(4)], [row(1), row(3)], out_of_order=True)
    assert (run(found), found.problems) == (["V2", "V4"], ())


def test_an_unfinished_version_below_the_newest_is_finished_and_not_called_out_of_order() -> None:
    found = made([file(1), file(2), file(3)], [row(1), stopped(2, 0), row(3)])
    assert (run(found), found.problems) == (["V2"], ())


def edited(**edit: Any) -> Plan:
    script = file(1).script
    known = {script: Edit(**{"same_tree": False, "applied": None, "now": "", **edit})}
    return made([file(1, checksum=OTHER), file(2)], [row(1)], edits=known)


def test_an_edited_file_is_refused_and_its_difference_shown() -> None:
    problem = only_problem(edited(applied="SELECT 1;\nSELECT 2;\n", now="SELECT 1;\nSELECT 3;\n"))
    assert problem.code == "edited"
    first, *difference = problem.message.splitlines()
    assert first.endswith("was edited after it had been applied (2024-01-31 12:30 by deployer)")
    assert "-SELECT 2;" in difference
    assert "+SELECT 3;" in difference


def test_a_long_difference_is_cut_and_says_by_how_much() -> None:
    lines = only_problem(edited(applied="a\n" * 100, now="b\n" * 100)).message.splitlines()
    assert len(lines) == 1 + plan.SHOWN + 1
    assert lines[-1] == f"… and {203 - plan.SHOWN} lines more"


def test_an_edited_file_whose_text_was_not_kept_is_refused_and_that_is_said() -> None:
    assert "the difference cannot be shown" in only_problem(edited()).message


def test_an_edited_file_of_which_nothing_is_known_is_refused() -> None:
    assert codes(made([file(1, checksum=OTHER)], [row(1)])) == ["edited"]


def test_an_edit_of_comments_alone_is_a_note() -> None:
    found = edited(same_tree=True)
    assert (run(found), found.problems) == (["V2"], ())
    assert found.notes[0].startswith("V1__change.sql: comments, white space or letter case differ")


def test_a_row_without_a_checksum_is_never_edited() -> None:
    assert made([file(1)], [row(1, checksum=None)]).problems == ()


def test_an_edited_baseline_is_refused_like_any_file() -> None:
    now = file(3, Kind.BASELINE, OTHER)
    assert codes(made([now], [row(baseline(3))])) == ["edited"]


def test_a_file_that_is_gone_is_refused_where_newer_ones_are_there() -> None:
    problem = only_problem(made([file(1), file(3)], [row(1), row(2), row(3)]))
    assert problem.code == "missing"
    assert problem.message == "V2__change.sql was applied (2024-01-31 12:30), and its file is gone"


def test_a_begun_file_that_is_gone_is_refused_too() -> None:
    problem = only_problem(made([file(1), file(3)], [row(1), stopped(2, 1), row(3)]))
    assert problem.message == "V2__change.sql was begun, and its file is gone"


def test_a_file_that_is_gone_and_for_which_a_baseline_stands_is_not_missed() -> None:
    found = made([baseline(2), file(3)], [row(1), row(2), row(3)])
    assert (found.steps, found.problems) == ((), ())


def test_a_version_marked_by_hand_needs_no_file() -> None:
    before = row(0, kind=Kind.MARKED, script="-", checksum=None)
    found = made([file(1)], [before])
    assert (run(found), found.problems) == (["V1"], ())


def test_a_database_ahead_of_the_files_is_a_note_and_no_failure() -> None:
    found = made([file(1), file(2)], [row(1), row(2), row(3), row(4)])
    assert (found.steps, found.problems) == ((), ())
    assert found.notes == (
        "the database is ahead of the files: version 4 was applied by a newer build, the files end at 2",
    )


def test_a_version_that_an_older_build_still_wants_to_add_is_out_of_order_in_a_database_ahead() -> None:
    assert codes(made([file(1), file(2)], [row(1), row(3)])) == ["out-of-order"]


@pytest.mark.parametrize("status", [Status.FAILED, Status.RUNNING])
def test_an_unfinished_file_is_resumed_after_the_statements_that_took_effect(status: Status) -> None:
    left = stopped(2, 3, status)
    found = made([file(1), file(2), file(3)], [row(1), left])
    assert found.steps == (Step(file(2), 3, left), Step(file(3)))
    assert found.problems == ()


def test_an_unfinished_version_is_not_the_version_of_the_database() -> None:
    found = made([file(1), file(2)], [row(1), stopped(2, 3)])
    assert (found.applied, found.version) == (1, 1)


def half_done(done: int, **edit: Any) -> Plan:
    known = {file(1).script: Edit(**{"same_tree": False, "applied": "a", "now": "b", **edit})}
    return made([file(1, checksum=OTHER)], [stopped(1, done)], edits=known)


def test_a_half_done_file_may_be_mended_after_what_took_effect() -> None:
    found = half_done(2, same_start=True)
    assert (run(found), found.problems, found.steps[0].done) == (["V1"], (), 2)


def test_a_half_done_file_may_not_change_where_it_took_effect() -> None:
    problem = only_problem(half_done(2, same_start=False))
    assert problem.code == "changed-half-way"
    assert "its first 2 of 4 statements have taken effect" in problem.message
    assert "-a" in problem.message


def test_a_file_that_failed_before_anything_took_effect_may_change_at_will() -> None:
    found = half_done(0)
    assert (run(found), found.problems) == (["V1"], ())


def test_a_database_with_tables_and_no_history_is_refused_and_told_how_to_baseline() -> None:
    problem = only_problem(made([file(1)], [], empty=False))
    assert problem.code == "no-history"
    assert not made([file(1)], [], empty=False).fresh
    assert "pgratchet baseline VERSION" in problem.hint


def test_a_database_that_holds_only_a_history_is_not_refused_and_not_new() -> None:
    found = made([file(1), file(2), baseline(2)], [row(1)], empty=True)
    assert (run(found), found.problems, found.fresh) == (["V2"], (), False)


def test_a_new_database_starts_from_the_newest_baseline() -> None:
    found = made([file(1), baseline(1), file(2), baseline(3), file(3), file(4)], [])
    assert (run(found), found.problems) == (["B3", "V4"], ())


def test_a_baseline_over_the_target_is_not_taken() -> None:
    found = made([baseline(1), file(1), file(2), baseline(3), file(3)], [], to=2)
    assert run(found) == ["B1", "V2"]


def test_a_database_with_a_history_never_runs_a_baseline() -> None:
    found = made([file(1), file(2), baseline(2), file(3)], [row(1)])
    assert (run(found), found.problems) == (["V2", "V3"], ())


def test_a_database_that_began_with_a_baseline_goes_on_from_it() -> None:
    found = made([file(1), baseline(2), file(2), file(3)], [row(baseline(2))])
    assert (run(found), found.problems) == (["V3"], ())


def test_a_database_that_began_with_a_baseline_does_not_take_a_newer_one() -> None:
    found = made([baseline(2), file(3), file(4), baseline(4)], [row(baseline(2)), row(3)])
    assert (run(found), found.problems) == (["V4"], ())


def test_a_baseline_that_failed_is_run_again_and_nothing_before_it() -> None:
    left = stopped(baseline(2), 1)
    found = made([file(1), baseline(2), file(2), file(3)], [left])
    assert found.steps == (Step(baseline(2), 1, left), Step(file(3)))


def test_a_repeatable_is_run_where_the_database_does_not_have_it() -> None:
    assert run(made([file(1), repeatable("views")], [row(1)])) == ["R"]


def test_each_repeatable_stands_for_itself() -> None:
    found = made([repeatable("a"), repeatable("b", OTHER)], [row(repeatable("a"))])
    assert [step.migration.description for step in found.steps] == ["b"]


def changed_repeatable(*, same_tree: bool) -> Plan:
    now = repeatable("views", OTHER)
    known = {now.script: Edit(same_tree=same_tree, applied="a", now="b")}
    return made([file(1), now], [row(1), row(repeatable("views"))], edits=known)


def test_a_repeatable_is_run_again_when_its_statements_change() -> None:
    found = changed_repeatable(same_tree=False)
    assert (run(found), found.problems) == (["R"], ())


def test_a_repeatable_is_not_run_again_for_a_comment() -> None:
    found = changed_repeatable(same_tree=True)
    assert (found.steps, found.problems) == ((), ())


def test_a_repeatable_that_stopped_half_way_is_resumed_where_it_is_unchanged_and_begun_again_where_not() -> (
    None
):
    unchanged = made([repeatable("views")], [stopped(repeatable("views"), 2)])
    changed = made([repeatable("views", OTHER)], [stopped(repeatable("views"), 2)])
    assert (unchanged.steps[0].done, changed.steps[0].done) == (2, 0)


def test_a_repeatable_whose_file_is_gone_is_no_problem() -> None:
    assert made([file(1)], [row(1), row(repeatable("views"))]).problems == ()


def test_a_plan_with_problems_still_shows_its_steps() -> None:
    found = made([file(1), file(2), file(3), file(4)], [row(1), row(3)])
    assert (run(found), codes(found)) == (["V2", "V4"], ["out-of-order"])


def test_every_problem_is_told_at_once() -> None:
    found = made([file(1, checksum=OTHER), file(3), file(5)], [row(1), row(2), row(4)], to=9)
    assert codes(found) == ["target", "edited", "missing", "missing", "out-of-order"]


VERSIONS = st.lists(st.integers(0, 60), unique=True, max_size=12).map(sorted)


@given(versions=VERSIONS, data=st.data())
def test_steps_are_the_versions_that_are_not_applied_in_their_order(
    versions: list[int], data: st.DataObject
) -> None:
    applied = data.draw(st.sets(st.sampled_from(versions)) if versions else st.just(set[int]()))
    found = made([file(version) for version in versions], [row(version) for version in sorted(applied)])
    assert [step.migration.version for step in found.steps] == [v for v in versions if v not in applied]
    late = [v for v in versions if v not in applied and v < max(applied, default=-1)]
    assert codes(found) == ["out-of-order"] * len(late)


@given(VERSIONS, st.sets(st.sampled_from("abc")))
def test_a_history_equal_to_the_files_leaves_nothing_to_do(versions: list[int], names: set[str]) -> None:
    migrations = [*map(file, versions), *map(repeatable, sorted(names))]
    assert made(migrations, [row(migration) for migration in migrations]).steps == ()


@given(versions=VERSIONS.filter(bool), data=st.data())
def test_running_to_a_target_and_then_on_is_running_it_all(versions: list[int], data: st.DataObject) -> None:
    migrations = [file(version) for version in versions]
    target = data.draw(st.sampled_from(versions))
    first = [step.migration for step in made(migrations, [], to=target).steps]
    rest = [step.migration for step in made(migrations, [row(migration) for migration in first]).steps]
    assert first + rest == [step.migration for step in made(migrations, []).steps]
