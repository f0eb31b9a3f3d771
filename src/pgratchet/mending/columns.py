"""Columns of tables and views, and attributes of composite types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pgratchet.mending.foreign import created, given
from pgratchet.mending.records import Note, Said, Sides, Unmended, differing
from pgratchet.mending.sequences import parameters
from pgratchet.mending.wording import bare, keyword, relation, set_options
from pgratchet.schema import Action, Change, Item

COVERS = {"type", "collation", "not null", "default", "generated", "identity", "server options"}
"""What the definition of a column says of it."""
ALTERS = COVERS | {"storage", "compression", "statistics", "options", "inherited"}
NUMBERS = ("smallint", "integer", "bigint", "real", "double precision", "numeric")
STRINGS = ("text", "character varying", "character")
TIMES = ("date", "timestamp without time zone", "timestamp with time zone")
# What a column that may not be null holds in rows that are there before their own values are.
STAND_INS = (
    (r"(smallint|integer|bigint|real|double precision|numeric|money|oid)(\(.*\))?", "0"),
    (r"(text|character varying|character|name|bytea|\"char\")(\(.*\))?", "''"),
    (r"boolean", "false"),
    (r"date|timestamp.*", "'epoch'"),
    (r"time.*|interval.*", "'0:00'"),
    (r"jsonb?", "'{}'"),
    (r".*\[\]", "'{}'"),
    (r"uuid", "'00000000-0000-0000-0000-000000000000'"),
)


def definition(column: Item, sides: Sides) -> str:
    """The column as CREATE TABLE and ADD COLUMN take it."""
    has = column.properties
    words = [bare(column), has["type"]]
    if "server options" in has:
        words.append(created(column).strip())
    if "collation" in has:
        words.append(f"COLLATE {has['collation']}")
    if "generated" in has:
        form, _, expression = has["generated"].partition(": ")
        words.append(f"GENERATED ALWAYS AS ({expression}) {form.upper()}")
    elif "identity" in has:
        words.append(_identity(column, sides))
    elif "default" in has:
        words.append(f"DEFAULT {has['default']}")
    if "not null" in has:
        name = not_null(column, sides.want_parts)
        words.append(f"CONSTRAINT {name} NOT NULL" if name else "NOT NULL")
    return " ".join(words)


def not_null(column: Item, parts: Mapping[str, tuple[Item, ...]]) -> str | None:
    """The name of the plain NOT NULL constraint on a column, which is an object of its own from PostgreSQL 18 on."""
    wanted = f"NOT NULL {bare(column)}"
    for item in parts.get(column.parent or "", ()):
        if item.kind == "constraint" and item.properties["definition"] == wanted:
            return bare(item)
    return None


def make(column: Item, sides: Sides) -> Iterator[Said]:
    """Add the column; one that may not be null gets something to stand in where there may be rows."""
    if keyword(column) == "TYPE":
        yield f"ALTER TYPE {relation(column)} ADD ATTRIBUTE {definition(column, sides)}"
        return
    if keyword(column).endswith("VIEW"):
        return
    table = f"ALTER TABLE {relation(column)}"
    needs = "not null" in column.properties and not column.properties.keys() & {
        "default",
        "identity",
        "generated",
    }
    value = _stand_in(column, sides) if needs else None
    if value:
        yield f"{table} ADD COLUMN {definition(column, sides)} DEFAULT {value}"
        yield f"{table} ALTER COLUMN {bare(column)} DROP DEFAULT"
        yield Note(f"{column.title} may not be null: rows that are there get {value} until they get values")
    else:
        yield f"{table} ADD COLUMN {definition(column, sides)}"
        if needs:
            yield Note(f"{column.title} may not be null and nothing can stand in: it cannot be added to rows")


def drop(column: Item) -> Iterator[str]:
    """Drop the column."""
    if keyword(column) == "TYPE":
        yield f"ALTER TYPE {relation(column)} DROP ATTRIBUTE {bare(column)}"
    elif not keyword(column).endswith("VIEW"):
        yield f"ALTER TABLE {relation(column)} DROP COLUMN {bare(column)}"


def alter(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Change what a column or an attribute is."""
    changed = differing(old, new)
    if keyword(new) == "TYPE":
        if changed & {"type", "collation"}:
            yield f"ALTER TYPE {relation(new)} ALTER ATTRIBUTE {bare(new)} TYPE {_type(new)}"
        return
    if "generated" in changed:
        yield from _generated(old, new, sides)
        changed -= {"default", "type", "collation"}
    if changed & {"type", "collation"} and not keyword(new).endswith("VIEW") and not _recursed(old, new):
        yield f"ALTER TABLE {relation(new)} {_retype(old, new, sides)}"
        changed -= {"default"}
    yield from _valued(old, new, changed, sides)
    for clause in _stored(old, new, changed, sides):
        yield f"ALTER TABLE {relation(new)} ALTER COLUMN {bare(new)} {clause}"
    if "server options" in changed:
        yield f"ALTER FOREIGN TABLE {relation(new)} ALTER COLUMN {bare(new)} {given(old, new)}"
    if {old.properties.get("inherited"), new.properties.get("inherited")} == {"yes", "and defined here"}:
        reason = "whether an inherited column is also the table's own was decided when it was made"
        was, now = old.properties["inherited"], new.properties["inherited"]
        yield Unmended(Change(Action.CHANGED, new, "inherited", was, now), reason)


