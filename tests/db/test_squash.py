"""`squash` writes a baseline that makes what older files make, and writes none that does not."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet import files, integrity, schema, scratch
from pgratchet.cli.commands import run
from pgratchet.errors import ConfigurationError, HistoryError, PgratchetError, RunFailed
from pgratchet.ops import squashing
from tests.folders import write_migrations
from tests.servers import Database, Server

BUNDLED = Path(__file__).parents[2] / "database" / "migrations"
FILES = {
    "V1__users.sql": """
        CREATE SCHEMA app;
        CREATE TABLE app.users (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            email text NOT NULL UNIQUE,
            small text GENERATED ALWAYS AS (lower(email)) STORED
        );
        INSERT INTO app.users (email) VALUES ('Ada@a'), ('Bob@b; -- it''s'), ('Cy@c');
    """,
    "V2__orders.sql": """
        CREATE TABLE app.orders (id serial PRIMARY KEY, buyer bigint REFERENCES app.users, note text);
        CREATE FUNCTION app.fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
        ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;
        GRANT SELECT ON app.orders TO PUBLIC;
        COMMENT ON TABLE public.schema_migrations IS 'of ours';
        DO $$ BEGIN
            EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database());
            EXECUTE format('ALTER DATABASE %I SET search_path = app, public', current_database());
        END $$;
        CREATE VIEW app.done AS SELECT version FROM public.schema_migrations;
    """,
    "V3__more.sql": """
        COPY app.orders (buyer, note) FROM stdin;
1	first
2	\\N
\\.
        UPDATE app.users SET email = 'Eve@e' WHERE id = 3;
        CREATE TRIGGER firing BEFORE INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.fire();
        CREATE MATERIALIZED VIEW app.totals AS SELECT count(*) AS number FROM app.orders;
        SELECT nextval('app.orders_id_seq');
    """,
    "V4__concurrently.sql": "CREATE INDEX CONCURRENTLY orders_buyer ON app.orders (buyer);",
    "V5__later.sql": "CREATE TABLE app.later (a int);",
    "R__happy.sql": "CREATE OR REPLACE VIEW app.happy AS SELECT id FROM app.users;",
}
ROWS = """
    SELECT (SELECT json_agg(u ORDER BY id) FROM app.users AS u)::text,
           (SELECT json_agg(o ORDER BY id) FROM app.orders AS o)::text,
           (SELECT number FROM app.totals), nextval('app.orders_id_seq'),
           nextval(pg_get_serial_sequence('app.users', 'id'))
