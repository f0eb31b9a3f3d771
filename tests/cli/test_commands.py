"""The command line as a person and a pipeline meet it: output, exit codes, errors without a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.folders import write_migrations
from tests.servers import Database

TABLE = "CREATE TABLE a (id int PRIMARY KEY);\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.one_version
def test_up_says_on_stdout_what_it_did_and_on_stderr_how(run: Run, database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})

    code, out, err = run("up", "--url", database.url, "--dir", folder)

    assert code == 0
    assert out.startswith("Applied 1 migration in ")
    assert out.endswith("now at version 1.\n")
    assert "[1/1] V1__a.sql" in err


@pytest.mark.one_version
def test_the_other_tools_names_of_the_commands_work(run: Run, database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})
    options = ("--url", database.url, "--dir", folder)

    assert run("migrate", *options)[0] == 0
    assert run("apply", *options)[1] == "Nothing to do: 1 migration applied, at version 1.\n"
    assert "Nothing is pending." in run("info", *options)[1]


@pytest.mark.one_version
def test_dry_run_prints_the_exact_sql_and_runs_nothing(run: Run, database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE, "V2__b.sql": "CREATE  TABLE b(x int);SELECT 1"})

    code, out, _ = run("up", "--dry-run", "--url", database.url, "--dir", folder)

    assert code == 0
    statements = [line for line in out.splitlines() if line and not line.startswith("--")]
    assert statements == ["CREATE TABLE a (id int PRIMARY KEY);", "CREATE  TABLE b(x int);", "SELECT 1;"]
    with database.connect() as connection:
        assert connection.execute("SELECT to_regclass('a'), to_regclass('schema_migrations')").fetchone() == (
            None,
            None,
        )


@pytest.mark.one_version
def test_status_tells_pending_by_its_exit_code_only_when_asked(
    run: Run, database: Database, folder: Path
) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})
    options = ("--url", database.url, "--dir", folder)

    assert run("status", *options)[0] == 0
    code, out, _ = run("status", "--exit-code", *options)

    assert code == 3
    assert "1 migration pending" in out


@pytest.mark.one_version
def test_an_error_points_at_the_place_and_says_what_next(run: Run, database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": f"-- a header\n\n{TABLE}\nALTER TABLE a\n    ADD b nosuchtype;\n"})

    code, out, err = run("up", "--url", database.url, "--dir", folder)

    assert code == 1
    assert out == ""
    lines = err.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("error:"))
    assert lines[start].endswith('V1__a.sql:6:11: type "nosuchtype" does not exist')
    assert lines[start + 1 : start + 3] == ["  |     ADD b nosuchtype;", "  |           ^"]
    assert "statement 2, SQLSTATE 42704" in err
    assert "state: Nothing was applied" in err
    assert "next: Mend the file" in err


@pytest.mark.one_version
def test_every_command_prints_one_json_object_also_when_it_fails(
    run: Run, database: Database, folder: Path
) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})
    options = ("--url", database.url, "--dir", folder, "--json")

    up = json.loads(run("up", *options)[1])
    status = json.loads(run("status", *options)[1])
    write_migrations(folder, {"V2__b.sql": "SELECT 1/0;\n"})
    code, out, err = run("up", *options)
    failed = json.loads(out)

    assert (up["schema_version"], up["command"], up["applied"][0]["version"]) == (1, "up", 1)
    assert status["migrations"][0]["standing"] == "applied"
    assert (code, err) == (1, "")
    assert failed["error"]["sqlstate"] == "22012"
    assert failed["error"]["line"] == 1


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("postgresql://me:s3cret@127.0.0.1:1/x", 8, "cannot be reached"),
        ("postgresql://me:s3cret@[bad/x", 2, "cannot be parsed"),
        ("mysql://me:s3cret@host/x", 2, "mysql://"),
    ],
)
def test_no_error_about_a_url_shows_its_password(
    run: Run, folder: Path, url: str, code: int, said: str
) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})

    found, out, err = run("up", "--url", url, "--dir", folder)

    assert found == code
    assert said in err
    assert "s3cret" not in out + err


@pytest.mark.one_version
def test_a_wrong_password_ends_at_once_and_is_not_shown(run: Run, database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})
    url = psycopg.conninfo.make_conninfo(database.url, password="wr0ng")

    code, _, err = run("up", "--wait", 30, "--url", url, "--dir", folder)

    assert code == 2
    assert "password authentication failed" in err
    assert "wr0ng" not in err


def test_a_missing_folder_and_an_unknown_option_are_usage_errors(run: Run, tmp_path: Path) -> None:
    code, _, err = run("up", "--url", "postgresql://h/d", "--dir", tmp_path / "nowhere")
    assert (code, "there is no folder" in err) == (2, True)

    code, _, err = run("up", "--frobnicate")
    assert (code, "No such option" in err) == (2, True)


def test_init_and_new_write_a_project_that_up_understands(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("init")
    assert code == 0
    assert (tmp_path / "pgratchet.toml").is_file()
    assert "V001__first_table.sql" in out

    code, out, _ = run("new", "add", "User e-mail")

    assert code == 0
    path = tmp_path / "database/migrations/V002__add_user_e_mail.sql"
    assert out == f"{path}\n"
    assert path.read_text().startswith("-- Purpose: add User e-mail\n")


@pytest.mark.one_version
def test_a_new_file_that_nobody_filled_is_refused(run: Run, database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})
    options = ("--url", database.url, "--dir", folder)
    run("new", "add user email", "--dir", folder)

    code, _, err = run("up", *options)

    assert code == 5
    assert "V2__add_user_email.sql: nothing is written yet below its header" in err
    with database.connect() as connection:
        assert connection.execute("SELECT to_regclass('a')").fetchone() == (None,)


@pytest.mark.one_version
def test_a_failure_under_another_tools_name_names_the_command(
    run: Run, database: Database, folder: Path
) -> None:
    write_migrations(folder, {"V1__a.sql": "SELECT 1/0;\n"})

    failed = json.loads(run("migrate", "--url", database.url, "--dir", folder, "--json")[1])

    assert failed["command"] == "up"


@pytest.mark.one_version
def test_baseline_marks_the_files_up_to_a_version(run: Run, database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE, "V2__b.sql": "CREATE TABLE b (x int);\n"})
    with database.connect() as connection:
        connection.execute("CREATE TABLE a (id int PRIMARY KEY)")
    options = ("--url", database.url, "--dir", folder)
    assert run("up", *options)[0] == 5

    code, _, err = run("baseline", 7, *options)
    assert (code, "the newest file has 2" in err) == (2, True)
    assert run("baseline", 1, *options)[0] == 0
    code, out, _ = run("up", *options)

    assert code == 0
    assert "Applied 1 migration" in out
    assert run("baseline", 2, *options)[0] == 2


@pytest.mark.one_version
def test_seeds_run_again_and_never_in_production(run: Run, database: Database, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    write_migrations(
        seeds / "test",
        {
            "001__a.sql": "CREATE TABLE IF NOT EXISTS s (x int PRIMARY KEY);\n",
            "002__b.sql": "INSERT INTO s VALUES (1) ON CONFLICT DO NOTHING;\n",
        },
    )
    (tmp_path / "pgratchet.toml").write_text('seeds = "seeds"\n')

    assert run("seed", "test", "--url", database.url)[0] == 0
    assert run("seed", "test", "--url", database.url)[0] == 0
    assert run("seed", "production", "--url", database.url)[0] == 2
    assert "There are some for test;" in run("seed", "tset", "--url", database.url)[2]
    assert run("mark", "production", "--url", database.url)[1] == "This database is marked as production.\n"
    code, _, err = run("seed", "test", "--url", database.url)

    assert (code, "marked as production" in err) == (2, True)
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM s").fetchone() == (1,)


@pytest.mark.one_version
def test_a_start_with_nothing_to_do_gives_the_same_line_the_short_way_and_the_long(
    database: Database, folder: Path, run: Run
) -> None:
    write_migrations(
        folder, {"V1__a.sql": TABLE, "B1__all.sql": TABLE, "R__v.sql": "CREATE VIEW v AS SELECT 1;\n"}
    )
    run("up", "--url", database.url, "--dir", folder)
    long = run("up", "--lock-wait", 5, "--url", database.url, "--dir", folder)[1]
    command = [sys.executable, "-X", "importtime", "-m", "pgratchet", "up", "--url", database.url]
    command += ["--dir", str(folder)]

    short = subprocess.run(command, capture_output=True, text=True, check=True)

    assert short.stdout == long == "Nothing to do: 2 migrations applied, at version 1.\n"
    assert "psycopg" not in short.stderr


@pytest.mark.one_version
def test_the_short_way_leaves_an_edited_file_to_the_long_way(
    database: Database, folder: Path, run: Run
) -> None:
    write_migrations(folder, {"V1__a.sql": TABLE})
    run("up", "--url", database.url, "--dir", folder)
    write_migrations(folder, {"V1__a.sql": TABLE.replace("int", "bigint")})
    command = [sys.executable, "-m", "pgratchet", "up", "--url", database.url]
    command += ["--dir", str(folder)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 5
    assert "was edited after it had been applied" in done.stderr


@pytest.mark.one_version
def test_preflight_exits_with_4_where_up_would_refuse(run: Run, database: Database, folder: Path) -> None:
    options = ("--url", database.url, "--dir", folder)
    write_migrations(folder, {"V1__a.sql": TABLE})
    code, out, _ = run("preflight", *options)
    assert code == 0
    assert out.endswith("Checks: 0 refused, 0 warned of, 17 passed.\n")

    write_migrations(folder, {"V2__b.sql": "CREATE EXTENSION nope;\n"})
    code, out, _ = run("preflight", *options)
    assert code == 4
    assert out.startswith(
        "refuse  extensions: V2__b.sql needs the extension nope, which this server does not have"
    )
    assert "\n          next: Install" in out
    assert run("preflight", "--to", 1, *options)[0] == 0

    code, out, err = run("up", *options)
    assert (code, out) == (4, "")
    assert "error: 1 check before the run refused it; nothing was run\nrefuse  extensions: V2__b.sql" in err
    assert run("up", "--no-preflight", *options)[0] == 1


@pytest.mark.one_version
def test_preflight_and_a_refusal_are_one_json_object_each(run: Run, database: Database, folder: Path) -> None:
    options = ("--url", database.url, "--dir", folder, "--json")
    write_migrations(folder, {"V1__a.sql": "CREATE EXTENSION nope;\n"})

    code, out, _ = run("preflight", *options)
    found = json.loads(out)
    assert (code, found["command"]) == (4, "preflight")
    assert set(found["checks"][0]) == {"name", "verdict", "reason", "hint", "script"}
    assert (found["checks"][0]["verdict"], found["checks"][0]["script"]) == ("refuse", "V1__a.sql")

    code, out, _ = run("up", *options)
    error = json.loads(out)["error"]
    assert (code, error["type"], error["exit_code"]) == (4, "PreflightError", 4)
    assert error["checks"] == [found["checks"][0]]


@pytest.mark.one_version
def test_a_warning_of_preflight_is_talk_and_a_note(run: Run, database: Database, folder: Path) -> None:
    options = ("--url", database.url, "--dir", folder)
    write_migrations(folder, {"V1__a.sql": TABLE})
    run("up", *options)
    with database.connect() as connection:
        connection.execute("INSERT INTO a VALUES (1)")
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("CREATE INDEX CONCURRENTLY left_over ON a ((1 / (id - 1)))")
    write_migrations(folder, {"V2__b.sql": "SELECT 1;\n"})

    assert run("preflight", *options)[0] == 0
    code, out, err = run("up", *options)

    assert code == 0
    assert '  WARNING: indexes: the index "public"."left_over" on a is INVALID' in err
    assert out.startswith("note: indexes: ")


@pytest.mark.parametrize("arguments", [("up", "--too"), ("baseline",), ("up", "--to", "x")])
def test_a_mistake_in_the_arguments_is_one_json_object_where_one_was_wanted(
    run: Run, arguments: tuple[str, ...]
) -> None:
    code, out, err = run(*arguments, "--json")

    found = json.loads(out)
    assert (code, err, found["command"]) == (2, "", arguments[0])
    assert found["error"]["exit_code"] == 2
    assert found["error"]["message"]
