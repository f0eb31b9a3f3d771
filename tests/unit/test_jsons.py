"""What programs read: one object for every command, with the version of its form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pgratchet import plan
from pgratchet.errors import (
    ConfigurationError,
    FilesError,
    HistoryError,
    ParseError,
    PgratchetError,
    StatementFailed,
)
from pgratchet.model import Done, Outcome, Plan, Preview, Problem, Script, Statement, Step
from pgratchet.plan import Facts
from pgratchet.report import jsons
from tests.unit.records import file, row

PROBLEM = Problem("edited", "it was edited", "Put it back.")
FILE = {
    "version": 1,
    "description": "change",
    "script": "V1__change.sql",
    "kind": "versioned",
    "checksum": "as written",
}


def read(command: str, fields: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(jsons.render(command, fields))
    return found


def test_every_object_says_its_form_and_its_command() -> None:
    assert read("up", {"more": 1}) == {"schema_version": 1, "command": "up", "more": 1}


def test_an_object_is_one_line_and_keeps_letters_readable() -> None:
    shown = jsons.render("seed", {"files": [Path("/é/1.sql")], "text": "a\nb"})
    assert "\n" not in shown
    assert "/é/1.sql" in shown


def test_the_outcome_of_a_run() -> None:
    value = Outcome((Done(file(1), 0.0123456789, 3),), ("a note",), 1, 4)
    assert read("up", jsons.outcome(value)) == {
        "schema_version": 1,
        "command": "up",
        "applied": [{**FILE, "seconds": 0.012346, "statements": 3}],
        "version": 1,
        "applied_in_all": 4,
        "notes": ["a note"],
    }


def test_the_preview_of_a_run() -> None:
    scripts = {file(1).script: Script((Statement("SELECT 1", 1, 1, 1),), 1, "tree", {}, transactional=True)}
    value = Preview(Plan((Step(file(1)),), (PROBLEM,), ("a note",)), scripts)
    found = read("up", jsons.preview(value))
    assert found["steps"] == [
        {**FILE, "transactional": True, "statements": ["SELECT 1"], "statements_done": 0}
    ]
    assert found["problems"] == [
        {"code": "edited", "message": "it was edited", "hint": "Put it back.", "script": None}
    ]
    assert found["notes"] == ["a note"]


def test_the_preview_of_a_file_that_is_too_large_to_be_kept_has_no_statements() -> None:
    scripts = {file(1).script: Script(None, 9_000, "tree", {}, transactional=True)}
    assert jsons.preview(Preview(Plan((Step(file(1)),)), scripts))["steps"][0]["statements"] == []


def test_the_overview() -> None:
    decided = plan.plan([file(1), file(2)], [row(1)], Facts(empty=False))
    found = read(
        "status", jsons.overview(plan.overview([file(1), file(2)], [row(1)], decided, database="shop"))
    )
    assert (found["database"], found["version"], found["pending"]) == ("shop", 1, 1)
    assert found["migrations"][0] == {
        "kind": "versioned",
        "version": 1,
        "description": "change",
        "script": "V1__change.sql",
        "standing": "applied",
        "applied_at": "2024-01-31T12:30:00+00:00",
        "execution_time_ms": 12,
        "applied_by": "deployer",
        "statements_done": 4,
        "statements_total": 4,
    }
    assert (found["migrations"][1]["standing"], found["migrations"][1]["applied_at"]) == ("pending", None)


def test_an_error_says_its_kind_its_exit_code_and_what_to_do() -> None:
    assert read("up", jsons.error(ConfigurationError("wrong", "Mend it.")))["error"] == {
        "type": "ConfigurationError",
        "message": "wrong",
        "hint": "Mend it.",
        "exit_code": 2,
    }


def test_the_error_of_a_statement_has_every_part_for_itself() -> None:
    error = StatementFailed(
        migration=file(1),
        statement=Statement("SELECT 1", 3, 12, 1),
        line=12,
        column=5,
        source="SELECT 1;",
        sqlstate="22012",
        primary="division by zero",
        state="Nothing remains.",
        hint="Mend it.",
    )
    assert read("up", jsons.error(error))["error"] == {
        "type": "StatementFailed",
        "message": "/migrations/V1__change.sql:12:5: division by zero",
        "hint": "Mend it.",
        "exit_code": 1,
        "file": "/migrations/V1__change.sql",
        "statement": 3,
        "line": 12,
        "column": 5,
        "sqlstate": "22012",
        "primary": "division by zero",
        "detail": None,
        "server_hint": None,
        "context": None,
        "state": "Nothing remains.",
    }


def test_the_error_of_a_text_has_its_place() -> None:
    error = ParseError(Path("/m/V1__a.sql"), line=2, column=4, reason="no end", hint=None, source="")
    found = read("up", jsons.error(error))["error"]
    assert (found["file"], found["line"], found["column"]) == ("/m/V1__a.sql", 2, 4)


@pytest.mark.parametrize("kind", [FilesError, HistoryError])
def test_an_error_of_many_problems_lists_them(kind: type[FilesError | HistoryError]) -> None:
    found = read("up", jsons.error(kind((PROBLEM, PROBLEM))))["error"]
    assert [problem["code"] for problem in found["problems"]] == ["edited", "edited"]


def test_an_error_in_the_middle_of_a_run_says_what_was_applied_before_it() -> None:
    error = PgratchetError("lost")
    error.outcome = Outcome((Done(file(1), 1, 1),), version=1, applied=1)
    found = read("up", jsons.error(error))
    assert found["applied"][0]["script"] == "V1__change.sql"
    assert found["version"] == 1


def test_what_has_no_form_is_an_error_and_not_a_guess() -> None:
    with pytest.raises(TypeError, match="no JSON for set"):
        jsons.render("up", {"x": {1}})
