"""What a file's text says before anything is run: statements, segments, directives, refusals."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from pgratchet import parse
from pgratchet.errors import ParseError
from pgratchet.model import Concurrent, Control, CopyData, Script, Statement
from pgratchet.parse import directives

NAME = "V1__x.sql"


def read(sql: str) -> Script:
    return parse.read_text(sql, NAME)


def kept(sql: str) -> tuple[Statement, ...]:
    statements = read(sql).statements
    assert statements is not None
    return statements


def refusal(sql: str) -> ParseError:
    with pytest.raises(ParseError) as caught:
        read(sql)
    return caught.value


def segments(sql: str) -> list[tuple[str, ...]]:
    """Each segment as the texts in it, behind `alone` or its BEGIN where it has them."""
    found = []
    for segment in parse.segments(kept(sql)):
        head = ("alone",) if segment.alone else (segment.begin.sql,) if segment.begin else ()
        found.append(head + tuple(statement.sql for statement in segment.statements))
    return found


def test_a_statement_has_its_number_its_place_and_its_exact_text() -> None:
    sql = "-- head\ncreate  TABLE é (a int) ; -- x\n  insert into é\nvalues (1)"
    assert kept(sql) == (
        Statement("create  TABLE é (a int)", 1, 2, 1),
        Statement("insert into é\nvalues (1)", 2, 3, 3),
    )


def test_a_file_is_read_as_its_text_is(tmp_path: Path) -> None:
    sql = "\ufeffselect 1;\r\ncopy t from stdin;\r\nä\r\n\\.\r\nselect 2"
    path = tmp_path / NAME
    path.write_bytes(sql.encode())
    assert parse.read(path) == read(sql)
    assert tuple(parse.statements(path)) == parse.read(path).statements
    copy = kept(sql)[1].copy
    assert copy is not None
    assert path.read_bytes()[copy.start : copy.end] == "ä\r\n".encode()


def test_a_copy_without_data_copies_nothing() -> None:
    assert kept("copy t from stdin;")[0].copy == CopyData(18, 18)


def test_a_file_without_statements_is_an_empty_script() -> None:
    script = read("-- nothing\n;")
    assert (script.statements, script.total, script.transactional) == ((), 0, True)


ALONE = [
    "create index concurrently on t (a)",
    "drop index concurrently i",
    "reindex (concurrently) table t",
    "reindex schema s",
    "reindex (concurrently 'ON') table t",
    "create subscription s connection 'x' publication p",
    "create subscription s connection 'x' publication p with (copy_data = false)",
    "alter table p detach partition q concurrently",
    "vacuum",
    "alter system set a = 1",
    "/*+ hint */ create /* x */ database d",
    "/* /* x */ */ /*+ a /* b */ c */ vacuum",
]
NOT_ALONE = [
    "create index concurrently_made on t (a)",
    "reindex (concurrently false) table t",
    "refresh materialized view concurrently m",
    "create subscription s connection 'x' publication p with (connect = false)",
    "analyze t",
    "cluster t",
    "alter table p detach partition q finalize",
    "select 'create index concurrently on t (a)'",
]


@pytest.mark.parametrize("sql", ALONE)
def test_what_postgresql_refuses_in_a_transaction_is_a_segment_alone(sql: str) -> None:
    assert segments(f"select 1; {sql}; select 2; select 3") == [
        ("select 1",),
        ("alone", sql.removeprefix("/* /* x */ */ ")),
        ("select 2", "select 3"),
    ]
    assert not read(f"select 1; {sql}").transactional


@pytest.mark.parametrize("sql", NOT_ALONE)
def test_everything_else_runs_in_one_transaction(sql: str) -> None:
    assert segments(f"select 1; {sql}; select 2") == [("select 1", sql, "select 2")]
    assert read(f"select 1; {sql}; select 2").transactional


def test_what_the_grammar_does_not_know_is_doubtful_and_read_off_its_words() -> None:
    sql = "create table t (a int); create index concurrently i on t newly (a); frobnicate 'vacuum'; vacuum newly newly;"
    assert [(statement.doubtful, statement.alone) for statement in kept(sql)] == [
        (False, False),
        (True, True),
        (True, False),
        (True, True),
    ]


@pytest.mark.parametrize(
    ("sql", "control"),
    [("begin newly", Control.BEGIN), ("start transaction newly", Control.BEGIN)],
)
def test_a_doubtful_begin_begins_a_transaction_all_the_same(sql: str, control: Control) -> None:
    assert [statement.control for statement in kept(f"{sql}; select 1; commit newly")] == [
        control,
        None,
        Control.COMMIT,
    ]


def test_a_body_that_psql_does_not_see_the_end_of_is_doubtful() -> None:
    sql = "create function f() returns int begin atomic select 1 as case; end; select 2; end"
    assert [(statement.sql, statement.doubtful) for statement in kept(sql)] == [(sql, True)]


def test_a_doubtful_return_to_a_savepoint_is_none_of_a_whole_transaction() -> None:
    assert [statement.doubtful for statement in kept("savepoint a; rollback to savepoint a newly")] == [
        False,
        True,
    ]


ADD = "alter type mood add value 'ok'"


def test_a_new_value_of_a_type_closes_its_segment_but_as_the_last_statement() -> None:
    assert segments(f"select 1; {ADD}; select 2") == [("select 1", ADD), ("select 2",)]
    assert not read(f"{ADD}; select 2").transactional
    assert read(f"select 1; {ADD}").transactional
    assert not kept(f"select 1; {ADD}")[1].closes


def test_a_new_value_of_a_type_made_in_the_same_transaction_closes_nothing() -> None:
    made = "create type mood as enum ('sad')"
    assert read(f"{made}; {ADD}; select 'ok'::mood").transactional
    assert [statement.closes for statement in kept(f"{made}; vacuum; {ADD}; select 1")] == [
        False,
        False,
        True,
        False,
    ]
    assert not read(f"create type other as enum ('sad'); {ADD}; select 1").transactional
    assert read("alter type mood rename value 'a' to 'b'; select 1").transactional


def test_a_block_of_the_file_is_a_segment_with_its_begin() -> None:
    sql = "select 1; begin isolation level serializable; select 2; select 3; commit; select 4; vacuum"
    assert segments(sql) == [
        ("select 1",),
        ("begin isolation level serializable", "select 2", "select 3"),
        ("select 4",),
        ("alone", "vacuum"),
    ]


@pytest.mark.parametrize(
    ("begin", "commit"),
    [("begin", "commit"), ("BEGIN /* x */ WORK", "END"), ("start transaction", "commit transaction")],
)
def test_one_plain_block_around_everything_is_one_transaction(begin: str, commit: str) -> None:
    script = read(f"{begin}; select 1; {commit};")
    assert script.transactional
    assert script.statements is not None
    assert [statement.control for statement in script.statements] == [Control.BEGIN, None, Control.COMMIT]


@pytest.mark.parametrize(
    "sql",
    [
        "begin isolation level serializable; select 1; commit",
        "begin; select 1; commit; select 2",
        "select 1; begin; select 2; commit",
        "begin; select 1; commit; begin; select 2; commit",
    ],
)
def test_other_blocks_are_transactions_of_their_own(sql: str) -> None:
    assert not read(sql).transactional


@pytest.mark.parametrize(
    ("sql", "line", "column", "reason"),
    [
        ("select 1;\n rollback", 2, 2, "ROLLBACK"),
        ("begin; abort", 1, 8, "ROLLBACK"),
        ("begin; commit and chain", 1, 8, "COMMIT AND CHAIN"),
        ("prepare transaction 'x'", 1, 1, "prepared transaction"),
        ("commit prepared 'x'", 1, 1, "prepared transaction"),
        ("begin;\n\nbegin;", 3, 1, "line 1 began"),
        ("select 1; commit", 1, 11, "COMMIT without BEGIN"),
        ("select 1;\nbegin; select 1", 2, 1, "BEGIN without COMMIT"),
        ("begin;\nvacuum;\ncommit", 2, 1, "inside a transaction, and line 1 began"),
        ("copy t to stdout", 1, 1, "TO stdout"),
        ("copy t to stdout newly", 1, 1, "TO stdout"),
        ("rollback newly", 1, 1, "ROLLBACK"),
        ("select 'a;\n", 1, 8, "never ends"),
        ("select é,\n :name", 2, 2, "variable of psql"),
        ("select 1; select\n  :'name'", 2, 3, "variable of psql"),
        ('drop table :"name"', 1, 12, "variable of psql"),
        ("\\i x", 1, 1, "psql"),
        ("set standard_conforming_strings = off;\nselect 'a\\n'", 2, 1, "backslash"),
    ],
)
def test_what_a_migration_cannot_hold_is_refused_with_its_place(
    sql: str, line: int, column: int, reason: str
) -> None:
    error = refusal(sql)
    assert (error.line, error.column, error.exit_code) == (line, column, 2)
    assert reason in error.reason
    assert str(error) == f"{NAME}:{line}:{column}: {error.reason}"
    assert error.source == sql.split("\n")[line - 1]
    assert error.hint


@pytest.mark.parametrize(
    "sql",
    [
        "savepoint a; rollback to savepoint a; release a",
        "copy t from '/file'; copy t from program 'x'; copy t to '/file'",
        "select json_object('a':'b'), c[1:d], e::text",
        "set standard_conforming_strings = on; select 'a\\n'",
        "set standard_conforming_strings = off; select 'a'; set standard_conforming_strings = on; select '\\'",
        "prepare p as select 1; execute p; deallocate p",
        "call p()",
    ],
)
def test_what_only_looks_like_it_is_not(sql: str) -> None:
    assert read(sql).transactional
    assert not any(statement.doubtful for statement in kept(sql))


def test_a_directive_is_read_from_the_comments_at_the_top() -> None:
    script = read(
        "-- Purpose: x\n/* -- pgratchet: nothing=1 */\n--pgratchet: transaction=none\n\ncall p(); call q()"
    )
    assert script.directives == {"transaction": "none"}
    assert not script.transactional


def test_without_transactions_every_statement_is_alone_but_in_the_blocks_of_the_file() -> None:
    sql = "-- pgratchet: transaction=none\ncall p(); begin; select 1; select 2; commit; select 3"
    assert segments(sql) == [("alone", "call p()"), ("begin", "select 1", "select 2"), ("alone", "select 3")]
    assert read(sql.replace("none", "auto")).directives == {"transaction": "auto"}
    assert segments(sql.replace("none", "auto"))[0] == ("call p()",)


@pytest.mark.parametrize(
    ("sql", "line", "column", "reason", "hint"),
    [
        (
            "-- pgratchet: transactoin=none\nselect 1",
            1,
            1,
            "no directive 'transactoin'",
            "Did you mean transaction?",
        ),
        (
            "-- x\n  -- pgratchet: quick=1",
            2,
            3,
            "no directive 'quick'",
            "The known directives: build_deadline, lock_budget, lock_timeout, transaction",
        ),
        ("-- pgratchet: transaction=nun", 1, 1, "cannot be 'nun'", "Did you mean none?"),
        ("-- pgratchet: transaction", 1, 1, "no value", "transaction="),
        ("select 1; -- pgratchet: transaction=none", 1, 11, "behind the first statement", "top"),
        ("select 1;\n-- pgratchet: transaction=none\nselect 2", 2, 1, "behind the first statement", "top"),
        ("select 1,\n  -- pgratchet: transaction=none\n2", 2, 3, "behind the first statement", "top"),
        ("select 1 -- pgratchet: transaction=none\n, 2", 1, 10, "behind the first statement", "top"),
    ],
)
def test_a_wrong_or_misplaced_directive_is_refused(
    sql: str, line: int, column: int, reason: str, hint: str
) -> None:
    error = refusal(sql)
    assert (error.line, error.column) == (line, column)
    assert reason in error.reason
    assert error.hint is not None
    assert hint in error.hint


@pytest.mark.parametrize("value", ["0", "0ms", "2", "2min", "-1s", "1.5s", "1000000ms", "2s;"])
def test_a_time_that_is_none_is_refused_with_an_example(value: str) -> None:
    with pytest.raises(ParseError, match="lock_timeout cannot be") as error:
        read(f"-- pgratchet: lock_timeout={value}\nselect 1")
    assert error.value.hint == "Write it as 200ms or 2s."


@pytest.mark.parametrize("value", ["0", "0s", "2", "500ms", "2m", "1.5h"])
@pytest.mark.parametrize("key", ["build_deadline", "lock_budget"])
def test_a_span_that_is_none_is_refused_with_an_example(key: str, value: str) -> None:
    with pytest.raises(ParseError) as error:
        read(f"-- pgratchet: {key}={value}\nselect 1")
    assert error.value.hint == "Write it as 90s, 30min or 2h."


@pytest.mark.parametrize(("span", "seconds"), [("90s", 90), ("30min", 1800), ("2h", 7200)])
def test_a_span_has_a_unit(span: str, seconds: float) -> None:
    assert directives.seconds(span) == seconds


def test_a_file_may_say_how_long_it_waits_for_a_lock() -> None:
    sql = "-- pgratchet: lock_timeout=2s transaction=auto\nselect 1"
    assert read(sql).directives == {"lock_timeout": "2s", "transaction": "auto"}


def test_a_directive_inside_a_quote_is_text() -> None:
    assert read("select '\n-- pgratchet: transaction=none\n', $$\n-- pgratchet: x=y\n$$").directives == {}


CHECKED = "-- a\nselect 'A', b; copy t from stdin;\n1\n\\.\nselect 2"


@pytest.mark.parametrize(
    "same",
    [
        "/* b */ SELECT 'A'\n,B ;; copy T from STDIN ; -- x\n1\n\\.\n\nselect 2;",
        "select 'A', b; copy t from stdin;\r\n1\n\\.\r\nselect /* ; */ 2",
        "-- pgratchet is a tool\n" + CHECKED,
    ],
)
def test_the_tree_checksum_stays_while_the_tokens_stay(same: str) -> None:
    assert read(same).tree_checksum == read(CHECKED).tree_checksum


@pytest.mark.parametrize(
    "other",
    [
        CHECKED.replace("'A'", "'a'"),
        CHECKED.replace("\n1\n", "\n2\n"),
        CHECKED.replace("select 2", "select 3"),
        CHECKED.replace("; copy", "; select 1; copy"),
        "-- pgratchet: transaction=auto\n" + CHECKED,
        CHECKED.replace("select 2", "/*+ x */ select 2"),
    ],
)
def test_the_tree_checksum_changes_with_any_token_data_or_directive(other: str) -> None:
    assert read(other).tree_checksum != read(CHECKED).tree_checksum


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "KEPT", 100)


@pytest.mark.usefixtures("small_memory")
def test_a_large_file_is_not_kept_but_read_again(tmp_path: Path) -> None:
    sql = "begin;\n" + "insert into t values (1);\n" * 10 + "commit"
    path = tmp_path / NAME
    path.write_text(sql)
    script = parse.read(path)
    assert (script.statements, script.total, script.transactional) == (None, 12, True)
    assert script.tree_checksum == read(sql).tree_checksum
    assert tuple(parse.statements(path)) == kept(sql)


@pytest.mark.usefixtures("small_memory")
def test_a_large_file_that_is_not_one_transaction_is_refused(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text("insert into t values (1);\n" * 10 + "vacuum")
    with pytest.raises(ParseError, match=r":11:1: .*one transaction") as caught:
        parse.read(path)
    assert caught.value.source == "vacuum"
    assert "Split the file" in (caught.value.hint or "")


def test_many_statements_are_judged_as_each_of_them_is(monkeypatch: pytest.MonkeyPatch) -> None:
    one = [
        "select 'é'",
        "vacuum",
        "newly",
        "/*+ a */ select 1",
        "begin",
        "select 2",
        "commit",
        "create rule newly (;)",
    ]
    sql = "; -- ;\n".join(one * 3)
    at_once = kept(sql)
    monkeypatch.setattr(parse, "_AT_ONCE", 1)
    assert kept(sql) == at_once
    assert [statement.doubtful for statement in at_once[:8]] == [False, False, True, *[False] * 4, True]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "create unique index concurrently if not exists i on s.t (a)",
            Concurrent("create_index", ('"s"."i"',), '"s"."t"', if_not_exists=True),
        ),
        ('create index concurrently "I""x" on only t (a)', Concurrent("create_index", ('"I""x"',), '"t"')),
        ("create index concurrently on t (a)", Concurrent("create_index", (), '"t"')),
        ("drop index concurrently if exists s.i, j", Concurrent("drop_index", ('"s"."i"', '"j"'), None)),
        ("reindex index concurrently s.i", Concurrent("reindex", ('"s"."i"',), None)),
        ("reindex table concurrently t", Concurrent("reindex", (), '"t"')),
        ("reindex (concurrently) schema s", Concurrent("reindex", (), None)),
        ("alter table s.p detach partition q concurrently", Concurrent("detach", ('"q"',), '"s"."p"')),
        ("create index i on t (a)", None),
        ("reindex schema s", None),
        ("drop table t", None),
        ("vacuum", None),
        ("create index concurrently newly", None),
    ],
)
def test_what_a_concurrent_statement_leaves_half_done_is_known_by_name(
    sql: str, expected: Concurrent | None
) -> None:
    assert parse.concurrent(sql) == expected


def modules(code: str) -> Iterable[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.split()


def test_the_python_form_of_the_parser_is_never_imported() -> None:
    code = "from pgratchet import parse; parse.read_text('vacuum', 'x'); parse.concurrent('drop index concurrently i')"
    loaded = modules(code)
    assert "pgratchet.parse" in loaded
    assert not {"postgast", "google.protobuf"} & set(loaded)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz DEFAULT now())",
        "create unlogged table a (id int)",
        "CREATE UNIQUE INDEX ON a (lower(b))",
        "CREATE OR REPLACE FUNCTION f() RETURNS void LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE a ADD COLUMN b text",
        "COMMENT ON TABLE a IS 'x'",
        "GRANT SELECT ON a TO b",
    ],
)
def test_a_definition_leaves_the_session_as_it_is(sql: str) -> None:
    assert parse.defines(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE a AS SELECT set_config('work_mem', '7MB', false)",
        "CREATE TABLE a (b) AS\n/* so */ SELECT f()",
        "CREATE TEMP TABLE a (id int)",
        "CREATE TABLE pg_temp.a (id int)",
        "CREATE MATERIALIZED VIEW a AS SELECT f()",
        "ALTER TABLE a ADD COLUMN b int DEFAULT f()",
        "ALTER TABLE a ADD CHECK (f(b))",
        "ALTER TABLE a ALTER COLUMN b TYPE int USING b::int",
        "CREATE EXTENSION vector",
        "INSERT INTO a SELECT f()",
        "SELECT f()",
        "SET work_mem = '7MB'",
        "DO $$ BEGIN PERFORM f(); END $$",
        "/* CREATE TABLE a () */ SELECT f()",
        "LISTEN a",
    ],
)
def test_what_could_run_a_function_or_change_the_session_is_no_mere_definition(sql: str) -> None:
    assert not parse.defines(sql)


def test_a_comment_that_ignores_rules_may_stand_anywhere_and_belongs_to_a_statement() -> None:
    script = read(
        "-- what for\n-- pgratchet: ignore a-rule all of it\nselect 1;\n"
        "-- pgratchet: ignore b-rule, c-rule  why \nselect\n  -- pgratchet: ignore d-rule inside\n 2;\n"
        "/* no */ -- pgratchet: ignore e-rule\n"
    )
    assert [(item.rules, item.reason, item.statement, item.line, item.column) for item in script.ignores] == [
        (("a-rule",), "all of it", 0, 2, 1),
        (("b-rule", "c-rule"), "why", 2, 4, 1),
        (("d-rule",), "inside", 2, 6, 3),
        (("e-rule",), "", 3, 8, 10),
    ]
    assert script.header.startswith("-- what for\n")


def test_a_comment_that_ignores_rules_does_not_count_in_the_checksum_of_the_tree() -> None:
    plain = read("select 1")
    assert read("-- pgratchet: ignore a-rule why\nselect 1").tree_checksum == plain.tree_checksum


def test_a_comment_that_ignores_no_rule_is_an_error() -> None:
    with pytest.raises(ParseError, match="names no rule"):
        read("-- pgratchet: ignore\nselect 1")


@pytest.mark.parametrize(
    ("sql", "inner"),
    [
        ("DO $$ BEGIN DELETE FROM a; END $$", ["DELETE FROM a"]),
        ("DO LANGUAGE plpgsql 'BEGIN PERFORM f(1); END'", ["SELECT f(1)"]),
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM a; END $$",
            ["DELETE FROM a"],
        ),
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ DELETE FROM a; SELECT 1 $$",
            ["DELETE FROM a", "SELECT 1"],
        ),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS $$ DELETE FROM a $$", None),
        (
            "DO $$ BEGIN EXECUTE format('DROP TABLE %I', 'é') || ' CASCADE'; END $$",
            ['DROP TABLE "é" CASCADE'],
        ),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE ' || name; END $$", []),
        ("DO $$ BEGIN nonsense; END $$", None),
        ("SELECT 1", None),
    ],
)
def test_the_statements_in_a_body_are_read(sql: str, inner: list[str] | None) -> None:
    tree = parse.tree(sql)
    assert tree
    body = parse.body(sql, tree)
    assert (body and [item.sql for item in body.statements]) == inner


def test_a_statement_in_a_body_has_its_place_in_characters() -> None:
    sql = "DO $$ BEGIN\n  RAISE NOTICE 'é';\n  DELETE FROM a; COMMIT;\nEND $$"
    tree = parse.tree(sql)
    body = parse.body(sql, tree) if tree else None
    assert body
    assert body.commits
    assert [sql[item.at :][:13] for item in body.statements] == ["DELETE FROM a"]
