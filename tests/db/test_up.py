"""`up` on a real server: what stands in the database and its history afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet import config
from pgratchet.model import Event, Noticed, StatementEnded, StatementStarted, StepEnded, StepStarted
from tests.folders import write_migrations
from tests.servers import Database

TABLE = "CREATE TABLE {name} (id int PRIMARY KEY);\n"


def table(name: str) -> str:
    return TABLE.format(name=name)


def history(database: Database) -> list[tuple[object, ...]]:
    with psycopg.connect(database.url) as connection:
        return connection.execute(
            "SELECT version, status, statements_done, statements_total FROM schema_migrations ORDER BY version"
        ).fetchall()


def exists(database: Database, name: str) -> bool:
    with psycopg.connect(database.url) as connection:
        row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (name,)).fetchone()
        return bool(row and row[0])


def test_a_new_database_gets_every_file_in_the_order_of_versions(database: Database, folder: Path) -> None:
    write_migrations(
        folder, {"V10__c.sql": "ALTER TABLE a ADD c int;\n", "V2__b.sql": table("b"), "V1__a.sql": table("a")}
    )

    outcome = pgratchet.up(database.url, folder)

    assert [item.migration.version for item in outcome.done] == [1, 2, 10]
    assert history(database) == [(1, "applied", 1, 1), (2, "applied", 1, 1), (10, "applied", 1, 1)]
    assert exists(database, "b")


def test_a_second_run_finds_nothing_to_do(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": table("a")})
    pgratchet.up(database.url, folder)

    outcome = pgratchet.up(database.url, folder)

    assert outcome.done == ()
    assert (outcome.version, outcome.applied) == (1, 1)


def test_a_failure_on_a_new_database_leaves_it_as_empty_as_it_was(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": table("a"), "V2__b.sql": "CREATE TABLE b (x nosuchtype);\n"})

    with pytest.raises(pgratchet.StatementFailed, match="nosuchtype") as failure:
        pgratchet.up(database.url, folder)

    assert (failure.value.line, failure.value.column) == (1, 19)
    assert failure.value.sqlstate == "42704"
    assert not exists(database, "a")
    assert not exists(database, "schema_migrations")


def test_a_failure_later_on_keeps_the_steps_before_it_and_nothing_of_its_own(
    database: Database, folder: Path
) -> None:
    write_migrations(folder, {"V1__a.sql": table("a")})
    pgratchet.up(database.url, folder)
    write_migrations(
        folder,
        {"V2__b.sql": table("b"), "V3__c.sql": table("c") + "SELECT 1/0;\n", "V4__d.sql": table("d")},
    )

    with pytest.raises(pgratchet.StatementFailed, match="division by zero") as failure:
        pgratchet.up(database.url, folder)

    assert failure.value.line == 2
    assert failure.value.outcome is not None
    assert [item.migration.version for item in failure.value.outcome.done] == [2]
    assert "V3__c.sql was rolled back as a whole" in failure.value.state
    assert [exists(database, name) for name in "abcd"] == [True, True, False, False]
    assert [row[0] for row in history(database)] == [1, 2]


def test_a_mended_file_is_applied_by_the_next_run(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": "CREATE TABLE a (x nosuchtype);\n"})
    with pytest.raises(pgratchet.StatementFailed):
        pgratchet.up(database.url, folder)
    write_migrations(folder, {"V1__a.sql": table("a")})

    pgratchet.up(database.url, folder)

    assert exists(database, "a")


def test_no_setting_role_or_temporary_table_of_a_file_is_seen_by_the_next(
    database: Database, folder: Path
) -> None:
    leave = (
        "CREATE SCHEMA other;\nSET search_path = other;\nSET work_mem = '7MB';\nCREATE TEMP TABLE left_over (x int);\n"
        "SET ROLE pg_monitor;\n"
    )
    probe = (
        "CREATE TABLE seen AS SELECT current_setting('search_path') AS path, current_setting('work_mem') AS memory,\n"
        "  current_user::text AS who, to_regclass('pg_temp.left_over')::text AS temporary;\n"
    )
    for name in ("all at once", "one by one"):
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS public, other CASCADE")
            connection.execute("CREATE SCHEMA public")
            if name == "one by one":
                write_migrations(folder, {"V3__set.sql": leave, "V4__probe.sql": probe})
                connection.execute("CREATE TABLE something (x int)")
                pgratchet.baseline(2, database.url, folder)
                pgratchet.up(database.url, folder)
            else:
                write_migrations(folder, {"V1__set.sql": leave, "V2__probe.sql": probe})
                pgratchet.up(database.url, folder)
            row = connection.execute("SELECT path, memory, who, temporary FROM public.seen").fetchone()

        assert row == ('"$user", public', "4MB", "postgres", None), name


def test_the_observer_hears_of_every_step_statement_and_notice_in_order(
    database: Database, folder: Path
) -> None:
    write_migrations(
        folder,
        {"V1__a.sql": table("a") + "DO $$ BEGIN RAISE NOTICE 'hello'; END $$;\n", "V2__b.sql": table("b")},
    )
    events: list[Event] = []

    pgratchet.up(database.url, folder, observer=events.append)

    kinds = [type(event).__name__ for event in events]
    one = ["StatementStarted", "StatementEnded"]
    first = ["StepStarted", *one, "StatementStarted", "Noticed", "StatementEnded", "StepEnded"]
    assert kinds == [*first, "StepStarted", *one, "StepEnded"]
    notice = next(event for event in events if isinstance(event, Noticed))
    assert (notice.severity, notice.message) == ("NOTICE", "hello")
    assert notice.statement is not None
    assert notice.statement.line == 2


def test_a_file_without_statements_is_a_step_like_any_other(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__remark.sql": "-- nothing to do any more\n", "V2__b.sql": table("b")})
    events: list[Event] = []

    pgratchet.up(database.url, folder, observer=events.append)

    started = [event.position for event in events if isinstance(event, StepStarted)]
    ended = [event.seconds >= 0 for event in events if isinstance(event, StepEnded)]
    assert (started, ended) == ([1, 2], [True, True])
    assert history(database) == [(1, "applied", 0, 0), (2, "applied", 1, 1)]


def test_each_statement_that_started_ends_also_when_it_fails(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": table("a") + "SELECT 1/0;\nSELECT 2;\n"})
    events: list[Event] = []

    with pytest.raises(pgratchet.StatementFailed):
        pgratchet.up(database.url, folder, observer=events.append)

    started = [event.statement.number for event in events if isinstance(event, StatementStarted)]
    ended = [
        (event.statement.number, bool(event.error)) for event in events if isinstance(event, StatementEnded)
    ]
    assert started == [1, 2]
    assert ended == [(1, False), (2, True)]
    assert isinstance(events[0], StepStarted)
    assert isinstance(events[-1], StepEnded)
    assert events[-1].error is not None


def test_inline_data_of_copy_goes_through_the_copy_protocol(database: Database, folder: Path) -> None:
    text = table("a") + "COPY a (id) FROM stdin;\n1\n2\n\\.\nINSERT INTO a VALUES (3);\n"
    write_migrations(folder, {"V1__a.sql": text})

    pgratchet.up(database.url, folder)

    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT array_agg(id ORDER BY id) FROM a").fetchone() == ([1, 2, 3],)


def test_more_inline_data_than_a_socket_holds_arrives_once(database: Database, folder: Path) -> None:
    rows = 300_000
    lines = "".join(
        f"{number}\tsome words to make the line longer, and longer still\n" for number in range(rows)
    )
    # No key: rows that came twice would not be refused, they would be there.
    text = f"CREATE TABLE a (id int, note text);\nCOPY a FROM stdin;\n{lines}\\.\n"
    write_migrations(folder, {"V1__a.sql": text})

    pgratchet.up(database.url, folder)

    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT id) FROM a").fetchone() == (rows, rows)


def test_wrong_inline_data_fails_with_its_statement_and_leaves_nothing(
    database: Database, folder: Path
) -> None:
    write_migrations(folder, {"V1__a.sql": table("a") + "\nCOPY a (id) FROM stdin;\n1\nx\n\\.\n"})

    with pytest.raises(pgratchet.StatementFailed, match="invalid input syntax") as failure:
        pgratchet.up(database.url, folder)

    assert failure.value.line == 3
    assert "COPY a, line 2" in (failure.value.context or "")
    assert not exists(database, "a")


def test_an_index_built_concurrently_runs_outside_a_transaction(database: Database, folder: Path) -> None:
    write_migrations(
        folder,
        {
            "V1__a.sql": "CREATE TABLE a (id int PRIMARY KEY, x int);\n",
            "V2__index.sql": "ALTER TABLE a ADD y int;\nCREATE INDEX CONCURRENTLY a_x ON a (x);\n"
            "ALTER TABLE a ADD z int;\n",
        },
    )

    pgratchet.up(database.url, folder)

    assert history(database) == [(1, "applied", 1, 1), (2, "applied", 3, 3)]
    with psycopg.connect(database.url) as connection:
        assert connection.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_x'::regclass"
        ).fetchone() == (True,)


def test_a_failure_between_segments_is_recorded_and_the_next_run_resumes_there(
    database: Database, folder: Path
) -> None:
    write_migrations(
        folder,
        {
            "V1__a.sql": "CREATE TABLE a (id int PRIMARY KEY, x int);\n",
            "V2__b.sql": "ALTER TABLE a ADD y int;\nCREATE INDEX CONCURRENTLY a_x ON a (x);\n"
            "ALTER TABLE nosuch ADD z int;\n",
        },
    )
    with pytest.raises(pgratchet.StatementFailed, match="nosuch") as failure:
        pgratchet.up(database.url, folder)
    assert "the first 2 of 3 statements have taken effect" in failure.value.state
    assert history(database)[1] == (2, "failed", 2, 3)
    mended = "ALTER TABLE a ADD y int;\nCREATE INDEX CONCURRENTLY a_x ON a (x);\nALTER TABLE a ADD z int;\n"
    write_migrations(folder, {"V2__b.sql": mended})

    pgratchet.up(database.url, folder)

    assert history(database)[1] == (2, "applied", 3, 3)


def test_a_half_done_file_whose_done_part_was_edited_is_refused(database: Database, folder: Path) -> None:
    write_migrations(
        folder,
        {
            "V1__a.sql": "CREATE TABLE a (id int PRIMARY KEY, x int);\n",
            "V2__b.sql": "ALTER TABLE a ADD y int;\nCREATE INDEX CONCURRENTLY a_x ON a (x);\nSELECT 1/0;\n",
        },
    )
    with pytest.raises(pgratchet.StatementFailed):
        pgratchet.up(database.url, folder)
    write_migrations(
        folder,
        {"V2__b.sql": "ALTER TABLE a ADD w int;\nCREATE INDEX CONCURRENTLY a_x ON a (x);\nSELECT 1;\n"},
    )

    with pytest.raises(pgratchet.HistoryError, match="first 2 of 3 statements"):
        pgratchet.up(database.url, folder)


def test_an_invalid_index_left_by_a_failed_build_is_built_again(database: Database, folder: Path) -> None:
    write_migrations(
        folder,
        {
            "V1__a.sql": "CREATE TABLE a (x int);\nINSERT INTO a VALUES (1), (1);\n",
            "V2__unique.sql": "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_x ON a (x);\n",
        },
    )
    with pytest.raises(pgratchet.StatementFailed, match="could not create unique index"):
        pgratchet.up(database.url, folder)
    with psycopg.connect(database.url, autocommit=True) as connection:
        query = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_x'::regclass"
        assert connection.execute(query).fetchone() == (False,)
        connection.execute("DELETE FROM a")

        pgratchet.up(database.url, folder)

        assert connection.execute(query).fetchone() == (True,)
    assert history(database)[1] == (2, "applied", 1, 1)


def test_the_files_own_transactions_are_honoured(database: Database, folder: Path) -> None:
    write_migrations(
        folder,
        {
            "V1__wrapped.sql": "BEGIN;\nCREATE TABLE a (id int);\nCOMMIT;\n",
            "V2__two.sql": "BEGIN;\nCREATE TABLE b (id int);\nCOMMIT;\n"
            "BEGIN ISOLATION LEVEL SERIALIZABLE;\n"
            "CREATE TABLE c AS SELECT current_setting('transaction_isolation') AS level;\nCOMMIT;\n",
        },
    )

    pgratchet.up(database.url, folder)

    assert exists(database, "a")
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT level FROM c").fetchone() == ("serializable",)


def test_a_constraint_that_fails_at_commit_names_its_file(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": table("a")})
    pgratchet.up(database.url, folder)
    deferred = (
        "CREATE TABLE b (id int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO b VALUES (1);\n"
    )
    write_migrations(folder, {"V2__b.sql": deferred})

    with pytest.raises(pgratchet.RunFailed, match=r"V2__b\.sql: at COMMIT: .*foreign key"):
        pgratchet.up(database.url, folder)

    assert not exists(database, "b")


def test_deferred_checks_of_one_file_do_not_disturb_the_next_in_one_transaction(
    database: Database, folder: Path
) -> None:
    write_migrations(
        folder,
        {
            "V1__a.sql": table("a")
            + "CREATE TABLE b (id int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\n"
            + "INSERT INTO a VALUES (1);\nINSERT INTO b VALUES (1);\n",
            "V2__b.sql": "ALTER TABLE b ADD c int;\n",
        },
    )

    outcome = pgratchet.up(database.url, folder)

    assert len(outcome.done) == 2


def test_a_value_added_to_a_type_can_be_used_later_in_the_same_file(database: Database, folder: Path) -> None:
    write_migrations(
        folder,
        {
            "V1__type.sql": "CREATE TYPE mood AS ENUM ('sad');\n",
            "V2__value.sql": "ALTER TYPE mood ADD VALUE 'glad';\nCREATE TABLE a AS SELECT 'glad'::mood AS mood;\n",
        },
    )

    pgratchet.up(database.url, folder)

    assert exists(database, "a")


def test_the_history_may_lie_in_a_schema_of_its_own(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": table("a")})
    settings = config.load(
        {"url": database.url, "directory": str(folder), "schema": "tools", "table": "applied"}
    )

    pgratchet.up(settings=settings)

    assert exists(database, "tools.applied")
    assert not exists(database, "public.schema_migrations")


def test_a_role_with_select_alone_may_read_the_status(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": table("a")})
    pgratchet.up(database.url, folder)
    role = f"reader_{database.name}"
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'reader'".encode())
        for suffix in ("", "_body", "_repeatable"):
            connection.execute(f"GRANT SELECT ON schema_migrations{suffix} TO {role}".encode())
    reader = psycopg.conninfo.make_conninfo(database.url, user=role, password="reader")

    try:
        overview = pgratchet.status(reader, folder)
        outcome = pgratchet.up(reader, folder)
    finally:
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())

    assert [entry.standing for entry in overview.entries] == ["applied"]
    assert outcome.done == ()


def test_repeatables_run_again_when_a_statement_of_theirs_changed(database: Database, folder: Path) -> None:
    view = "CREATE OR REPLACE VIEW v AS SELECT 1 AS x;\n"
    write_migrations(folder, {"V1__a.sql": table("a"), "R__view.sql": view})
    assert len(pgratchet.up(database.url, folder).done) == 2
    write_migrations(folder, {"R__view.sql": f"-- a remark\n{view}"})
    assert pgratchet.up(database.url, folder).done == ()
    write_migrations(folder, {"R__view.sql": view.replace("SELECT 1", "SELECT 2")})

    outcome = pgratchet.up(database.url, folder)

    assert [item.migration.script for item in outcome.done] == ["R__view.sql"]
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT x FROM v").fetchone() == (2,)


def test_a_baseline_starts_a_new_database_and_stands_for_the_versions_up_to_its_own(
    database: Database, folder: Path
) -> None:
    write_migrations(
        folder,
        {
            "V1__a.sql": table("a"),
            "V2__b.sql": table("b"),
            "B2__both.sql": table("a") + table("b"),
            "V3__c.sql": table("c"),
        },
    )

    outcome = pgratchet.up(database.url, folder)

    assert [item.migration.script for item in outcome.done] == ["B2__both.sql", "V3__c.sql"]
    assert pgratchet.up(database.url, folder).done == ()


def test_an_edited_file_is_refused_with_the_difference(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": table("a")})
    pgratchet.up(database.url, folder)
    write_migrations(folder, {"V1__a.sql": table("a").replace("int", "bigint")})

    with pytest.raises(pgratchet.HistoryError) as failure:
        pgratchet.up(database.url, folder)

    assert "-CREATE TABLE a (id int PRIMARY KEY);" in failure.value.message
    assert "+CREATE TABLE a (id bigint PRIMARY KEY);" in failure.value.message


def test_a_file_whose_comments_were_edited_is_noted_and_not_refused(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": table("a")})
    pgratchet.up(database.url, folder)
    write_migrations(
        folder, {"V1__a.sql": "-- SPDX-License-Identifier: MIT\r\n" + table("a").replace(" ", "  ")}
    )

    outcome = pgratchet.up(database.url, folder)

    assert outcome.done == ()
    assert "no statement does" in outcome.notes[0]


def test_the_status_of_a_file_whose_comments_were_edited_is_applied(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": table("a"), "V2__b.sql": table("b")})
    pgratchet.up(database.url, folder)
    write_migrations(folder, {"V1__a.sql": f"-- A licence.\n{table('a')}", "V2__b.sql": table("c")})

    standings = [str(entry.standing) for entry in pgratchet.status(database.url, folder).entries]

    assert standings == ["applied", "edited"]


def test_a_database_with_objects_and_no_history_is_refused(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": table("a")})
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE foreign_object (x int)")

    with pytest.raises(pgratchet.HistoryError, match="not empty"):
        pgratchet.up(database.url, folder)

    assert not exists(database, "schema_migrations")


def test_syntax_newer_than_the_parser_is_left_to_the_server(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": table("a"), "V2__b.sql": "CREATE TABLE b (x int) FROBNICATE;\n"})

    with pytest.raises(pgratchet.StatementFailed, match="syntax error") as failure:
        pgratchet.up(database.url, folder)

    assert "Nothing was run" in failure.value.state
    assert (failure.value.line, failure.value.column) == (1, 24)
    assert not exists(database, "a")


def test_a_statement_is_told_when_it_starts_and_not_when_it_is_done(database: Database, folder: Path) -> None:
    began: list[float] = []

    def observer(event: Event) -> None:
        if isinstance(event, StatementStarted):
            began.append(time.monotonic())

    for version in (1, 2):
        write_migrations(folder, {f"V{version}__a.sql": "SELECT pg_sleep(1.5);\n"})
        pgratchet.up(database.url, folder, observer=observer)
        assert time.monotonic() - began[-1] > 1.3


def test_a_time_out_that_the_database_sets_for_its_users_does_not_end_a_migration(
    database: Database, folder: Path
) -> None:
    query = "SELECT name FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout')"
    for (setting,) in database.connect().execute(query).fetchall():
        database.connect().execute(f"ALTER DATABASE {database.name} SET {setting} = '200ms'".encode())
    write_migrations(folder, {"V1__long.sql": "SELECT pg_sleep(0.5);\n" + table("a")})

    pgratchet.up(database.url, folder)

    assert exists(database, "a")


@pytest.mark.one_version
@pytest.mark.parametrize(
    "verb",
    [lambda url, to: pgratchet.up(url, to, preflight=False), lambda url, to: pgratchet.baseline(1, url, to)],
    ids=["up", "baseline"],
)
def test_where_the_history_cannot_be_made_that_is_told_and_nothing_was_run(
    database: Database, folder: Path, verb: Callable[[str, Path], object]
) -> None:
    write_migrations(folder, {"V1__a.sql": "SELECT 1;\n", "V2__vacuum.sql": "VACUUM;\n"})
    role = f"guest_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'guest'".encode())
    url = psycopg.conninfo.make_conninfo(database.url, user=role, password="guest")
    try:
        with pytest.raises(pgratchet.RunFailed, match="permission denied for schema public") as failure:
            verb(url, folder)
    finally:
        with database.connect() as connection:
            connection.execute(f"DROP ROLE {role}".encode())
    assert "Nothing was" in failure.value.message
