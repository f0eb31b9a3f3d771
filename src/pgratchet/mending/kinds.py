"""What there is for each kind of item: how it is made, changed and dropped, and in which order kinds are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pgratchet.mending import (
    acting,
    columns,
    constraints,
    foreign,
    indexes,
    operators,
    publishing,
    routines,
    searching,
    sequences,
    settings,
    tables,
    types,
    views,
)
from pgratchet.mending.records import Said, Sides
from pgratchet.schema import Item

NONE: frozenset[str] = frozenset()


def _unaltered(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Give nothing: what differs is common to all kinds."""
    yield from ()


def _unmade(item: Item, sides: Sides) -> Iterator[Said]:
    yield from ()


def _undropped(item: Item) -> Iterator[str]:
    yield from ()


def _altered(old: Item, new: Item, sides: Sides) -> bool:
    return False


class Kind(NamedTuple):
    """The statements of one kind of item."""

    make: Callable[[Item, Sides], Iterable[Said]]
    drop: Callable[[Item], Iterable[str]]
    alter: Callable[[Item, Item, Sides], Iterable[Said]]
    covers: Iterable[str]
    """The properties that making it gives it; what else it has, altering gives it."""
    alters: Iterable[str] = NONE
    """The properties that altering changes."""
    replaces: Callable[[Item, Item, Sides], bool] = _altered
    """Whether it is dropped and made again for something that altering could change elsewhere."""
    keeps: bool = False
    """It holds data, or others are made of it: it is never dropped to be made again."""


_text_search = Kind(
    searching.make, searching.drop, searching.alter, searching.COVERS, searching.COVERS, searching.replaces
)
_foreign = Kind(foreign.make, foreign.drop, foreign.alter, foreign.COVERS, foreign.ALTERS)
_routine = Kind(
    routines.make, routines.drop, routines.alter, routines.COVERS, routines.COVERS, routines.replaces
)

# In the order in which they are made where nothing else decides; they are dropped the other way round.
KINDS = {
    "schema": Kind(settings.make_schema, settings.drop, _unaltered, NONE, keeps=True),
    "extension": Kind(
        settings.make_extension,
        settings.drop,
        settings.alter_extension,
        settings.EXTENSION_COVERS,
        settings.EXTENSION_ALTERS,
        keeps=True,
    ),
    "access method": Kind(operators.make_access_method, settings.drop, _unaltered, operators.ACCESS_COVERS),
    "language": Kind(
        operators.make_language,
        settings.drop,
        operators.make_again,
        operators.LANGUAGE_COVERS,
        operators.LANGUAGE_COVERS,
    ),
    "collation": Kind(searching.make_collation, searching.drop, _unaltered, searching.COLLATION_COVERS),
    "foreign data wrapper": _foreign,
    "server": _foreign._replace(keeps=True),
    "user mapping": _foreign,
    "text search parser": _text_search,
    "text search template": _text_search,
    "text search dictionary": _text_search,
    "text search configuration": _text_search,
    "type": Kind(types.make, types.drop, types.alter, types.COVERS, types.ALTERS),
    "domain": Kind(
        types.make_domain, types.drop_domain, types.alter_domain, types.DOMAIN_COVERS, types.DOMAIN_ALTERS
    ),
    "sequence": Kind(
        sequences.make, sequences.drop, sequences.alter, sequences.COVERS, sequences.ALTERS, keeps=True
    ),
    "function": _routine,
    "procedure": _routine,
    "conversion": Kind(searching.make_conversion, searching.drop, _unaltered, searching.CONVERSION_COVERS),
    "aggregate": Kind(
        routines.make_aggregate,
        routines.drop,
        routines.alter_aggregate,
        routines.AGGREGATE_COVERS,
        routines.AGGREGATE_COVERS,
        routines.replaces_aggregate,
    ),
    "operator": Kind(operators.make, operators.drop, operators.alter, operators.COVERS, operators.ALTERS),
    "operator family": Kind(
        operators.make_family, operators.drop_named, operators.alter_family, NONE, operators.FAMILY_ALTERS
    ),
    "operator class": Kind(operators.make_class, operators.drop_named, _unaltered, operators.CLASS_COVERS),
    "cast": Kind(operators.make_cast, operators.drop_cast, _unaltered, operators.CAST_COVERS),
    "transform": Kind(
        operators.make_transform,
        operators.drop_transform,
        operators.make_again,
        operators.TRANSFORM_COVERS,
        operators.TRANSFORM_COVERS,
    ),
    "table": Kind(tables.make, tables.drop, tables.alter, tables.COVERS, tables.ALTERS, keeps=True),
    "foreign table": Kind(
        tables.make, tables.drop, tables.alter, tables.COVERS | {"server options"}, tables.ALTERS, keeps=True
    ),
    "column": Kind(columns.make, columns.drop, columns.alter, columns.COVERS, columns.ALTERS, keeps=True),
    "statistics": Kind(
        indexes.make_statistics,
        indexes.drop_statistics,
        indexes.alter_statistics,
        indexes.COVERS,
        {"statistics"},
    ),
    "constraint": Kind(
        constraints.make,
        constraints.drop,
        constraints.alter,
        constraints.COVERS,
        constraints.ALTERS,
        constraints.replaces,
    ),
    "index": Kind(
        indexes.make, indexes.drop, indexes.alter, indexes.COVERS, indexes.ALTERS, indexes.replaces
    ),
    "view": Kind(
        views.make, views.drop, views.alter, views.COVERS, views.ALTERS | {"column order"}, views.replaces
    ),
    "materialized view": Kind(
        views.make_stored, views.drop, views.alter_stored, views.STORED_COVERS, views.STORED_ALTERS
    ),
    "rule": Kind(acting.make, acting.drop, acting.alter, acting.COVERS, acting.ALTERS, acting.replaces),
    "trigger": Kind(acting.make, acting.drop, acting.alter, acting.COVERS, acting.ALTERS, acting.replaces),
    "policy": Kind(
        acting.make_policy,
        acting.drop,
        acting.alter_policy,
        acting.POLICY_COVERS,
        acting.POLICY_ALTERS,
        acting.replaces_policy,
    ),
    "publication": Kind(
        publishing.make, publishing.drop, publishing.alter, publishing.COVERS, publishing.ALTERS
    ),
    "subscription": Kind(
        publishing.make_subscription,
        publishing.drop_subscription,
        publishing.alter_subscription,
        publishing.SUBSCRIPTION_COVERS,
        publishing.SUBSCRIPTION_ALTERS,
        keeps=True,
    ),
    "setting": Kind(
        settings.make_setting, settings.drop_setting, settings.alter_setting, {"value"}, {"value"}
    ),
    "event trigger": Kind(
        acting.make_event, acting.drop_event, acting.alter_event, acting.EVENT_COVERS, {"fires"}
    ),
    "database": Kind(_unmade, _undropped, _unaltered, NONE, keeps=True),
    "grants": Kind(_unmade, _undropped, _unaltered, NONE, keeps=True),
    "default privileges": Kind(_unmade, _undropped, _unaltered, NONE, keeps=True),
}
RANKS = {kind: place for place, kind in enumerate(KINDS)}
COMMON = {"comment", "owner", "grants", "depends on extension"}
"""The properties that any kind may have, beside its security labels."""
