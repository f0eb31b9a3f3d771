"""The files that `new` and `init` write, which the other commands must then understand."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgratchet import config, files, scaffold
from pgratchet.errors import ConfigurationError, FilesError
from tests.folders import write_migrations


def settings(root: Path, **flags: str | None) -> config.Settings:
    return config.load(flags, {}, str(root))


def test_new_writes_the_next_version_with_a_snake_case_name(folder: Path) -> None:
    write_migrations(folder, {"V009__first.sql": "SELECT 1;"})
    path = scaffold.new(str(folder), "Add user e-mail!")
    assert path == folder / "V010__add_user_e_mail.sql"
    assert path.read_text().startswith("-- Purpose: Add user e-mail!\n-- Risk: ")
    assert [migration.version for migration in files.read(folder)] == [9, 10]


def test_new_asks_for_purpose_risk_and_how_to_reverse(folder: Path) -> None:
    lines = scaffold.new(str(folder), "x").read_text().splitlines()
    assert [line[:11].strip() for line in lines if line] == ["-- Purpose:", "-- Risk:", "-- Reverse:"]


@given(st.text(max_size=50))
def test_whatever_the_description_the_header_is_nothing_but_comments(description: str) -> None:
    header = scaffold.MIGRATION.format(purpose=scaffold.one_line(description))
    assert all(line.startswith("--") for line in header.splitlines() if line)


def test_a_description_stays_on_its_line() -> None:
    assert scaffold.one_line(" add\n users\t\x1b[31m ") == "add users [31m"


@pytest.mark.parametrize("description", ["", "  ", "!?", "__", "ж"])
def test_new_refuses_a_description_without_a_word(folder: Path, description: str) -> None:
    with pytest.raises(ConfigurationError, match="has no letter or digit"):
        scaffold.new(str(folder), description)
    assert list(folder.iterdir()) == []


def test_new_refuses_a_folder_that_is_wrong_already(folder: Path) -> None:
    write_migrations(folder, {"V1_x.sql": "SELECT 1;"})
    with pytest.raises(FilesError):
        scaffold.new(str(folder), "x")


def test_new_refuses_a_name_that_the_file_system_does_not_take(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="File name too long"):
        scaffold.new(str(folder), "x" * 300)


def test_init_writes_a_project_that_every_command_understands(tmp_path: Path) -> None:
    made = scaffold.init(settings(tmp_path))
    folder = tmp_path / "database" / "migrations"
    assert made == (folder / "V001__first_table.sql", folder / "README.md", tmp_path / config.FILE)
    [first] = files.read(folder)
    assert (first.version, first.description) == (1, "first_table")
    assert config.load({}, {}, str(tmp_path)) == settings(tmp_path)
    assert scaffold.new(str(folder), "second").name == "V002__second.sql"


def test_init_names_every_setting_with_its_meaning(tmp_path: Path) -> None:
    scaffold.init(settings(tmp_path))
    text = (tmp_path / config.FILE).read_text()
    for key in config.KEYS:
        assert f"# {key.meaning} ({key.variable})\n" in text
    table = tomllib.loads(re.sub(r"(?m)^# (\w+ = )", r"\1", text))
    assert table == {key.name: key.default for key in config.KEYS}


def test_init_keeps_the_folder_that_was_asked_for(tmp_path: Path) -> None:
    scaffold.init(settings(tmp_path, directory="sql"))
    assert config.load({}, {}, str(tmp_path)).directory == f"{tmp_path}/sql"


@pytest.mark.parametrize("name", ['quo"te', "back\\slash", "\u00fcml\u00e4ut", "tab\t", "del\x7f"])
def test_init_writes_settings_that_can_be_read_whatever_the_folder_is_called(
    tmp_path: Path, name: str
) -> None:
    scaffold.init(settings(tmp_path, directory=name))
    assert config.load({}, {}, str(tmp_path)).directory == f"{tmp_path}/{name}"


def test_init_writes_the_whole_name_of_a_folder_that_lies_elsewhere(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    scaffold.init(settings(project, directory=f"{tmp_path}/sql"))
    assert tomllib.loads((project / config.FILE).read_text())["directory"] == f"{tmp_path}/sql"


def test_init_leaves_all_but_the_folders_to_be_chosen(tmp_path: Path) -> None:
    scaffold.init(settings(tmp_path))
    assert set(tomllib.loads((tmp_path / config.FILE).read_text())) == {"directory", "seeds"}


def test_init_keeps_the_files_that_are_there(tmp_path: Path) -> None:
    (tmp_path / config.FILE).write_text('table = "mine"\n')
    made = scaffold.init(settings(tmp_path))
    assert tmp_path / config.FILE not in made
    assert (tmp_path / config.FILE).read_text() == 'table = "mine"\n'


def test_init_refuses_a_folder_with_migrations(tmp_path: Path) -> None:
    scaffold.init(settings(tmp_path))
    with pytest.raises(ConfigurationError, match="holds migrations already"):
        scaffold.init(settings(tmp_path))


def test_init_refuses_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "database").write_text("")
    with pytest.raises(ConfigurationError, match="cannot make the folder"):
        scaffold.init(settings(tmp_path))
    assert not (tmp_path / config.FILE).exists()
