"""Findings as SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pgratchet import __version__
from pgratchet.findings import Checked, Finding, Severity
from pgratchet.report.findings import marks, relative, sentence

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {
    Severity.NOTE: "note",
    Severity.UNSURE: "note",
    Severity.WARNING: "warning",
    Severity.ERROR: "error",
}


def render(value: Checked, titles: Mapping[str, str]) -> str:
    """The whole log; `titles` has a sentence for each rule that we know one of."""
    rules = sorted({finding.rule for finding in value.findings})
    results = [_result(value, finding, mark, rules) for finding, mark in marks(value)]
    driver = {
        "name": "pgratchet",
        "semanticVersion": __version__,
        "rules": [_rule(rule, titles) for rule in rules],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: str, titles: Mapping[str, str]) -> dict[str, Any]:
    return {"id": rule, **({"shortDescription": {"text": titles[rule]}} if rule in titles else {})}


def _result(value: Checked, finding: Finding, mark: str, rules: list[str]) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": finding.line, "startColumn": finding.column}
    if finding.source:
        region["snippet"] = {"text": finding.source}
    path = relative(finding.path, value.root)
    where: dict[str, Any] = {"uri": quote(path, errors="surrogatepass")}
    if not path.startswith("/"):
        where["uriBaseId"] = "%SRCROOT%"
    return {
        "ruleId": finding.rule,
        "ruleIndex": rules.index(finding.rule),
        "level": LEVELS[finding.severity],
        "message": {"text": sentence(finding)},
        "locations": [{"physicalLocation": {"artifactLocation": where, "region": region}}],
        "partialFingerprints": {"pgratchet/v1": mark},
        "properties": {"certain": finding.certain},
    }