def _valued(old: Item, new: Item, changed: set[str], sides: Sides) -> Iterator[Said]:
    """What stands in a row that says nothing of it."""
    head, has = f"ALTER TABLE {relation(new)} ALTER COLUMN {bare(new)}", new.properties
    if "identity" in changed and "identity" not in has:
        yield f"{head} DROP IDENTITY"
    if "default" in changed:
        yield f"{head} {'SET DEFAULT ' + has['default'] if 'default' in has else 'DROP DEFAULT'}"
    if "not null" in changed:
        yield from _nullable(new, sides)
    if "identity" in changed and "identity" in old.properties and "identity" in has:
        yield f"{head} SET GENERATED {has['identity'].upper()}"


def finish(old: Item | None, new: Item, sides: Sides) -> Iterator[Said]:
    """Make it an identity once it may not be null."""
    if old is not None and "identity" in new.properties and "identity" not in old.properties:
        yield f"ALTER TABLE {relation(new)} ALTER COLUMN {bare(new)} ADD {_identity(new, sides)}"


def _stored(old: Item, new: Item, changed: set[str], sides: Sides) -> Iterator[str]:
    has = new.properties
    # What PostgreSQL 16 calls the default is written out for an older one.
    usual = (
        "default"
        if sides.major >= 16
        else "main"
        if re.match("numeric|inet|cidr", has["type"])
        else "extended"
    )
    if "storage" in changed:
        yield f"SET STORAGE {has.get('storage', usual).upper()}"
    if "compression" in changed:
        yield f"SET COMPRESSION {has.get('compression', 'default')}"
    if "statistics" in changed:
        yield f"SET STATISTICS {has.get('statistics', '-1')}"
    if "options" in changed:
        yield from set_options(old.properties.get("options"), has.get("options"))


def _nullable(new: Item, sides: Sides) -> Iterator[Said]:
    """A constraint of its own does it where the server has such; here is the rest."""
    if not_null(new, sides.want_parts) or not_null(new, sides.have_parts):
        return
    table, column = f"ALTER TABLE {relation(new)}", bare(new)
    if "not null" not in new.properties:
        yield f"{table} ALTER COLUMN {column} DROP NOT NULL"
    elif sides.online:
        yield f"{table} ADD CONSTRAINT mended_not_null CHECK ({column} IS NOT NULL) NOT VALID"
        yield f"{table} VALIDATE CONSTRAINT mended_not_null"
        yield f"{table} ALTER COLUMN {column} SET NOT NULL"
        yield f"{table} DROP CONSTRAINT mended_not_null"
    else:
        yield f"{table} ALTER COLUMN {column} SET NOT NULL"


def _generated(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    table, column = f"ALTER TABLE {relation(new)}", f"ALTER COLUMN {bare(new)}"
    was, now = (item.properties.get("generated", "") for item in (old, new))
    form, _, expression = now.partition(": ")
    if not now and was.startswith("stored"):
        yield f"{table} {column} DROP EXPRESSION"
        if "default" in new.properties:
            yield f"{table} {column} SET DEFAULT {new.properties['default']}"
    elif was.partition(": ")[0] == form and sides.major >= 17:
        yield f"{table} {column} SET EXPRESSION AS ({expression})"
    else:
        # Its values follow from other columns: nothing is lost that is not made again.
        yield f"{table} DROP COLUMN {bare(new)}"
        yield f"{table} ADD COLUMN {definition(new, sides)}"
        yield Note(f"{new.title} is made again, with values computed anew")


def _retype(old: Item, new: Item, sides: Sides) -> str:
    """One statement, since a default may fit neither the old type nor the new one."""
    column = f"ALTER COLUMN {bare(new)}"
    using = _using(old.properties["type"], new.properties["type"], sides)
    clauses = [f"{column} TYPE {_type(new)}" + (f" USING {bare(new)}{using}" if using else "")]
    was, now = (item.properties.get("default") for item in (old, new))
    if was and was != now:
        clauses.insert(0, f"{column} DROP DEFAULT")
    if now and was != now:
        clauses.append(f"{column} SET DEFAULT {now}")
    return ", ".join(clauses)


def _type(column: Item) -> str:
    order = column.properties.get("collation")
    return column.properties["type"] + (f" COLLATE {order}" if order else "")


def _using(old: str, new: str, sides: Sides) -> str:
    """The cast that ALTER COLUMN TYPE does not make by itself."""
    was, now = (re.sub(r"\([^)]*\)", "", name) for name in (old, new))
    if was == now or now in STRINGS or {was, now} <= set(NUMBERS) or {was, now} <= set(TIMES):
        return ""
    own = [
        f"{kind} {name}" in sides.have.keys() | sides.want.keys()
        for kind in ("type", "domain")
        for name in (was, now)
    ]
    return f"::text::{new}" if any(own) and was not in STRINGS else f"::{new}"


def _recursed(old: Item, new: Item) -> bool:
    """Whether the type comes from a parent table, whose column takes this one along."""
    return old.properties.get("inherited") is not None and new.properties.get("inherited") is not None


def _identity(column: Item, sides: Sides) -> str:
    head = f"GENERATED {column.properties['identity'].upper()} AS IDENTITY"
    owned = f"{bare(column)} as its identity"
    for item in sides.want_parts.get(column.parent or "", ()):
        if item.kind == "sequence" and item.properties.get("owned by column") == owned:
            return f"{head} (SEQUENCE NAME {item.name} {parameters(item)})"
    return head


def _stand_in(column: Item, sides: Sides) -> str | None:
    type_ = column.properties["type"]
    labels = sides.want[f"type {type_}"].properties.get("labels") if f"type {type_}" in sides.want else None
    if labels:
        return f"{labels.split(', ')[0]}::{type_}"
    found = (value for pattern, value in STAND_INS if re.fullmatch(pattern, type_))
    return next(found, None) if sides.have.get(column.parent or "") else None
