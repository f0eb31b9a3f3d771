"""Schemas, extensions, and what is set for the database."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet import sql
from pgratchet.mending.records import Said, Sides, differing
from pgratchet.schema import Item

EXTENSION_COVERS = {"version", "in schema", "comment"}
EXTENSION_ALTERS = {"version", "in schema"}
LISTS = {
    *("local_preload_libraries", "search_path", "session_preload_libraries"),
    *("shared_preload_libraries", "temp_tablespaces", "unix_socket_directories"),
}
"""Settings whose value is a list of names, quoted where need be."""


def make_schema(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a schema."""
    yield f"CREATE SCHEMA {item.name}"


def drop(item: Item) -> Iterator[str]:
    """Drop a schema, an extension, a language or an access method."""
    yield f"DROP {item.kind.upper()} {item.name}"


def make_extension(item: Item, sides: Sides) -> Iterator[Said]:
    """Make an extension in the version that was there; its schema may be pg_catalog, which it names itself."""
    place = item.properties["in schema"]
    schema = "" if place == "pg_catalog" else f" SCHEMA {place}"
    version = f" VERSION {sql.literal(item.properties['version'])}" if "version" in item.properties else ""
    yield f"CREATE EXTENSION {item.name}{schema}{version}"


def alter_extension(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Bring it to another version, or into another schema."""
    changed, has = differing(old, new), new.properties
    if "version" in changed:
        yield f"ALTER EXTENSION {new.name} UPDATE TO {sql.literal(has['version'])}"
    if "in schema" in changed:
        yield f"ALTER EXTENSION {new.name} SET SCHEMA {has['in schema']}"


def make_setting(item: Item, sides: Sides) -> Iterator[Said]:
    """Set it for the database that runs this."""
    name, value = item.name.partition(" of ")[0], item.properties.get("value", "")
    yield _set(item, f"SET {name} = {value if name in LISTS and value else sql.literal(value).strip()}")


def drop_setting(item: Item) -> Iterator[str]:
    """Take the setting away."""
    yield _set(item, f"RESET {item.name.partition(' of ')[0]}")


def alter_setting(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Set another value."""
    if "value" in differing(old, new):
        yield from make_setting(new, sides)


def on_database(statement: str) -> str:
    """A statement on the database that runs it, `%I` being its name."""
    return f"DO $do$ BEGIN EXECUTE pg_catalog.format({sql.literal(statement)}, pg_catalog.current_database()); END $do$"


def _set(item: Item, what: str) -> str:
    role = item.name.partition(" of ")[2]
    head = f"ALTER ROLE {role.replace('%', '%%')} IN DATABASE %I" if role else "ALTER DATABASE %I"
    return on_database(f"{head} {what.replace('%', '%%')}")
