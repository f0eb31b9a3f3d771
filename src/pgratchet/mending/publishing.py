"""Publications and subscriptions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgratchet import sql
from pgratchet.mending.records import Said, Sides, Unmended, differing
from pgratchet.mending.wording import IDENTIFIER, listed
from pgratchet.schema import Action, Change, Item

COVERS = {"all tables", "via partition root", "publishes", "generated columns", "schemas", "tables"}
ALTERS = COVERS - {"all tables"}
SUBSCRIPTION_COVERS = {
    *("disabled", "publications", "slot", "synchronous commit", "binary", "streaming", "two phase"),
    *("disable on error", "origin", "password required", "run as owner", "failover"),
}
SUBSCRIPTION_ALTERS = SUBSCRIPTION_COVERS - {"two phase"}
SWITCHES = ("binary", "disable on error", "run as owner", "failover")
STREAMING = {"t": "on", "p": "parallel", "true": "on", "yes": "on"}


def make(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a publication."""
    has = item.properties
    objects = ", ".join(_objects(item))
    what = " FOR ALL TABLES" if "all tables" in has else f" FOR {objects}" if objects else ""
    yield f"CREATE PUBLICATION {item.name}{what} WITH ({', '.join(_options(item, set(has) | {'publishes'}))})"


def drop(item: Item) -> Iterator[str]:
    """Drop a publication."""
    yield f"DROP PUBLICATION {item.name}"


def alter(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Change what it publishes."""
    changed = differing(old, new)
    if given := _options(new, changed):
        yield f"ALTER PUBLICATION {new.name} SET ({', '.join(given)})"
    if changed & {"tables", "schemas"}:
        objects = _objects(new)
        if objects:
            yield f"ALTER PUBLICATION {new.name} SET {', '.join(objects)}"
        else:
            yield f"ALTER PUBLICATION {new.name} DROP {', '.join(_objects(old, terms=False))}"


def drop_subscription(item: Item) -> Iterator[str]:
    """Drop a subscription; one with a slot cannot be in a transaction, and tells its publisher."""
    yield f"DROP SUBSCRIPTION {item.name}"


def make_subscription(item: Item, sides: Sides) -> Iterator[Said]:
    """Say that nobody but its maker knows the connection."""
    yield Unmended(
        Change(Action.REMOVED, item), "the connection to its publisher is not known, nor should it be"
    )


def alter_subscription(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Change how it subscribes."""
    changed, has = differing(old, new), new.properties
    name = f"ALTER SUBSCRIPTION {new.name}"
    if "disabled" in changed and "disabled" in has:
        yield f"{name} DISABLE"
    if "publications" in changed:
        yield f"{name} SET PUBLICATION {has['publications']} WITH (refresh = false)"
    given = [f"{word.replace(' ', '_')} = {word in has}" for word in SWITCHES if word in changed]
    if "slot" in changed:
        given.append(f"slot_name = {sql.literal(has['slot']).strip() if 'slot' in has else 'NONE'}")
    if "synchronous commit" in changed:
        given.append(f"synchronous_commit = {sql.literal(has['synchronous commit']).strip()}")
    if "streaming" in changed:
        given.append(f"streaming = {STREAMING.get(has.get('streaming', ''), 'off')}")
    if "origin" in changed:
        given.append(f"origin = {has.get('origin', 'any')}")
    if "password required" in changed:
        given.append(f"password_required = {'password required' in has}")
    if given:
        yield f"{name} SET ({', '.join(given).lower()})"
    if "disabled" in changed and "disabled" not in has:
        yield f"{name} ENABLE"


def _options(item: Item, changed: set[str]) -> list[str]:
    has = item.properties
    given = []
    if "publishes" in changed:
        given.append(f"publish = {sql.literal(has.get('publishes', ''))}")
    if "via partition root" in changed:
        given.append(f"publish_via_partition_root = {'true' if 'via partition root' in has else 'false'}")
    if "generated columns" in changed:
        given.append(f"publish_generated_columns = {has.get('generated columns', 'none')}")
    return given


def _objects(item: Item, *, terms: bool = True) -> list[str]:
    """Tables, with their columns and condition, and schemas."""
    lines = item.properties.get("tables", "").splitlines()
    names = lines if terms else [_name(line) for line in lines]
    schemas = listed(item.properties.get("schemas"))
    return [*(f"TABLE {name}" for name in names), *(f"TABLES IN SCHEMA {name}" for name in schemas)]


def _name(line: str) -> str:
    found = re.match(rf"{IDENTIFIER}(?:\.{IDENTIFIER})?", line)
    return found[0] if found else line
