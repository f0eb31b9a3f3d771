"""squawk itself, as the package has it: what of it is told, at which place, and what its failures become."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pgratchet import files, lint, parse, squawk
from pgratchet.findings import Severity
from pgratchet.squawk import Heard
from tests.folders import write_migrations

HAZARDS = (
    "ALTER TABLE a ALTER COLUMN b DROP NOT NULL",
    "ALTER TABLE a ALTER COLUMN b DROP EXPRESSION",
    "ALTER TABLE a ALTER COLUMN b DROP IDENTITY",
    "ALTER TABLE a ALTER COLUMN b SET GENERATED ALWAYS",
    "ALTER TABLE a ALTER COLUMN b SET EXPRESSION AS (c + 1)",
    "CREATE DOMAIN d AS int CHECK (value > 0)",
    "ALTER DOMAIN d ADD CHECK (value > 0)",
    "ALTER DOMAIN d SET NOT NULL",
    "DROP VIEW v",
    "DROP FUNCTION f",
    "DROP TYPE t",
    "DROP SCHEMA s",
    "DROP SEQUENCE s",
    "DROP DOMAIN d",
    "DROP MATERIALIZED VIEW m",
    "ALTER TABLE a DROP CONSTRAINT c",
    "ALTER TABLE a SET SCHEMA s",
    "ALTER VIEW v SET SCHEMA s",
    "ALTER TABLE a ADD COLUMN b int NOT NULL",
    "ALTER TABLE a ADD COLUMN b int DEFAULT random()",
    "ALTER TABLE a ADD COLUMN b int GENERATED ALWAYS AS (c + 1) STORED",
    "ALTER TABLE a ADD COLUMN b int PRIMARY KEY",
    "ALTER TABLE a ADD PRIMARY KEY (b)",
    "ALTER TABLE a ADD UNIQUE (b)",
    "ALTER TABLE a ADD EXCLUDE (b WITH =)",
    "ALTER TABLE a ADD CHECK (b > 0)",
    "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c",
    "ALTER TABLE a ALTER b TYPE bigint",
    "ALTER TABLE a ALTER b SET NOT NULL",
    "ALTER TABLE a RENAME b TO c",
    "ALTER TABLE a RENAME TO c",
    "ALTER VIEW a RENAME TO c",
    "ALTER TYPE e RENAME VALUE 'a' TO 'b'",
    "ALTER TYPE e ADD VALUE 'a'",
    "CREATE INDEX i ON a (b)",
    "DROP INDEX i",
    "REINDEX TABLE a",
    "TRUNCATE a CASCADE",
    "DROP DATABASE x",
    "DROP EXTENSION x",
    "ALTER TABLE a DETACH PARTITION b",
    "CREATE TABLE aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb (id bigint)",
    "DROP TRIGGER t ON a",
    "VACUUM FULL a",
    "CLUSTER a USING i",
    "DROP TABLE a",
    "ALTER TABLE a DROP b",
)
VALUE = "ALTER TYPE mood ADD VALUE 'x';\n"


def look(
    folder: Path, content: dict[str, str | bytes], *, style: bool = False, off: tuple[str, ...] = ()
) -> Heard:
    write_migrations(folder, content)
    found = [(migration, parse.read(migration.path)) for migration in files.read(folder)]
    return squawk.look(found, style=style, off=off)


def told(heard: Heard) -> list[tuple[str, str, int, int]]:
    assert heard.notes == ()
    return [(item.rule, item.path.name, item.line, item.column) for item in heard.findings]


def pretended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put another program in its place."""
    path = tmp_path / "pretended"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr(squawk, "program", lambda: path)


def test_it_is_installed_with_the_package() -> None:
    path = squawk.program()
    assert path is not None
    assert os.access(path, os.X_OK)


def test_what_ours_do_not_know_is_told_at_its_place_in_characters(folder: Path) -> None:
    content = {
        "V1__a.sql": f"SELECT 1;\n/* é */ {VALUE}",
        "V2__b.sql": f"\ufeff{VALUE.replace('mood', 'möd')}",
        "V3__c.sql": f"SELECT 1;\r\n\r\n{VALUE}",
    }
    rule = "squawk-require-enum-value-ordering"
    heard = look(folder, dict(content))
    assert told(heard) == [
        (rule, "V1__a.sql", 2, 25),
        (rule, "V2__b.sql", 1, 16),
        (rule, "V3__c.sql", 3, 17),
    ]
    assert [item.source for item in heard.findings] == [
        "/* é */ ALTER TYPE mood ADD VALUE 'x';",
        "ALTER TYPE möd ADD VALUE 'x';",
        "ALTER TYPE mood ADD VALUE 'x';",
    ]


