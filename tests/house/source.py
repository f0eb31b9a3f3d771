"""The package's own source, as syntax trees: what the rules of the house are checked on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "src" / "pgratchet"
FILES = sorted(PACKAGE.rglob("*.py"))
RESOURCES = sorted((PACKAGE / "sql").glob("*.sql"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module(path: Path) -> str:
    """Name a file as its imports do: `apply.work`, and `apply` for the folder's own file."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(file) for file in FILES}


def unit(name: str) -> str:
    """Give the file or folder directly in the package that a module belongs to."""
    return name.partition(".")[0]


def imports(path: Path) -> Iterator[str]:
    """Give every module that a file imports at run time, lazily too, by its absolute name."""
    for node in _running(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the module's absolute name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[str]:
    """Give the package's own modules that a file imports, without what it takes from them."""
    found = set()
    for name in imports(path):
        if name.startswith("pgratchet."):
            inner = name.removeprefix("pgratchet.")
            found.add(inner if inner in MODULES else inner.rpartition(".")[0])
    return found


def outside_imports(path: Path) -> set[str]:
    """Give the packages of others, and of the standard library, that a file imports."""
    return {name.partition(".")[0] for name in imports(path)} - {"pgratchet"}


def words(path: Path) -> set[str]:
    """Give what a file imports and every text in its code, without docstrings."""
    nodes = list(ast.walk(tree(path)))
    told = {node.value for node in nodes if isinstance(node, ast.Expr)}
    texts = {
        n.value for n in nodes if isinstance(n, ast.Constant) and n not in told and isinstance(n.value, str)
    }
    return texts | outside_imports(path)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without what stands under `if TYPE_CHECKING`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from _running(child)
