"""The docs are what the code says: reference pages as generated, links that lead somewhere, commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import pgratchet
from docs import generate
from pgratchet.cli.commands import Commands, program
from tests.house.source import ROOT

PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
COMMANDS = [pytest.param(command, id=name) for name, command in generate.walk(program)]


@pytest.mark.parametrize("name", generate.pages())
def test_a_page_of_the_reference_is_what_the_code_says(name: str) -> None:
    written = (generate.FOLDER / name).read_text(encoding="utf-8")
    assert written == generate.pages()[name], "run `make docs`"


def test_the_reference_holds_no_page_that_nothing_writes() -> None:
    assert {path.name for path in generate.FOLDER.iterdir()} == set(generate.pages())


def test_the_pages_of_the_rules_are_what_the_rules_say() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in generate.RULES.iterdir()}
    assert written == generate.rule_pages(), "run `make docs`"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_every_option_has_a_help(command: click.Command) -> None:
    assert command.help
    options = [item for item in command.params if isinstance(item, click.Option)]
    assert not [option.name for option in options if not option.help]


def test_the_list_of_commands_shows_each_with_a_whole_sentence() -> None:
    _, _, shown = CliRunner().invoke(program, ["--help"], terminal_width=80).output.partition("Commands:")
    assert "  up " in shown
    assert "..." not in shown


def test_every_command_but_psql_can_answer_in_json() -> None:
    silent = [
        name for name, command in generate.walk(program) if "as_json" not in {p.name for p in command.params}
    ]
    assert silent == ["pgratchet embedded psql"]


def test_every_command_stands_in_the_reference_with_its_other_names() -> None:
    text = generate.pages()["commands.md"]
    assert all(f"\n## {name}\n" in text for name, _ in generate.walk(program))
    assert all(f"`{alias}`" in text for alias in Commands.ALIASES)


def test_every_public_name_stands_in_the_reference() -> None:
    text = generate.pages()["api.md"]
    assert not [name for name in pgratchet.__all__ if not name.startswith("_") and name not in text]


def test_every_link_of_the_docs_leads_to_a_file() -> None:
    links = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^)#]+)[^)]*\)", _text(page))]
    local = [(page, link) for page, link in links if "://" not in link]
    assert len(local) > 10
    assert not [f"{page.name}: {link}" for page, link in local if not (page.parent / link).exists()]


def test_every_command_that_the_docs_speak_of_exists_with_its_options() -> None:
    known = {*program.commands, *Commands.ALIASES}
    wrong = []
    for page in [
        page for page in PAGES if page.parent != generate.RULES
    ]:  # sentences of theirs begin with our name
        for name, rest in re.findall(r"(?m)(?:`|^|exec |RUN )pgratchet ([a-z]+)([^`\n#]*)", _text(page)):
            command = program.commands.get(Commands.ALIASES.get(name, name))
            options = {option for item in command.params for option in item.opts} if command else set()
            unknown = set(re.findall(r"--[a-z-]+", rest.partition(" -- ")[0])) - options
            if name not in known or (unknown and not isinstance(command, click.Group)):
                wrong.append(f"{page.name}: pgratchet {name}{rest}")
    assert not wrong


def test_the_rehearsals_of_the_docs_show_nothing_of_the_machine_they_were_made_on() -> None:
    pages = [path for path in (ROOT / "docs/rehearsals").iterdir() if path.suffix in {".md", ".html"}]
    assert len(pages) == 7
    machine = r"/tmp|/home|/root|/usr|127\.0\.0\.1|localhost|socket|https?:"
    assert not [path.name for path in pages if re.search(machine, _text(path))]


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def test_every_cell_of_the_matrix_of_poolers_names_tests_that_exist() -> None:
    rows = re.findall(
        r"(?m)^\| (?!\||-).*$", _text(ROOT / "docs/guides/replicas_and_poolers.md").partition("|\n|---")[2]
    )
    cells = [(row, cell) for row in rows for cell in row.split("|")[2:-1]]
    assert len(cells) >= 20
    assert not [
        cell
        for _, cell in cells
        if "test_" not in cell and not re.search("as above|the same|nothing has begun", cell)
    ]
    named = {found for _, cell in cells for found in re.findall(r"(test_\w+\.py)(?:::(test_\w+))?", cell)}
    missing = [
        f"{file}::{test}"
        for file, test in named
        if f"def {test or 'test_'}" not in _text(ROOT / "tests/crash" / file)
    ]
    assert not missing
