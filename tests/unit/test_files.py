"""The migrations folder: the order of what stands in it, and every error of what cannot."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgratchet import files
from pgratchet.errors import ConfigurationError, FilesError
from pgratchet.model import Kind, Migration, Problem
from tests.folders import write_migrations

SELECT = "SELECT 1;\n"


def scripts(folder: Path, *names: str) -> list[str]:
    write_migrations(folder, dict.fromkeys(names, SELECT))
    return [migration.script for migration in files.read(folder)]


def problems(folder: Path, *names: str) -> tuple[Problem, ...]:
    write_migrations(folder, dict.fromkeys(names, SELECT))
    with pytest.raises(FilesError) as caught:
        files.read(folder)
    return caught.value.problems


def migration(version: int, script: str, kind: Kind = Kind.VERSIONED) -> Migration:
    return Migration(kind, version, "x", Path(script), "0")


def test_versions_are_numbers_not_text(folder: Path) -> None:
    names = ("V10__ten.sql", "V2__two.sql", "V001__one.sql")
    assert scripts(folder, *names) == ["V001__one.sql", "V2__two.sql", "V10__ten.sql"]


def test_time_stamps_of_14_digits_are_versions_like_others(folder: Path) -> None:
    names = ("V20240131120000__later.sql", "V20231231235959__sooner.sql", "V7__first.sql")
    assert scripts(folder, *names) == [
        "V7__first.sql",
        "V20231231235959__sooner.sql",
        "V20240131120000__later.sql",
    ]


def test_a_baseline_stands_before_its_version_and_repeatables_are_last_by_name(folder: Path) -> None:
    names = ("R__b.sql", "V5__x.sql", "R__a.sql", "B005__y.sql", "V4__z.sql")
    assert scripts(folder, *names) == ["V4__z.sql", "B005__y.sql", "V5__x.sql", "R__a.sql", "R__b.sql"]


def test_a_migration_says_what_its_file_is(folder: Path) -> None:
    [path] = write_migrations(folder, {"V007__add_users.sql": SELECT})
    checksum = "b4e0497804e46e0a0b0b8c31975b062152d551bac49c3c2e80932567b4085dcd"
    assert files.read(folder) == (Migration(Kind.VERSIONED, 7, "add_users", path, checksum),)


def test_an_empty_folder_has_no_migrations(folder: Path) -> None:
    assert files.read(folder) == ()


def test_a_readme_and_dot_files_are_passed_over(folder: Path) -> None:
    assert scripts(folder, "README.md", ".gitkeep", ".V2__x.sql.swp", "V1__x.sql") == ["V1__x.sql"]


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("V1_add_users.sql", "V1__add_users.sql"),
        ("W1__add_users.sql", "V1__add_users.sql"),
        ("V1__Add_Users.sql", "V1__add_users.sql"),
        ("V1__add users.sql", "V1__add_users.sql"),
        ("V1__add_users.SQL", "V1__add_users.sql"),
    ],
    ids=["single underscore", "misspelt prefix", "upper case", "space", "upper-case ending"],
)
def test_a_wrong_name_is_an_error_that_says_what_it_should_be(folder: Path, name: str, right: str) -> None:
    [problem] = problems(folder, name)
    assert (problem.code, problem.hint) == ("name", f"Rename it to {right}.")
    assert str(folder / name) in problem.message


def test_a_name_that_cannot_be_guessed_is_an_error_that_says_the_rule(folder: Path) -> None:
    [problem] = problems(folder, "notes.txt")
    assert (problem.code, problem.hint) == ("name", f"Name it {files.RULE}.")


def test_a_folder_among_the_migrations_is_an_error_whatever_its_name(folder: Path) -> None:
    (folder / "V1__x.sql").mkdir()
    (folder / "old").mkdir()
    found = problems(folder)
    assert [(problem.code, problem.hint) for problem in found] == [("folder", "Move it elsewhere.")] * 2


def test_two_files_with_one_version_are_an_error_that_names_both(folder: Path) -> None:
    [problem] = problems(folder, "V1__one.sql", "V001__other.sql", "V2__x.sql")
    assert problem.code == "duplicate"
    assert "V1__one.sql" in problem.message
    assert "V001__other.sql" in problem.message
    assert "version 1" in problem.message


def test_three_files_with_one_version_are_all_named(folder: Path) -> None:
    told = "".join(problem.message for problem in problems(folder, "V1__a.sql", "V1__b.sql", "V1__c.sql"))
    assert all(name in told for name in ("V1__a.sql", "V1__b.sql", "V1__c.sql"))


def test_a_baseline_and_a_version_may_have_the_same_number_but_not_two_baselines(folder: Path) -> None:
    assert len(scripts(folder, "V3__x.sql", "B3__y.sql")) == 2
    [problem] = problems(folder, "B03__z.sql")
    assert problem.code == "duplicate"


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \r\n\n\t"], ids=["empty", "BOM", "space"])
def test_an_empty_file_is_an_error(folder: Path, content: bytes) -> None:
    write_migrations(folder, {"V1__x.sql": content})
    [problem] = problems(folder)
    assert problem.code == "empty"
    assert str(folder / "V1__x.sql") in problem.message


def test_a_link_that_leads_nowhere_is_an_unreadable_file(folder: Path) -> None:
    (folder / "V1__x.sql").symlink_to(folder / "gone.sql")
    [problem] = problems(folder)
    assert problem.code == "unreadable"
    assert "No such file" in problem.message


READ = """
import os, sys
from pathlib import Path
from pgratchet import files
from pgratchet.errors import ConfigurationError, FilesError
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    files.read(Path(sys.argv[1]))
except FilesError as error:
    print(*[(problem.code, problem.message) for problem in error.problems])
