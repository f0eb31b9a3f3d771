"""The answer on the command line, what is kept of it, and `up --require-rehearsal`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import pgratchet
from pgratchet.cli import commands
from pgratchet.errors import FindingsError
from tests.folders import write_migrations
from tests.rehearsal.conftest import BASE
from tests.servers import Database

pytestmark = pytest.mark.one_version

CHANGE = "ALTER TABLE users ADD COLUMN note text;\n"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(database: Database, folder: Path, _at_home: None, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on a database whose base is applied and one change pending."""
    write_migrations(folder, {"V1__base.sql": BASE})
    pgratchet.up(database.url, folder, preflight=False)
    write_migrations(folder, {"V2__note.sql": CHANGE})

    def call(command: str, *arguments: object) -> tuple[int, str, str]:
        where = ("--url", database.url, "--dir", str(folder))
        code = commands.run([command, *where, *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def limit(tmp_path: Path, **values: float) -> None:
    lines = [f"{key} = {value}" for key, value in values.items()]
    (tmp_path / "pgratchet.toml").write_text("\n".join(["[rehearse]", *lines, ""]))


def test_a_go_says_what_it_stands_on(run: Run) -> None:
    code, out, err = run("rehearse")
    assert code == 0
    assert out.startswith("GO: V2__note.sql on a copy of ")
    assert "V2__note.sql:1 ALTER TABLE users ADD COLUMN note text" in out
    assert "AccessExclusiveLock on public.users" in out
    assert "its files were copied on its own server" in err


def test_a_limit_that_is_exceeded_is_named_with_its_place_and_ends_with_4(
    run: Run, tmp_path: Path, folder: Path
) -> None:
    limit(tmp_path, wal_bytes=1)
    code, out, _ = run("rehearse", "--no-proofs")
    assert code == 4
    assert out.startswith("NO GO: ")
    assert f"no go: {folder}/V2__note.sql:1: " in out
    assert "safe form: " in out


def test_json_has_all_of_it_and_the_file_too(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("rehearse", "--json")
    told = json.loads(out)
    [file] = (tmp_path / ".pgratchet" / "rehearsals").glob("*.json")
    kept = json.loads(file.read_text())
    assert code == 0
    assert (told["schema_version"], told["command"], told["answer"]) == (1, "rehearse", "go")
    assert told["run"]["statements"][0]["locks"][0]["relation"] == "public.users"
    assert kept["subject"] == told["subject"]
    assert kept["form"] == 1


def test_nothing_pending_is_no_mistake(run: Run, database: Database, folder: Path) -> None:
    pgratchet.up(database.url, folder)
    assert run("rehearse")[:2] == (0, "Nothing to rehearse: nothing is pending.\n")


def test_the_page_needs_nothing_from_elsewhere(run: Run) -> None:
    _, out, _ = run("rehearse", "--format", "html")
    assert out.startswith("<!doctype html>")
    assert not [word for word in ("http://", "https://", "<script", "@import", "url(", "src=") if word in out]
    assert "public.users" in out


def test_two_places_for_the_copy_are_a_mistake(run: Run, database: Database) -> None:
    code, _, err = run("rehearse", "--embedded", "--on", database.url)
    assert code == 2
    assert "exclude each other" in err


def test_up_wants_the_rehearsal_that_it_is_told_to_want(run: Run, database: Database) -> None:
    code, _, err = run("up", "--require-rehearsal")
    assert code == 4
    assert "nothing was run: there is no rehearsal" in err
    run("rehearse", "--no-proofs")
    code, out, _ = run("up", "--require-rehearsal")
    assert code == 0
    assert "Applied 1 migration" in out
    database.connect().execute("SELECT note FROM users")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("file", "V2__note.sql was changed since"),
        ("more", "V3__more.sql was not part of it"),
        ("fewer", "V2__note.sql was part of it, and is not to be run now"),
        ("schema", "the schema of the database is another"),
        ("server", r"that was PostgreSQL 1, this is \d\d"),
    ],
)
def test_up_refuses_what_is_not_what_was_rehearsed(
    run: Run, database: Database, folder: Path, tmp_path: Path, change: str, told: str
) -> None:
    run("rehearse", "--no-proofs")
    [kept] = (tmp_path / ".pgratchet" / "rehearsals").glob("*.json")
    match change:
        case "file":
            write_migrations(folder, {"V2__note.sql": CHANGE.replace("note", "notes")})
        case "more":
            write_migrations(folder, {"V3__more.sql": "SELECT 1;\n"})
        case "fewer":
            (folder / "V2__note.sql").rename(folder / "V2__other.sql")
        case "server":
            result = json.loads(kept.read_text())
            result["subject"]["major"] = 1
            kept.write_text(json.dumps(result))
        case "schema":
            database.connect().execute("CREATE TABLE by_hand (id int)")
    with pytest.raises(FindingsError, match=told):
        pgratchet.up(database.url, folder, require_rehearsal=True)
    assert pgratchet.status(database.url, folder).version == 1


def test_a_result_that_cannot_be_read_is_none(run: Run, tmp_path: Path) -> None:
    run("rehearse", "--no-proofs")
    [kept] = (tmp_path / ".pgratchet" / "rehearsals").glob("*.json")
    kept.write_text(kept.read_text()[:-40])
    code, _, err = run("up", "--require-rehearsal")
    assert code == 4
    assert "there is no rehearsal" in err


def test_up_refuses_a_plan_with_no_go(run: Run, database: Database, folder: Path, tmp_path: Path) -> None:
    limit(tmp_path, wal_bytes=1)
    run("rehearse", "--no-proofs")
    with pytest.raises(FindingsError, match="its newest rehearsal says: no go"):
        pgratchet.up(database.url, folder, require_rehearsal=True)
    assert pgratchet.status(database.url, folder).version == 1
