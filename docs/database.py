"""Writes docs/database/: a diagram, and a page for each table and function: `python -m docs.database URL`.

The database has to be one with all migrations of database/ and nothing else, on the newest PostgreSQL.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import psycopg

from docs import catalogue, diagram
from docs.catalogue import Catalogue, Function, Relation

FOLDER = Path(__file__).parent / "database"
NOTE = "<!-- Written by `python -m docs.database` from a live catalogue. Do not edit. -->"
WRITTEN = ("tables", "functions")
"""The folders in which every file is generated."""


def main(url: str) -> None:
    """Write every page, and remove those of what is no longer there."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = pages(catalogue.read(connection))
    for gone in existing() - found.keys():
        (FOLDER / gone).unlink()
    for name, text in found.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def existing() -> set[str]:
    """The files that are there of those that are generated."""
    return {str(path.relative_to(FOLDER)) for name in WRITTEN for path in (FOLDER / name).glob("*")}


def pages(found: Catalogue) -> dict[str, str]:
    """Every generated file by its path."""
    tables = {f"tables/{one.name}.md": _page(one.name, _table_page(one, found)) for one in found.relations}
    functions = {
        f"functions/{one.name}.md": _page(f"{one.name}()", _function_page(one, found))
        for one in found.functions
    }
    lists = {
        "tables.md": _page("Tables and views", _list("tables", found.relations)),
        "functions.md": _page("Functions", _list("functions", found.functions)),
    }
    return {"diagram.svg": diagram.draw(found), **lists, **tables, **functions}


def _list(folder: str, things: Sequence[Relation | Function]) -> Iterator[str]:
    rows = (
        (f"[{one.name}]({folder}/{one.name}.md)", one.comment.partition(". ")[0].rstrip("."))
        for one in things
    )
    yield from _table(("name", "what it is"), rows)


def _table_page(table: Relation, found: Catalogue) -> Iterator[str]:
    yield table.comment
    if table.unlogged:
        yield from ("", "Unlogged: a crash empties it, and a standby does not have it.")
    yield from ("", "| column | type | default | meaning |", "|---|---|---|---|")
    for column in table.columns:
        kind = column.kind if column.required or table.is_view else f"{column.kind}, may be null"
        default = "" if column.generated else column.default
        meaning = f"{column.comment} (generated)" if column.generated else column.comment
        yield _row((f"`{column.name}`", kind, f"`{default}`" if default else "", meaning))
    if table.constraints:
        yield from ("", "## Constraints", "", *_definitions(table.constraints))
    if table.indexes:
        yield from ("", "## Other indexes", "", *(f"- `{_shown(index)}`" for index in table.indexes))
    children = sorted({one.child for one in found.references if one.parent == table.name})
    if children:
        names = ", ".join(f"[{name}]({name}.md)" for name in children)
        yield from ("", "## Referred to by", "", names)
    if table.policies:
        yield from ("", "## Row level security", "", *_definitions(table.policies))
    if table.privileges:
        yield from ("", "## Privileges", "", *_table(("role", "may"), table.privileges))


def _function_page(function: Function, found: Catalogue) -> Iterator[str]:
    arguments = re.sub(r", (?=(?:OUT )?p_|OUT )", ",\n    ", function.arguments)
    shape = f"{function.name}(\n    {arguments}\n)" if arguments else f"{function.name}()"
    yield from (function.comment, "", "```sql", shape, "```", "")
    yield f"Returns {_result(function.result)}."
    for name, comment, fields in found.types:
        if re.search(rf"\b{name}\b", function.result):
            yield from ("", f"`{name}` is ({fields}): {comment[:1].lower()}{comment[1:]}")
    rights = "its owner" if function.as_owner else "its caller"
    yield from ("", f"It is {function.volatility} and runs with the rights of {rights}.")
    if function.settings:
        yield f"It sets `{function.settings}` for itself."
    callers = ", ".join(f"`{name}`" if name.startswith("semantic") else name for name in function.callers)
    yield from ("", f"May be called by: {callers or 'the owner alone'}.")


def _result(result: str) -> str:
    match = re.fullmatch(r"TABLE\((.*)\)", result)
    return f"a table of `{match[1]}`" if match else f"`{result}`"


def _shown(definition: str) -> str:
    return definition.replace("public.", "")


def _definitions(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"- `{name}`: `{_shown(definition)}`" for name, definition in pairs)


def _page(title: str, lines: Iterable[str]) -> str:
    return "\n".join([NOTE, "", f"# {title}", "", *lines]) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(head)
    yield f"|{'---|' * len(head)}"
    yield from (_row(row) for row in rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    main(sys.argv[1])
