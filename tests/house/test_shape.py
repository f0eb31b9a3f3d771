"""How large a file and a function may be, and what they may not be called or do."""

from __future__ import annotations

import ast
import re

from tests.house.source import FILES, PACKAGE, functions, module, tree

LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60
NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "core", "tools"}
TALK = {"print", "input", "exit", "quit", "sys.exit", "os._exit", "sys.stdout.write", "sys.stderr.write"}


def test_a_file_has_fewer_than_400_lines() -> None:
    lines = {module(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert not {name: count for name, count in lines.items() if count >= LINES_OF_A_FILE}


def test_a_function_has_at_most_60_lines() -> None:
    lines = {
        f"{module(path)}.{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in FILES
        for node in functions(path)
    }
    assert not {name: count for name, count in lines.items() if count > LINES_OF_A_FUNCTION}


def test_no_module_has_a_name_that_says_nothing() -> None:
    parts = {part for path in FILES for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert not parts & NAMELESS


def test_every_module_says_in_its_docstring_what_it_is_for() -> None:
    assert not [module(path) for path in FILES if not ast.get_docstring(tree(path))]


def test_every_function_is_typed() -> None:
    bare = [
        f"{module(path)}.{node.name}" for path in FILES for node in functions(path) if node.returns is None
    ]
    assert not bare


def test_only_the_command_line_prints_reads_and_exits() -> None:
    talk = [
        f"{module(path)}:{node.lineno} {ast.unparse(node.func)}"
        for path in FILES
        if not module(path).startswith("cli")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in TALK
    ]
    assert not talk


def test_no_global_changes() -> None:
    assert not [
        module(path) for path in FILES for node in ast.walk(tree(path)) if isinstance(node, ast.Global)
    ]


def test_no_pattern_repeats_a_group_possessively() -> None:
    """Python up to 3.11.4, Debian 12's among them, loses its place in such a group, and misreads SQL."""
    texts = {path: path.read_text(encoding="utf-8") for path in FILES}
    assert not [path for path, text in texts.items() if re.search(r"\)[*+?]\+|TRIVIA \+ rb\"[*+?]\+", text)]