except ConfigurationError as error:
    print(error.message)
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that every user of the machine can come to, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        path.chmod(0o755)


def read_as_nobody(folder: Path) -> str:
    """Read a folder without root's rights, in a child; give what it says."""
    command = [sys.executable, "-c", READ, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_file_that_may_not_be_read_is_an_error(open_folder: Path) -> None:
    [path, _] = write_migrations(open_folder, {"V1__x.sql": SELECT, "V2__x.sql": SELECT})
    path.chmod(0)
    told = read_as_nobody(open_folder)
    assert told == f"('unreadable', '{path}: cannot be read: Permission denied')\n"


def test_a_folder_that_may_not_be_read_is_an_error(open_folder: Path) -> None:
    open_folder.chmod(0o311)
    assert read_as_nobody(open_folder) == f"cannot read the folder {open_folder}: Permission denied\n"


def test_a_folder_that_is_not_there_is_an_error_that_says_how_to_name_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no folder") as caught:
        files.read(tmp_path / "nowhere")
    assert "--dir" in str(caught.value.hint)


def test_every_problem_of_a_folder_is_told_at_once(folder: Path) -> None:
    write_migrations(folder, {"V1__empty.sql": ""})
    found = problems(folder, "V2_x.sql", "V3__x.sql", "V03__y.sql", "notes.txt")
    assert [problem.code for problem in found] == ["empty", "name", "name", "duplicate"]


def test_one_wrong_file_means_that_none_is_read(folder: Path) -> None:
    problems(folder, "V1__good.sql", "V2_wrong.sql")


@pytest.mark.parametrize(
    ("newest", "following"),
    [
        ("V7__x.sql", "8"),
        ("V007__x.sql", "008"),
        ("V9__x.sql", "10"),
        ("V099__x.sql", "100"),
        ("V999__x.sql", "1000"),
        ("V20240131120000__x.sql", "20240131120001"),
    ],
)
def test_the_next_version_is_one_more_and_as_wide(folder: Path, newest: str, following: str) -> None:
    write_migrations(folder, {newest: SELECT, "R__views.sql": SELECT})
    assert files.next_version(files.read(folder)) == following


def test_the_first_version_is_001() -> None:
    assert files.next_version([]) == "001"


def test_the_next_version_comes_after_a_baseline_that_stands_alone() -> None:
    assert files.next_version([migration(40, "B040__x.sql", Kind.BASELINE)]) == "041"


@given(st.integers(0, 10**14), st.integers(1, 20))
def test_the_next_version_is_always_higher_than_the_newest(newest: int, width: int) -> None:
    following = files.next_version([migration(newest, f"V{newest:0{width}}__x.sql")])
    assert int(following) == newest + 1
    assert len(following) == max(width, len(str(newest + 1)))


def test_seeds_are_the_sql_files_of_an_environment_by_name(tmp_path: Path) -> None:
    names = [f"{number}.sql" for number in range(20, 60)]
    others = ("test/notes.txt", "test/._20.sql", "other/1.sql")
    write_migrations(
        tmp_path, dict.fromkeys([*(f"test/{name}" for name in reversed(names)), *others], SELECT)
    )
    assert [seed.script for seed in files.seeds(tmp_path, "test")] == names


def test_there_are_never_seeds_for_production(tmp_path: Path) -> None:
    write_migrations(tmp_path, {"production/1.sql": SELECT})
    with pytest.raises(ConfigurationError, match="never for production"):
        files.seeds(tmp_path, "production")


@pytest.mark.parametrize("environment", ["prod", "../outside", "", "."])
def test_an_environment_without_seeds_is_an_error_that_names_those_there_are(
    tmp_path: Path, environment: str
) -> None:
    write_migrations(tmp_path, {"outside/1.sql": SELECT, "seeds/test/1.sql": SELECT, "seeds/1.sql": SELECT})
    with pytest.raises(ConfigurationError, match="there are no seeds for") as caught:
        files.seeds(tmp_path / "seeds", environment)
    assert caught.value.hint == (
        "There are some for test; or put .sql files into a folder of that name there."
    )


def test_a_project_without_seeds_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there are no seeds for test") as caught:
        files.seeds(tmp_path / "seeds", "test")
    assert caught.value.hint == "Put .sql files into a folder of that name there."


def test_an_environment_whose_folder_holds_no_sql_is_an_error(tmp_path: Path) -> None:
    write_migrations(tmp_path, {"test/notes.txt": "x"})
    with pytest.raises(ConfigurationError, match=r"holds no \.sql file"):
        files.seeds(tmp_path, "test")


def test_an_empty_seed_is_an_error(tmp_path: Path) -> None:
    write_migrations(tmp_path, {"test/1.sql": "\n"})
    with pytest.raises(FilesError, match="the file is empty"):
        files.seeds(tmp_path, "test")
