"""Rehearses the files of `database/` with rows in their tables, and writes the reports to docs/rehearsals/.

    python -m docs.rehearsal

It starts an embedded server of its own, of the newest version. The five files make what they need, so on an empty
database they keep nobody waiting. Rows are there before them twice: 100,000 messages in the tables of the base, before
V001 to V005; and 50,000 embeddings beside them, after V002 has made their table, before V003 to V005. The third
rehearsal is of a change that the same database might get next. All SQL of it lies in docs/rehearsals/.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import chdir
from pathlib import Path

import psycopg

import pgratchet
from pgratchet import db, embedded, scratch
from pgratchet.rehearsal import Rehearsal
from pgratchet.report import page, rehearsals

FOLDER = Path(__file__).parent / "rehearsals"
FILES = Path(__file__).parent.parent / "database" / "migrations"
DATABASE = "application"
SAID = {
    "base": ("V001 to V005 on the base with 100,000 messages", "before the first of the five files"),
    "embeddings": ("V003 to V005 with 50,000 embeddings as well", "after V002, which makes their table"),
    "change": ("A change that is written without care", "after all five, with all rows"),
}


HEAD = """# Rehearsals of the bundled database

Written by `python -m docs.rehearsal`, which anyone can repeat; see [the guide](../guides/rehearsing.md). The five files
make what they need, so on an empty database they keep nobody waiting. Here rows are there first. Times are those of one
run on a small machine that had other work to do: what took long beside a build CONCURRENTLY waited for the disk to take
its commit (the wait event WalSync), and for no lock.

| rehearsal | when | answer | time | reads blocked | writes blocked | report |
|---|---|---|---|---|---|---|
"""


def main() -> None:
    """Rehearse all three, and write a page and Markdown of each, and a list of them."""
    found: dict[str, Rehearsal] = {}
    with (
        scratch.server(max(embedded.majors())) as server,
        tempfile.TemporaryDirectory() as place,
        chdir(place),
    ):
        url = db.with_parameters(server, dbname=DATABASE)
        _run(server, f"CREATE DATABASE {DATABASE}")
        folder = Path("migrations")
        shutil.copytree(FILES, folder)
        _up(url, folder, 0)
        _run(url, (FOLDER / "messages.sql").read_text())
        found["base"] = _rehearsed(url, folder)
        _up(url, folder, 2)
        _run(url, (FOLDER / "embeddings.sql").read_text())
        found["embeddings"] = _rehearsed(url, folder, prove=False)  # the same files, proven above
        _up(url, folder, None)
        shutil.copy(FOLDER / "V006__written_without_care.sql", folder)
        found["change"] = _rehearsed(url, folder)
    for name, value in found.items():
        (FOLDER / f"{name}.html").write_text(page.html(value) + "\n", encoding="utf-8")
        (FOLDER / f"{name}.md").write_text(
            _without_folders(rehearsals.markdown(value)) + "\n", encoding="utf-8"
        )
    (FOLDER / "README.md").write_text(_listed(found), encoding="utf-8")


def _up(url: str, folder: Path, to: int | None) -> None:
    pgratchet.up(url, folder, to=to, preflight=False)


def _run(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())
        connection.execute("VACUUM ANALYZE")


def _rehearsed(url: str, folder: Path, *, prove: bool = True) -> Rehearsal:
    value = pgratchet.rehearse(url, folder, workload=FOLDER / "load.sql", clients=2, prove=prove)
    assert value is not None
    return value


def _without_folders(text: str) -> str:
    """Nobody's folders are of interest here."""
    return re.sub(r"/\S*/migrations/", "", text)


def _listed(found: dict[str, Rehearsal]) -> str:
    return HEAD + "".join(_line(name, value) for name, value in found.items())


def _line(name: str, value: Rehearsal) -> str:
    what, when = SAID[name]
    reads = max((item.reads for item in value.run.blocked), default=0.0)
    writes = max((item.writes for item in value.run.blocked), default=0.0)
    figures = " | ".join(map(rehearsals.milliseconds, (value.run.milliseconds, reads, writes)))
    return f"| {what} | {when} | {value.answer} | {figures} | [Markdown]({name}.md), [page]({name}.html) |\n"


if __name__ == "__main__":
    main()
