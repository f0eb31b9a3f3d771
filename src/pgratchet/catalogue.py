"""Reads from a database what the rules of `check` would know of it; the rules themselves ask nobody."""

from __future__ import annotations

from typing import Any

from pgratchet import lint, sql
from pgratchet.db import Connection
from pgratchet.lint.catalogue import Column, Constraint, Domain, Function, Index, Table
from pgratchet.lint.tree import single_expression


def read(connection: Connection) -> lint.Catalogue:
    """The catalogue of a database, in one round trip and one snapshot of no long life; it waits for no lock."""
    queries = (
        sql.load("catalogue_server"),
        sql.load("catalogue_tables"),
        sql.load("catalogue_constraints"),
        sql.load("catalogue_indexes"),
        sql.load("catalogue_functions"),
        sql.load("catalogue_domains"),
    )
    with connection.pipeline():
        cursors = [connection.execute(query.encode()) for query in queries]
        rows = [cursor.fetchall() for cursor in cursors]
    [[server], tables, constraints, indexes, functions, domains] = rows
    version, timezone, search_path, superuser, memory, extensions = server
    return lint.Catalogue(
        version,
        timezone,
        tuple(search_path),
        superuser,
        memory,
        tuple(map(_table, tables)),
        tuple(_constraint(row) for row in constraints),
        tuple(_index(row) for row in indexes),
        tuple(_function(row) for row in functions),
        tuple(Domain(tuple(name), *rest) for name, *rest in domains),
        extensions or {},
    )


def _table(row: tuple[Any, ...]) -> Table:
    name, kind, columns, rows, size, logged, method, tablespace, parent, bound, key, used = row
    return Table(
        tuple(name),
        kind,
        tuple(Column(*column) for column in columns),
        rows,
        size,
        logged,
        method,
        tablespace,
        tuple(parent) if parent else None,
        bound == "DEFAULT",
        bound,
        tuple(key),
        tuple((column, what) for column, what in used),
    )


def _constraint(row: tuple[Any, ...]) -> Constraint:
    owner, name, kind, columns, valid, check, target, deferred = row
    references = tuple(target) if target else None
    return Constraint(tuple(owner), name, kind, tuple(columns), valid, check, references, deferred)


def _function(row: tuple[Any, ...]) -> Function:
    name, volatile, body, declared = row
    return Function(tuple(name), volatile, single_expression(body), declared)


def _index(row: tuple[Any, ...]) -> Index:
    name, owner, method, columns, reads, *rest = row
    return Index(tuple(name), tuple(owner), method, tuple(columns), tuple(reads), *rest)