"""


@contextmanager
def fresh(server: Server) -> Iterator[tuple[str, psycopg.Connection]]:
    with (
        scratch.database(server.url()) as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        yield url, connection


def squash(
    database: Database, folder: Path, through: int = 4, *, refuse_data: bool = False
) -> pgratchet.Squashed:
    on = database.server.url()
    return pgratchet.squash(through, directory=folder, on=on, refuse_data=refuse_data)


def kinds(database: Database) -> list[tuple[object, ...]]:
    query = "SELECT kind, version FROM public.schema_migrations ORDER BY version"
    return database.connect().execute(query).fetchall()


def scratches(database: Database) -> list[str]:
    query = "SELECT datname FROM pg_database WHERE datname LIKE 'pgratchet_scratch%'"
    return [str(row[0]) for row in database.connect().execute(query)]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.pg(">=16")
def test_a_new_database_of_the_bundled_files_starts_from_the_baseline(
    database: Database, folder: Path
) -> None:
    shutil.copytree(BUNDLED, folder, dirs_exist_ok=True)
    pgratchet.up(database.url, folder)
    before = schema.snapshot(database.connect())

    made = squash(database, folder, 5)

    assert made.path == folder / "B005__schema.sql"
    assert [name[:4] for name in made.stands_for] == ["B000", "V001", "V002", "V003", "V004", "V005"]
    assert made.rows['"public"."rate_limits"'] == 7
    with fresh(database.server) as (url, connection):
        assert pgratchet.up(url, folder).applied == 1
        assert schema.describe(schema.difference(before, schema.snapshot(connection))) == ""
    assert not pgratchet.up(database.url, folder).done


def test_rows_and_sequences_come_along_and_what_is_above_follows(database: Database, folder: Path) -> None:
    write_migrations(folder, FILES)
    pgratchet.up(database.url, folder)
    expected = database.connect().execute(ROWS).fetchall()

    made = squash(database, folder)

    assert made.rows == {'"app"."users"': 3, '"app"."orders"': 2}
    with fresh(database.server) as (url, connection):
        outcome = pgratchet.up(url, folder)
        assert [done.migration.script for done in outcome.done] == [
            "B4__schema.sql",
            "V5__later.sql",
            "R__happy.sql",
        ]
        before, after = (schema.snapshot(one) for one in (database.connect(), connection))
        assert schema.describe(schema.difference(before, after)) == ""
        assert connection.execute(ROWS).fetchall() == expected
    assert not scratches(database)


@pytest.mark.one_version
def test_a_database_part_way_goes_on_with_the_files(database: Database, folder: Path) -> None:
    write_migrations(folder, FILES)
    pgratchet.up(database.url, folder, to=2)

    squash(database, folder)
    pgratchet.up(database.url, folder)

    assert kinds(database) == [("versioned", version) for version in (1, 2, 3, 4, 5)]


@pytest.mark.one_version
def test_psql_alone_runs_the_baseline(database: Database, folder: Path) -> None:
    write_migrations(folder, FILES)
    made = squash(database, folder)
    command: list[str | Path] = [
        database.server.bin / "psql",
        "-qX",
        "-v",
        "ON_ERROR_STOP=1",
        "-f",
        made.path,
    ]
    subprocess.run([*command, database.url], check=True, capture_output=True)
    assert database.connect().execute("SELECT count(*) FROM app.users").fetchone() == (3,)


@pytest.mark.one_version
def test_a_baseline_stands_for_the_one_below_it(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": "CREATE TABLE a (b int);", "V2__c.sql": "CREATE TABLE c (d int);"})
    squash(database, folder, 1)
    assert squash(database, folder, 2).stands_for == ("B1__schema.sql", "V2__c.sql")
    assert names(folder) == {"B1__schema.sql", "B2__schema.sql", "V1__a.sql", "V2__c.sql"}


@pytest.mark.one_version
def test_what_the_role_that_runs_them_owns_belongs_to_the_one_that_runs_the_baseline(
    database: Database, folder: Path
) -> None:
    granted = "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; REVOKE ALL ON a FROM postgres;"
    write_migrations(folder, {"V1__a.sql": f"CREATE TABLE a (b int); {granted}"})
    text = squash(database, folder, 1).path.read_text(encoding="utf-8")
    assert "postgres;" not in text
    assert "OWNER TO" not in text
    assert "FOR ROLE CURRENT_USER" in text


@pytest.mark.one_version
def test_rows_are_refused_with_their_place_where_that_is_wanted(database: Database, folder: Path) -> None:
    write_migrations(folder, FILES)
    with pytest.raises(ConfigurationError) as caught:
        squash(database, folder, refuse_data=True)
    assert f'"app"."users" has 3 rows, of {folder}/V1__users.sql:8:9, {folder}/V3' in caught.value.message
    assert f'"app"."orders" has 2 rows, of {folder}/V3__more.sql:2:9\n' in caught.value.message
    assert names(folder) == set(FILES)


SABOTAGE = {
    "an index is gone": ("CREATE INDEX orders_buyer", "-- ", "removed: index app.orders_buyer"),
    "a grant is gone": ("GRANT SELECT ON TABLE app.orders TO PUBLIC", "SELECT 1", "grants"),
    "a row is another": (
        "'Ada@a'",
        "'Ann@a'",
        '"app"."users" has as many rows as before (3), and not the same',
    ),
    "a sequence has not come as far": (
        "setval('app.orders_id_seq', 3",
        "setval('app.orders_id_seq', 2",
        'the sequence "app"."orders_id_seq" had come to 3, and now to 2',
    ),
    "a statement fails": ("CREATE MATERIALIZED VIEW", "CREATE MATERIALIZED VIEWS", "does not run"),
}


@pytest.mark.one_version
@pytest.mark.parametrize("case", SABOTAGE)
def test_a_baseline_that_makes_anything_else_is_not_written(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    write_migrations(folder, FILES)
    true, (right, wrong, told) = squashing.dump, SABOTAGE[case]

    def false(*arguments: object) -> str:
        text = true(*arguments)  # type: ignore[arg-type]
        assert right in text
        return text.replace(right, wrong)

    monkeypatch.setattr(squashing, "dump", false)
    with pytest.raises(RunFailed, match=r"the baseline (would not make|does not run)") as caught:
        squash(database, folder)

    assert told in caught.value.message
    assert names(folder) == set(FILES)
    assert not scratches(database)


def refusal(database: Database, folder: Path, through: int) -> PgratchetError:
    with pytest.raises(PgratchetError) as caught:
        squash(database, folder, through)
    return caught.value


@pytest.mark.one_version
def test_what_cannot_be_squashed_is_refused_with_its_place(database: Database, folder: Path) -> None:
    subscription = "SELECT 1;\nCREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p;"
    write_migrations(folder, {"V1__a.sql": "CREATE TABLE a (b int);", "B1__a.sql": "CREATE TABLE a (b int);"})
    write_migrations(
        folder, {"V2__wrong.sql": "SELECT 1;\nSELECT * FROM nowhere;", "V3__s.sql": subscription}
    )
    found = [refusal(database, folder, version) for version in (9, 1, 2, 3)]
    assert [error.message for error in found[:2]] == [
        "there is no version 9",
        f"{folder}/B1__a.sql: there is a baseline at version 1 already",
    ]
    assert f"the files cannot be replayed: {folder}/V2__wrong.sql:2:15" in found[2].message
    assert found[3].message.startswith(f"{folder}/V3__s.sql:2:1: a file makes a subscription")
    assert [error.exit_code for error in found] == [2, 2, 1, 2]


@pytest.mark.one_version
def test_files_that_were_edited_are_refused(database: Database, folder: Path) -> None:
    write_migrations(folder, FILES)
    pgratchet.up(database.url, folder)
    write_migrations(folder, {"V5__later.sql": "CREATE TABLE app.another (a int);"})
    with pytest.raises(HistoryError, match=r"V5__later\.sql: was edited"):
        pgratchet.squash(5, database.url, folder, same_server=True)
    assert names(folder) == set(FILES)


@pytest.mark.one_version
def test_an_embedded_server_proves_the_roles_too_and_the_lock_lists_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in ("PGRATCHET_DATABASE_URL", "DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(folder.parent)
    role = "CREATE ROLE reader NOLOGIN; CREATE ROLE clerk LOGIN; GRANT reader TO clerk;"
    role += "ALTER ROLE clerk SET search_path = a, b;"
    grant = "CREATE TABLE a (b int); GRANT SELECT ON a TO reader;"
    write_migrations(folder, {"V1__role.sql": role, "V2__a.sql": grant})
    integrity.write(files.read(folder))

    command = ["squash", "--through", "2", "--dir", str(folder), "--description", "The first year", "--json"]
    assert run(command) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(folder / "B2__the_first_year.sql")
    assert told["roles"] == ["clerk", "reader"]
    text = Path(told["file"]).read_text(encoding="utf-8")
    assert "CREATE ROLE clerk LOGIN;\n        ALTER ROLE clerk SET search_path TO a, b;" in text
    assert 'GRANT "reader" TO "clerk";' in text
    assert not integrity.problems(files.read(folder), finished=True)
