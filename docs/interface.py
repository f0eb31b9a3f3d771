"""What the page of the Python interface says: public functions, values, events, errors and their docstrings."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import typing
from collections.abc import Iterator
from itertools import pairwise
from types import FunctionType

import pgratchet
from pgratchet import model

EVENTS: tuple[type, ...] = typing.get_args(model.Event)

ERRORS = (
    "All are a `PgratchetError`, and have `message`, `hint` (what to do next), `exit_code` and `outcome` (what the "
    "run had done before, or None)."
)


def lines() -> Iterator[str]:
    """The whole page."""
    names = [name for name in pgratchet.__all__ if not name.startswith("_")]
    things = {name: getattr(pgratchet, name) for name in names}
    functions = {name: thing for name, thing in things.items() if isinstance(thing, FunctionType)}
    classes = {name: thing for name, thing in things.items() if isinstance(thing, type)}
    failures = {name: thing for name, thing in classes.items() if issubclass(thing, pgratchet.PgratchetError)}
    yield "`import pgratchet` loads none of this before it is used. The functions block; an asynchronous application"
    yield "calls them through `asyncio.to_thread`."
    yield from ("", "## Functions")
    for name, function in functions.items():
        yield from ("", f"### {name}", "", "```python", *signature(name, function), "```", "")
        yield inspect.getdoc(function) or ""
    yield from ("", "## Values")
    for name, record in classes.items():
        if name not in failures and record not in EVENTS:
            yield from _record(name, record)
    yield from ("", "## Events", "", f"`Observer` is a function that takes one `Event`: {_words(EVENTS)}.")
    for event in EVENTS:
        yield from _record(event.__name__, event)
    yield from (
        "",
        "## Errors",
        "",
        ERRORS,
    )
    for name, failure in failures.items():
        yield from ("", f"### {name}", "", f"{inspect.getdoc(failure)} Exit code {failure.exit_code}.")


def signature(name: str, function: FunctionType) -> Iterator[str]:
    """A function's signature, a parameter a line."""
    made = inspect.signature(function)
    yield f"{name}("
    star = False
    for parameter in made.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            yield "    *,"
            star = True
        default = "" if parameter.default is parameter.empty else f" = {_default(parameter.default)}"
        yield f"    {parameter.name}: {parameter.annotation}{default},"
    yield f") -> {made.return_annotation}"


def _record(name: str, record: type) -> Iterator[str]:
    yield from ("", f"### {name}", "", inspect.getdoc(record) or "", "")
    meanings = _meanings(record)
    for field, kind in _fields(record):
        yield f"- `{field}: {kind}`" + (f": {meanings[field]}" if field in meanings else "")


def _fields(record: type) -> list[tuple[str, str]]:
    if dataclasses.is_dataclass(record):
        return [(field.name, str(field.type)) for field in dataclasses.fields(record)]
    return [
        (name, str(kind).removeprefix("ForwardRef(").strip("')"))
        for name, kind in record.__annotations__.items()
    ]


def _meanings(record: type) -> dict[str, str]:
    """The sentence under a field, which Python itself does not keep."""
    [definition] = ast.parse(inspect.getsource(record)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, told in pairwise(definition.body):
        match field, told:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
    return found


def _default(value: object) -> str:
    return value.__name__ if isinstance(value, FunctionType) else repr(value)


def _words(kinds: tuple[type, ...]) -> str:
    return ", ".join(f"`{kind.__name__}`" for kind in kinds)
