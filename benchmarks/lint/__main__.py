"""How exact `check` is beside squawk, on measured forms: `python -m benchmarks.lint URL`.

A form is a hazard where it rewrites a table, reads it in full or builds an index while readers or writers of a table
that was there before have to wait. A tool claims so by a warning or an error of one of its rules about that, and its
precision and recall are those of its claims. What `check` tells as unsure is a question and no claim: `asked` says how
many of all hazards it claims or asks about.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.lint.measure import HERE, LISTS
from benchmarks.peers.install import ensure, pip
from pgratchet import catalogue, lint, parse
from pgratchet.findings import Severity
from pgratchet.model import Kind, Migration

SQUAWK = "squawk-cli==2.70.0"
HOME = HERE.parent / ".work" / "peers" / "squawk"
FAMILIES = {"rewrites", "scans", "builds"}
RULES = {rule.id for rule in lint.RULES if rule.family in FAMILIES}
THEIRS = {
    "adding-field-with-default",
    "adding-foreign-key-constraint",
    "adding-not-nullable-field",
    "adding-serial-primary-key-field",
    "ban-alter-domain-with-add-constraint",
    "changing-column-type",
    "constraint-missing-not-valid",
    "disallowed-unique-constraint",
    "prefer-repack",
    "require-concurrent-index-creation",
    "require-concurrent-reindex",
}


class Said(NamedTuple):
    """What a tool says of a form."""

    claims: bool
    asks: bool = False


Judge = Callable[[str], Said]


def main() -> None:
    """Without a URL, no catalogue is at hand; a URL is that of a server in which a database can be made."""
    ensure("squawk", pip(SQUAWK), HOME)
    for folder in LISTS:
        _list(folder)


def _list(folder: Path) -> None:
    measured = json.loads((folder / "measured.json").read_text())
    truth = {form: result["18"] for form, result in measured.items() if "error" not in result["18"]}
    setup = (folder / "setup.sql").read_text()
    print(
        f"\n{folder.name}: {len(truth)} forms, {sum(item['hazard'] for item in truth.values())} of them hazards"
    )
    judges: dict[str, Judge] = {
        "squawk, the form alone": _squawk,
        "pgratchet, the form alone": lambda form: _ours(form, "", None),
        "pgratchet, with the files before it": lambda form: _ours(form, setup, None),
    }
    if len(sys.argv) > 1:
        facts = _facts(sys.argv[1], setup)
        judges["pgratchet, with the catalogue"] = lambda form: _ours(form, "", facts)
    for name, judge in judges.items():
        _score(name, judge, {form: item["hazard"] for form, item in truth.items()}, wrong="-v" in sys.argv)


def _score(name: str, judge: Judge, truth: dict[str, bool], *, wrong: bool) -> None:
    said = {form: judge(form) for form in truth}
    right = [form for form in truth if said[form].claims and truth[form]]
    alarms = [form for form in truth if said[form].claims and not truth[form]]
    missed = [form for form in truth if truth[form] and not said[form].claims]
    asked = [form for form in missed if said[form].asks]
    precision, recall = len(right) / max(1, len(right + alarms)), len(right) / max(1, len(right + missed))
    heard = len(right + asked) / max(1, len(right + missed))
    print(f"{name:38} precision {precision:.3f}  recall {recall:.3f}  asked {heard:.3f}", end="  ")
    print(f"({len(alarms)} false, {len(missed)} not claimed, {len(asked)} of them asked)")
    if wrong:
        silent = [form for form in missed if form not in asked]
        for word, forms in {"false": alarms, "asked": asked, "missed": silent}.items():
            for form in forms:
                print(f"  {word}: {form}".replace("\n", " "))


def _ours(form: str, setup: str, facts: lint.Catalogue | None) -> Said:
    files = [("V1__setup.sql", setup), ("V2__form.sql", form)] if setup else [("V2__form.sql", form)]
    migrations = [
        (Migration(Kind.VERSIONED, number, "file", Path(name), ""), parse.read_text(text, name))
        for number, (name, text) in enumerate(files, 1)
    ]
    found = lint.check(migrations, catalogue=facts, only=("V2__form.sql",))
    severities = {item.severity for item in found if item.rule in RULES}
    return Said(bool(severities & {Severity.WARNING, Severity.ERROR}), Severity.UNSURE in severities)


def _squawk(form: str) -> Said:
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(form)
        file.flush()
        command = [
            str(HOME / "bin" / "squawk"),
            "--reporter",
            "json",
            "--pg-version",
            "18",
            "--assume-in-transaction",
        ]
        done = subprocess.run([*command, file.name], capture_output=True, text=True, check=False)
    return Said(bool({item["rule_name"] for item in json.loads(done.stdout or "[]")} & THEIRS))


def _facts(url: str, setup: str) -> lint.Catalogue:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE lint_facts TEMPLATE template0")
        try:
            named = urlunsplit(urlsplit(url)._replace(path="/lint_facts"))
            with psycopg.connect(named, autocommit=True) as connection:
                connection.execute(setup.encode())
                return catalogue.read(connection)
        finally:
            admin.execute("DROP DATABASE lint_facts WITH (FORCE)")
            admin.execute("DROP ROLE pgratchet_bench")


if __name__ == "__main__":
    main()
