"""Functions, procedures and aggregates."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.mending.records import Said, Sides
from pgratchet.mending.wording import callee, sign
from pgratchet.schema import Item

COVERS = {"definition"}
FUNCTIONS = {
    "state function": "SFUNC",
    "final function": "FINALFUNC",
    "combine function": "COMBINEFUNC",
    "serial function": "SERIALFUNC",
    "deserial function": "DESERIALFUNC",
    "moving state function": "MSFUNC",
    "moving inverse function": "MINVFUNC",
    "moving final function": "MFINALFUNC",
}
PLAIN = {
    "state type": "STYPE",
    "state size": "SSPACE",
    "initial value": "INITCOND",
    "moving state type": "MSTYPE",
    "moving state size": "MSSPACE",
    "moving initial value": "MINITCOND",
}
FINAL = {"final extra and modify": "FINALFUNC", "moving final extra and modify": "MFINALFUNC"}
MODIFY = {"r": "READ_ONLY", "s": "SHAREABLE", "w": "READ_WRITE"}
PARALLEL = {"s": "SAFE", "r": "RESTRICTED", "u": "UNSAFE"}
AGGREGATE_COVERS = {"arguments", "parallel", "form", "sort operator", *FUNCTIONS, *PLAIN, *FINAL}


def make(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a function or a procedure."""
    yield item.properties["definition"]


def drop(item: Item) -> Iterator[str]:
    """Drop it."""
    yield f"DROP ROUTINE {item.name}"


def alter(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Put another definition in its place."""
    if old.properties.get("definition") != new.properties.get("definition"):
        yield new.properties["definition"]


def replaces(old: Item, new: Item, sides: Sides) -> bool:
    """Whether names of arguments, defaults or the type of the result differ, which OR REPLACE does not change."""
    return _signature(old) != _signature(new)


def make_aggregate(item: Item, sides: Sides) -> Iterator[Said]:
    """Make an aggregate, or put another in its place."""
    has = item.properties
    words = [f"{word} = {callee(has[name])}" for name, word in FUNCTIONS.items() if name in has]
    words += [f"{word} = {has[name]}" for name, word in PLAIN.items() if name in has]
    for name, word in FINAL.items():
        if word.startswith("M") and "moving state function" not in has:
            continue
        extra, modify = has[name][:-1], has[name][-1]
        words += [f"{word}_EXTRA"] if extra == "true" else []
        words.append(f"{word}_MODIFY = {MODIFY[modify]}")
    if "sort operator" in has:
        words.append(f"SORTOP = {sign(has['sort operator'])}")
    words.append(f"PARALLEL = {PARALLEL[has['parallel']]}")
    words += ["HYPOTHETICAL"] if has.get("form") == "hypothetical set" else []
    arguments = has.get("arguments", "*")
    yield f"CREATE OR REPLACE AGGREGATE {callee_of(item)}({arguments}) ({', '.join(words)})"


def alter_aggregate(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Put another in its place."""
    mine = {name for name in old.properties.keys() | new.properties.keys() if name in AGGREGATE_COVERS}
    if any(old.properties.get(name) != new.properties.get(name) for name in mine):
        yield from make_aggregate(new, sides)


def replaces_aggregate(old: Item, new: Item, sides: Sides) -> bool:
    """Whether what follows from its functions may be another type."""
    names = ("form", "arguments", "state type", "final function")
    return any(old.properties.get(name) != new.properties.get(name) for name in names)


def callee_of(item: Item) -> str:
    """Its name without arguments, which may hold brackets of their own: types with modifiers do not."""
    return callee(item.name)


def body_begins(definition: str) -> int:
    """Where the body that is a string begins; what it names is looked up when it runs, and not before."""
    place = definition.find("\nAS ")
    return place if place >= 0 else len(definition)


def _signature(item: Item) -> list[str]:
    head = item.properties["definition"].partition("\n LANGUAGE")[0]
    return head.splitlines()


WITHOUT_BODIES = "SET LOCAL check_function_bodies = off"
