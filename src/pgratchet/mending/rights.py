"""Owners, grants, default privileges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pgratchet.mending.records import Said, Sides, Unmended
from pgratchet.mending.sequences import is_identity
from pgratchet.mending.wording import ROUTINES, address, bare, listed, relation
from pgratchet.schema import Action, Change, Item

ENTRY = re.compile(r"(not )?([A-Z ]+?)( with grant option)? to (.+?)(?: by (.+))?")
DEFAULT = re.compile(r"of (.+?)(?: in (.+))? on ([a-z ]+)")
# What privileges of which kind an object is born with, by the words of ALTER DEFAULT PRIVILEGES.
BORN = {
    "table": "tables",
    "view": "tables",
    "materialized view": "tables",
    "foreign table": "tables",
    "sequence": "sequences",
    "function": "functions",
    "procedure": "functions",
    "aggregate": "functions",
    "type": "types",
    "domain": "types",
    "schema": "schemas",
}
FOR_ALL = {"functions": "EXECUTE to PUBLIC", "types": "USAGE to PUBLIC"}


class Grant(NamedTuple):
    """One privilege of one role."""

    privilege: str
    grantee: str
    option: bool = False
    missing: bool = False
    """One that such an object has by itself, and this has not."""
    by: str | None = None


def own(old: Item | None, new: Item, sides: Sides) -> Iterator[Said]:
    """Give it to its owner; what belongs to a column goes with its table."""
    owner = new.properties.get("owner")
    was = old.properties.get("owner") if old else sides.role
    follows = new.kind == "sequence" and old is not None and "owned by column" in old.properties
    if not owner or owner == was or follows or (new.kind == "sequence" and is_identity(new)):
        return
    yield f"ALTER {address(new)} OWNER TO {owner}"


def grant(old: Item | None, new: Item, sides: Sides) -> Iterator[Said]:
    """Grant and revoke."""
    was = list(_grants(old.properties.get("grants"))) if old else list(_born(new, sides))
    now = list(_grants(new.properties.get("grants")))
    before = old.properties.get("owner") if old else sides.role
    owner = new.properties.get("owner")
    if before and owner and before != owner:  # what was his is the new owner's
        was = [one._replace(grantee=owner) if one.grantee == before else one for one in was]
    foreign = [one for one in {*was} ^ {*now} if one.by]
    if foreign:
        texts = (item.properties.get("grants") if item else None for item in (old, new))
        yield Unmended(Change(Action.CHANGED, new, "grants", *texts), "who granted it is not its owner")
        was, now = ([one for one in side if not one.by] for side in (was, now))
    target, columns = _target(new)
    for one in sorted({*was} - {*now}):
        if one.missing:
            yield f"GRANT {one.privilege}{columns} ON {target} TO {one.grantee}"
        elif one.option and one._replace(option=False) in now:
            yield f"REVOKE GRANT OPTION FOR {one.privilege}{columns} ON {target} FROM {one.grantee}"
        else:
            yield f"REVOKE {one.privilege}{columns} ON {target} FROM {one.grantee}"
    for one in sorted({*now} - {*was}):
        if one.missing:
            yield f"REVOKE {one.privilege}{columns} ON {target} FROM {one.grantee}"
        elif not (one._replace(option=True) in was and not one.option):
            option = " WITH GRANT OPTION" if one.option else ""
            yield f"GRANT {one.privilege}{columns} ON {target} TO {one.grantee}{option}"


def default(old: Item | None, new: Item | None, sides: Sides) -> Iterator[Said]:
    """Change what objects will be born with."""
    item = new or old
    assert item is not None
    found = DEFAULT.fullmatch(item.name)
    assert found is not None
    role, schema, kind = found.groups()
    head = f"ALTER DEFAULT PRIVILEGES FOR ROLE {role}{f' IN SCHEMA {schema}' if schema else ''}"
    where = f"ON {kind.upper()}"
    usual = set() if schema else _usual(role, kind, [old, new])
    was, now = (({*_grants(one.properties.get("grants"))} if one else usual) for one in (old, new))
    for one in sorted(was - now):
        yield f"{head} REVOKE {one.privilege} {where} FROM {one.grantee}"
    for one in sorted(now - was):
        yield f"{head} GRANT {one.privilege} {where} TO {one.grantee}{' WITH GRANT OPTION' if one.option else ''}"


def _usual(role: str, kind: str, items: Iterable[Item | None]) -> set[Grant]:
    """What the server grants where nothing is said: all to the owner, to all of them what FOR_ALL says."""
    texts = [item.properties.get("grants") for item in items if item]
    found = {one for text in texts for one in _grants(text) if one.grantee == role}
    # Where the owner was left nothing, all of it is meant.
    return (found or {Grant("ALL", role)}) | {*_grants(FOR_ALL.get(kind))}


def _born(item: Item, sides: Sides) -> Iterator[Grant]:
    """What a new object has beside what it has by itself, as the default privileges of its maker say."""
    kind = BORN.get(item.kind)
    if kind is None or sides.role is None:
        return
    place = sides.have.get(f"default privileges of {sides.role} in {item.schema} on {kind}")
    if place and item.kind != "schema":
        yield from _grants(place.properties.get("grants"))
    everywhere = sides.have.get(f"default privileges of {sides.role} on {kind}")
    if everywhere:
        has = {*_grants(everywhere.properties.get("grants"))}
        yield from (one for one in has if one.grantee not in {sides.role, "PUBLIC"})
        for one in _grants(FOR_ALL.get(kind)):
            if one not in has:
                yield one._replace(missing=True)


def _grants(text: str | None) -> Iterator[Grant]:
    for entry in listed(text):
        found = ENTRY.fullmatch(entry)
        assert found is not None, entry
        missing, privilege, option, grantee, by = found.groups()
        yield Grant(privilege, grantee, bool(option), bool(missing), by)


def _target(item: Item) -> tuple[str, str]:
    """The object as GRANT names it, and its columns."""
    if item.kind == "column":
        return relation(item), f" ({bare(item)})"
    if item.kind == "grants":
        return _system(item)
    if item.kind in ROUTINES:
        return f"ROUTINE {item.name}", ""
    words = {
        "server": "FOREIGN SERVER",
        "view": "TABLE",
        "materialized view": "TABLE",
        "foreign table": "TABLE",
    }
    return f"{words.get(item.kind, item.kind.upper())} {item.name}", ""


def _system(item: Item) -> tuple[str, str]:
    """What PostgreSQL or an extension brought, as pg_identify_object has named it."""
    found = re.fullmatch(r"on (table column|view column|[a-z ]+?) ((?:\S|\(.*\)).*)", item.name)
    assert found is not None
    kind, name = found.groups()
    if kind.endswith("column"):
        table, _, column = name.rpartition(".")
        return table, f" ({column})"
    words = {"function": "ROUTINE", "procedure": "ROUTINE", "aggregate": "ROUTINE", "view": "TABLE"}
    return f"{words.get(kind, kind.upper())} {name}", ""