def test_what_ours_decide_and_what_a_run_sees_to_is_not_told(folder: Path) -> None:
    statements = (
        "ALTER TABLE a ALTER COLUMN b TYPE text;",
        "ALTER TABLE a ADD COLUMN c timestamptz DEFAULT current_date;",
        "CREATE INDEX i ON a (b);",
        "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (d);",
        "DROP TABLE a;",
    )
    assert told(look(folder, {"V1__a.sql": "\n".join(statements)})) == []


def test_the_rules_that_it_is_overruled_by_exist() -> None:
    ours = {rule.id for rule in lint.RULES}
    assert {rule for rules in squawk.OURS.values() for rule in rules} <= ours
    assert not set(squawk.OURS) & (squawk.RUNNERS | squawk.STYLE)


def test_where_ours_have_the_say_they_say_something_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each finding of squawk that is left to one of our rules has a finding of such a rule beside it."""
    overruled = dict(squawk.OURS)
    monkeypatch.setattr(squawk, "OURS", {})
    content: dict[str, str | bytes] = {f"V{n}__a.sql": f"{sql};\n" for n, sql in enumerate(HAZARDS, 1)}
    heard = look(folder, content)
    ours = {
        migration.script: {finding.rule for finding in lint.check([(migration, parse.read(migration.path))])}
        for migration in files.read(folder)
    }
    names = [(item.path.name, item.rule.removeprefix(squawk.PREFIX)) for item in heard.findings]
    left = [(script, overruled[name]) for script, name in names if name in overruled]
    assert len(left) > 35
    assert not [(script, rules) for script, rules in left if not set(rules) & ours[script]]


@pytest.mark.parametrize("name", sorted({*squawk.OURS, *squawk.RUNNERS, *squawk.STYLE} - {"syntax-error"}))
def test_a_rule_of_its_that_we_name_exists(tmp_path: Path, name: str) -> None:
    path = squawk.program()
    assert path is not None
    done = subprocess.run([str(path), f"--exclude={name}"], input=b"", capture_output=True, check=False)
    assert b"invalid rule name" not in done.stderr


def test_matters_of_taste_are_told_when_asked_for_and_as_notes(folder: Path) -> None:
    content = {"V1__a.sql": "CREATE TABLE a (b varchar(9), c int);\n"}
    assert told(look(folder, dict(content))) == []
    heard = look(folder, dict(content), style=True)
    assert [item.rule for item in heard.findings] == [
        "squawk-prefer-text-field",
        "squawk-prefer-bigint-over-int",
    ]
    assert {item.severity for item in heard.findings} == {Severity.NOTE}


def test_a_rule_that_is_off_and_one_that_its_own_comment_takes_back_are_not_told(folder: Path) -> None:
    off = look(folder, {"V1__a.sql": VALUE}, off=("squawk-require-enum-value-ordering",))
    assert told(off) == []
    waived = look(folder, {"V1__a.sql": f"-- squawk-ignore require-enum-value-ordering\n{VALUE}"})
    assert told(waived) == []


def test_a_name_that_looks_like_a_pattern_is_a_name(tmp_path: Path) -> None:
    folder = tmp_path / "[a-z]* --x"
    folder.mkdir()
    assert len(told(look(folder, {"V1__a.sql": VALUE}))) == 1


def test_more_files_than_one_call_takes_are_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squawk, "AT_ONCE", 2)
    content: dict[str, str | bytes] = {f"V{number}__a.sql": VALUE for number in range(1, 6)}
    assert len(told(look(folder, content))) == 5


def test_a_file_too_large_to_be_kept_is_not_given_to_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parse, "KEPT", 10)
    assert told(look(folder, {"V1__a.sql": VALUE})) == []


@pytest.mark.parametrize(
    "script",
    ["echo broken >&2; exit 1", "exit 1", "echo '[{}]'", "echo nonsense", "echo '{\"a\": 1}'", "kill -9 $$"],
)
def test_its_failure_is_a_note_and_not_ours(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    pretended(tmp_path, monkeypatch, script)
    heard = look(folder, {"V1__a.sql": VALUE})
    assert heard.findings == ()
    [note] = heard.notes
    assert note.startswith("squawk failed, so its rules were not looked at")


def test_a_program_that_cannot_be_started_is_a_note(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(squawk, "program", lambda: tmp_path / "nowhere")
    [note] = look(folder, {"V1__a.sql": VALUE}).notes
    assert note.startswith("squawk could not be run")


def test_without_it_nothing_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squawk, "PACKAGE", "no-such-package")
    assert squawk.program() is None
    assert look(folder, {"V1__a.sql": VALUE}) == Heard()
