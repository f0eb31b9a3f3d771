"""Operators with their classes and families, casts, languages, transforms and access methods."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pgratchet.mending.records import Said, Sides, differing
from pgratchet.mending.wording import callee, listed, operator, sign
from pgratchet.schema import Item

COVERS = {"function", "commutator", "negator", "restrict", "join", "hashes", "merges"}
ALTERS = {"restrict", "join"}
CLASS_COVERS = {"type", "default", "storage", "family"}
FAMILY_ALTERS = {"operators", "functions"}
CAST_COVERS = {"method", "context"}
LANGUAGE_COVERS = {"untrusted", "handler", "inline", "validator"}
TRANSFORM_COVERS = {"from sql", "to sql"}
ACCESS_COVERS = {"type", "handler"}


def make(item: Item, sides: Sides) -> Iterator[Said]:
    """Make an operator."""
    has = item.properties
    name, _, operands = item.name.partition("(")
    left, right = listed(operands.removesuffix(")"), ",")
    words = [f"FUNCTION = {callee(has['function'])}"]
    words += [
        f"{side} = {type_}" for side, type_ in (("LEFTARG", left), ("RIGHTARG", right)) if type_ != "NONE"
    ]
    words += [f"{key.upper()} = {sign(has[key])}" for key in ("commutator", "negator") if key in has]
    words += [f"{key.upper()} = {callee(has[key])}" for key in ("restrict", "join") if key in has]
    words += [key.upper() for key in ("hashes", "merges") if key in has]
    yield f"CREATE OPERATOR {name} ({', '.join(words)})"


def drop(item: Item) -> Iterator[str]:
    """Drop an operator."""
    yield f"DROP OPERATOR {operator(item.name)}"


def alter(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Change how it is estimated."""
    changed, has = differing(old, new) & ALTERS, new.properties
    words = [f"{key.upper()} = {callee(has[key]) if key in has else 'NONE'}" for key in sorted(changed)]
    if words:
        yield f"ALTER OPERATOR {operator(new.name)} SET ({', '.join(words)})"


def make_class(item: Item, sides: Sides) -> Iterator[Said]:
    """Make an operator class with those members of its family that are for its type."""
    has, (name, method) = item.properties, item.name.rsplit(" using ", 1)
    default = " DEFAULT" if "default" in has else ""
    family = sides.want.get(f"operator family {has['family']} using {method}")
    members = [member for member in _members(family) if _of_class(member, item)]
    members += [f"STORAGE {has['storage']}"] if "storage" in has else []
    members = members or [f"STORAGE {has['type']}"]
    head = f"CREATE OPERATOR CLASS {name}{default} FOR TYPE {has['type']} USING {method} FAMILY {has['family']} AS"
    yield f"{head}\n    {(',' + chr(10) + '    ').join(members)}"


def drop_named(item: Item) -> Iterator[str]:
    """Drop a class or a family."""
    name, method = item.name.rsplit(" using ", 1)
    yield f"DROP {item.kind.upper()} {name} USING {method}"


def make_family(item: Item, sides: Sides) -> Iterator[Said]:
    """Make an operator family, empty at first."""
    name, method = item.name.rsplit(" using ", 1)
    yield f"CREATE OPERATOR FAMILY {name} USING {method}"


def alter_family(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Add and drop members that no class brings or takes along."""
    name, method = new.name.rsplit(" using ", 1)
    gone = [one for one in _classes(new, sides.have) if one.title not in sides.want]
    come = [one for one in _classes(new, sides.want) if one.title not in sides.have]
    was, now = list(_members(old)), list(_members(new))
    added = [one for one in now if one not in was and not any(_of_class(one, item) for item in come)]
    dropped = [one for one in was if one not in now and not any(_of_class(one, item) for item in gone)]
    family = f"ALTER OPERATOR FAMILY {name} USING {method}"
    if dropped:
        yield f"{family} DROP {', '.join(map(_slot, dropped))}"
    if added:
        yield f"{family} ADD {', '.join(added)}"


def make_cast(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a cast."""
    method, context = item.properties["method"], item.properties.get("context")
    how = {"by input and output": "WITH INOUT", "without function": "WITHOUT FUNCTION"}
    when = f" AS {context.upper()}" if context else ""
    yield f"CREATE CAST ({' AS '.join(item.name.split(' as '))}) {how.get(method, f'WITH FUNCTION {method}')}{when}"


def drop_cast(item: Item) -> Iterator[str]:
    """Drop a cast."""
    yield f"DROP CAST ({' AS '.join(item.name.split(' as '))})"


def make_language(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a language, or put another in its place."""
    has = item.properties
    words = [f"{key.upper()} {callee(has[key])}" for key in ("handler", "inline", "validator") if key in has]
    yield " ".join(
        [f"CREATE OR REPLACE {'' if 'untrusted' in has else 'TRUSTED '}LANGUAGE {item.name}", *words]
    )


def make_again(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Put another language or transform in its place."""
    made = make_language if new.kind == "language" else make_transform
    if differing(old, new) & (LANGUAGE_COVERS | TRANSFORM_COVERS):
        yield from made(new, sides)


def make_transform(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a transform, or put another in its place."""
    words = [
        f"{key.upper()} WITH FUNCTION {item.properties[key]}"
        for key in ("from sql", "to sql")
        if key in item.properties
    ]
    yield f"CREATE OR REPLACE TRANSFORM {_transformed(item)} ({', '.join(words)})"


def drop_transform(item: Item) -> Iterator[str]:
    """Drop a transform."""
    yield f"DROP TRANSFORM {_transformed(item)}"


def make_access_method(item: Item, sides: Sides) -> Iterator[Said]:
    """Make an access method."""
    has = item.properties
    yield f"CREATE ACCESS METHOD {item.name} TYPE {has['type'].upper()} HANDLER {callee(has['handler'])}"


def _transformed(item: Item) -> str:
    return re.sub("^for (.*) language (.*)$", r"FOR \1 LANGUAGE \2", item.name)


def _classes(family: Item, side: Mapping[str, Item]) -> list[Item]:
    name, method = family.name.rsplit(" using ", 1)
    return [
        item
        for item in side.values()
        if item.kind == "operator class"
        and item.properties["family"] == name
        and item.name.endswith(f" using {method}")
    ]


def _members(family: Item | None) -> Iterator[str]:
    """Its members as ALTER OPERATOR FAMILY … ADD takes them."""
    if family is None:
        return
    for entry in listed(family.properties.get("operators")):
        number, name = entry.split(" ", 1)
        name, _, order = name.partition(" order by ")
        yield f"OPERATOR {number} {operator(name)}{f' FOR ORDER BY {order}' if order else ''}"
    for entry in listed(family.properties.get("functions")):
        yield f"FUNCTION {entry}"


def _operands(member: str) -> str:
    pattern = r"FUNCTION \d+ \((.*?)\) " if member.startswith("FUNCTION") else r"OPERATOR \d+ \S+ \((.*?)\)"
    found = re.match(pattern, member)
    return found[1] if found else ""


def _of_class(member: str, item: Item) -> bool:
    """Whether a class brings the member: both operands are of its type."""
    return set(_operands(member).split(", ")) == {item.properties["type"]}


def _slot(member: str) -> str:
    """A member as DROP takes it: its number and operands."""
    return f"{' '.join(member.split(' ', 2)[:2])} ({_operands(member)})"
