"""What hangs on columns of tables (views, rules, triggers, policies, generated columns), and what no longer does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pgratchet.lint.defining import set_table
from pgratchet.lint.known import Known
from pgratchet.lint.tree import Name, Node, columns, name_of, walk

_ON_TABLE = {"OBJECT_TRIGGER": "trigger", "OBJECT_RULE": "rule", "OBJECT_POLICY": "policy"}
_VIEWS = {"OBJECT_VIEW", "OBJECT_MATVIEW"}


def view(known: Known, name: Name, query: Node) -> None:
    """Remember which columns a view reads."""
    read = columns(query)
    for relation in walk(query, "RangeVar"):
        if table := known.table(name_of(relation)):
            used = ((column.name, f"the view {name[1]}") for column in table.columns if column.name in read)
            set_table(known, table.name, used_by=(*table.used_by, *used))


def dropped(known: Known, kind: str, name: Name) -> None:
    """Forget what a DROP takes away; of what belongs to a table, `name` is that of the table and its own."""
    if kind in _ON_TABLE:
        word = f"{_ON_TABLE[kind]} {name[1]} on "
        _forget(known, lambda table, what: table[1] == name[0] and what.startswith(word))
    elif kind in _VIEWS:
        spelt = {name[1], ".".join(known.resolve(name))}
        _forget(known, lambda _, what: what.replace('"', "").rpartition("view ")[2] in spelt)


def dropped_column(known: Known, table: Name, column: str) -> None:
    """Forget what a generated column was computed of."""
    words = (f"the generated column {column}", f"default value for column {column} of ")
    _forget(known, lambda owner, what: owner == table and what.startswith(words))


def _forget(known: Known, gone: Callable[[Name, str], bool]) -> None:
    for table in list(known.tables.values()):
        kept = tuple(item for item in table.used_by if not gone(table.name, item[1]))
        if len(kept) < len(table.used_by):
            known.tables[table.name] = replace(table, used_by=kept)
