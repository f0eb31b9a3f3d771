"""`revert` writes the file that takes a version back, and writes none that does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import pgratchet
from pgratchet import db, embedded, files, integrity, mending, rehearsal, schema
from pgratchet.cli.commands import run
from pgratchet.config import load
from pgratchet.errors import ConfigurationError, RunFailed
from pgratchet.findings import Severity
from pgratchet.mending import Mending
from pgratchet.model import ignore
from pgratchet.ops import retelling, reverting
from pgratchet.reverting import Data, SchemaProof
from tests.folders import write_migrations
from tests.servers import Database

FIRST = """-- Purpose: what there is before
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT users_pkey PRIMARY KEY,
    email text NOT NULL,
    phone text NOT NULL,
    born timestamptz,
    state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'old'))
);
CREATE INDEX users_email ON users (email);
CREATE TABLE plans (code text PRIMARY KEY, price numeric(9, 2) NOT NULL);
CREATE VIEW olds AS SELECT id FROM users WHERE state = 'old';
GRANT SELECT ON plans TO PUBLIC;
"""
# Many things at once, each of which has a way back.
CHANGE = """-- Purpose: a change
ALTER TABLE users ADD COLUMN note text;
ALTER TABLE users RENAME COLUMN email TO address;
ALTER TABLE users ALTER COLUMN state SET DEFAULT 'old';
ALTER TABLE users ADD CONSTRAINT users_born CHECK (born > '1900-01-01');
DROP INDEX users_email;
CREATE UNIQUE INDEX users_address ON users (address);
CREATE OR REPLACE VIEW olds AS SELECT id FROM users WHERE state <> 'new';
CREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql AS 'SELECT a * 2';
ALTER TABLE plans ALTER COLUMN price TYPE numeric(11, 2), SET (fillfactor = 70);
REVOKE SELECT ON plans FROM PUBLIC;
COMMENT ON TABLE plans IS 'what one can buy';
INSERT INTO plans (code, price) VALUES ('free', 0), ('gold', 9.99);
DO $$ BEGIN ALTER TABLE users ALTER COLUMN phone DROP NOT NULL; END $$;
"""


def revert(database: Database, folder: Path, version: int, through: int | None = None) -> pgratchet.Reverted:
    """Take versions back, with the scratch databases on the test's server, and the history of no database."""
    on = database.server.url()
    return pgratchet.revert(version, directory=folder, through=through, on=on, ask_database=False)


def files_of(folder: Path, *texts: str) -> None:
    write_migrations(folder, {f"V00{n}__step_{n}.sql": text for n, text in enumerate(texts, 1)})


def test_what_a_version_did_is_undone_by_the_next_file_in_the_database_itself(
    database: Database, folder: Path
) -> None:
    files_of(folder, FIRST)
    pgratchet.check(directory=folder, write=True)
    pgratchet.up(database.url, folder)
    connection = database.connect()
    connection.execute(
        "INSERT INTO users (email, phone) SELECT 'a' || n, 'b' FROM generate_series(1, 9) AS n"
    )
    before = schema.snapshot(connection)
    files_of(folder, FIRST, CHANGE)
    pgratchet.check(directory=folder, write=True)
    pgratchet.up(database.url, folder)

    made = pgratchet.revert(2, database.url, folder, on=database.server.url())

    assert made.path.name == "V003__revert_step_2.sql"
    assert (made.schema, made.data, made.lost) == (SchemaProof.PROVEN, Data.KEPT, ())
    assert made.goes == ("column public.users.note", "the rows that were put into plans")
    assert {risk.lock for risk in made.risks if risk.table == "public.users"} == {"AccessExclusiveLock"}
    assert "-- Proof:   schema: proven; data: kept\n" in made.path.read_text(encoding="utf-8")
    assert schema.snapshot(connection) != before  # nothing was done to the database
    assert not integrity.problems(files.read(folder), finished=True)
    pgratchet.up(database.url, folder)
    assert schema.describe(schema.difference(before, schema.snapshot(connection))) == ""
    assert connection.execute("SELECT count(*), count(email) FROM users").fetchone() == (9, 9)
    assert connection.execute("SELECT count(*) FROM plans").fetchone() == (0,)


@pytest.mark.one_version
def test_the_file_passes_check_with_what_it_loses_left_to_be_confirmed(
    database: Database, folder: Path
) -> None:
    files_of(folder, FIRST, CHANGE)
    made = revert(database, folder, 2)
    text = made.path.read_text(encoding="utf-8")
    found = pgratchet.check(directory=folder)
    told = [item for item in found.findings if item.path.name == made.path.name]
    assert not [item for item in told if item.severity is not Severity.NOTE]
    lines = text.splitlines()
    waiver = next(n for n, line in enumerate(lines) if line.startswith("-- pgratchet: ignore drop-column"))
    assert "TO BE CONFIRMED" in lines[waiver]
    assert lines[waiver + 1] == "ALTER TABLE public.users DROP COLUMN note;"


