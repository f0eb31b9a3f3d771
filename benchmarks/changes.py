"""The migrations that everybody is given, as plain SQL files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import Migration

SMALL = """CREATE TABLE item_{0} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX item_{0}_name ON item_{0} (name);
"""
TINY = "COMMENT ON SCHEMA public IS 'after change {0}';\n"
TABLE = "CREATE TABLE item (id bigint PRIMARY KEY, label text NOT NULL, note text NOT NULL);\n"
LARGE = 200_000_000
STATEMENTS = 50_000


@dataclass(frozen=True, slots=True)
class Changes:
    """Migrations, and how to tell that they all have been applied."""

    migrations: tuple[Migration, ...]
    query: str
    answer: int


def small(folder: Path, count: int) -> Changes:
    """One table and one index a file."""
    made = _files(folder, SMALL, count)
    return Changes(made, "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'item%'", count)


def tiny(folder: Path, count: int) -> Changes:
    """What leaves nothing behind but the history: made only to be there already."""
    return Changes(_files(folder, TINY, count), "SELECT 1", 1)


def copy(folder: Path) -> Changes:
    """A table, and its rows by `COPY … FROM stdin`."""
    return _one(folder, _copied)


def inserts(folder: Path) -> Changes:
    """A table, and its rows by one INSERT each."""
    return _one(folder, _inserted)


def statements(folder: Path) -> Changes:
    """A table, and 50,000 small statements."""
    return _one(folder, _short)


def _files(folder: Path, text: str, count: int) -> tuple[Migration, ...]:
    folder.mkdir(parents=True)
    made = tuple(Migration(number, folder / f"{number}.sql") for number in range(1, count + 1))
    for migration in made:
        migration.source.write_text(text.format(migration.number))
    return made


def _one(folder: Path, lines: Callable[[], Iterator[tuple[str, int]]]) -> Changes:
    """Write the file; `lines` gives pieces of text with how many rows each makes."""
    folder.mkdir(parents=True)
    path = folder / "1.sql"
    rows = 0
    with path.open("w") as file:
        for line, more in lines():
            file.write(line)
            rows += more
    return Changes((Migration(1, path),), "SELECT count(*) FROM item", rows)


def _note(number: int) -> str:
    return f"a note of some length about number {number}; " * 8


def _copied() -> Iterator[tuple[str, int]]:
    yield TABLE, 0
    yield "COPY item (id, label, note) FROM stdin;\n", 0
    yield from _until_large(lambda number: f"{number}\tlabel {number}\t{_note(number)}\n")
    yield "\\.\n", 0


def _inserted() -> Iterator[tuple[str, int]]:
    yield TABLE, 0
    yield from _until_large(
        lambda number: f"INSERT INTO item VALUES ({number}, 'label {number}', '{_note(number)}');\n"
    )


def _until_large(line: Callable[[int], str]) -> Iterator[tuple[str, int]]:
    size = number = 0
    while size < LARGE:
        number += 1
        text = line(number)
        size += len(text)
        yield text, 1


def _short() -> Iterator[tuple[str, int]]:
    yield TABLE, 0
    for number in range(1, STATEMENTS + 1):
        yield f"INSERT INTO item VALUES ({number}, 'label {number}', '');\n", 1
