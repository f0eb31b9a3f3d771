"""What people read: errors with the place under a mark, previews that can be run, tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgratchet import plan
from pgratchet.errors import (
    ConfigurationError,
    DatabaseUnreachable,
    FilesError,
    HistoryError,
    ParseError,
    PgratchetError,
    RunFailed,
    StatementFailed,
)
from pgratchet.model import CopyData, Done, Outcome, Plan, Preview, Problem, Script, Statement, Step
from pgratchet.plan import Facts
from pgratchet.report import text
from tests.unit.records import file, repeatable, row, stopped

EDITED = Problem("edited", "V1__a.sql: was edited\n--- as applied\n+++ now\n-SELECT 1;", "Put it back.")


def failed(**changes: str | None) -> StatementFailed:
    fields: dict[str, str | None] = {"sqlstate": "42P01", "primary": 'relation "t" does not exist', **changes}
    return StatementFailed(
        migration=file(7),
        statement=Statement("SELECT * FROM t", 3, 12, 5),
        line=12,
        column=19,
        source="    SELECT * FROM t;",
        sqlstate=fields.pop("sqlstate"),
        primary=str(fields.pop("primary")),
        state="Nothing of it remains.",
        hint="Mend it.",
        **fields,
    )


def script(*statements: str, transactional: bool = True) -> Script:
    made = tuple(Statement(sql, number, number, 1) for number, sql in enumerate(statements, 1))
    return Script(made, len(made), "tree", {}, transactional)


def test_a_failed_statement_says_where_what_which_state_and_what_to_do() -> None:
    assert text.error(failed()).splitlines() == [
        'error: /migrations/V7__change.sql:12:19: relation "t" does not exist',
        "  |     SELECT * FROM t;",
        "  |                   ^",
        "  statement 3, SQLSTATE 42P01",
        "  state: Nothing of it remains.",
        "  next: Mend it.",
    ]


def test_what_the_server_adds_to_an_error_is_shown() -> None:
    shown = text.error(failed(detail="Key (a)=(1).", server_hint="Try b.", context="line 1\nline 2"))
    assert "  detail: Key (a)=(1).\n  hint: Try b.\n  context: line 1\n    line 2\n" in shown


def test_an_error_without_an_sqlstate_shows_none() -> None:
    assert "SQLSTATE" not in text.error(failed(sqlstate=None))


def test_a_text_that_cannot_be_parsed_is_shown_with_its_place() -> None:
    error = ParseError(
        Path("/m/V1__a.sql"), line=2, column=4, reason="no end", hint="Close it.", source="AB 'C"
    )
    assert text.error(error).splitlines() == [
        "error: /m/V1__a.sql:2:4: no end",
        "  | AB 'C",
        "  |    ^",
        "  next: Close it.",
    ]


@pytest.mark.parametrize("kind", [FilesError, HistoryError])
def test_an_error_of_many_problems_shows_each_with_its_cure(kind: type[FilesError | HistoryError]) -> None:
    error = kind((Problem("a", "one is wrong", "Mend one."), Problem("b", "two is wrong", "Mend two.")))
    assert text.error(error).splitlines() == [
        "error: one is wrong",
        "  next: Mend one.",
        "error: two is wrong",
        "  next: Mend two.",
    ]


@pytest.mark.parametrize("kind", [ConfigurationError, DatabaseUnreachable, RunFailed, PgratchetError])
def test_any_other_error_is_a_sentence_and_what_to_do(kind: type[PgratchetError]) -> None:
    assert text.error(kind("it went wrong", "Do this.")) == "error: it went wrong\n  next: Do this."
    assert text.error(kind("it went wrong")) == "error: it went wrong"


def columns(shown: str) -> int:
    """How wide a terminal shows a text that holds Latin letters, ideographs and combining accents alone."""
    return sum(0 if letter == "\u0301" else 2 if letter >= "\u3000" else 1 for letter in shown)


@given(st.text(alphabet="ab c\té漢e\u0301", max_size=400), st.data())
def test_the_mark_stands_under_its_character_whatever_the_line(source: str, data: st.DataObject) -> None:
    column = data.draw(st.integers(1, len(source) + 1))
    marked = f"{source[: column - 1]}X{source[column:]}"
    line, mark = text.caret(marked, column)
    before, found, _ = line.partition("X")
    assert found
    assert columns(before) == mark.index("^")
    assert len(line) <= text.WIDE + 4


@pytest.mark.parametrize("column", [1, 50, 51, 5000, 9999, 10_000])
def test_a_long_line_is_cut_around_the_mark(column: int) -> None:
    source = "".join(chr(ord("a") + number % 26) for number in range(10_000))
    line, mark = text.caret(source, column)
    assert line[mark.index("^")] == source[column - 1]
    assert len(line) <= text.WIDE + 4


@pytest.mark.parametrize("column", [1, 70, text.WIDE])
def test_a_line_that_fits_is_shown_whole(column: int) -> None:
    source = "x" * text.WIDE
    assert text.caret(source, column)[0] == f"  | {source}"


def test_nothing_of_a_file_reaches_the_terminal_as_a_command_to_it() -> None:
    line, mark = text.caret("a\x1b[31m\r\x07b", 9)
    assert line == "  | a [31m  b"
    assert mark.index("^") == line.index("b")


def test_a_run_says_how_much_it_applied_and_where_the_database_is() -> None:
    done = (Done(file(1), 0.25, 3), Done(file(2), 1.5, 1))
    assert (
        text.outcome(Outcome(done, version=2, applied=2))
        == "Applied 2 migrations in 1.8 s; now at version 2."
    )


def test_a_run_with_nothing_to_do_says_so_after_its_notes() -> None:
    shown = text.outcome(Outcome(notes=("ahead",), version=2, applied=1))
    assert shown == "note: ahead\nNothing to do: 1 migration applied, at version 2."


def test_a_preview_is_sql_in_its_order_with_the_rest_as_comments() -> None:
    scripts = {
        file(1).script: script("SELECT 1", "SELECT 2"),
        file(2).script: script("VACUUM", transactional=False),
    }
    shown = text.preview(Preview(Plan((Step(file(1)), Step(file(2)))), scripts))
    assert shown.splitlines() == [
        "-- [1/2] V1__change.sql: 2 statements, one transaction",
        "SELECT 1;",
        "SELECT 2;",
        "",
        "-- [2/2] V2__change.sql: 1 statement, segments, each journalled",
        "VACUUM;",
    ]


def test_a_preview_of_a_resumed_file_begins_where_the_run_would() -> None:
    step = Step(file(1), 1, stopped(1, 1))
    shown = text.preview(Preview(Plan((step,)), {file(1).script: script("SELECT 1", "SELECT 2")}))
    assert "SELECT 2;" in shown
    assert "SELECT 1;" not in shown


def test_a_preview_says_where_a_copy_has_its_data() -> None:
    copy = Statement("COPY t FROM stdin", 1, 1, 1, copy=CopyData(18, 30))
    shown = text.preview(
        Preview(Plan((Step(file(1)),)), {file(1).script: Script((copy,), 1, "t", {}, transactional=True)})
    )
    assert "COPY t FROM stdin;\n-- with the 12 bytes of data below it in the file" in shown


def test_a_preview_names_a_file_that_is_too_large_to_be_shown() -> None:
    shown = text.preview(
        Preview(Plan((Step(file(1)),)), {file(1).script: Script(None, 9_000, "t", {}, transactional=True)})
    )
    assert "9,000 statements" in shown
    assert "-- too large to be shown: /migrations/V1__change.sql" in shown


@pytest.mark.parametrize("steps", [(), (Step(file(2)),)], ids=["nothing pending", "something pending"])
def test_a_preview_shows_every_line_of_a_problem_as_a_comment(steps: tuple[Step, ...]) -> None:
    made = Plan(steps, (EDITED,), applied=1, version=1)
    shown = text.preview(Preview(made, {file(2).script: script()}))
    assert "-- error: V1__a.sql: was edited\n-- --- as applied\n-- +++ now\n-- -SELECT 1;\n" in shown
    assert all(line.startswith("--") for line in shown.splitlines() if line)
    assert "Nothing to do" not in shown


def test_a_preview_with_nothing_to_do_says_so_and_shows_its_notes() -> None:
    made = Plan((), notes=("the database is ahead",), applied=2, version=2)
    shown = text.preview(Preview(made, {}))
    assert shown == "-- note: the database is ahead\nNothing to do: 2 migrations applied, at version 2."


def test_the_status_is_a_table_with_what_is_wrong_under_it() -> None:
    migrations = [file(1), file(2), file(3), repeatable("views")]
    history = [row(1), row(3), row(4)]
    decided = plan.plan(migrations, history, Facts(empty=False))
    shown = text.overview(plan.overview(migrations, history, decided, database="shop")).splitlines()
    assert shown[:9] == [
        "Database shop, at version 4",
        "",
        "version     description  state    applied at           ms  by",
        "----------  -----------  -------  -------------------  --  --------",
        "1           change       applied  2024-01-31 12:30:00  12  deployer",
        "2           change       pending",
        "3           change       applied  2024-01-31 12:30:00  12  deployer",
        "4           change       ahead    2024-01-31 12:30:00  12  deployer",
        "repeatable  views        pending",
    ]
    assert shown[10] == "2 migrations pending: `pgratchet up` applies them."
    assert shown[11].startswith("note: the database is ahead of the files")
    assert shown[13].startswith("error: /migrations/V2__change.sql: version 2 comes after")
    assert shown[14].startswith("  next: ")


def test_the_status_of_an_unfinished_file_says_how_far_it_came() -> None:
    decided = plan.plan([file(1)], [stopped(1, 3)], Facts(empty=False))
    shown = text.overview(plan.overview([file(1)], [stopped(1, 3)], decided, database="shop"))
    assert "failed (3 of 4 statements)" in shown
    assert "Database shop, at version none" in shown
    assert "1 migration pending: `pgratchet up` applies it." in shown


def test_the_status_of_a_database_that_is_up_to_date_says_so() -> None:
    decided = plan.plan([file(1)], [row(1)], Facts(empty=False))
    shown = text.overview(plan.overview([file(1)], [row(1)], decided, database="shop"))
    assert shown.endswith("\nNothing is pending.")


def test_the_status_of_a_file_that_was_edited_does_not_say_that_all_is_well() -> None:
    decided = plan.plan([file(1, checksum="edited")], [row(1)], Facts(empty=False))
    shown = text.overview(plan.overview([file(1, checksum="edited")], [row(1)], decided, database="shop"))
    assert "error: " in shown
    assert "Nothing is pending" not in shown


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 ms"),
        (0.0124, "12 ms"),
        (1, "1.0 s"),
        (59.94, "59.9 s"),
        (60, "1 min 0 s"),
        (3725, "62 min 5 s"),
    ],
)
def test_a_time_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert text.duration(seconds) == said
