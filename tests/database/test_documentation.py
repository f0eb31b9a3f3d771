"""The pages and the diagram of the bundled database say what a live catalogue says, and comments leave nothing out."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from docs import catalogue, diagram
from docs import database as generator
from tests.database.support import rows
from tests.servers import Database

SAY_IT_THEMSELVES = re.compile(
    "tenant_id|user_id|conversation_id|backup_id|usage_id|audit_id|verification_id|restore_id|plan_code|role_name|"
    "limit_name|created_at|updated_at|occurred_at|started_at|started_by|finished_at|verified_at|verified_by|"
    "description|display_name|tenant_name|key_name|plugin_name|function_name|title|body|bytes|succeeded|"
    "tool_version|target_database|database_name"
)


@pytest.mark.one_version
def test_the_pages_are_what_the_catalogue_says(migrated: Database) -> None:
    pages = generator.pages(catalogue.read(migrated.connect()))
    assert len(pages) > 60
    stale = {
        name
        for name, text in pages.items()
        if not (generator.FOLDER / name).exists()
        or (generator.FOLDER / name).read_text(encoding="utf-8") != text
    }
    assert not stale, "run `python -m docs.database URL` on a database with all migrations"
    assert generator.existing() <= pages.keys(), "a page that nothing writes"


@pytest.mark.pg(">=16")
def test_every_table_function_and_column_that_needs_it_says_what_it_is(migrated: Database) -> None:
    found = catalogue.read(migrated.connect())
    silent = [one.name for one in found.relations if not one.comment]
    silent += [one.name for one in found.functions if not one.comment]
    silent += [name for name, comment, _ in found.types if not comment]
    silent += [
        f"{table.name}.{column.name}"
        for table in found.relations
        if not table.is_view
        for column in table.columns
        if not column.comment and not SAY_IT_THEMSELVES.fullmatch(column.name)
    ]
    assert silent == []


@pytest.mark.one_version
def test_the_diagram_shows_every_table_and_every_foreign_key_and_nothing_lies_over_another(
    migrated: Database,
) -> None:
    connection = migrated.connect()
    found = catalogue.read(connection)
    root = ElementTree.fromstring(diagram.draw(found))
    names = {element.text for element in root.iter() if element.get("class") == "name"}
    tables = {table.name for table in found.relations if not table.is_view}
    assert names == tables
    ((keys,),) = rows(
        connection,
        "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace",
    )
    assert sum(element.get("class") == "line" for element in root.iter()) == 3 * keys

    def rectangles(kind: str) -> list[tuple[int, int, int, int]]:
        return [
            (x, y, x + int(element.attrib["width"]), y + int(element.attrib["height"]))
            for element in root.iter()
            if element.get("class") == kind
            for x, y in [(int(element.attrib["x"]), int(element.attrib["y"]))]
        ]

    for kind in ("box", "group"):
        drawn = rectangles(kind)
        apart = [
            a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            for number, a in enumerate(drawn)
            for b in drawn[:number]
        ]
        assert apart
        assert all(apart), kind
    width, height = (int(size) for size in root.attrib["viewBox"].split()[2:])
    assert all(right <= width and bottom <= height for _, _, right, bottom in rectangles("group"))


@pytest.mark.one_version
def test_no_line_of_the_diagram_runs_through_a_table(migrated: Database) -> None:
    root = ElementTree.fromstring(diagram.draw(catalogue.read(migrated.connect())))
    boxes = [
        (int(box.attrib["x"]), int(box.attrib["x"]) + int(box.attrib["width"]))
        for box in root.iter()
        if box.get("class") == "box"
    ]
    tracks = [re.fullmatch(r"M(\d+) \d+H(\d+)V\d+H(\d+)", line.get("d", "")) for line in root.iter()]
    ways = [[int(x) for x in track.groups()] for track in tracks if track]
    assert len(ways) > 10
    for start, track, stop in ways:
        assert all(not left < track < right for left, right in boxes)
        assert all(
            max(left, min(a, track)) >= min(right, max(a, track))
            for a in (start, stop)
            for left, right in boxes
        )


@pytest.mark.one_version
def test_lines_to_different_tables_do_not_lie_over_each_other(migrated: Database) -> None:
    root = ElementTree.fromstring(diagram.draw(catalogue.read(migrated.connect())))
    level: dict[tuple[int, int], list[tuple[int, int]]] = {}
    upright: dict[int, set[int]] = {}
    for line in root.iter():
        if way := re.fullmatch(r"M(\d+) (\d+)H(\d+)V(\d+)H(\d+)", line.get("d", "")):
            start, begin, track, end, stop = (int(number) for number in way.groups())
            for y, side in ((begin, start), (end, stop)):
                level.setdefault((y, track), []).append((min(side, track), max(side, track)))
            upright.setdefault(track, set()).add(stop)
    assert all(len(parents) == 1 for parents in upright.values()), "a track leads to one table"
    parts = [(y, track, *part) for (y, track), found in level.items() for part in found]
    over = [
        (one, other)
        for one in parts
        for other in parts
        if one[0] == other[0] and one[1] < other[1] and max(one[2], other[2]) < min(one[3], other[3])
    ]
    assert over == []
