"""Snapshots without a database: what is left out, what a difference is, how it reads."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pgratchet.schema import Action, Item, Snapshot, describe, difference, outermost, select


def table(name: str, *columns: str, schema: str = "app", **properties: str) -> tuple[Item, ...]:
    owner = Item(
        "table", f"{schema}.{name}", schema, None, {"column order": ", ".join(columns), **properties}
    )
    parts = (
        Item("column", f"{owner.name}.{column}", schema, owner.title, {"type": "integer"})
        for column in columns
    )
    return owner, *parts


def snapshot(*items: tuple[Item, ...]) -> Snapshot:
    return Snapshot(tuple(sorted((item for group in items for item in group), key=lambda item: item.title)))


def titles(of: Snapshot) -> list[str]:
    return [item.title for item in of.items]


def test_a_pattern_of_a_title_takes_along_what_belongs_to_the_item() -> None:
    both = snapshot(table("sk_one", "a"), table("kept", "a"))
    assert titles(select(both, ["table app.sk_*"])) == ["column app.kept.a", "table app.kept"]


def test_a_pattern_of_a_schema_takes_along_all_that_lies_in_it() -> None:
    both = snapshot(table("one", "a"), table("two", "a", schema="other"))
    place = Item("schema", "other", "other", None, {})
    assert titles(select(snapshot(both.items, (place,)), ["schema other"])) == [
        "column app.one.a",
        "table app.one",
    ]


def test_a_pattern_behind_a_colon_takes_a_property_alone() -> None:
    [column, bare] = select(snapshot(table("one", "a", owner="x")), ["* app.one: owner"]).items
    assert (column.properties, bare.properties) == ({"type": "integer"}, {"column order": "a"})


def test_brackets_in_a_pattern_are_letters() -> None:
    item = Item("function", "app.f(integer[])", "app", None, {})
    assert not select(snapshot((item,)), ["function app.f(integer[])"]).items


def test_only_the_schemas_asked_for_are_left() -> None:
    both = snapshot(
        table("one"), table("two", schema="other"), (Item("extension", "vector", None, None, {}),)
    )
    assert titles(select(both, schemas=["app"])) == ["table app.one"]


def test_columns_that_come_or_go_change_no_order() -> None:
    changes = difference(snapshot(table("one", "a", "b", "c")), snapshot(table("one", "a", "c", "d")))
    assert [(change.action, change.item.name) for change in changes] == [
        (Action.REMOVED, "app.one.b"),
        (Action.ADDED, "app.one.d"),
    ]
    [swapped] = difference(snapshot(table("one", "a", "b")), snapshot(table("one", "b", "a")))
    assert (swapped.property, swapped.old, swapped.new) == ("column order", "a, b", "b, a")


def test_what_comes_with_its_table_is_counted_there() -> None:
    told = describe(difference(snapshot(), snapshot(table("one", "a", "b"))))
    assert told == "added: table app.one (with 2 columns)"


def test_what_comes_with_its_table_is_no_change_of_its_own() -> None:
    changes = difference(snapshot(), snapshot(table("one", "a", "b")))
    assert len(changes) == 3
    assert [change.item.title for change in outermost(changes)] == ["table app.one"]


def test_a_long_text_is_shown_where_it_differs() -> None:
    before, after = (
        snapshot((Item("view", "app.v", "app", None, {"definition": f"SELECT a,\n  {column}\nFROM t"}),))
        for column in ("b", "c")
    )
    assert describe(difference(before, after)).splitlines() == [
        "changed: view app.v: definition",
        "     SELECT a,",
        "    -  b",
        "    +  c",
        "     FROM t",
    ]


NAMES = st.sampled_from(["a", "b", "c"])
ITEMS = st.builds(
    lambda name, properties: Item("table", name, None, None, properties),
    NAMES,
    st.dictionaries(NAMES, st.text(min_size=1, max_size=2), max_size=2),
)
SNAPSHOTS = st.lists(ITEMS, unique_by=lambda item: item.title, max_size=3).map(
    lambda items: snapshot(tuple(items))
)


@given(SNAPSHOTS, SNAPSHOTS)
def test_fingerprints_are_the_same_exactly_where_nothing_differs(one: Snapshot, other: Snapshot) -> None:
    assert (one.fingerprint == other.fingerprint) == (not difference(one, other))


@given(SNAPSHOTS, SNAPSHOTS)
def test_the_way_back_undoes_every_change(one: Snapshot, other: Snapshot) -> None:
    there, back = difference(one, other), difference(other, one)
    assert [(change.property, change.old, change.new) for change in there] == [
        (change.property, change.new, change.old) for change in back
    ]
