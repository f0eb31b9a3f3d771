"""`pgratchet check` and `explain` as a person and a pipeline meet them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

import pgratchet
from pgratchet import files, folder_rules, integrity, lint, squawk
from pgratchet.cli.check import FORMATS
from tests import repositories
from tests.folders import write_migrations
from tests.repositories import Work
from tests.servers import Database

Run = Callable[..., tuple[int, str, str]]
HEADER = "-- Purpose: a change\n-- Risk: known\n"
TABLE = f"{HEADER}CREATE TABLE IF NOT EXISTS a (id bigint PRIMARY KEY);\n"
LOST = "ALTER TABLE users DROP COLUMN age;\n"
ENUM = "ALTER TYPE mood ADD VALUE 'x';\n"
RISKY = "CREATE INDEX users_age ON users (age);\n"


def rules(out: str) -> list[tuple[str, str]]:
    """Give rule and file of each finding; notes are told of so many things that no test counts them."""
    findings = [
        item for item in json.loads(out)["findings"] if item["severity"] != "note" or "squawk" in item["rule"]
    ]
    return [(item["rule"], Path(item["path"]).name) for item in findings]


def test_it_needs_no_database_and_ends_with_0_where_nothing_is_found(run: Run, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})
    code, out, err = run("check", "--dir", folder)
    assert (code, out, err) == (0, "1 file checked, nothing found.\n", "")


def test_a_finding_is_told_with_its_line_and_ends_with_4(run: Run, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": f"-- no user has an age any more\n{LOST}"})
    code, out, _ = run("check", "--dir", folder)
    assert code == 4
    lines = out.splitlines()
    assert lines[0].startswith(f"error: {folder / 'V1__a.sql'}:2:1: ")
    assert lines[0].endswith("(drop-column)")
    assert lines[1] == "  | ALTER TABLE users DROP COLUMN age;"
    assert lines[2] == "  | ^"
    assert lines[3].startswith("  next: ")


def test_a_misspelt_statement_is_no_success(run: Run, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": f"{HEADER}CREATE TABL a (id bigint);\n"})
    code, out, _ = run("check", "--dir", folder)
    assert code == 4
    assert out.startswith(f"warning: {folder / 'V1__a.sql'}:3:1: ")
    assert "(unknown-syntax)" in out.splitlines()[0]
    assert "--url" not in out  # a look at the database would not tell more


def test_the_line_is_shown_as_the_file_has_it(run: Run, folder: Path) -> None:
    write_migrations(
        folder, {"V1__a.sql": f"\ufeff{HEADER}SELECT 'é'; ALTER TABLE users DROP COLUMN age; -- gone\r\n"}
    )
    lines = run("check", "--dir", folder)[1].splitlines()
    assert lines[0].startswith(f"error: {folder / 'V1__a.sql'}:3:13: ")
    assert lines[1:3] == ["  | SELECT 'é'; ALTER TABLE users DROP COLUMN age; -- gone", f"  | {' ' * 12}^"]


def test_the_severity_that_fails_is_that_of_the_flag_or_of_the_settings(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    write_migrations(folder, {"V1__a.sql": RISKY})
    assert run("check", "--dir", folder)[0] == 4
    assert run("check", "--dir", folder, "--severity", "error")[0] == 0
    (tmp_path / "pgratchet.toml").write_text('[check]\nseverity = "error"\n')
    assert run("check", "--dir", folder)[0] == 0
    assert run("check", "--dir", folder, "--severity", "warning")[0] == 4


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('severity = "bad"', "check.severity cannot be 'bad'"),
        ('ignore = ["drop-colum"]', "there is no rule drop-colum"),
        ('target = "cytus"', "check.target cannot be 'cytus'"),
    ],
)
def test_a_setting_that_nobody_knows_is_an_error(
    run: Run, folder: Path, tmp_path: Path, setting: str, said: str
) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})
    (tmp_path / "pgratchet.toml").write_text(f"[check]\n{setting}\n")
    code, _, err = run("check", "--dir", folder)
    assert code == 2
    assert said in err


def test_a_rule_can_be_turned_off_and_taken_back(run: Run, folder: Path, tmp_path: Path) -> None:
    write_migrations(folder, {"V1__a.sql": f"-- pgratchet: ignore drop-column moved in version 3\n{LOST}"})
    assert run("check", "--dir", folder)[0] == 0
    write_migrations(folder, {"V1__a.sql": LOST})
    (tmp_path / "pgratchet.toml").write_text('[check]\nignore = ["drop-column"]\n')
    assert run("check", "--dir", folder)[0] == 0


def test_a_file_that_cannot_be_read_is_a_finding_and_the_others_are_looked_at(run: Run, folder: Path) -> None:
    write_migrations(
        folder, {"V1__a.sql": "SELECT 'open;\n", "V2__b.sql": b"\xffSELECT 1;\n", "V3__c.sql": LOST}
    )
    code, out, _ = run("check", "--dir", folder, "--json")
    assert code == 4
    assert rules(out) == [("syntax", "V1__a.sql"), ("syntax", "V2__b.sql"), ("drop-column", "V3__c.sql")]


WRONG = {"V1_a.sql": TABLE, "V2__b.sql": TABLE, "V2__c.sql": TABLE, "V3__d.sql": "", "V4__e.sql": LOST}


@pytest.mark.parametrize("form", [*FORMATS, "json"])
def test_what_keeps_a_folder_from_being_run_is_found_beside_the_rest(
    run: Run, folder: Path, form: str
) -> None:
    write_migrations(folder, WRONG)
    (folder / "old").mkdir()
    code, out, err = run("check", "--dir", folder, *(["--json"] if form == "json" else ["--format", form]))
    assert (code, err) == (4, "")
    for rule in ("file-name", "file-unreadable", "version-twice", "drop-column"):
        assert rule in out
    assert "Rename it to V1__a.sql" in out
    if form == "json":
        found = [("file-name", "V1_a.sql"), ("version-twice", "V2__c.sql"), ("file-unreadable", "V3__d.sql")]
        assert rules(out) == [*found, ("drop-column", "V4__e.sql"), ("file-name", "old")]


def test_a_file_that_is_none_may_be_named_and_no_lock_is_written_over_it(run: Run, folder: Path) -> None:
    write_migrations(folder, WRONG)
    code, out, _ = run("check", folder / "V1_a.sql", "--write", "--dir", folder)
    assert code == 4
    assert "V1_a.sql:1:1: not a migration's name" in out
    assert "was not written" in out
    assert not (folder / "migrations.lock").exists()


@pytest.mark.parametrize(("mark", "ends", "line"), [(b"\xef\xbb\xbf", b"\n", 1), (b"", b"\r\n", 3)])
def test_a_byte_order_mark_and_carriage_returns_are_noted(
    run: Run, folder: Path, mark: bytes, ends: bytes, line: int
) -> None:
    write_migrations(folder, {"V1__a.sql": mark + HEADER.encode() + b"SELECT 1;" + ends + b"SELECT 2;\n"})
    findings = json.loads(run("check", "--dir", folder, "--json")[1])["findings"]
    assert [(item["line"], item["severity"]) for item in findings if item["rule"] == "line-ends"] == [
        (line, "note")
    ]


def test_a_baseline_is_run_on_empty_databases_and_what_it_makes_is_old_for_what_comes_after(
    run: Run, folder: Path
) -> None:
    base = f"{HEADER}CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, age int);\n{RISKY}"
    later = f"{HEADER}CREATE INDEX users_age_too ON users (id, age);\n"
    write_migrations(folder, {"B1__base.sql": base, "V2__b.sql": later})
    assert rules(run("check", "--dir", folder, "--json")[1]) == [("create-index-blocking", "V2__b.sql")]
    write_migrations(folder, {"V1__a.sql": base, "B2__both.sql": base + later})
    assert rules(run("check", "--dir", folder, "--json")[1]) == [("create-index-blocking", "V2__b.sql")]


def test_names_need_their_schema_where_the_settings_say_so(run: Run, folder: Path, tmp_path: Path) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})
    assert run("check", "--dir", folder)[0] == 0
    (tmp_path / "pgratchet.toml").write_text("[check]\nqualified = true\n")
    assert rules(run("check", "--dir", folder, "--json")[1]) == [("unqualified-name", "V1__a.sql")]


def test_only_the_files_named_are_told_of(run: Run, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": LOST, "V2__b.sql": LOST, "README.md": "x"})
    named = (folder / "V2__b.sql", folder / "README.md")
    assert rules(run("check", *named, "--dir", folder, "--json")[1]) == [("drop-column", "V2__b.sql")]
    code, _, err = run("check", folder.parent / "V2__b.sql", "--dir", folder)
    assert code == 2
    assert "is no migration of" in err


def test_a_file_that_nobody_filled_is_found(run: Run, folder: Path) -> None:
    run("new", "later", "--dir", folder)
    assert rules(run("check", "--dir", folder, "--json")[1]) == [("unwritten", "V001__later.sql")]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_printed_with_the_same_exit_code(run: Run, folder: Path, form: str) -> None:
    write_migrations(folder, {"V1__a.sql": LOST})
    code, out, err = run("check", "--dir", folder, "--format", form)
    assert code == 4
    assert "drop-column" in out
    assert err == ""
    if form in {"sarif", "gitlab"}:
        json.loads(out)
    if form == "junit":
        assert ElementTree.fromstring(out.encode()).get("failures") == "1"


def test_sarif_has_the_titles_of_the_rules_and_paths_from_the_repositorys_root(
    run: Run, tmp_path: Path
) -> None:
    work = repositories.new(tmp_path / "work", {"V001__a.sql": LOST})
    [log] = json.loads(run("check", "--dir", work.folder, "--format", "sarif")[1])["runs"]
    [result] = [item for item in log["results"] if item["ruleId"] == "drop-column"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place["uri"] == "database/migrations/V001__a.sql"
    rule = log["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert (rule["id"], rule["shortDescription"]["text"]) == ("drop-column", "A column is dropped")


def test_a_path_through_a_link_counts_from_the_repositorys_root_too(run: Run, tmp_path: Path) -> None:
    work = repositories.new(tmp_path / "work", {"V001__a.sql": LOST})
    (tmp_path / "link").symlink_to(work.root)
    (tmp_path / "deep").symlink_to(work.folder)
    for folder, path in (
        (tmp_path / "link" / repositories.FOLDER, "database/migrations/V001__a.sql"),
        (tmp_path / "deep", f"{tmp_path}/deep/V001__a.sql"),
    ):
        out = run("check", "--dir", folder, "--format", "gitlab")[1]
        assert {item["location"]["path"] for item in json.loads(out)} == {path}


def test_our_own_database_has_no_error(run: Run) -> None:
    folder = Path(__file__).parent.parent.parent / "database" / "migrations"
    assert run("check", "--dir", folder, "--severity", "error")[0] == 0


def test_squawk_has_a_say_in_what_ours_do_not_know(run: Run, folder: Path, tmp_path: Path) -> None:
    write_migrations(folder, {"V1__a.sql": ENUM, "V2__b.sql": "CREATE TABLE b (c varchar(9));\n"})
    found = ("squawk-require-enum-value-ordering", "V1__a.sql")
    assert rules(run("check", "--dir", folder, "--json")[1]) == [found]
    (tmp_path / "pgratchet.toml").write_text("[check]\nstyle = true\n")
    taste = ("squawk-prefer-text-field", "V2__b.sql")
    assert rules(run("check", "--dir", folder, "--json")[1]) == [found, taste]
    (tmp_path / "pgratchet.toml").write_text('[check]\nignore = ["squawk-require-enum-value-ordering"]\n')
    assert run("check", "--dir", folder)[0] == 0


@pytest.mark.parametrize(
    "comments",
    [
        "-- pgratchet: ignore drop-column moved\n-- squawk-ignore prefer-text-field\n",
        "-- pgratchet: ignore drop-column, squawk-prefer-text-field moved\n",
    ],
)
def test_our_comments_and_those_of_squawk_stand_side_by_side(
    run: Run, folder: Path, tmp_path: Path, comments: str
) -> None:
    (tmp_path / "pgratchet.toml").write_text("[check]\nstyle = true\n")
    change = "ALTER TABLE users ADD COLUMN a varchar(9), DROP COLUMN age;\n"
    write_migrations(folder, {"V1__a.sql": f"{HEADER}SELECT 1;\n{comments}{change}{change}"})
    found = json.loads(run("check", "--dir", folder, "--json")[1])["findings"]
    both = {"drop-column", "squawk-prefer-text-field"}
    last = 4 + comments.count("\n") + 1
    assert {(item["rule"], item["line"]) for item in found if item["rule"] in both} == {
        (rule, last) for rule in both
    }
    assert not [item for item in found if item["rule"].startswith("ignore-")]


def test_without_squawk_our_own_rules_stand_alone(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(squawk, "PACKAGE", "no-such-package")
    write_migrations(folder, {"V1__a.sql": ENUM, "V2__b.sql": LOST})
    assert rules(run("check", "--dir", folder, "--json")[1]) == [("drop-column", "V2__b.sql")]


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """Give a branch that has just left `main`, whose one file has a finding."""
    made = repositories.new(tmp_path / "work", {"V001__a.sql": LOST})
    made.git("switch", "--quiet", "--create", "mine")
    return made


def test_with_a_base_only_what_is_new_is_told_of(run: Run, work: Work) -> None:
    options = ("--dir", work.folder, "--base", "main", "--json")
    assert run("check", *options)[0] == 0
    work.commit({"V002__b.sql": RISKY})
    assert rules(run("check", *options)[1]) == [("create-index-blocking", "V002__b.sql")]


def test_with_a_base_a_collision_ends_with_4_and_says_what_to_type(run: Run, work: Work) -> None:
    work.commit({"V002__b.sql": TABLE})
    work.git("switch", "--quiet", "main")
    work.commit({"V002__c.sql": TABLE}, author="Ben")
    work.git("switch", "--quiet", "mine")
    for merged in (False, True):
        if merged:
            work.git("merge", "--quiet", "--no-edit", "main")
        code, out, _ = run("check", "--dir", work.folder, "--base", "main")
        assert code == 4
        assert (
            "main has version 2 too, in V002__c.sql (V002__c.sql: Ben; V002__b.sql: Ann) (version-taken)"
            in out
        )
    assert run("new", "--renumber", "--base", "main", "--dir", work.folder)[0] == 0
    assert run("check", "--dir", work.folder, "--base", "main")[0] == 0


def test_two_of_our_own_files_with_one_version_stay_an_error(run: Run, work: Work) -> None:
    write_migrations(work.folder, {"V002__b.sql": TABLE, "V002__c.sql": TABLE})
    code, out, _ = run("check", "--dir", work.folder, "--base", "main", "--json")
    assert (code, rules(out)) == (4, [("version-twice", "V002__c.sql")])


def test_a_base_wants_a_repository(run: Run, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})
    code, _, err = run("check", "--dir", folder, "--base", "main")
    assert code == 2
    assert "is in no git repository" in err


def test_without_git_a_folder_is_checked_all_the_same(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    write_migrations(folder, {"V1__a.sql": TABLE})
    assert run("check", "--dir", folder)[0] == 0
    code, _, err = run("check", "--dir", folder, "--base", "main")
    assert code == 2
    assert "git is not installed" in err


def test_write_makes_the_lock_that_check_then_holds_the_files_to(run: Run, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})
    code, out, _ = run("check", "--write", "--dir", folder)
    assert code == 0
    assert f"note: wrote {folder / 'migrations.lock'}" in out
    assert "note" not in run("check", "--write", "--dir", folder)[1]
    write_migrations(folder, {"V1__a.sql": "CREATE TABLE a (id int);\n"})
    assert rules(run("check", "--dir", folder, "--json")[1]) == [("lock-file", "V1__a.sql")]
    assert run("check", "--write", "--dir", folder)[0] == 0


def test_a_lock_that_cannot_be_read_is_a_finding(run: Run, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": LOST, "migrations.lock": "<<<<<<< HEAD\n"})
    code, out, _ = run("check", "--dir", folder)
    assert code == 4
    assert "migrations.lock:1: a conflict of git" in out
    assert "(drop-column)" in out


def test_a_file_of_the_lock_that_cannot_be_read_any_more_is_one_finding(run: Run, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})
    integrity.write(files.read(folder))
    write_migrations(folder, {"V1__a.sql": "SELECT 'open;\n"})
    code, out, _ = run("check", "--dir", folder, "--json")
    assert (code, rules(out)) == (4, [("syntax", "V1__a.sql")])


def test_write_leaves_a_file_open_that_nobody_filled(run: Run, folder: Path) -> None:
    write_migrations(folder, {"V001__a.sql": TABLE})
    run("check", "--write", "--dir", folder)
    run("new", "later", "--dir", folder)
    run("check", "--write", "--dir", folder)
    [_, line] = integrity.read(folder) or ()
    assert line == integrity.Line("V002__later.sql")


def test_write_writes_nothing_where_a_file_cannot_be_read(run: Run, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": "SELECT 'open;\n"})
    code, out, _ = run("check", "--write", "--dir", folder)
    assert code == 4
    assert "migrations.lock was not written" in out
    assert integrity.read(folder) is None


@pytest.mark.one_version
def test_up_holds_the_files_to_the_lock_once_there_is_something_to_do(
    run: Run, database: Database, folder: Path
) -> None:
    options = ("--url", database.url, "--dir", folder)
    write_migrations(folder, {"V1__a.sql": TABLE, "V2__b.sql": "CREATE TABLE b (id int);\n"})
    integrity.write(files.read(folder))
    write_migrations(folder, {"V2__b.sql": "CREATE TABLE b (id bigint);\n"})
    code, _, err = run("up", *options)
    assert code == 5
    assert "its statements are others than those that migrations.lock has" in err
    with database.connect() as connection:
        assert connection.execute("SELECT to_regclass('a'), to_regclass('b')").fetchone() == (None, None)
    run("check", "--write", "--dir", folder)
    assert run("up", *options)[0] == 0


@pytest.mark.one_version
def test_up_applies_a_file_that_the_lock_has_as_open(run: Run, database: Database, folder: Path) -> None:
    write_migrations(folder, {"V001__a.sql": TABLE})
    integrity.write(files.read(folder))
    run("new", "b", "--dir", folder)
    write_migrations(folder, {"V002__b.sql": "CREATE TABLE b (id int);\n"})
    assert run("up", "--url", database.url, "--dir", folder)[0] == 0
    assert run("check", "--dir", folder)[0] == 4


@pytest.mark.one_version
def test_what_a_database_has_applied_is_not_told_of_unless_all_is_asked_for(
    run: Run, database: Database, folder: Path
) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE users (id int, age int)")
    options = ("--url", database.url, "--dir", folder, "--json")
    write_migrations(
        folder, {"V1__a.sql": LOST, "R__v.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n"}
    )
    assert run("baseline", "0", "--url", database.url, "--dir", folder)[0] == 0
    assert rules(run("check", *options)[1]) == [("drop-column", "V1__a.sql")]
    run("up", "--url", database.url, "--dir", folder)
    checked = json.loads(run("check", *options)[1])
    assert (checked["findings"], checked["files"]) == ([], [])
    assert rules(run("check", "--all", *options)[1]) == [("drop-column", "V1__a.sql")]


@pytest.mark.one_version
def test_what_an_applied_file_made_is_no_hazard_in_it_for_being_in_the_catalogue_since(
    run: Run, database: Database, folder: Path
) -> None:
    made = "CREATE TABLE IF NOT EXISTS parts (id bigint PRIMARY KEY, code text);\n"
    unique = "ALTER TABLE parts ADD CONSTRAINT {0} UNIQUE ({0});\n"
    write_migrations(folder, {"V1__a.sql": f"{HEADER}{made}{unique.format('code')}"})
    options = ("--url", database.url, "--dir", folder)
    assert run("up", *options)[0] == 0
    write_migrations(folder, {"V2__b.sql": f"{HEADER}{unique.format('id')}"})
    found = rules(run("check", "--all", *options, "--json")[1])
    assert found == [("add-unique-constraint", "V2__b.sql")]


@pytest.mark.one_version
def test_the_catalogue_of_a_database_decides_what_files_cannot_tell(
    run: Run, database: Database, folder: Path
) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE users (age int, CONSTRAINT known CHECK (age IS NOT NULL))")
    write_migrations(folder, {"V1__a.sql": f"{HEADER}ALTER TABLE users ALTER COLUMN age SET NOT NULL;\n"})
    run("baseline", "0", "--url", database.url, "--dir", folder)
    assert rules(run("check", "--dir", folder, "--json")[1]) == [("set-not-null", "V1__a.sql")]
    assert rules(run("check", "--dir", folder, "--url", database.url, "--json")[1]) == []


@pytest.mark.one_version
def test_live_takes_the_database_that_is_set(
    run: Run, database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.url)
    write_migrations(folder, {"V1__a.sql": TABLE})
    run("up", "--dir", folder)
    assert len(json.loads(run("check", "--dir", folder, "--json")[1])["files"]) == 1
    assert json.loads(run("check", "--dir", folder, "--live", "--json")[1])["files"] == []


@pytest.mark.one_version
def test_a_merged_file_that_is_still_to_be_run_is_known_to_a_new_one(
    run: Run, database: Database, work: Work
) -> None:
    (work.folder / "V001__a.sql").unlink()
    work.commit({"V002__b.sql": "CREATE TABLE IF NOT EXISTS later (id bigint PRIMARY KEY);\n"})
    work.git("branch", "--force", "main")
    work.commit({"V003__c.sql": f"{HEADER}CREATE INDEX later_id ON later (id);\n"})
    options = ("--dir", work.folder, "--base", "main", "--json")
    assert ("create-index-blocking", "V003__c.sql") in rules(run("check", *options)[1])
    assert ("create-index-blocking", "V003__c.sql") not in rules(
        run("check", "--url", database.url, *options)[1]
    )


@pytest.mark.one_version
def test_a_version_below_what_a_database_has_applied_is_found(
    run: Run, database: Database, folder: Path
) -> None:
    write_migrations(folder, {"V2__b.sql": TABLE})
    run("up", "--url", database.url, "--dir", folder)
    write_migrations(folder, {"V1__a.sql": "SELECT 1;\n"})
    code, out, _ = run("check", "--url", database.url, "--dir", folder, "--json")
    assert code == 4
    assert rules(out) == [("history", "V1__a.sql")]
    assert "version 1 comes after version 2 was applied" in out


@pytest.mark.one_version
def test_it_writes_nothing_to_the_database(run: Run, database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})
    assert run("check", "--url", database.url, "--dir", folder)[0] == 0
    with database.connect() as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        )
        assert found.fetchone() == (0,)


def test_explain_prints_a_rule_and_lists_all_and_offers_near_names(run: Run) -> None:
    assert "# drop-column" in run("explain", "drop-column")[1]
    listed = run("explain")[1]
    assert all(f"  {rule.id} " in listed for rule in (*lint.RULES, *folder_rules.RULES))
    assert len(json.loads(run("explain", "--json")[1])["rules"]) == len(lint.RULES) + len(folder_rules.RULES)
    code, _, err = run("explain", "drop-colum")
    assert code == 2
    assert "Did you mean drop-column" in err
    assert "squawk" in run("explain", "squawk-ban-char-field")[2]


def test_every_rule_of_the_folder_that_is_used_is_one_that_explain_knows() -> None:
    source = Path(pgratchet.__file__).parent
    used = (source / "lane.py").read_text() + (source / "ops" / "checking.py").read_text()
    assert all(f'"{rule.id}"' in used for rule in folder_rules.RULES)
