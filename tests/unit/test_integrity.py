"""The lock of the migrations folder: what it holds, what it finds, and how git merges it."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgratchet import files, integrity, naming, scaffold
from pgratchet.errors import ConfigurationError
from tests import repositories
from tests.folders import write_migrations

checksums = st.text("0123456789abcdef", min_size=64, max_size=64)
scripts = st.from_regex(naming.NAME, fullmatch=True)
written = st.builds(integrity.Line, scripts, checksums, checksums) | st.builds(integrity.Line, scripts)


@given(st.lists(written))
def test_what_is_written_is_read_again(lines: list[integrity.Line]) -> None:
    assert integrity.lines(integrity.render(lines), Path("x")) == tuple(lines)


@given(st.lists(written, min_size=1), st.text())
def test_a_text_that_nobody_wrote_so_is_read_or_an_error(lines: list[integrity.Line], noise: str) -> None:
    text = integrity.render(lines) + noise
    with contextlib.suppress(ConfigurationError):
        assert integrity.lines(text, Path("x"))[: len(lines)] == tuple(lines)


@pytest.mark.parametrize("line", ["V1__a.sql", "V1__a.sql opened", "a b", f"V1__a.sql {'0' * 64}"])
def test_a_line_that_is_not_whole_is_an_error_that_names_it(line: str) -> None:
    with pytest.raises(ConfigurationError, match=r"x:2: not a line of migrations\.lock"):
        integrity.lines(f"# head\n{line}\n", Path("x"))


def locked(folder: Path, content: dict[str, str | bytes]) -> None:
    write_migrations(folder, content)
    assert integrity.write(files.read(folder))


def messages(folder: Path, *, finished: bool = False) -> list[str]:
    return [item.message for item in integrity.problems(files.read(folder), finished=finished)]


def test_a_folder_without_a_lock_has_no_problem(folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": "SELECT 1;"})
    assert messages(folder) == []


def test_a_lock_that_was_just_written_agrees_and_stands_in_the_order_of_versions(folder: Path) -> None:
    locked(folder, {"V10__b.sql": "SELECT 2;", "V2__a.sql": "SELECT 1;", "R__v.sql": "SELECT 3;"})
    assert messages(folder, finished=True) == []
    assert [line.script for line in integrity.read(folder) or ()] == ["V2__a.sql", "V10__b.sql", "R__v.sql"]
    assert not integrity.write(files.read(folder))


def test_an_edited_statement_is_found_and_an_edited_comment_is_not(folder: Path) -> None:
    locked(folder, {"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 2;"})
    write_migrations(folder, {"V1__a.sql": "-- why\nselect 1;", "V2__b.sql": "SELECT 3;"})
    [message] = messages(folder)
    assert message.startswith(f"{folder / 'V2__b.sql'}: its statements are others")


def test_a_file_that_is_gone_and_one_that_nobody_listed_are_found(folder: Path) -> None:
    locked(folder, {"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 2;"})
    (folder / "V2__b.sql").rename(folder / "V3__b.sql")
    assert [message.rpartition(": ")[2] for message in messages(folder)] == [
        "migrations.lock lists it, and it is gone",
        "migrations.lock does not list it",
    ]


def test_new_adds_an_open_line_that_only_a_finished_folder_may_not_have(folder: Path) -> None:
    locked(folder, {"V1__a.sql": "SELECT 1;", "R__v.sql": "SELECT 3;"})
    scaffold.new(str(folder), "next")
    write_migrations(folder, {"V2__next.sql": "SELECT 2;"})
    lines = integrity.read(folder)
    assert lines is not None
    assert [line.script for line in lines] == ["V1__a.sql", "V2__next.sql", "R__v.sql"]
    assert messages(folder) == []
    assert messages(folder, finished=True) == [
        f"{folder / 'V2__next.sql'}: migrations.lock still has it as open"
    ]


def test_new_makes_no_lock_where_there_is_none(folder: Path) -> None:
    scaffold.new(str(folder), "next")
    assert [path.name for path in folder.iterdir()] == ["V001__next.sql"]


@pytest.mark.parametrize("last", ["V001__a.sql", "R__view.sql"])
def test_two_branches_that_add_one_version_conflict_in_git(tmp_path: Path, last: str) -> None:
    work = repositories.new(tmp_path / "work", {"V001__a.sql": "SELECT 1;\n", last: "SELECT 1;\n"})
    integrity.write(files.read(work.folder))
    work.commit({})
    for branch in ("mine", "theirs"):
        work.git("switch", "--quiet", "--create", branch, "main")
        scaffold.new(str(work.folder), branch)
        work.commit({f"V002__{branch}.sql": f"SELECT '{branch}';\n"})
    merge = ["git", "-C", str(work.root), "merge", "mine"]
    done = subprocess.run(merge, capture_output=True, text=True, check=False)
    assert "CONFLICT (content): Merge conflict in database/migrations/migrations.lock" in done.stdout
    with pytest.raises(ConfigurationError, match=r"migrations\.lock:\d+: a conflict of git") as caught:
        integrity.read(work.folder)
    assert "new --renumber" in (caught.value.hint or "")
