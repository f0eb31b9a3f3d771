"""What stands in the body of a DO or of a function: its SQL, that of constant EXECUTE strings too, with places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

Node = dict[str, Any]

_RUNS = {
    "execsql": "sqlstmt",
    "perform": "expr",
    "call": "expr",
    "dynexecute": "query",
    "assign": "expr",
    "return_query": "query",
    "fors": "query",
}
"""The statements of PL/pgSQL that hold SQL, and under which key."""


class Inner(NamedTuple):
    """A statement in a body; `at` is the character of the outer statement at which it begins."""

    sql: str
    at: int


class Body(NamedTuple):
    """The statements of a body, in the order of the text."""

    statements: tuple[Inner, ...]
    commits: bool = False
    """It ends transactions."""


def read(sql: str, tree: Node) -> Body | None:
    """Read the body that a statement has, where its language is SQL or PL/pgSQL."""
    (name, node), *_ = tree.items()
    if name not in {"DoStmt", "CreateFunctionStmt"}:
        return None
    options = {item["DefElem"]["defname"]: item["DefElem"]["arg"] for item in _options(node)}
    language = options.get("language", {}).get("String", {}).get("sval", "plpgsql").lower()
    text = _text(options.get("as", {}))
    if text is None:
        return None
    start = max(0, sql.find(text))
    if language == "sql":
        return Body(tuple(_of_sql(text, start)))
    return _of_plpgsql(sql, text, start) if language == "plpgsql" else None


def _options(node: Node) -> list[Node]:
    found = node.get("args" if "funcname" not in node else "options", [])
    return [item for item in found if "arg" in item.get("DefElem", {})]


def _text(node: Node) -> str | None:
    """The body as `AS` has it: a string, of a function the only one of a list."""
    items = node["List"]["items"] if "List" in node else [node]
    return items[0].get("String", {}).get("sval") if len(items) == 1 else None


def _of_sql(text: str, start: int) -> Iterator[Inner]:
    from pgratchet.parse import grammar

    content = text.encode()
    found = grammar.starts(content)
    if isinstance(found, grammar.Refusal) or not found:
        return
    for begin, end in zip(found, (*found[1:], len(content)), strict=True):
        statement = content[begin:end].decode()
        lead = len(statement) - len(statement.lstrip())
        yield Inner(statement.strip().rstrip(";"), start + len(content[:begin].decode()) + lead)


def _of_plpgsql(sql: str, text: str, start: int) -> Body | None:
    from pgratchet.parse import grammar

    tree = grammar.routine(sql)
    if tree is None:
        return None
    lines = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
    found: list[Inner] = []
    commits = False
    for kind, node in _walk(tree):
        commits = commits or kind in {"commit", "rollback"}
        if kind in _RUNS and _RUNS[kind] in node:
            line = lines[min(node.get("lineno", 1), len(lines)) - 1]
            found += _inner(kind, node[_RUNS[kind]]["PLpgSQL_expr"]["query"], text, line, start)
    return Body(tuple(found), commits)


def _inner(kind: str, query: str, text: str, line: int, start: int) -> Iterator[Inner]:
    at = text.find(query, line)
    place = start + (at if at >= 0 else line + len(text[line:]) - len(text[line:].lstrip()))
    if kind == "dynexecute":
        said = _constant(query)
        yield from _of_sql(said, place) if said else ()
        return
    if kind == "assign":
        query = "SELECT " + query.partition(":=")[2] if ":=" in query else "SELECT " + query.partition("=")[2]
    yield Inner(query, place)


def _constant(expression: str) -> str | None:
    """The text that an expression stands for, where it is made of constants alone."""
    from pgratchet.parse import grammar

    tree = grammar.tree(f"SELECT {expression}")
    targets = tree.get("SelectStmt", {}).get("targetList", []) if tree else []
    return _value(targets[0]["ResTarget"]["val"]) if len(targets) == 1 else None


def _value(node: Node) -> str | None:
    if "A_Const" in node:
        text: str | None = node["A_Const"].get("sval", {}).get("sval")
        return text
    if "A_Expr" in node and node["A_Expr"]["name"][-1]["String"]["sval"] == "||":
        parts = [_value(node["A_Expr"][side]) for side in ("lexpr", "rexpr")]
        return None if None in parts else "".join(part for part in parts if part)
    if "FuncCall" in node and node["FuncCall"]["funcname"][-1]["String"]["sval"] == "format":
        parts = [_value(argument) for argument in node["FuncCall"].get("args", ())]
        return None if None in parts or not parts else _formatted([part or "" for part in parts])
    return None


def _formatted(parts: list[str]) -> str | None:
    """What `format` makes of constants; None for the forms with positions and widths."""
    pieces = parts[0].replace("%%", "\0").split("%")
    if len(pieces) != len(parts) or any(piece[:1] not in {"I", "s", "L"} for piece in pieces[1:]):
        return None
    quotes = {"I": '"', "s": "", "L": "'"}
    filled = (
        quotes[piece[0]] + value + quotes[piece[0]] + piece[1:]
        for piece, value in zip(pieces[1:], parts[1:], strict=True)
    )
    return "".join([pieces[0], *filled]).replace("\0", "%")


def _walk(node: object) -> Iterator[tuple[str, Node]]:
    """Every statement of PL/pgSQL in a tree, outer ones first."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key.startswith("PLpgSQL_stmt_"):
                yield key.removeprefix("PLpgSQL_stmt_"), value
            yield from _walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value)
