"""PostgreSQL's own grammar, as the library libpg_query has it: is a text SQL, and what does it say?

The library comes with the package postgast. It is called directly, since importing postgast takes a hundred
milliseconds, for a Python form of the tree that nobody here needs.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

Tree = dict[str, Any]
"""A node of the tree, as JSON: {"IndexStmt": {"concurrent": true, …}}; what is false is left out."""


class Refusal(NamedTuple):
    """Why the grammar refuses a text, and at which character of it, from 0."""

    message: str
    character: int


class _Error(ctypes.Structure):
    _fields_ = (
        ("message", ctypes.c_char_p),
        ("function", ctypes.c_char_p),
        ("file", ctypes.c_char_p),
        ("line", ctypes.c_int),
        ("cursor", ctypes.c_int),
        ("context", ctypes.c_char_p),
    )


class _Parsed(ctypes.Structure):
    _fields_ = (
        ("tree", ctypes.c_char_p),
        ("output", ctypes.c_char_p),
        ("error", ctypes.POINTER(_Error)),
    )


class _Routines(ctypes.Structure):
    _fields_ = (("tree", ctypes.c_char_p), ("error", ctypes.POINTER(_Error)))


class _Place(ctypes.Structure):
    _fields_ = (("start", ctypes.c_int), ("length", ctypes.c_int))


class _Cut(ctypes.Structure):
    _fields_ = (
        ("places", ctypes.POINTER(ctypes.POINTER(_Place))),
        ("count", ctypes.c_int),
        ("output", ctypes.c_char_p),
        ("error", ctypes.POINTER(_Error)),
    )


def tree(statement: str) -> Tree | None:
    """What a single statement says; None where the grammar refuses it, or sees another number of them."""
    library = _library()
    found = library.pg_query_parse(statement.encode())
    try:
        if found.error:
            return None
        statements = json.loads(found.tree)["stmts"]
    finally:
        library.pg_query_free_parse_result(found)
    return statements[0]["stmt"] if len(statements) == 1 else None


def routine(statement: str) -> Tree | None:
    """What the body of a DO, or of a function in PL/pgSQL, says; None where that grammar refuses it."""
    library = _library()
    found = library.pg_query_parse_plpgsql(statement.encode())
    try:
        if found.error:
            return None
        text: bytes = found.tree
    finally:
        library.pg_query_free_plpgsql_parse_result(found)
    # Of a trigger's variables the library writes `{}}` for `{}`, in front of the body.
    variables, mark, body = text.partition(b'"action":')
    try:
        trees = json.loads(variables.replace(b",{}}", b",{}") + mark + body)
    except ValueError:
        return None
    return trees[0] if trees else None


def agrees(statements: list[str]) -> bool:
    """Tell whether the grammar takes each of them, and for one statement: all in a single call."""
    contents = [statement.encode() for statement in statements]
    found = starts(b";\n".join(contents))
    if isinstance(found, Refusal) or len(found) != len(contents):
        return False
    begin = 0
    for content, start in zip(contents, found, strict=True):
        # A hint in front is a comment to the grammar.
        latest = begin + len(content) if content.startswith(b"/*") else begin
        if not begin - 1 <= start <= latest:
            return False
        begin += len(content) + 2
    return True


def starts(text: bytes) -> tuple[int, ...] | Refusal:
    """At which byte each statement of a text begins, white space before it counted in, or why there are none."""
    library = _library()
    found = library.pg_query_split_with_parser(text)
    try:
        if found.error:
            error = found.error.contents
            return Refusal((error.message or b"").decode(errors="replace"), error.cursor - 1)
        return tuple(found.places[at].contents.start for at in range(found.count))
    finally:
        library.pg_query_free_split_result(found)


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(_file()))
    library.pg_query_parse.argtypes = [ctypes.c_char_p]
    library.pg_query_parse.restype = _Parsed
    library.pg_query_free_parse_result.argtypes = [_Parsed]
    library.pg_query_free_parse_result.restype = None
    library.pg_query_parse_plpgsql.argtypes = [ctypes.c_char_p]
    library.pg_query_parse_plpgsql.restype = _Routines
    library.pg_query_free_plpgsql_parse_result.argtypes = [_Routines]
    library.pg_query_free_plpgsql_parse_result.restype = None
    library.pg_query_split_with_parser.argtypes = [ctypes.c_char_p]
    library.pg_query_split_with_parser.restype = _Cut
    library.pg_query_free_split_result.argtypes = [_Cut]
    library.pg_query_free_split_result.restype = None
    return library


def _file() -> Path:
    package = importlib.util.find_spec("postgast")
    for folder in (package.submodule_search_locations or ()) if package else ():
        for name in ("libpg_query.so", "libpg_query.dylib", "pg_query.dll"):
            if (path := Path(folder, name)).is_file():
                return path
    raise ImportError("the package postgast, which brings PostgreSQL's grammar, is not installed")
