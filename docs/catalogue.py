"""Reads a live database's catalogue: its tables, views and functions with what their comments say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]

RELATIONS = """
SELECT relname, relkind = 'v', relpersistence = 'u', relrowsecurity, coalesce(obj_description(oid, 'pg_class'), '')
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
ORDER BY relname
"""
COLUMNS = """
SELECT
    attname, format_type(atttypid, atttypmod), attnotnull, attgenerated <> '',
    coalesce(pg_get_expr(adbin, adrelid), ''), coalesce(col_description(attrelid, attnum), ''),
    coalesce(attnum = ANY (conkey), false)
FROM pg_attribute
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
LEFT JOIN pg_constraint ON conrelid = attrelid AND contype = 'p'
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""
CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s::regclass AND contype <> 'n'
ORDER BY array_position(ARRAY['p', 'u', 'f', 'c'], contype::text), conname
"""
INDEXES = """
SELECT pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = %s::regclass
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
ORDER BY 1
"""
POLICIES = (
    "SELECT policyname, qual FROM pg_policies WHERE schemaname = 'public' AND tablename = %s ORDER BY 1"
)
PRIVILEGES = """
SELECT grantee::regrole::text, string_agg(privilege, ', ' ORDER BY privilege)
FROM (
    SELECT (aclexplode(relacl)).grantee, lower((aclexplode(relacl)).privilege_type) AS privilege
    FROM pg_class WHERE oid = %s::regclass
    UNION ALL
    SELECT DISTINCT (aclexplode(attacl)).grantee, lower((aclexplode(attacl)).privilege_type) || ' some columns'
    FROM pg_attribute WHERE attrelid = %s::regclass
) AS granted
WHERE grantee::regrole::text LIKE 'semantic_kernel_%%' AND grantee::regrole::text <> 'semantic_kernel_owner'
GROUP BY grantee ORDER BY 1
"""
REFERENCES = """
SELECT
    child.relname, parent.relname,
    (SELECT array_agg(attname ORDER BY at) FROM unnest(conkey) WITH ORDINALITY AS part (number, at)
     JOIN pg_attribute ON attrelid = conrelid AND attnum = number)
FROM pg_constraint
JOIN pg_class AS child ON conrelid = child.oid
JOIN pg_class AS parent ON confrelid = parent.oid
WHERE contype = 'f' AND connamespace = 'public'::regnamespace
ORDER BY conname
"""
FUNCTIONS = """
SELECT
    proname, pg_get_function_arguments(pg_proc.oid), pg_get_function_result(pg_proc.oid), prosecdef,
    CASE provolatile WHEN 'v' THEN 'volatile' WHEN 's' THEN 'stable' ELSE 'immutable' END,
    coalesce(array_to_string(proconfig, ', '), ''), coalesce(obj_description(pg_proc.oid, 'pg_proc'), ''),
    CASE WHEN has_function_privilege('public', pg_proc.oid, 'EXECUTE') THEN ARRAY['everybody'] ELSE ARRAY(
        SELECT rolname FROM pg_roles
        WHERE rolname IN ('semantic_kernel_app', 'semantic_kernel_reader', 'semantic_kernel_backup')
          AND has_function_privilege(rolname, pg_proc.oid, 'EXECUTE')
        ORDER BY rolname
    ) END
FROM pg_proc
WHERE pronamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
ORDER BY proname
"""
TYPES = """
SELECT typname, coalesce(obj_description(pg_type.oid, 'pg_type'), ''),
       (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
        FROM pg_attribute WHERE attrelid = typrelid)
FROM pg_type JOIN pg_class ON typrelid = pg_class.oid AND relkind = 'c'
WHERE typnamespace = 'public'::regnamespace ORDER BY typname
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or view."""

    name: str
    kind: str
    required: bool
    generated: bool
    default: str
    comment: str
    in_key: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view."""

    name: str
    is_view: bool
    unlogged: bool
    by_tenant: bool
    comment: str
    columns: tuple[Column, ...]
    constraints: tuple[tuple[str, str], ...]
    indexes: tuple[str, ...]
    policies: tuple[tuple[str, str], ...]
    privileges: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: the columns of `child` that name a row of `parent`."""

    child: str
    parent: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function; `callers` are the roles of the application's database that may call it."""

    name: str
    arguments: str
    result: str
    as_owner: bool
    volatility: str
    settings: str
    comment: str
    callers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that the pages and the diagram say; `types` are name, comment and fields."""

    relations: tuple[Relation, ...]
    references: tuple[Reference, ...]
    functions: tuple[Function, ...]
    types: tuple[tuple[str, str, str], ...]


def read(connection: Connection) -> Catalogue:
    """What stands in the schema public, without what extensions brought."""
    return Catalogue(
        tuple(_relation(connection, *row) for row in connection.execute(RELATIONS).fetchall()),
        tuple(
            Reference(child, parent, tuple(names)) for child, parent, names in connection.execute(REFERENCES)
        ),
        tuple(_function(*row) for row in connection.execute(FUNCTIONS)),
        tuple((name, comment, fields) for name, comment, fields in connection.execute(TYPES)),
    )


def _function(*row: Any) -> Function:
    name, arguments, result, as_owner, volatility, settings, comment, callers = row
    return Function(name, arguments, result, as_owner, volatility, settings, comment, tuple(callers))


def _relation(connection: Connection, *row: Any) -> Relation:
    name, is_view, unlogged, by_tenant, comment = row

    def pairs(query: str, *values: str) -> tuple[tuple[str, str], ...]:
        return tuple((first, second) for first, second in connection.execute(query.encode(), values))

    return Relation(
        name,
        is_view,
        unlogged,
        by_tenant,
        comment,
        tuple(Column(*column) for column in connection.execute(COLUMNS, [name])),
        pairs(CONSTRAINTS, name),
        tuple(definition for (definition,) in connection.execute(INDEXES, [name])),
        pairs(POLICIES, name),
        pairs(PRIVILEGES, name, name),
    )
