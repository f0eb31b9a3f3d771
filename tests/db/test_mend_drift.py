"""`drift --write` writes the next migration, and `up` with it leaves no drift: the one way and the other."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import pgratchet
from pgratchet import Proposal, Way, schema
from pgratchet.cli.commands import run
from pgratchet.errors import RunFailed
from pgratchet.report import drift_page
from tests.db.test_drift import PLANTED, live
from tests.servers import Database

# No statement takes these away, or the schema cannot tell them from something gone and something come.
STAY = re.compile(r"indisvalid|ADD VALUE|RENAME|app\.happy")
COLUMN = "ALTER TABLE app.users ADD phone text; ALTER TABLE app.orders ALTER paid SET DEFAULT true"


def plant(database: Database, *statements: str) -> None:
    connection = database.connect()
    connection.execute("SET client_min_messages = error")
    for statement in statements:
        connection.execute(statement.replace("{database}", database.name).encode())


def proposed(database: Database, folder: Path, way: Way) -> Proposal:
    return pgratchet.mend_drift(way, database.url, folder, same_server=True)


def drift(database: Database, folder: Path) -> str:
    return schema.describe(pgratchet.drift(database.url, folder, same_server=True).changes)


@pytest.mark.parametrize("way", Way)
def test_what_was_planted_is_taken_back_or_taken_in(database: Database, folder: Path, way: Way) -> None:
    live(database, folder)
    before = schema.snapshot(database.connect())
    planted = [statement for statement, _ in PLANTED if not STAY.search(statement)]
    if (
        way is Way.FILES
    ):  # a repeatable file runs later, and its view would be born with what is granted by default
        planted = [statement for statement in planted if "DEFAULT PRIVILEGES" not in statement]
    plant(database, *planted)
    changed = schema.snapshot(database.connect())

    made = proposed(database, folder, way)
    assert made.path is not None
    pgratchet.up(database.url, folder)

    assert len(planted) >= 50
    assert not drift(database, folder)
    goal = before if way is Way.BACK else changed
    ours = ["table public.schema_migrations*", "* public.schema_migrations*"]
    now = schema.snapshot(database.connect(), ignore=ours)
    assert not schema.describe(schema.difference(schema.select(goal, ours), now))


@pytest.mark.one_version
def test_the_file_says_what_it_is_and_is_the_next_one(database: Database, folder: Path) -> None:
    live(database, folder)
    plant(database, COLUMN)
    made = proposed(database, folder, Way.FILES)
    assert made.path is not None
    text = made.path.read_text(encoding="utf-8")
    assert re.fullmatch(r"V\d+__take_in_drift\.sql", made.path.name)
    assert "ALTER TABLE app.users ADD COLUMN IF NOT EXISTS phone text;" in text
    assert "-- Proof:   tried twice" in text
    assert "added: column app.users.phone" in text


@pytest.mark.one_version
def test_what_would_be_lost_is_named(database: Database, folder: Path) -> None:
    live(database, folder)
    plant(database, COLUMN, "CREATE TABLE app.left_behind (a int)")
    made = proposed(database, folder, Way.BACK)
    assert made.path is not None
    assert made.mending.loses == ("column app.users.phone", "table app.left_behind")
    assert "-- Loses:   column app.users.phone, with what is in it" in made.path.read_text(encoding="utf-8")


@pytest.mark.one_version
def test_what_no_statement_takes_away_is_said_and_nothing_is_written(
    database: Database, folder: Path
) -> None:
    live(database, folder)
    plant(database, "ALTER TYPE app.mood ADD VALUE 'glad'")
    made = proposed(database, folder, Way.BACK)
    assert made.path is None
    assert [one.change.item.title for one in made.mending.unmended] == ["type app.mood"]
    assert not list(folder.glob("*drift*"))


@pytest.mark.one_version
def test_what_a_repeatable_file_makes_is_left_to_that_file(database: Database, folder: Path) -> None:
    live(database, folder)
    plant(database, COLUMN, "CREATE OR REPLACE VIEW app.happy AS SELECT id, email FROM app.users")
    made = proposed(database, folder, Way.FILES)
    assert "view app.happy is made by R__happy.sql: write the change into that file" in made.mending.notes
    assert not [statement for statement in made.mending.statements if "happy" in statement]


@pytest.mark.one_version
def test_without_a_drift_nothing_is_written(database: Database, folder: Path) -> None:
    live(database, folder)
    made = proposed(database, folder, Way.BACK)
    assert not made.drift.changes
    assert made.path is None
    assert not list(folder.glob("*drift*"))


@pytest.mark.one_version
def test_what_is_not_proven_is_written_only_when_that_is_wished(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(database, folder)
    plant(database, COLUMN)
    monkeypatch.setattr("pgratchet.ops.drifting.guarded", lambda statement: statement)  # a saboteur
    with pytest.raises(RunFailed, match="not proven: 42701"):
        proposed(database, folder, Way.FILES)
    assert not list(folder.glob("*drift*"))
    made = pgratchet.mend_drift(Way.FILES, database.url, folder, same_server=True, unproven=True)
    assert made.path is not None
    assert "-- Proof:   none: 42701" in made.path.read_text(encoding="utf-8")


@pytest.mark.one_version
def test_the_command_writes_tells_and_exits_with_7(
    database: Database, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live(database, folder)
    plant(database, COLUMN)
    given = ["--url", database.url, "--dir", str(folder), "--same-server"]
    assert run(["drift", *given, "--write", "back", "--json"]) == 7
    told = json.loads(capsys.readouterr().out)
    assert Path(told["file"]).name.endswith("__take_back_drift.sql")
    assert told["proven"]
    assert told["loses"] == ["column app.users.phone"]
    assert run(["drift", *given, "--format", "html"]) == 7
    page = capsys.readouterr().out
    assert page.startswith("<!doctype html>")
    assert "<ins>true</ins>" in page
    assert run(["drift", *given, "--unproven"]) == 2


def test_the_page_needs_nothing_else_and_holds_what_was_found_as_text() -> None:
    item = schema.Item("view", "app.<b>", "app", None, {})
    change = schema.Change(schema.Action.CHANGED, item, "definition", "a\nb", "a\n<script>")
    page = drift_page.html(schema.Drift(3, (change,), "f" * 64, ("a & b",)))
    assert "<script>" not in page
    assert "<del>- b</del>" in page
    assert "<ins>+ &lt;script&gt;</ins>" in page
    assert "a &amp; b" in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert not re.search(r"(?:src|href)=|@import|url\(", page)
