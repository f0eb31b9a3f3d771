"""What a pull request may do to the migrations of its base, on real git repositories."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgratchet import files, git, lane, naming
from pgratchet.errors import ConfigurationError
from pgratchet.findings import Finding
from pgratchet.model import Kind, Migration
from tests import repositories
from tests.repositories import Work

ONE = {
    "V001__one.sql": "-- one\nCREATE TABLE one (id int);\n",
    "V002__two.sql": "CREATE TABLE two (id int);\n",
}


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """Give a branch `mine` that has just left `main`, which has two migrations."""
    made = repositories.new(tmp_path / "work", ONE)
    made.git("switch", "--quiet", "--create", "mine")
    return made


def base_of(work: Work, base: str = "main") -> lane.Base:
    here = git.repository(work.folder)
    assert here is not None
    migrations, _ = files.look(work.folder)
    return lane.read(here, git.branches(here, base), migrations)


def findings(work: Work, base: str = "main") -> tuple[Finding, ...]:
    migrations, _ = files.look(work.folder)
    return lane.findings(work.folder, migrations, base_of(work, base))


def told(work: Work, base: str = "main") -> list[tuple[str, str]]:
    return [(finding.rule, finding.path.name) for finding in findings(work, base)]


def others_commit(work: Work, content: dict[str, str | bytes], author: str = "Ben") -> None:
    """Let the base go on without us."""
    work.git("switch", "--quiet", "main")
    work.commit(content, author=author)
    work.git("switch", "--quiet", "mine")


def test_a_branch_that_adds_the_next_version_is_right(work: Work) -> None:
    work.commit({"V003__three.sql": "SELECT 3;\n", "R__view.sql": "SELECT 1;\n"})
    assert told(work) == []
    assert [m.script for m in lane.own(files.read(work.folder), base_of(work))] == [
        "V003__three.sql",
        "R__view.sql",
    ]


def test_a_file_of_the_base_may_not_be_edited_committed_or_not(work: Work) -> None:
    (work.folder / "V001__one.sql").write_text("CREATE TABLE one (id bigint);\n")
    assert told(work) == [("edited-after-merge", "V001__one.sql")]
    work.commit({})
    assert told(work) == [("edited-after-merge", "V001__one.sql")]


def test_its_comments_and_line_ends_may_be(work: Work) -> None:
    work.commit({"V001__one.sql": b"\xef\xbb\xbf-- the first one\r\ncreate  table ONE (id int);\r\n"})
    assert git.changed(git.repository(work.folder), "main") == {"V001__one.sql"}  # type: ignore[arg-type]
    assert told(work) == []


def test_a_repeatable_may_be_edited_and_taken_away(tmp_path: Path) -> None:
    work = repositories.new(tmp_path / "work", {**ONE, "R__a.sql": "SELECT 1;\n", "R__b.sql": "SELECT 1;\n"})
    work.git("switch", "--quiet", "--create", "mine")
    (work.folder / "R__b.sql").unlink()
    work.commit({"R__a.sql": "SELECT 2;\n"})
    assert told(work) == []


def test_a_renamed_file_is_found_by_its_version_and_by_what_it_says(work: Work) -> None:
    work.git("mv", "database/migrations/V001__one.sql", "database/migrations/V001__uno.sql")
    work.git("mv", "database/migrations/V002__two.sql", "database/migrations/V007__two.sql")
    assert told(work) == [
        ("renamed-after-merge", "V001__uno.sql"),
        ("renamed-after-merge", "V007__two.sql"),
    ]
    assert "main has this file as V002__two.sql" in findings(work)[1].message


def test_a_deleted_file_is_found_unless_a_baseline_stands_for_it(work: Work) -> None:
    (work.folder / "V001__one.sql").unlink()
    assert told(work) == [("deleted-after-merge", "V001__one.sql")]
    work.commit({"B001__start.sql": "CREATE TABLE one (id int);\n"})
    assert told(work) == []


def test_a_version_that_the_base_took_meanwhile_is_named_with_both_authors(work: Work) -> None:
    work.commit({"V003__mine.sql": "SELECT 3;\n"}, author="Zoe")
    others_commit(work, {"V003__theirs.sql": "SELECT 4;\n"})
    [finding] = findings(work)
    assert (finding.rule, finding.path.name) == ("version-taken", "V003__mine.sql")
    assert finding.message == (
        "main has version 3 too, in V003__theirs.sql (V003__theirs.sql: Ben; V003__mine.sql: Zoe)"
    )
    assert "pgratchet new --renumber --base main" in finding.hint


def test_a_collision_is_found_also_after_the_base_was_merged(work: Work) -> None:
    work.commit({"V003__mine.sql": "SELECT 3;\n"})
    others_commit(work, {"V003__theirs.sql": "SELECT 4;\n"})
    work.git("merge", "--quiet", "--no-edit", "main")
    assert told(work) == [("version-taken", "V003__mine.sql")]


def test_the_author_is_who_added_the_file_and_not_who_touched_it_last(work: Work) -> None:
    work.commit({"V003__mine.sql": "SELECT 3;\n"}, author="Zoe")
    work.commit({"V003__mine.sql": "-- why\nSELECT 3;\n"}, author="Cid")
    others_commit(work, {"V003__theirs.sql": "SELECT 4;\n"})
    others_commit(work, {"V003__theirs.sql": "-- why\nSELECT 4;\n"}, author="Cid")
    assert "(V003__theirs.sql: Ben; V003__mine.sql: Zoe)" in findings(work)[0].message


def test_a_file_that_nobody_committed_yet_has_no_author(work: Work) -> None:
    others_commit(work, {"V003__theirs.sql": "SELECT 4;\n"})
    (work.folder / "V003__mine.sql").write_text("SELECT 3;\n")
    assert "V003__mine.sql: not committed yet" in findings(work)[0].message


def test_the_same_name_with_other_statements_is_taken_and_with_the_same_ones_it_is_merged(work: Work) -> None:
    work.commit({"V003__same.sql": "SELECT 3;\n", "V004__other.sql": "SELECT 4;\n"})
    others_commit(work, {"V003__same.sql": "select 3; -- picked\n", "V004__other.sql": "SELECT 5;\n"})
    assert told(work) == [("version-taken", "V004__other.sql")]


def test_a_version_below_the_bases_newest_is_too_low(work: Work) -> None:
    work.commit({"V003__mine.sql": "SELECT 3;\n"})
    others_commit(work, {"V004__theirs.sql": "SELECT 4;\n"})
    assert told(work) == [("version-too-low", "V003__mine.sql")]


def test_what_the_base_has_done_meanwhile_is_not_our_doing(work: Work) -> None:
    work.git("switch", "--quiet", "main")
    (work.folder / "V002__two.sql").unlink()
    work.commit({"V001__one.sql": "CREATE TABLE one (id bigint);\n", "V003__theirs.sql": "SELECT 1;\n"})
    work.git("switch", "--quiet", "mine")
    assert told(work) == []


def test_what_both_have_done_alike_is_right(work: Work) -> None:
    edit: dict[str, str | bytes] = {"V001__one.sql": "CREATE TABLE one (id bigint);\n"}
    others_commit(work, edit)
    work.git("rm", "--quiet", "database/migrations/V002__two.sql")
    work.commit(edit)
    work.git("switch", "--quiet", "main")
    work.git("rm", "--quiet", "database/migrations/V002__two.sql")
    work.commit({})
    work.git("switch", "--quiet", "mine")
    assert told(work) == []


def test_a_baseline_of_the_base_stands_for_the_versions_up_to_its_own(work: Work) -> None:
    work.commit({"V005__mine.sql": "SELECT 5;\n"})
    others_commit(work, {"B005__start.sql": "SELECT 4;\n"})
    assert told(work) == [("version-too-low", "V005__mine.sql")]


def test_renumbering_moves_our_own_files_above_the_base_and_keeps_their_order(work: Work) -> None:
    work.commit(
        {"V003__mine.sql": "SELECT 3;\n", "V004__next.sql": "SELECT 4;\n", "V009__far.sql": "SELECT 9;\n"}
    )
    others_commit(work, {"V003__theirs.sql": "SELECT 4;\n"})
    moves = lane.renumbered(files.read(work.folder), base_of(work))
    assert [(one.name, other.name) for one, other in moves] == [
        ("V003__mine.sql", "V004__mine.sql"),
        ("V004__next.sql", "V005__next.sql"),
    ]


@given(st.sets(st.integers(0, 30)), st.lists(st.integers(0, 40), max_size=12))
def test_after_renumbering_all_are_above_the_base_apart_and_in_their_order(
    theirs: set[int], ours: list[int]
) -> None:
    base = lane.Base("main", frozenset(f"V{version}__theirs.sql" for version in theirs), frozenset())
    made = [
        Migration(Kind.VERSIONED, version, f"ours_{place}", Path(f"/m/V{version}__ours_{place}.sql"), "")
        for place, version in enumerate(sorted(ours))
    ]
    moves = dict(lane.renumbered(made, base))
    names = [naming.read(moves.get(item.path, item.path).name) for item in made]
    versions = [name.version or 0 for name in names if name]
    assert [name.description for name in names if name] == [item.description for item in made]
    assert versions == sorted(set(versions))
    assert all(version > base.newest for version in versions)
    if len(set(ours)) == len(ours) and all(version > base.newest for version in ours):
        assert not moves


def test_renumbering_leaves_alone_what_only_has_another_name(work: Work) -> None:
    work.git("mv", "database/migrations/V001__one.sql", "database/migrations/V001__uno.sql")
    assert lane.renumbered(files.read(work.folder), base_of(work)) == ()


def test_a_linked_worktree_is_a_repository_too(work: Work, tmp_path: Path) -> None:
    work.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"), "main")
    linked = Work(tmp_path / "linked")
    (linked.folder / "V002__two.sql").unlink()
    assert told(linked) == [("deleted-after-merge", "V002__two.sql")]


def test_the_repositorys_root_may_be_the_folder_itself(tmp_path: Path) -> None:
    work = Work(tmp_path / "flat")
    work.root.mkdir()
    work.git("init", "--quiet")
    (work.root / "V1__a.sql").write_text("SELECT 1;\n")
    work.git("add", ".")
    work.git("commit", "--quiet", "--message", "a")
    (work.root / "V1__a.sql").write_text("SELECT 2;\n")
    here = git.repository(work.root)
    assert here is not None
    migrations = files.read(work.root)
    found = lane.findings(work.root, migrations, lane.read(here, git.branches(here, "main"), migrations))
    assert [finding.rule for finding in found] == ["edited-after-merge"]


def test_a_base_without_the_folder_has_no_migration(tmp_path: Path) -> None:
    work = Work(tmp_path / "work")
    work.root.mkdir()
    work.git("init", "--quiet")
    work.git("commit", "--quiet", "--allow-empty", "--message", "nothing yet")
    work.git("switch", "--quiet", "--create", "mine")
    work.commit({"V001__a.sql": "SELECT 1;\n"})
    assert told(work) == []
    assert base_of(work).newest == -1


def test_a_shallow_clone_says_what_to_fetch_and_is_content_with_it(work: Work, tmp_path: Path) -> None:
    work.commit({"V003__mine.sql": "SELECT 3;\n"})
    others_commit(work, {"V003__theirs.sql": "SELECT 4;\n"})
    shallow = repositories.clone(work, tmp_path / "shallow", "--depth=1", "--branch=mine")
    with pytest.raises(ConfigurationError) as caught:
        told(shallow, "origin/main")
    assert caught.value.hint is not None
    command = caught.value.hint.split("`")[1]
    assert command == "git fetch --unshallow origin main:refs/remotes/origin/main"
    shallow.git(*command.split()[1:])
    assert told(shallow, "origin/main") == [("version-taken", "V003__mine.sql")]


def test_a_branch_of_the_remote_is_fetched_under_its_remote_name(work: Work, tmp_path: Path) -> None:
    work.commit({"V003__mine.sql": "SELECT 3;\n"})
    single = repositories.clone(work, tmp_path / "single", "--single-branch", "--branch=mine")
    with pytest.raises(ConfigurationError) as caught:
        told(single, "main")
    assert caught.value.hint == "`git fetch origin main:refs/remotes/origin/main`, and --base origin/main"
    single.git(*caught.value.hint.split("`")[1].split()[1:])
    assert told(single, "origin/main") == []


def test_two_commits_without_a_common_one_are_an_error_that_says_what_to_fetch(
    work: Work, tmp_path: Path
) -> None:
    work.commit({"V003__mine.sql": "SELECT 3;\n"})
    others_commit(work, {"V003__theirs.sql": "SELECT 4;\n"})
    shallow = repositories.clone(
        work, tmp_path / "shallow", "--depth=1", "--no-single-branch", "--branch=mine"
    )
    with pytest.raises(ConfigurationError, match="have in common") as caught:
        told(shallow, "origin/main")
    assert "--unshallow" in (caught.value.hint or "")


def test_a_shallow_clone_does_not_make_its_oldest_commits_author_the_author_of_all(
    work: Work, tmp_path: Path
) -> None:
    others_commit(work, {"V003__theirs.sql": "SELECT 4;\n"})
    shallow = repositories.clone(work, tmp_path / "shallow", "--depth=1", "--branch=main")
    (shallow.folder / "V003__mine.sql").write_text("SELECT 3;\n")
    [finding] = findings(shallow, "origin/main")
    assert "Ben" not in finding.message


def test_a_base_that_is_not_there_and_one_that_looks_like_an_option_are_errors(work: Work) -> None:
    for name in ("origin/main", "--output=x", "nothing"):
        with pytest.raises(ConfigurationError, match="git knows no commit"):
            told(work, name)
    assert not list(work.root.glob("**/x"))


def test_a_folder_outside_of_git_has_no_repository(tmp_path: Path) -> None:
    assert git.repository(tmp_path) is None
    assert git.repository(tmp_path / "nowhere") is None
