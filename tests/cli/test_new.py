"""`pgratchet new --renumber` on real branches: what a person types after a collision."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pgratchet import files, integrity, scaffold
from tests import repositories
from tests.repositories import Work

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """Give a branch with two new files, one of whose versions the base got meanwhile; both list theirs in the lock."""
    made = repositories.new(tmp_path / "work", {"V001__a.sql": "SELECT 1;\n"})
    integrity.write(files.read(made.folder))
    made.commit({})
    made.git("switch", "--quiet", "--create", "mine")
    added(made, "mine", "later")
    made.git("switch", "--quiet", "main")
    added(made, "theirs")
    made.git("switch", "--quiet", "mine")
    return made


def added(work: Work, *names: str) -> None:
    for name in names:
        path = scaffold.new(str(work.folder), name)
        path.write_text(f"SELECT '{name}';\n")
    integrity.write(files.read(work.folder))
    work.commit({})


def scripts(work: Work) -> list[str]:
    return [migration.script for migration in files.read(work.folder)]


def listed(work: Work) -> list[str]:
    return [line.script for line in integrity.read(work.folder) or ()]


def test_our_own_files_move_above_the_base_and_the_lock_follows(run: Run, work: Work) -> None:
    code, out, _ = run("new", "--renumber", "--base", "main", "--dir", work.folder)

    assert code == 0
    assert out.splitlines() == [
        f"{work.folder / 'V002__mine.sql'} is now V003__mine.sql",
        f"{work.folder / 'V003__later.sql'} is now V004__later.sql",
    ]
    assert scripts(work) == listed(work) == ["V001__a.sql", "V003__mine.sql", "V004__later.sql"]
    assert (work.folder / "V003__mine.sql").read_text() == "SELECT 'mine';\n"
    assert integrity.problems(files.read(work.folder), finished=True) == ()


def test_it_ends_a_conflict_in_the_lock(run: Run, work: Work) -> None:
    merge = subprocess.run(["git", "-C", str(work.root), "merge", "main"], capture_output=True, check=False)
    assert merge.returncode == 1

    assert run("new", "--renumber", "--base", "main", "--dir", work.folder)[0] == 0

    assert scripts(work) == listed(work)
    assert scripts(work) == ["V001__a.sql", "V002__theirs.sql", "V003__mine.sql", "V004__later.sql"]
    assert integrity.problems(files.read(work.folder), finished=True) == ()


def test_files_of_one_description_find_their_places_empty(run: Run, work: Work) -> None:
    (work.folder / "V003__later.sql").rename(work.folder / "V003__mine.sql")
    assert run("new", "--renumber", "--base", "main", "--dir", work.folder)[0] == 0
    texts = [path.read_text() for path in sorted(work.folder.glob("V00[34]__mine.sql"))]
    assert texts == ["SELECT 'mine';\n", "SELECT 'later';\n"]


def test_a_file_that_is_still_being_written_stays_so(run: Run, work: Work) -> None:
    scaffold.new(str(work.folder), "unwritten")
    assert run("new", "--renumber", "--base", "main", "--dir", work.folder)[0] == 0
    lines = {line.script: line.checksum for line in integrity.read(work.folder) or ()}
    assert [name for name, checksum in lines.items() if checksum is None] == ["V005__unwritten.sql"]


def test_it_does_not_write_down_what_was_edited(run: Run, work: Work) -> None:
    (work.folder / "V001__a.sql").write_text("SELECT 2;\n")
    run("new", "--renumber", "--base", "main", "--dir", work.folder)
    [problem] = integrity.problems(files.read(work.folder))
    assert "V001__a.sql: its statements are others" in problem.message


def test_a_second_time_there_is_nothing_to_do(run: Run, work: Work) -> None:
    run("new", "--renumber", "--base", "main", "--dir", work.folder)
    code, out, _ = run("new", "--renumber", "--base", "main", "--dir", work.folder, "--json")
    assert (code, json.loads(out)["renamed"]) == (0, [])


def test_two_new_files_of_one_version_become_two(run: Run, work: Work) -> None:
    (work.folder / "V003__extra.sql").write_text("SELECT 'extra';\n")
    assert run("new", "--renumber", "--base", "main", "--dir", work.folder)[0] == 0
    assert scripts(work) == ["V001__a.sql", "V003__mine.sql", "V004__extra.sql", "V005__later.sql"]


@pytest.mark.parametrize(
    "arguments", [(), ("add", "x", "--renumber"), ("add", "x", "--base", "main"), ("--base", "main")]
)
def test_it_wants_a_description_or_renumber(run: Run, folder: Path, arguments: tuple[str, ...]) -> None:
    code, _, err = run("new", "--dir", folder, *arguments)
    assert code == 2
    assert "Say what the migration does, or --renumber" in err
    assert list(folder.iterdir()) == []


def test_outside_of_a_repository_it_is_an_error(run: Run, folder: Path) -> None:
    code, _, err = run("new", "--renumber", "--dir", folder)
    assert code == 2
    assert "is in no git repository" in err


def test_a_base_that_is_not_there_is_an_error_that_says_what_to_fetch(run: Run, work: Work) -> None:
    code, _, err = run("new", "--renumber", "--dir", work.folder)
    assert code == 2
    assert "git knows no commit origin/main here" in err
    assert "There is no remote to fetch it from" in err