@pytest.mark.one_version
def test_an_older_version_is_taken_back_and_the_later_ones_stay(database: Database, folder: Path) -> None:
    later = "-- Purpose: more\nALTER TABLE users ADD COLUMN more int;\nCREATE TABLE others (a int);"
    change = (
        "-- Purpose: a change\nALTER TABLE users ADD COLUMN note text;\nCREATE INDEX notes ON users (note);"
    )
    files_of(folder, FIRST, change, later)
    (folder / "R__all.sql").write_text(
        "-- Purpose: all\nCREATE OR REPLACE VIEW all_more AS SELECT more FROM users;"
    )
    made = revert(database, folder, 2)
    assert made.path.name == "V004__revert_step_2.sql"
    assert (made.schema, made.data) == (SchemaProof.PROVEN, Data.KEPT)
    pgratchet.up(database.url, folder)
    found = {item.title for item in schema.snapshot(database.connect()).items}
    assert {"column public.users.more", "table public.others", "view public.all_more"} <= found
    assert not {"column public.users.note", "index public.notes"} & found


@pytest.mark.one_version
def test_a_version_that_a_later_file_needs_is_refused_with_its_place_and_goes_with_it(
    database: Database, folder: Path
) -> None:
    files_of(folder, FIRST, "ALTER TABLE users ADD COLUMN note text;", "CREATE INDEX notes ON users (note);")
    with pytest.raises(
        RunFailed, match=r"without V002__step_2.sql .* V003__step_3.sql:1:\d+: .*note"
    ) as refused:
        revert(database, folder, 2)
    assert (
        refused.value.hint
        == "V003__step_3.sql needs it. Take back all up to it: `pgratchet revert 2 --through 3`."
    )
    assert len(list(folder.iterdir())) == 3
    made = revert(database, folder, 2, through=3)
    assert made.path.name == "V004__revert_2_through_3.sql"
    assert made.takes_back == ("V002__step_2.sql", "V003__step_3.sql")
    assert made.schema is SchemaProof.PROVEN


@pytest.mark.one_version
def test_files_of_the_folder_that_do_not_run_are_not_said_to_have_run(
    database: Database, folder: Path
) -> None:
    files_of(folder, FIRST, "CREATE INDEX notes ON users (nothing);")
    with pytest.raises(RunFailed, match=r"cannot be replayed: V002__step_2.sql:1") as refused:
        revert(database, folder, 2)
    assert "live database" not in (refused.value.hint or "")


@pytest.mark.one_version
def test_what_is_lost_is_named_and_the_order_of_columns_too(database: Database, folder: Path) -> None:
    change = """-- Purpose: a change that loses
    ALTER TABLE users DROP COLUMN phone;
    ALTER TABLE users ALTER COLUMN born TYPE date;
    UPDATE plans SET price = 1 WHERE code = 'nothing';
    INSERT INTO plans VALUES ('free', 0) ON CONFLICT DO NOTHING;
    """
    files_of(folder, FIRST, change)
    made = revert(database, folder, 2)
    assert (made.schema, made.reordered) == (SchemaProof.ORDER, ("public.users",))
    assert made.data is Data.LOST
    assert made.lost == (
        "the values of column public.users.phone do not come back",
        "what V002__step_2.sql:4 (UPDATE) changed in plans does not change back",
        "the values of public.users.born are not those of before",
    )
    assert "the rows that V002__step_2.sql:5 put into plans stay" in made.notes
    assert any("phone may not be null" in note for note in made.notes)
    assert "-- Lost:    the values of column public.users.phone" in made.path.read_text(encoding="utf-8")


