"""Views and materialized views."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.mending.records import Said, Sides, differing
from pgratchet.mending.tables import ordered
from pgratchet.mending.wording import bare, set_options, storage_options
from pgratchet.schema import Item

COVERS = {"definition", "options", "column order", "access method", "tablespace"}
ALTERS = {"definition", "options"}
STORED_ALTERS = {"options", "toast options", "access method", "tablespace", "not populated"}
STORED_COVERS = COVERS | {"not populated"}


def make(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a view."""
    stored = storage_options(item.properties.get("options"))
    given = f" WITH ({', '.join(stored)})" if stored else ""
    yield f"CREATE VIEW {item.name}{_names(item, sides)}{given} AS\n{_query(item)}"


def drop(item: Item) -> Iterator[str]:
    """Drop it."""
    yield f"DROP {item.kind.upper()} {item.name}"


def alter(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Put another query in its place, or set its options."""
    if "definition" in differing(old, new):
        [made] = make(new, sides)
        yield str(made).replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
    elif "options" in differing(old, new):
        clauses = set_options(old.properties.get("options"), new.properties.get("options"))
        yield from (f"ALTER VIEW {new.name} {clause}" for clause in clauses)


def replaces(old: Item, new: Item, sides: Sides) -> bool:
    """Whether a column goes, or is of another name, type or collation: OR REPLACE adds columns at the end alone."""
    was, now = ordered(old, sides.have_parts), ordered(new, sides.want_parts)
    kept = [
        (bare(one), one.properties.get("type"), one.properties.get("collation")) for one in now[: len(was)]
    ]
    return kept != [(bare(one), one.properties.get("type"), one.properties.get("collation")) for one in was]


def make_stored(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a materialized view, filled where it should be."""
    has = item.properties
    stored = storage_options(has.get("options")) + storage_options(has.get("toast options"), "toast.")
    words = [f"USING {has['access method']}"] if has.get("access method", "heap") != "heap" else []
    words += [f"WITH ({', '.join(stored)})"] if stored else []
    words += [f"TABLESPACE {has['tablespace']}"] if "tablespace" in has else []
    data = "WITH NO DATA" if "not populated" in has else "WITH DATA"
    head = " ".join([f"CREATE MATERIALIZED VIEW {item.name}{_names(item, sides)}", *words])
    yield f"{head} AS\n{_query(item)}\n{data}"


def alter_stored(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Change all but its query."""
    changed, has = differing(old, new), new.properties
    view = f"ALTER MATERIALIZED VIEW {new.name}"
    for name, prefix in (("options", ""), ("toast options", "toast.")):
        if name in changed:
            yield from (
                f"{view} {clause}" for clause in set_options(old.properties.get(name), has.get(name), prefix)
            )
    if "access method" in changed:
        yield f"{view} SET ACCESS METHOD {has.get('access method', 'heap')}"
    if "tablespace" in changed:
        yield f"{view} SET TABLESPACE {has.get('tablespace', 'pg_default')}"
    if "not populated" in changed:
        yield f"REFRESH MATERIALIZED VIEW {new.name}{' WITH NO DATA' if 'not populated' in has else ''}"


def _names(item: Item, sides: Sides) -> str:
    """The names of its columns, where a later renaming has made them others than those of its query."""
    names = [bare(one) for one in ordered(item, sides.want_parts)]
    return f" ({', '.join(names)})" if names else ""


def _query(item: Item) -> str:
    return item.properties["definition"].removesuffix(";")
