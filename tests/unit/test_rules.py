"""The rules of `check`: what each finds, what it lets pass, what a comment takes back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.lint.measure import LISTS
from pgratchet import lint, parse
from pgratchet.findings import Finding, Severity
from pgratchet.lint import RULES, Catalogue, Rule
from pgratchet.lint.catalogue import Column, Constraint, Function, Table
from pgratchet.model import Kind, Migration
from tests.house.source import ROOT

EACH = pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
USERS = "CREATE TABLE users (id bigint PRIMARY KEY, email text, age integer);"
FORMS = (ROOT / "benchmarks" / "lint" / "forms.sql").read_text(encoding="utf-8").split("\n\n")


def check(
    files: Mapping[str, str],
    *,
    catalogue: Catalogue | None = None,
    target: str = "",
    off: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
) -> tuple[Finding, ...]:
    migrations = [
        (Migration(Kind.VERSIONED, number, "file", Path(name), ""), parse.read_text(text, name))
        for number, (name, text) in enumerate(files.items(), 1)
    ]
    return lint.check(migrations, catalogue=catalogue, target=target, off=off, also=also, only=only)


def found(
    sql: str,
    setup: str = USERS,
    catalogue: Catalogue | None = None,
    target: str = "",
    also: tuple[str, ...] = (),
) -> list[Finding]:
    """What is found in the second of two files."""
    files = {"V1__setup.sql": setup, "V2__change.sql": sql} if setup else {"V2__change.sql": sql}
    return list(check(files, only=("V2__change.sql",), catalogue=catalogue, target=target, also=also))


def asked(rule: Rule) -> tuple[str, ...]:
    return () if rule.wanted else (rule.id,)


def hazards(findings: list[Finding]) -> list[str]:
    return [item.rule for item in findings if item.severity is not Severity.NOTE]


@EACH
def test_the_bad_example_of_a_rule_raises_it_and_nothing_else(rule: Rule) -> None:
    findings = found(rule.bad, rule.setup, rule.facts, rule.target, asked(rule))
    assert rule.id in {item.rule for item in findings}
    assert set(hazards(findings)) <= {rule.id}


@EACH
def test_the_good_example_of_a_rule_raises_nothing(rule: Rule) -> None:
    findings = found(rule.good, rule.setup, rule.facts, rule.target, asked(rule))
    assert rule.id not in {item.rule for item in findings}
    assert not hazards(findings)


@EACH
def test_a_finding_has_the_severity_of_its_rule_and_says_what_to_do(rule: Rule) -> None:
    severity = Severity.ERROR if rule.target else rule.severity
    for item in found(rule.bad, rule.setup, rule.facts, rule.target, asked(rule)):
        if item.rule == rule.id:
            assert item.severity is severity
            assert item.message
            assert item.hint
            assert item.line >= 1
            assert item.column >= 1


@EACH
def test_every_word_of_a_rule_is_there(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", rule.id)
    for text in (rule.family, rule.title, rule.why, rule.safe, rule.bad, rule.good):
        assert text.strip()
    assert not rule.title.endswith(".")
    assert rule.why.endswith((".", ")."))


def test_rules_stand_in_the_order_of_their_ids_and_each_once() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))


def test_a_rule_that_speaks_of_a_lock_of_work_says_which() -> None:
    assert not [rule.id for rule in RULES if rule.family in {"rewrites", "scans", "builds"} and not rule.lock]


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_the_matrix_crashes_and_each_finding_has_a_place_in_it(form: str) -> None:
    for item in found(form, setup=""):
        lines = form.strip().split("\n")
        assert item.line <= len(lines)
        assert item.column <= len(lines[item.line - 1]) + 1


ODD = [
    item.sql
    for item in parse.read(Path(__file__).parent / "odd_statements.sql").statements or ()
    if item.control is None
]
TABLES = """
CREATE TABLE t (a int, b text, c int DEFAULT 1, v vector(3), w vector(3));
CREATE TABLE u (a int); CREATE TABLE o (a int);
CREATE TABLE p PARTITION OF t DEFAULT; CREATE TYPE comp AS (a int);
"""


@pytest.mark.parametrize("target", ["", "citus"])
def test_no_statement_of_a_seldom_kind_crashes(target: str) -> None:
    assert len(ODD) > 150
    for sql in ODD:
        files = {"V1__tables.sql": TABLES, "V2__odd.sql": sql}
        check({"V2__odd.sql": sql}, target=target)
        check(files, target=target, only=("V2__odd.sql",))
        check(files, target=target, only=tuple(files))
        check(files, target=target, catalogue=Catalogue(150000))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(FORMS), min_size=2, max_size=6))
def test_no_order_of_forms_crashes(forms: list[str]) -> None:
    check({f"V{number}__form.sql": form for number, form in enumerate(forms, 1)})
    check({"V1__all.sql": "\n".join(forms)})


# What nothing is said of: another rule, `lock-table`, tells of the one, and of the other no text has the whole.
LOOP = (
    "DO $$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['tenants'] LOOP EXECUTE "
    "format('CREATE INDEX %I ON tenants (updated_at)', t || '_updated'); END LOOP; END $$;"
)
LOCKED = "LOCK TABLE members IN SHARE MODE; INSERT INTO cache (key) SELECT login FROM members;"
SILENT = {"third": [LOOP, LOCKED]}


@pytest.mark.parametrize("folder", LISTS, ids=[folder.name for folder in LISTS])
def test_the_rules_say_of_each_measured_form_what_a_server_did(folder: Path) -> None:
    setup = (folder / "setup.sql").read_text(encoding="utf-8")
    heavy = {rule.id for rule in RULES if rule.family in {"rewrites", "scans", "builds"}}
    measured = json.loads((folder / "measured.json").read_text(encoding="utf-8"))
    false, silent = [], []
    for form, versions in measured.items():
        told = {item.severity for item in found(form, setup) if item.rule in heavy} - {Severity.NOTE}
        hazard = versions["18"].get("hazard")
        false += [form] if hazard is False and told - {Severity.UNSURE} else []
        silent += [form] if hazard and not told else []
    assert not false
    assert sorted(silent) == sorted(SILENT.get(folder.name, []))


# Places


def test_a_finding_stands_at_its_action_with_its_line() -> None:
    sql = "-- for all\nALTER TABLE users\n    ADD COLUMN a int,\n    ADD COLUMN t uuid DEFAULT gen_random_uuid();"
    [item] = [item for item in found(sql) if item.rule == "add-column-volatile-default"]
    assert (item.line, item.column) == (4, 16)
    assert item.source == "    ADD COLUMN t uuid DEFAULT gen_random_uuid()"


def test_a_place_counts_characters_and_not_bytes() -> None:
    sql = "SELECT 'é'; ALTER TABLE users /* é */ ADD COLUMN t uuid DEFAULT gen_random_uuid();"
    [item] = [item for item in found(sql) if item.rule == "add-column-volatile-default"]
    assert sql[item.column - 1 :].startswith("t uuid")
    assert item.source[item.column - 1 :].startswith("t uuid")


def test_what_a_do_block_does_is_found_where_it_stands() -> None:
    sql = "DO $$\nBEGIN\n    IF true THEN\n        CREATE INDEX i ON users (email);\n    END IF;\nEND $$;"
    [item] = [item for item in found(sql) if item.rule == "create-index-blocking"]
    assert (item.line, item.column) == (4, 9)


@pytest.mark.parametrize(
    "text",
    [
        "'DROP TABLE users'",
        "'DROP TABLE ' || 'users'",
        "format('DROP TABLE %I', 'users')",
        "$x$DROP TABLE users$x$",
    ],
)
def test_a_constant_text_that_a_block_executes_is_read(text: str) -> None:
    [item] = [item for item in found(f"DO $$ BEGIN\n EXECUTE {text}; END $$;") if item.rule == "drop-table"]
    assert item.line == 2


def test_a_text_that_is_put_together_at_run_time_is_left_alone() -> None:
    assert not hazards(found("DO $$ DECLARE t text := 'users'; BEGIN EXECUTE 'DROP TABLE ' || t; END $$;"))


CHANGE = "CREATE FUNCTION change() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE users; END $$;"


def test_what_a_function_would_do_is_a_note_until_a_file_calls_it() -> None:
    [told] = [item for item in found(CHANGE) if item.rule == "drop-table"]
    assert (told.severity, told.message[:28]) == (Severity.NOTE, "when change() is called: the")
    assert "drop-table" in hazards(found("SELECT change();", USERS + CHANGE))
    assert "drop-table" in hazards(found("DO $$ BEGIN PERFORM change(); END $$;", USERS + CHANGE))


def test_a_function_that_calls_itself_is_read_to_an_end() -> None:
    sql = CHANGE.replace("BEGIN", "BEGIN PERFORM change();") + "SELECT change();"
    assert "drop-table" in hazards(found(sql))


# What is new


def test_what_the_same_file_makes_is_no_hazard() -> None:
    sql = "CREATE TABLE t (id bigint); CREATE INDEX i ON t (id); ALTER TABLE t ADD COLUMN u serial; DROP TABLE t;"
    assert not hazards(found(sql))


def test_a_table_that_is_renamed_is_still_new_and_one_that_was_there_is_still_old() -> None:
    assert not hazards(
        found("CREATE TABLE t (id bigint); ALTER TABLE t RENAME TO u; CREATE INDEX i ON u (id);")
    )
    sql = "ALTER TABLE users RENAME TO people; CREATE INDEX i ON people (email);"
    assert "create-index-blocking" in hazards(found(sql))


FILES = {
    "V1__a.sql": "CREATE TABLE a (id bigint);",
    "V2__b.sql": "CREATE INDEX b ON a (id);",
    "V3__c.sql": "CREATE INDEX c ON a (id, id);",
}


def rules_of(findings: tuple[Finding, ...], rule: str) -> list[str]:
    return [item.path.name for item in findings if item.rule == rule]


def test_without_more_to_go_by_each_file_is_judged_as_if_those_before_had_run() -> None:
    assert rules_of(check(FILES), "create-index-blocking") == ["V2__b.sql", "V3__c.sql"]


def test_what_a_pending_file_makes_is_new_to_the_other_pending_ones() -> None:
    assert not rules_of(check(FILES, only=tuple(FILES)), "create-index-blocking")
    assert rules_of(check(FILES, only=("V2__b.sql", "V3__c.sql")), "create-index-blocking") == [
        "V2__b.sql",
        "V3__c.sql",
    ]


def test_only_the_files_that_were_asked_for_are_told_of() -> None:
    assert {item.path.name for item in check(FILES, only=("V3__c.sql",))} == {"V3__c.sql"}


def test_with_a_catalogue_what_is_not_in_it_is_new() -> None:
    assert not rules_of(check(FILES, catalogue=Catalogue(180000)), "create-index-blocking")
    there = Catalogue(180000, tables=(Table(("public", "a"), "r", (Column("id", "bigint"),)),))
    assert rules_of(check(FILES, catalogue=there), "create-index-blocking") == ["V2__b.sql", "V3__c.sql"]


def test_a_table_of_another_schema_is_another_table() -> None:
    sql = "CREATE SCHEMA shop; CREATE TABLE shop.users (id bigint); CREATE INDEX i ON users (email);"
    assert hazards(found(sql)) == ["create-index-blocking"]
    assert not hazards(found(sql.replace("ON users", "ON shop.users")[:-8] + "(id);"))


def test_search_path_says_which_table_is_meant() -> None:
    sql = "SET LOCAL search_path TO shop; CREATE TABLE users (id bigint); CREATE INDEX i ON users (id);"
    assert not hazards(found(sql))


def test_a_column_that_is_new_has_no_old_values_to_lose() -> None:
    add = "ALTER TABLE users ADD COLUMN a int; "
    assert hazards(found(add + "UPDATE users SET a = age;")) == ["work-behind-lock"]
    assert "update-all-rows" in hazards(found(add + "UPDATE users SET a = age, age = 0;"))


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("1 - (e <=> wanted) > least", False),
        ("e IS NOT NULL", False),
        ("owner = who", True),
        ("meta @> filter AND e <=> wanted < 1", True),
    ],
)
def test_how_near_a_row_has_to_be_is_no_filter_of_a_search(where: str, told: bool) -> None:
    search = f"SELECT id FROM docs WHERE {where} ORDER BY e <=> wanted LIMIT n"
    body = f"$$ BEGIN RETURN QUERY {search}; END $$"
    sql = f"CREATE FUNCTION s(wanted vector) RETURNS SETOF int LANGUAGE plpgsql AS {body};"
    assert ("vector-filtered-search" in {item.rule for item in found(sql)}) is told


# What replaces


ADD = "CREATE FUNCTION add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1';"


@pytest.mark.parametrize(
    ("sql", "rules"),
    [
        ("add(a int, b int DEFAULT 2) RETURNS int", []),
        ("add(a integer, b int4 DEFAULT 2) RETURNS pg_catalog.int4", []),
        ("add(a int, b int DEFAULT 2, c int DEFAULT 3) RETURNS int", ["function-overload"]),
        ("add(a bigint, b bigint) RETURNS int", ["function-overload"]),
        ("other.add(a bigint) RETURNS int", []),
        ("add(a int, b int DEFAULT 2) RETURNS bigint", ["replace-function-refused"]),
        ("add(a int, b int DEFAULT 2) RETURNS SETOF int", ["replace-function-refused"]),
        ("add(a int, b int DEFAULT 2, OUT c int, OUT d int)", ["replace-function-refused"]),
        ("add(a int, x int DEFAULT 2) RETURNS int", ["replace-function-refused"]),
        ("add(a int, b int) RETURNS int", ["replace-function-refused"]),
        ("add(a users.id%TYPE) RETURNS int", []),
    ],
)
def test_a_function_is_replaced_or_refused_or_another_one_by_what_the_files_and_the_catalogue_have(
    sql: str, rules: list[str]
) -> None:
    new = f"CREATE OR REPLACE FUNCTION {sql} LANGUAGE sql AS 'SELECT 2';"
    declared = "FUNCTION add(a integer, b integer DEFAULT 1) RETURNS integer"
    there = Catalogue(180000, functions=(Function(("public", "add"), volatile=True, declared=declared),))
    for findings in (found(new, USERS + ADD), found(new, "", there)):
        assert hazards(findings) == rules


def test_a_function_whose_old_form_is_dropped_in_the_same_file_is_none_beside_it() -> None:
    new = "CREATE OR REPLACE FUNCTION add(a text) RETURNS int LANGUAGE sql AS 'SELECT 2';"
    for before, after in (("DROP FUNCTION add(int, int);", ""), ("", "DROP FUNCTION add(int, int);")):
        assert "function-overload" not in hazards(found(before + new + after, USERS + ADD))
    assert "function-overload" in hazards(found("DROP FUNCTION add(text);" + new, USERS + ADD))


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("SELECT id, email FROM users", False),
        ("SELECT id, email, age FROM users", False),
        ("SELECT users.id, lower(email) AS email FROM users", False),
        ("SELECT * FROM users", False),
        ("SELECT id FROM users", True),
        ("SELECT email, id FROM users", True),
        ("SELECT id, email::varchar(9) FROM users", True),
        ("SELECT id, lower(email) FROM users", True),
        ("SELECT u.*, o.* FROM users u, orders o", False),
        ("VALUES (1, 'a')", False),
    ],
)
def test_a_view_may_only_get_more_columns(query: str, refused: bool) -> None:
    columns = (Column("id", "bigint"), Column("email", "text"))
    there = Catalogue(
        180000, tables=(Table(("public", "v"), "v", columns), Table(("public", "users"), "r", columns))
    )
    new = f"CREATE OR REPLACE VIEW v AS {query};"
    for findings in (
        found(new, USERS + "CREATE VIEW v AS SELECT id, email FROM users;"),
        found(new, "", there),
    ):
        assert ("replace-view-refused" in hazards(findings)) is refused


# What is certain


@pytest.mark.parametrize(
    ("new", "severity"),
    [
        ("bigint", Severity.WARNING),
        ("jsonb", Severity.WARNING),
        ("char(9)", Severity.WARNING),
        ("timestamptz(3)", Severity.WARNING),
        ("numeric(9, 2) USING c::numeric(9, 2)", Severity.WARNING),
        ("text USING upper(c)", Severity.WARNING),
        ("varchar(99)", Severity.UNSURE),
        ("text USING c::text", Severity.UNSURE),
        ("numeric(9, 2)", Severity.UNSURE),
        ("timestamptz", Severity.UNSURE),
        ("inet", Severity.UNSURE),
        ("state", Severity.UNSURE),
    ],
)
def test_of_a_column_that_is_not_known_some_types_tell_what_happens_and_others_do_not(
    new: str, severity: Severity
) -> None:
    findings = found(f"ALTER TABLE u ALTER c TYPE {new};")
    [item] = [item for item in findings if item.rule == "change-column-type"]
    assert (item.severity, item.certain) == (severity, severity is Severity.WARNING)


def test_a_type_that_nothing_is_known_of_may_be_a_domain() -> None:
    sql = "ALTER TABLE users ADD COLUMN x code;"
    [item] = [item for item in found(sql) if item.rule == "add-column-checked-domain"]
    assert item.severity is Severity.UNSURE
    for setup in ("CREATE TYPE code AS ENUM ('a');", "CREATE DOMAIN code AS text;"):
        assert not hazards(found(sql, USERS + setup))
    assert not hazards(found(sql, "", Catalogue(180000, tables=(Table(("public", "users"), "r"),))))


def test_a_copy_of_a_table_has_its_indexes_where_the_file_says_so() -> None:
    setup = (
        "CREATE TABLE e (d date PRIMARY KEY) PARTITION BY RANGE (d); CREATE TABLE f (LIKE e INCLUDING {});"
    )
    attach = "ALTER TABLE e ATTACH PARTITION f FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');"
    for kind, missing in (("ALL", False), ("INDEXES", False), ("DEFAULTS", True)):
        assert ("attach-partition-builds-index" in hazards(found(attach, setup.format(kind)))) is missing


@pytest.mark.parametrize(("old", "hazard"), [("varchar(50)", False), ("varchar(200)", True), ("text", True)])
def test_the_files_before_and_the_catalogue_say_what_the_type_was(old: str, hazard: bool) -> None:
    change = "ALTER TABLE t ALTER COLUMN c TYPE varchar(99);"
    there = Catalogue(180000, tables=(Table(("public", "t"), "r", (Column("c", old),)),))
    for findings in (found(change, f"CREATE TABLE t (c {old});"), found(change, "", there)):
        items = [item for item in findings if item.rule == "change-column-type"]
        assert [item.certain for item in items] == ([True] if hazard else [])


def test_a_valid_check_of_the_catalogue_proves_that_there_is_no_null() -> None:
    table = Table(("public", "t"), "r", (Column("c", "text"),))
    for check_of_it, valid, hazard in (
        ("(c IS NOT NULL)", True, False),
        ("(c IS NOT NULL)", False, True),
        ("(c > '')", True, True),
    ):
        facts = Catalogue(
            180000,
            tables=(table,),
            constraints=(Constraint(table.name, "k", "c", ("c",), valid, check_of_it),),
        )
        assert hazards(found("ALTER TABLE t ALTER c SET NOT NULL;", "", facts)) == ["set-not-null"] * hazard


@pytest.mark.parametrize(
    ("function", "hazard"),
    [
        (Function(("public", "f"), volatile=False), False),
        (Function(("public", "f"), volatile=True), True),
        (Function(("public", "f"), volatile=True, inlined="1"), False),
        (Function(("public", "f"), volatile=True, inlined="random()"), True),
    ],
)
def test_the_catalogue_says_what_a_function_answers(function: Function, hazard: bool) -> None:
    facts = Catalogue(180000, tables=(Table(("public", "users"), "r"),), functions=(function,))
    findings = found("ALTER TABLE users ADD COLUMN x int DEFAULT f();", "", facts)
    assert hazards(findings) == ["add-column-volatile-default"] * hazard
    assert all(item.certain for item in findings)


def test_the_size_of_a_table_is_told_where_it_is_known() -> None:
    facts = Catalogue(180000, tables=(Table(("public", "users"), "r", rows=1_234_567),))
    [item] = [
        item
        for item in found("CREATE INDEX i ON users (id);", "", facts)
        if item.rule == "create-index-blocking"
    ]
    assert "about 1,234,567 rows" in item.message


# Taking back


def test_a_comment_takes_a_rule_back_for_the_next_statement_alone() -> None:
    sql = "SELECT 1;\n-- pgratchet: ignore drop-table it is empty\nDROP TABLE users;\nDROP TABLE orders;"
    assert [item.line for item in found(sql) if item.rule == "drop-table"] == [4]


def test_a_comment_within_a_statement_is_about_that_one() -> None:
    sql = "SELECT 1;\nDROP TABLE\n    -- pgratchet: ignore drop-table it is empty\n    users;\nDROP TABLE orders;"
    assert [item.line for item in found(sql) if item.rule == "drop-table"] == [5]


def test_a_comment_of_the_header_is_about_the_whole_file() -> None:
    comment = "-- pgratchet: ignore drop-table, truncate-table all of it is in the archive\n"
    sql = comment + "DROP TABLE users;\nTRUNCATE orders;\nDROP TABLE orders;"
    assert not {"drop-table", "truncate-table", "ignore-unused"} & set(hazards(found(sql)))


@pytest.mark.parametrize(
    ("comment", "rule"),
    [
        ("-- pgratchet: ignore drop-table", "ignore-without-reason"),
        ("-- pgratchet: ignore drop-tabel it is empty", "ignore-unknown-rule"),
        ("-- pgratchet: ignore drop-table, truncate-table it is empty", "ignore-unused"),
    ],
)
def test_a_comment_that_says_too_little_or_too_much_is_a_finding(comment: str, rule: str) -> None:
    items = [item for item in found(f"SELECT 1;\n{comment}\nDROP TABLE users;") if item.rule == rule]
    assert [(item.line, item.source) for item in items] == [(2, comment)]


def test_a_misspelt_rule_is_answered_with_the_nearest() -> None:
    [item] = [
        item
        for item in found("-- pgratchet: ignore drop-tabel it is empty\nDROP TABLE users;")
        if item.rule == "ignore-unknown-rule"
    ]
    assert item.hint == "Did you mean drop-table?"


def test_a_comment_behind_the_last_statement_is_unused() -> None:
    assert "ignore-unused" in hazards(
        found("DROP TABLE users;\n-- pgratchet: ignore drop-table it is empty\n")
    )


def test_a_rule_that_is_off_finds_nothing_and_its_comments_are_no_matter() -> None:
    files = {
        "V1__a.sql": "DROP TABLE users;\n-- pgratchet: ignore truncate-table it is empty\nTRUNCATE orders;"
    }
    rules = {item.rule for item in check(files, off=("drop-table", "truncate-table"))}
    assert not rules & {"drop-table", "truncate-table", "ignore-unused"}


# Citus


def test_a_rule_about_citus_warns_of_a_table_that_the_files_distribute() -> None:
    sql = "ALTER TABLE users ALTER COLUMN email SET STATISTICS 500;"
    assert not hazards(found(sql))
    setup = USERS + "SELECT create_distributed_table('users', 'id');"
    [item] = [item for item in found(sql, setup) if item.rule == "citus-unsupported-action"]
    assert item.severity is Severity.WARNING
    [item] = [item for item in found(sql, target="citus") if item.rule == "citus-unsupported-action"]
    assert item.severity is Severity.ERROR


def test_findings_stand_in_the_order_of_files_lines_columns_and_rules() -> None:
    findings = check(
        dict.fromkeys(("V2__b.sql", "V1__a.sql"), "DROP TABLE users; TRUNCATE users;\nDROP VIEW v;")
    )
    places = [(str(item.path), item.line, item.column, item.rule) for item in findings]
    assert places == sorted(places)


def test_a_file_too_large_to_be_held_is_read_piece_by_piece(tmp_path: Path) -> None:
    rows = "INSERT INTO notes VALUES " + ", ".join(["(1, 'some text to fill the file with')"] * 2000) + ";\n"
    path = tmp_path / "V1__large.sql"
    path.write_text("CREATE TABLE notes (id int, note text);\n" + rows * 70 + "DROP TABLE users;")
    script = parse.read(path)
    assert script.statements is None
    findings = lint.check([(Migration(Kind.VERSIONED, 1, "large", path, ""), script)])
    assert [item.line for item in findings if item.rule == "drop-table"] == [72]
