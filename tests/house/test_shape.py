"""How large a file and a function may be, and what they may not be called or do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.source import FILES, PACKAGE, functions, module, tree

LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60
NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "core", "tools"}

BY_NAME = [pytest.param(path, id=module(path) or "pgratchet") for path in FILES]


@pytest.mark.parametrize("path", BY_NAME)
def test_a_file_has_fewer_than_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < LINES_OF_A_FILE


@pytest.mark.parametrize("path", BY_NAME)
def test_a_function_has_at_most_60_lines(path: Path) -> None:
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in functions(path)
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 > LINES_OF_A_FUNCTION
    }
    assert not long


def test_no_module_has_a_name_that_says_nothing() -> None:
    parts = {part for path in FILES for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert not parts & NAMELESS


@pytest.mark.parametrize("path", BY_NAME)
def test_a_module_says_in_its_docstring_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree(path))


@pytest.mark.parametrize("path", BY_NAME)
def test_only_the_command_line_prints_and_exits(path: Path) -> None:
    if module(path).partition(".")[0] == "cli":
        return
    called = {
        ast.unparse(node.func): node.lineno for node in ast.walk(tree(path)) if isinstance(node, ast.Call)
    }
    said = {"print", "sys.exit", "sys.stdout.write", "sys.stderr.write", "os._exit", "exit", "quit", "input"}
    assert not {name: line for name, line in called.items() if name in said}


@pytest.mark.parametrize("path", BY_NAME)
def test_nothing_is_kept_in_a_global_that_changes(path: Path) -> None:
    assert not [node.lineno for node in ast.walk(tree(path)) if isinstance(node, ast.Global)]