@pytest.mark.one_version
def test_what_has_no_way_back_is_said_and_written_only_when_asked_for(
    database: Database, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files_of(
        folder,
        "CREATE TYPE mood AS ENUM ('sad', 'ok');",
        "ALTER TYPE mood ADD VALUE 'glad';\nCREATE TABLE more (a int);",
    )
    on = ("--on", database.server.url(), "--no-database", "--dir", str(folder))
    assert run(["revert", "2", *on]) == 1
    told = capsys.readouterr().err
    assert "labels: 'sad', 'ok' -> 'sad', 'ok', 'glad'" in told
    assert "cannot be taken away" in told
    assert "--unproven" in told
    assert len(list(folder.iterdir())) == 2

    assert run(["revert", "2", *on, "--unproven", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "not proven"
    text = Path(answer["path"]).read_text(encoding="utf-8")
    assert "-- Proof:   schema: not proven" in text
    assert "'glad'" in text
    assert "DROP TABLE public.more;" in text


@contextmanager
def staged(database: Database, folder: Path) -> Iterator[Callable[[Mending], tuple[SchemaProof, Data]]]:
    """Run the files once, and give a function that tries statements on a copy of where all have run."""
    settings = load({"directory": str(folder)}, {}, str(folder.parent))
    place = folder / "../story"
    place.mkdir()
    on = database.server.url()
    told = retelling.story(
        settings, place.resolve(), (2, 2), on=on, same_server=False, live=False, wait=0, observer=ignore
    )
    with retelling.staged(settings, told, on=on, same_server=False) as stage:
        with db.opened(stage.url, name="look", wait=0, observer=ignore) as connection:
            name = str(connection.info.dbname)

        def tried(mended: Mending) -> tuple[SchemaProof, Data]:
            draft = reverting._Draft(mended.statements, (), mended, (), (), online=False)
            with rehearsal.cloned(stage.url, name) as copy:
                _, judged = reverting._tried(settings, told, replace(stage, url=copy), draft, "V003__x.sql")
            return judged.schema, judged.data

        yield tried


SABOTAGE = {
    "a statement is missing": ("DROP ROUTINE", None),
    "another type": ("numeric(9,2)", "numeric(8,2)"),
    "another default": ("SET DEFAULT 'new'", "SET DEFAULT 'now'"),
    "a default is lost": ("SET DEFAULT 'new'::text", "DROP DEFAULT"),
    "an index on another column": ("btree (email)", "btree (phone)"),
    "an index that is unique": ("CREATE INDEX users_email", "CREATE UNIQUE INDEX users_email"),
    "a grant is missing": ("GRANT SELECT", None),
    "a right too many": ("GRANT SELECT ON", "GRANT SELECT, INSERT ON"),
    "another name": ("TO email", "TO mail"),
    "another view": ("= 'old'", "= 'new'"),
    "a constraint stays": ("DROP CONSTRAINT users_born", None),
    "NOT NULL is not put back": ("phone", None),
    "a comment stays": ("COMMENT ON", None),
}


@pytest.mark.one_version
def test_a_wrong_reverse_is_refused_in_whatever_way_it_is_wrong(database: Database, folder: Path) -> None:
    files_of(folder, FIRST, CHANGE.replace("INSERT INTO plans", "-- INSERT INTO plans"))
    with staged(database, folder) as tried, pytest.MonkeyPatch.context() as patch:
        right: list[Mending] = []
        real = mending.mend

        def keeping(*snapshots: schema.Snapshot, **more: Any) -> Mending:
            right.append(real(*snapshots, **more))
            return right[-1]

        patch.setattr(mending, "mend", keeping)
        revert(database, folder, 2)
        assert tried(right[0]) == (SchemaProof.PROVEN, Data.KEPT)
        accepted = []
        for what, (text, wrong) in SABOTAGE.items():
            assert any(text in statement for statement in right[0].statements), (what, right[0].statements)
            if tried(Mending(tuple(_spoilt(right[0].statements, text, wrong))))[0] is not SchemaProof.NOT:
                accepted.append(what)
        assert not accepted
        # The schema is the same, and the rows are not.
        losing = [*right[0].statements, "UPDATE public.users SET phone = 'x'", "DELETE FROM public.plans"]
        assert tried(Mending(tuple(losing))) == (SchemaProof.PROVEN, Data.LOST)
        again = [
            "ALTER TABLE public.users DROP COLUMN born",
            "ALTER TABLE public.users ADD COLUMN born timestamptz",
        ]
        assert tried(Mending((*right[0].statements, *again))) == (SchemaProof.ORDER, Data.LOST)


def _spoilt(statements: tuple[str, ...], text: str, wrong: str | None) -> Iterator[str]:
    for statement in statements:
        if text not in statement:
            yield statement
        elif wrong is not None:
            yield statement.replace(text, wrong)


@pytest.mark.one_version
def test_a_version_that_is_not_applied_or_in_the_baseline_is_not_taken_back(
    database: Database, folder: Path
) -> None:
    files_of(folder, FIRST)
    (folder / "B001__all.sql").write_text(FIRST, encoding="utf-8")
    pgratchet.up(database.url, folder)
    files_of(folder, FIRST, CHANGE)
    for version, message in ((2, "is not applied"), (1, "in the baseline 1"), (7, "no file of version 7")):
        with pytest.raises(ConfigurationError, match=message):
            pgratchet.revert(version, database.url, folder, on=database.server.url())


@pytest.mark.one_version
def test_the_history_says_how_a_file_was_when_it_was_applied(database: Database, folder: Path) -> None:
    files_of(folder, FIRST, "-- Purpose: a table\nCREATE TABLE one (a int);")
    pgratchet.up(database.url, folder)
    files_of(folder, FIRST, "-- Purpose: a table\nCREATE TABLE other (a int);")
    database.connect().execute("ALTER TABLE one ADD COLUMN by_hand int")
    made = pgratchet.revert(2, database.url, folder, on=database.server.url())
    assert "DROP TABLE public.one;" in made.path.read_text(encoding="utf-8")
    told = "column public.one.by_hand is not what the files make"
    assert next(note for note in made.notes if "not what the files" in note).startswith(told)


@pytest.mark.one_version
def test_a_large_table_gets_forms_that_block_nobody_by_itself(database: Database, folder: Path) -> None:
    change = "-- Purpose: fewer indexes\nDROP INDEX users_email;\nALTER TABLE users DROP CONSTRAINT users_state_check;"
    files_of(folder, FIRST, change)
    (folder.parent / "pgratchet.toml").write_text("[revert]\nonline_bytes = 1\n", encoding="utf-8")
    pgratchet.up(database.url, folder)
    database.connect().execute("INSERT INTO users (email, phone) VALUES ('a', 'b')")
    settings = load({"url": database.url, "directory": str(folder)}, {}, str(folder.parent))
    made = pgratchet.revert(2, on=database.server.url(), settings=settings)
    text = made.path.read_text(encoding="utf-8")
    assert made.online
    assert made.schema is SchemaProof.PROVEN
    assert text.startswith("-- pgratchet: transaction=none\n")
    assert "INDEX CONCURRENTLY" in text
    assert "NOT VALID" in text
    assert "VALIDATE CONSTRAINT" in text
    assert not [risk for risk in made.risks if risk.lock == "ShareLock"]
    pgratchet.up(database.url, folder)


@pytest.mark.one_version
def test_a_sequence_that_is_made_anew_goes_on_behind_the_numbers_in_use(
    database: Database, folder: Path
) -> None:
    files_of(folder, FIRST, "-- Purpose: no identity\nALTER TABLE users ALTER COLUMN id DROP IDENTITY;")
    pgratchet.up(database.url, folder)
    connection = database.connect()
    connection.execute("INSERT INTO users (id, email, phone) VALUES (41, 'a', 'b')")
    made = pgratchet.revert(2, database.url, folder, on=database.server.url())
    assert (made.schema, made.data) == (SchemaProof.PROVEN, Data.KEPT)
    pgratchet.up(database.url, folder)
    connection.execute("INSERT INTO users (email, phone) VALUES ('a', 'b')")
    assert connection.execute("SELECT max(id) FROM users").fetchone() == (42,)


@pytest.mark.one_version
def test_the_backup_from_before_is_named_where_something_is_lost(database: Database, folder: Path) -> None:
    files_of(folder, FIRST)
    pgratchet.up(database.url, folder)
    settings = load({"url": database.url, "directory": str(folder)}, {}, str(folder.parent))
    older = pgratchet.back_up(verify=True, same_server=True, settings=settings)
    files_of(folder, FIRST, "-- Purpose: fewer\nDROP TABLE plans;")
    pgratchet.up(database.url, folder)
    pgratchet.back_up(verify=True, same_server=True, settings=settings)
    made = pgratchet.revert(2, on=database.server.url(), settings=settings)
    assert made.backup == older.name
    assert made.data is Data.LOST
    assert f"-- Backup:  {older.name}, verified" in made.path.read_text(encoding="utf-8")


@pytest.mark.one_version
def test_without_a_database_the_embedded_server_is_enough(folder: Path, database: Database) -> None:
    files_of(folder, FIRST, "-- Purpose: a table\nCREATE TABLE more (a int);")
    made = pgratchet.revert(2, directory=folder, ask_database=False)
    assert (made.schema, made.goes) == (SchemaProof.PROVEN, ("table public.more",))
    query = "SELECT count(*) FROM pg_database WHERE datname ~ '^pgratchet_(scratch|rehearsal)'"
    assert database.connect().execute(query).fetchone() == (0,)


@pytest.mark.one_version
def test_rows_that_were_put_in_are_said_to_go(folder: Path, database: Database) -> None:
    files_of(folder, FIRST, "-- Purpose: a plan\nINSERT INTO plans VALUES ('gold', 9.99);")
    made = pgratchet.revert(2, database.url, folder, ask_database=False, same_server=False)
    assert "the rows that were put into plans" in made.goes
    assert (
        "Goes:    the rows that were put into plans, with what was written to it since"
        in made.path.read_text()
    )


@pytest.mark.one_version
def test_a_project_that_names_no_database_asks_its_embedded_one(folder: Path, tmp_path: Path) -> None:
    files_of(folder, FIRST, "-- Purpose: a table\nCREATE TABLE more (a int);")
    project = load({"directory": str(folder)}, {}, str(tmp_path))
    pgratchet.up(to=1, settings=project)
    try:
        with pytest.raises(ConfigurationError, match="is not applied to this database"):
            pgratchet.revert(2, settings=project)
    finally:
        embedded.stop(tmp_path / ".pgratchet")
