"""Reads the catalogue: every query in one round trip, in a session that nothing sets but we."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import psycopg
from psycopg import Cursor
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from pgratchet import sql
from pgratchet.db import Connection
from pgratchet.errors import LockNotAvailable
from pgratchet.schema.items import Item, Snapshot
from pgratchet.schema.selecting import select

# Each row of these is an item: eight columns that say what it is, and then its properties, named by the columns.
ITEMS = (
    "schema_schemas",
    "schema_relations",
    "schema_types",
    "schema_columns",
    "schema_constraints",
    "schema_indexes",
    "schema_sequences",
    "schema_routines",
    "schema_triggers",
    "schema_rules",
    "schema_policies",
    "schema_statistics",
    "schema_extensions",
    "schema_event_triggers",
    "schema_publications",
    "schema_subscriptions",
    "schema_foreign",
    "schema_operators",
    "schema_operator_classes",
    "schema_operator_families",
    "schema_casts",
    "schema_languages",
    "schema_transforms",
    "schema_access_methods",
    "schema_collations",
    "schema_conversions",
    "schema_text_search",
    "schema_database",
    "schema_settings",
    "schema_default_privileges",
)
OTHERS_GRANTS = "schema_system_grants"
# Each row of these is one property of an item of any kind.
COMMENTS, OWNERS, GRANTS = "schema_comments", "schema_owners", "schema_grants"
MEMBERS = "schema_members"

# What changes how the server writes a definition down; `timezone` does, for a default that is a point of time.
NEUTRAL = {
    "search_path": "",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "xmlbinary": "base64",
    "quote_all_identifiers": "off",
    "lc_monetary": "C",
    "jit": "off",
    # Where somebody holds a table, its definitions wait for him.
    "lock_timeout": "10s",
}
# Their names say themselves where they belong.
UNPLACED = {"schema", "default privileges"}
SECRET = re.compile(r"pass|secret|token|key|credential", re.IGNORECASE)

NOT_MODELLED = (
    "roles, tablespaces, parameters' grants and all else that belongs to the server and not to the database",
    "the database's own name, owner, encoding, locale and limit of connections",
    "large objects, and rows, the values of sequences included",
    "what stands in pg_catalog without belonging to an extension, save its grants",
    "what an extension's objects have been changed to, save their grants",
    "the connection of a subscription, and options of servers and user mappings that look like secrets",
    "versions of collations, which depend on the host",
)
"""What a snapshot does not hold, in words for people."""

Key = tuple[int, int, int]
"""Of an object: its catalogue, its OID in there, and the number of a column or 0."""
Row = tuple[Any, ...]
FIXED = 8


def snapshot(
    connection: Connection,
    *,
    ignore: Collection[str] = (),
    schemas: Collection[str] | None = None,
    owners: bool = True,
    grants: bool = True,
) -> Snapshot:
    """Read the whole schema. Works inside an open transaction, whose changes it sees, and leaves no setting behind.

    `ignore`: patterns of titles, `table public.sk_*`, with all that belongs to them, or of single properties,
    `index *: clustered`. `schemas`: only what lies in these, written as SQL does. Without `owners` and `grants` a
    schema that was restored under other roles is the same.
    """
    items = (*ITEMS, OTHERS_GRANTS) if grants else ITEMS
    notes = (COMMENTS, *((OWNERS,) if owners else ()), *((GRANTS,) if grants else ()))
    found = _ask(connection, (*items, *notes, MEMBERS))
    properties: dict[Key, dict[str, str]] = defaultdict(dict)
    for resource in notes:
        for class_, id_, sub, name, value in found[resource].fetchall():
            if value:
                properties[class_, id_, sub][name] = value
    members = {(class_, id_) for class_, id_ in found[MEMBERS].fetchall()}
    made = _items((found[resource] for resource in items), properties, members)
    return select(Snapshot(tuple(sorted(made, key=lambda item: item.title))), ignore, schemas)


def _ask(connection: Connection, resources: Iterable[str]) -> dict[str, Cursor[Row]]:
    """Send every query at once. What was set for them is rolled back, to the savepoint where there is a transaction.

    Raises LockNotAvailable where a table has been locked for too long.
    """
    alone = connection.info.transaction_status == TransactionStatus.IDLE
    settings = ", ".join(f"set_config({sql.literal(k)}, {sql.literal(v)}, true)" for k, v in NEUTRAL.items())
    cursors = {resource: connection.cursor(row_factory=tuple_row) for resource in resources}
    try:
        with connection.transaction(force_rollback=True), connection.pipeline():
            if alone:  # all queries see the same moment
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            connection.execute(f"SELECT {settings}".encode())
            for resource, cursor in cursors.items():
                cursor.execute(sql.load(resource).encode())
    except psycopg.errors.LockNotAvailable as error:
        raise LockNotAvailable(
            "the schema cannot be read: somebody has held a lock on a table for 10 s",
            "Try again; `pgratchet preflight` names long transactions.",
        ) from error
    return cursors


def _items(
    answers: Iterable[Cursor[Row]],
    notes: Mapping[Key, Mapping[str, str]],
    members: Collection[tuple[int, int]],
) -> Iterator[Item]:
    """Make the items; those of extensions, of temporary tables, and what belongs to such is left out.

    What others belong to comes first, so that it is known by then.
    """
    known: dict[tuple[int, int], Item] = {}
    for cursor in answers:
        names = [column.name for column in cursor.description or ()][FIXED:]
        for kind, schema, name, class_, id_, sub, of_class, of_id, *values in cursor.fetchall():
            owner = known.get((of_class, of_id))
            if (of_id and owner is None) or (class_, id_) in members:
                continue
            place = schema or (owner.name if owner else None)
            item = Item(
                kind,
                f"{place}.{name}" if place and kind not in UNPLACED else name,
                schema or (owner.schema if owner else None),
                owner.title if owner else None,
                {**_properties(names, values), **notes.get((class_, id_, sub), {})},
            )
            if sub == 0:
                known.setdefault((class_, id_), item)
            yield item


def _properties(names: Iterable[str], values: Iterable[Any]) -> dict[str, str]:
    """What is not as it is by itself: neither null, nor false, nor empty. An array is a set."""
    pairs = zip(names, values, strict=True)
    return {name: v if type(v) is str else _text(name, v) for name, v in pairs if v}


def _text(name: str, value: object) -> str:
    if isinstance(value, list):
        entries = map(_masked, value) if name == "server options" else value
        return ", ".join(sorted(entries))
    return "yes" if value is True else str(value)


def _masked(option: str) -> str:
    """An option of a server or of a user, never with a secret in it."""
    key, _, _ = option.partition("=")
    return f"{key}=***" if SECRET.search(key) else option
