"""The names that `import pgratchet` offers: all of them there, sorted, typed and explained."""

from __future__ import annotations

import ast
import inspect
import typing
from pathlib import Path
from types import FunctionType

import pytest

import pgratchet
from pgratchet import errors, model
from tests.house.source import FILES, module, unit

FUNCTIONS = [name for name in pgratchet.__all__ if isinstance(getattr(pgratchet, name), FunctionType)]


def test_they_are_sorted_and_each_stands_once() -> None:
    assert pgratchet.__all__ == sorted(set(pgratchet.__all__))


def test_each_can_be_imported() -> None:
    scope: dict[str, object] = {}
    exec("from pgratchet import *", scope)
    assert set(pgratchet.__all__) <= set(scope)


def test_type_checkers_know_each() -> None:
    tree = ast.parse(Path(pgratchet.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    known = {
        name.name for node in imports if (node.module or "").startswith("pgratchet") for name in node.names
    }
    assert known == set(pgratchet.__all__) - {"__version__"}


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'clean'"):
        pgratchet.__getattr__("clean")


def test_none_is_also_the_name_of_a_module() -> None:
    modules = {unit(module(path)) for path in FILES}
    assert not modules & set(pgratchet.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_typed_and_has_a_docstring(name: str) -> None:
    function = getattr(pgratchet, name)
    hints = typing.get_type_hints(function)
    assert set(hints) == {*inspect.signature(function).parameters, "return"}
    assert inspect.getdoc(function)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_type_of_a_signature_is_public_too(name: str) -> None:
    hints = typing.get_type_hints(getattr(pgratchet, name)).values()
    ours = {kind for hint in hints for kind in (hint, *typing.get_args(hint)) if isinstance(kind, type)}
    hidden = {kind.__name__ for kind in ours if kind.__module__.startswith("pgratchet")}
    assert hidden <= set(pgratchet.__all__)


def test_every_event_that_an_observer_can_hear_is_public() -> None:
    events = {event.__name__ for event in typing.get_args(model.Event)}
    assert {"Observer", *events} <= set(pgratchet.__all__)


def test_every_error_that_a_function_says_it_raises_is_public() -> None:
    tree = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    told = "".join(inspect.getdoc(getattr(pgratchet, name)) or "" for name in FUNCTIONS)
    named = {kind.__name__ for kind in tree if kind.__name__ in told}
    assert len(named) > 3
    assert named <= set(pgratchet.__all__)
