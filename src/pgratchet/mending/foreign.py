"""Foreign data: wrappers, servers, mappings of users, and the options of all of them."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet import sql
from pgratchet.mending.records import Note, Said, Sides, differing
from pgratchet.mending.wording import callee, options
from pgratchet.schema import Item

COVERS = {"handler", "validator", "wrapper", "type", "version", "server options"}
ALTERS = {"handler", "validator", "version", "server options"}
MASK = "***"


def created(item: Item) -> str:
    """The options of what is made, with a space before."""
    found = changes({}, options(item.properties.get("server options")), add="")
    return f" OPTIONS ({', '.join(found)})" if found else ""


def given(old: Item, new: Item) -> str:
    """`OPTIONS (…)` that lead from the one item's to the other's."""
    was, now = (options(item.properties.get("server options")) for item in (old, new))
    return f"OPTIONS ({', '.join(changes(was, now))})"


def changes(was: dict[str, str], now: dict[str, str], add: str = "ADD ") -> list[str]:
    """Options that are added, set and dropped."""
    changed = [
        f"{'SET ' if key in was else add}{sql.quote(key)} {sql.literal(value).strip()}"
        for key, value in now.items()
        if was.get(key) != value
    ]
    return [*changed, *(f"DROP {sql.quote(key)}" for key in was if key not in now)]


def make(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a wrapper, a server or a mapping."""
    has = item.properties
    if item.kind == "foreign data wrapper":
        words = [f"{name.upper()} {callee(has[name])}" for name in ("handler", "validator") if name in has]
        yield f"CREATE FOREIGN DATA WRAPPER {' '.join([item.name, *words])}{created(item)}"
    elif item.kind == "server":
        words = [f"{name.upper()} {sql.literal(has[name])}" for name in ("type", "version") if name in has]
        yield f"CREATE SERVER {' '.join([item.name, *words])} FOREIGN DATA WRAPPER {has['wrapper']}{created(item)}"
    else:
        yield f"CREATE USER MAPPING FOR {mapped(item)}{created(item)}"
    if f"={MASK}" in has.get("server options", ""):
        yield Note(f"{item.title} has a secret that is not known: write it in place of {MASK}")


def drop(item: Item) -> Iterator[str]:
    """Drop it."""
    if item.kind == "user mapping":
        yield f"DROP USER MAPPING FOR {mapped(item)}"
    else:
        yield f"DROP {item.kind.upper()} {item.name}"


def alter(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Change functions, version and options."""
    changed, has = differing(old, new), new.properties
    name = (
        f"USER MAPPING FOR {mapped(new)}" if new.kind == "user mapping" else f"{new.kind.upper()} {new.name}"
    )
    for word in sorted(changed & {"handler", "validator"}):
        yield f"ALTER {name} {f'{word.upper()} {callee(has[word])}' if word in has else f'NO {word.upper()}'}"
    if "version" in changed:
        yield f"ALTER {name} VERSION {sql.literal(has['version']) if 'version' in has else 'NULL'}"
    if "server options" in changed:
        yield f"ALTER {name} {given(old, new)}"


def mapped(item: Item) -> str:
    """`user SERVER server`."""
    user, _, server = item.name.rpartition(" on ")
    return f"{user} SERVER {server}"
