"""Findings as CI services show them: GitHub's annotations, GitLab's code quality, and JUnit for all others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree

from pgratchet.findings import Checked, Finding, Severity
from pgratchet.report.findings import marks, relative, sentence, told

ANNOTATIONS = {
    Severity.NOTE: "notice",
    Severity.UNSURE: "notice",
    Severity.WARNING: "warning",
    Severity.ERROR: "error",
}
QUALITY = {
    Severity.NOTE: "info",
    Severity.UNSURE: "info",
    Severity.WARNING: "minor",
    Severity.ERROR: "critical",
}
NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def github(value: Checked) -> str:
    """A workflow command for each finding that people are to see, which GitHub shows beside the line."""
    return "\n".join(_annotation(value, finding) for finding in told(value))


def gitlab(value: Checked) -> str:
    """A code quality report."""
    issues = [
        {
            "description": sentence(finding),
            "check_name": finding.rule,
            "fingerprint": mark,
            "severity": QUALITY[finding.severity],
            "location": {"path": relative(finding.path, value.root), "lines": {"begin": finding.line}},
        }
        for finding, mark in marks(value)
    ]
    return json.dumps(issues, indent=2)


def junit(value: Checked) -> str:
    """A test case for each finding, failed where it fails the check, and one for each file without any."""
    cases = list(_cases(value))
    failures = sum(case.find("failure") is not None for case in cases)
    sums = {"tests": str(len(cases)), "failures": str(failures), "errors": "0"}
    suites = ElementTree.Element("testsuites", {"name": "pgratchet", **sums})
    ElementTree.SubElement(suites, "testsuite", {"name": "pgratchet check", **sums}).extend(cases)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suites, encoding="unicode")


def _annotation(value: Checked, finding: Finding) -> str:
    properties = {
        "file": relative(finding.path, value.root),
        "line": str(finding.line),
        "col": str(finding.column),
        "title": finding.rule,
    }
    told = ",".join(f"{key}={_property(text)}" for key, text in properties.items())
    return f"::{ANNOTATIONS[finding.severity]} {told}::{_data(sentence(finding))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _cases(value: Checked) -> Iterator[ElementTree.Element]:
    for finding in value.findings:
        name = _xml(relative(finding.path, value.root))
        place = f"{name}:{finding.line}:{finding.column}"
        case = ElementTree.Element("testcase", {"classname": name, "name": f"{_xml(finding.rule)} {place}"})
        told = f"{place}: {_xml(sentence(finding))}"
        if value.fails(finding):
            kind = {"type": finding.severity.value, "message": _xml(finding.message)}
            ElementTree.SubElement(case, "failure", kind).text = told
        else:
            ElementTree.SubElement(case, "system-out").text = f"{finding.severity.value}: {told}"
        yield case
    for path in sorted(set(value.files) - {finding.path for finding in value.findings}):
        name = _xml(relative(path, value.root))
        yield ElementTree.Element("testcase", {"classname": name, "name": name})


def _xml(text: str) -> str:
    """A text without the characters that XML has no way to write."""
    return NOT_IN_XML.sub("\ufffd", text)
