"""Which rows a sample has, for tables and references of every shape."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from pgratchet.rehearsal.picking import Found, Key, Reference, children_first, pick

Rows = dict[int, list[list[int | None]]]
"""Of each table its rows: for each reference of the table the number of a row of the parent, or none."""


@st.composite
def databases(draw: st.DrawFn) -> tuple[list[Reference], Rows]:
    tables = range(draw(st.integers(1, 5)))
    sizes = {table: draw(st.integers(1, 12)) for table in tables}
    ends = st.tuples(st.sampled_from(tables), st.sampled_from(tables))
    pairs = draw(st.lists(ends, max_size=6))
    references = [
        Reference(child, parent, (f"c{number}",), ("int",), ("id",), ("=",))
        for number, (child, parent) in enumerate(pairs)
    ]
    rows = {
        table: [
            [
                draw(st.none() | st.integers(0, sizes[item.parent] - 1))
                for item in references
                if item.child == table
            ]
            for _ in range(sizes[table])
        ]
        for table in tables
    }
    return references, rows


def picked(references: Sequence[Reference], rows: Rows, limit: int) -> dict[int, set[int]]:
    def found(table: int, number: int) -> Found:
        keys = tuple(None if key is None else (str(key),) for key in rows[table][number])
        return Found((table, str(number)), keys)

    def first(table: int) -> list[Found]:
        return [found(table, number) for number in range(len(rows[table]))][:limit]

    def referred(reference: Reference, keys: Sequence[Key]) -> list[Found]:
        return [found(reference.parent, int(key)) for (key,) in keys]

    chosen = pick(list(rows), references, dict.fromkeys(rows, limit), first, referred)
    return {table: {int(place) for _, place in some} for table, some in chosen.items()}


@given(databases(), st.integers(1, 6))
def test_what_a_row_refers_to_is_there(database: tuple[list[Reference], Rows], limit: int) -> None:
    references, rows = database
    chosen = picked(references, rows, limit)
    for table in rows:
        outgoing = [item for item in references if item.child == table]
        for number in chosen[table]:
            for reference, key in zip(outgoing, rows[table][number], strict=True):
                assert key is None or key in chosen[reference.parent]


@given(databases(), st.integers(1, 6))
def test_a_table_has_as_many_as_are_wanted_and_more_only_where_it_is_referred_to(
    database: tuple[list[Reference], Rows], limit: int
) -> None:
    references, rows = database
    chosen = picked(references, rows, limit)
    parents = {item.parent for item in references}
    for table in rows:
        assert len(chosen[table]) >= min(limit, len(rows[table]))
        assert table in parents or len(chosen[table]) <= limit


@given(databases())
def test_a_child_comes_before_its_parent_unless_a_cycle_stands_against_it(
    database: tuple[list[Reference], Rows],
) -> None:
    references, rows = database
    order = children_first(list(rows), references)
    assert sorted(order) == sorted(rows)
    for item in references:
        if not reaches(references, item.parent, item.child):
            assert order.index(item.child) < order.index(item.parent)


def reaches(references: Sequence[Reference], start: int, end: int) -> bool:
    """Whether one table refers to another, over others."""
    seen, left = set(), [start]
    while left:
        table = left.pop()
        seen.add(table)
        left += [item.parent for item in references if item.child == table and item.parent not in seen]
    return end in seen


def test_parents_that_are_referred_to_are_among_those_that_count() -> None:
    reference = Reference(1, 0, ("c",), ("int",), ("id",), ("=",))
    chosen = picked([reference], {0: [[] for _ in range(100)], 1: [[99], [98]]}, 2)
    assert chosen == {0: {98, 99}, 1: {0, 1}}
