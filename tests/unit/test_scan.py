"""A stream of SQL is cut where psql cuts it, and every place in it is told right."""

from __future__ import annotations

import io
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgratchet.errors import ScanError
from pgratchet.parse import grammar, scan
from pgratchet.parse.scan import Raw


class Cut(NamedTuple):
    raws: list[Raw]
    comments: list[tuple[str, int, int]]
    data: bytes


def cut(sql: str | bytes, size: int = scan.PIECE) -> Cut:
    content = sql.encode() if isinstance(sql, str) else sql
    comments: list[tuple[str, int, int]] = []
    data: list[bytes] = []

    def comment(text: str, line: int, column: int) -> None:
        comments.append((text, line, column))

    raws = list(scan.statements(io.BytesIO(content), comment=comment, data=data.append, size=size))
    return Cut(raws, comments, b"".join(data))


def texts(sql: str | bytes) -> list[str]:
    return [raw.text for raw in cut(sql).raws]


WHOLE = [
    "select 'a;b'",
    "select 'it''s; ''' , 1",
    r"select 'a\', 1",
    r"select E'a\';b'",
    r"select e'a''\''';b'",
    "select E'a'\n'b\\';c'",
    "select E'a' -- it's\n \t 'b\\';c'",
    r"select type'a\', 1 from xe'\'",
    r"select é_e'a\', 1",
    r"select U&'d\0061;', B'1;', X'1;', N'a;'",
    'select "a;""b;", U&"d;"',
    "select $$a;$b$$, $1, $_x$;$$;$y$;$_x$",
    "select $ä$;$ä$",
    "select foo$bar$baz, a$$b, $1",
    "do $do$ begin; $do $; end $do$",
    "select 1 /* ; /* ; */ ; */ + 2",
    "select 1 /* /* /* /* /* ; */ */ */ */ ; */ + 2",
    "select 2*/* ; */3, 4 -/* ; */- 5",
    "select 1 -- ;\n, 2",
    "select 1 -- ;\r, 2",
    "select a->b, c-d, e/f, -1",
    "create rule r as on insert to t do (select 1; select ')'; select $x$;($x$)",
    "select ((((((((1;2))))))))",
    "select ((((((($x$;)$x$)))))))",
    "select (1 /* ) */ ; -- )\n 2)",
    "create function f() returns int begin atomic; select 1; end",
    "create or replace procedure p() begin /* x */ atomic select case when a then 1 end; select 2; end",
    "/*+ hint */ create /* ; */ or replace function f() returns int begin atomic select 1; end",
    'create function "begin"() returns int begin atomic select begin_x, "end", \'end\'; select 2; end',
    "create function f() begin atomic select (case when 1 = 1 then (2) end); select $$end$$; end",
    "/*+ SeqScan(a;b) */ select 1",
]
ATOMIC = "create function f() returns int begin atomic"
SEVERAL = [
    ("", []),
    (" ;; ; -- nothing\n /* ; */ ;", []),
    ("/*+ lonely */ ;", []),
    ("select 1", ["select 1"]),
    ("select 1 ;select 2\n;\n", ["select 1", "select 2"]),
    ("-- a\nselect 1 -- b\n; /* c */ select 2 /* d */", ["select 1", "select 2"]),
    ("select 1 /* /* /* /* x */ */ */ */ -- y\n;", ["select 1"]),
    ("-- a\n/*+ b */ -- c\nselect 1;", ["/*+ b */ -- c\nselect 1"]),
    ("select ');' ; select '(' ; select 3", ["select ');'", "select '('", "select 3"]),
    ("begin; select 1; end; select 2", ["begin", "select 1", "end", "select 2"]),
    ("select case when b then c end; d", ["select case when b then c end", "d"]),
    ("create function begin() as 'a'; select 2", ["create function begin() as 'a'", "select 2"]),
    (f"{ATOMIC} select 1; end; select 2; end", [f"{ATOMIC} select 1; end", "select 2", "end"]),
    (f"{ATOMIC} end; select 2; end", [f"{ATOMIC} end", "select 2", "end"]),
    (f"{ATOMIC} select (end); end; b", [f"{ATOMIC} select (end); end", "b"]),
    (f"{ATOMIC} select ($x$$x$, end); end; b", [f"{ATOMIC} select ($x$$x$, end); end", "b"]),
]


@pytest.mark.parametrize("sql", WHOLE)
def test_a_statement_ends_at_no_semicolon_inside_a_quote_a_comment_a_parenthesis_or_a_body(sql: str) -> None:
    assert texts(f"{sql}; select 2") == [sql, "select 2"]


@pytest.mark.parametrize("sql", WHOLE)
def test_a_last_statement_needs_no_semicolon(sql: str) -> None:
    assert texts(sql) == [sql]


@pytest.mark.parametrize(("sql", "expected"), SEVERAL)
def test_statements_are_cut_at_semicolons_and_freed_of_what_stands_around_them(
    sql: str, expected: list[str]
) -> None:
    assert texts(sql) == expected


@pytest.mark.parametrize("sql", [*WHOLE, *(sql for sql, _ in SEVERAL)])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_size_of_the_pieces_does_not_matter(sql: str, size: int) -> None:
    content = f"\ufeff{sql};\nCOPY t FROM stdin;\nä\n\\.x\n\\.\nselect 'é'".encode()
    assert cut(content, size) == cut(content)


def test_line_and_column_count_characters_and_the_offset_counts_bytes() -> None:
    content = "\ufeff-- ä\nselect 'ö';  select 2;\r\n\tselect\n3".encode()
    places = [(raw.line, raw.column, raw.start) for raw in cut(content).raws]
    assert places == [(2, 1, 9), (2, 14, 23), (3, 2, 35)]


def test_comments_between_statements_are_told_with_their_place() -> None:
    assert cut("-- a\n/* b */ select 1; -- c\n  select 2 -- d\n; -- e").comments == [
        ("-- a\n/* b */ ", 1, 1),
        (" -- c\n  ", 2, 18),
        (" -- e", 4, 2),
    ]


@pytest.mark.parametrize(
    ("content", "data", "rest"),
    [
        ("COPY t FROM stdin;\n1\n2\n\\.\nselect 1", "1\n2\n", "select 1"),
        ('copy public."t;" (a, "b)") from STDIN with (format csv); -- x\n1;\n\\.\n', "1;\n", None),
        ("copy t from /* x */ stdin\n;\n\\.\nselect 1", "", "select 1"),
        ("copy t from stdin;\r\na\r\n\\.\r\nselect 1", "a\r\n", "select 1"),
        ("copy t from stdin;\n\\.x\n\\\\.\n \\.\n\\.", "\\.x\n\\\\.\n \\.\n", None),
        ("copy t from stdin;\nno end", "no end", None),
        ("copy t from stdin;\n\n\n\\.\n;select 1", "\n\n", "select 1"),
        ("copy t from stdin", "", None),
        ("/*+ hint */ copy t from stdin;\n1\n\\.\n", "1\n", None),
        ("copy t from stdin; /* x */ /* y */\n'\n\\.\n", "'\n", None),
    ],
)
@pytest.mark.parametrize("size", [1, 3, scan.PIECE])
def test_the_data_of_a_copy_is_the_lines_below_it(
    content: str, data: str, rest: str | None, size: int
) -> None:
    found = cut(content, size)
    assert found.data.decode() == data
    place = found.raws[0].copy
    assert place is not None
    assert content.encode()[place[0] : place[1]].decode() == data
    assert [raw.text for raw in found.raws[1:]] == ([rest] if rest else [])


@pytest.mark.parametrize(
    "sql",
    [
        "copy t to stdout",
        "copy t from 'stdin'",
        'copy t from "stdin"',
        "copy t from program 'x'",
        "copyx from stdin",
        "copy (select 1 from stdin) to stdout",
        "select 1 from stdin",
        "copy t from stdin2",
    ],
)
def test_other_statements_take_no_data(sql: str) -> None:
    assert [raw.copy for raw in cut(f"{sql};\n1\n").raws] == [None, None]


def test_text_behind_a_copy_in_its_line_is_refused() -> None:
    with pytest.raises(ScanError) as caught:
        cut("select 1;\ncopy t from stdin; select 1;\n1\n\\.\n")
    assert (caught.value.line, caught.value.column) == (2, 20)


def test_the_lines_that_pg_dump_writes_for_psql_are_skipped() -> None:
    assert texts("\\restrict a'b\nselect 1;\n\\unrestrict a'b\n") == ["select 1"]


@pytest.mark.parametrize(
    ("sql", "line", "column", "hint"),
    [
        ("\\i other.sql\n", 1, 1, "migration of its own"),
        ("select 1;\n  \\copy t from 'x'\n", 2, 3, "COPY … FROM stdin"),
        ("select 'a'\n  \\gexec\n", 2, 3, "DO block"),
        ("select (1 \\gset\n", 1, 11, "value itself"),
        ("\\set x 1", 1, 1, "value itself"),
        ("\\c other", 1, 1, "--url"),
        ("\\connect - joe", 1, 1, "--url"),
        ("\\echo hello", 1, 1, "Delete the line"),
        ("\\encoding latin1", 1, 1, "UTF-8"),
        ("\\.\n", 1, 1, "none is open"),
        ("\\if true\n", 1, 1, "DO block"),
        ("select 1 \\; select 2;", 1, 10, "semicolon"),
        ("select 1\n\\restrict x\n;", 2, 1, "Delete the line"),
        ("\\nobody_knows", 1, 1, "Delete the line"),
    ],
)
def test_a_command_of_psql_is_refused_with_its_place_and_what_to_write(
    sql: str, line: int, column: int, hint: str
) -> None:
    with pytest.raises(ScanError, match="command of psql") as caught:
        cut(sql)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("content", "line", "column", "message"),
    [
        (b"select 1;\n select 'a;\n", 2, 9, "string"),
        (b"select E'a\\'", 1, 9, "string"),
        (b"select E'a'\n'b\\'", 1, 9, "string"),
        (b'select ("a\n', 1, 9, "quoted name"),
        (b"select $$ ; $x$", 1, 8, r"\$\$"),
        (b"select ($x$ ; $$ )", 1, 9, r"\$x\$"),
        (b"select 1 /* ; /* */", 1, 10, "comment"),
        (b"-- x\n/* ", 2, 1, "comment"),
        ("select 'é';\n'ä\0'".encode(), 2, 3, "NUL"),
        ("select 'é';\n 'ä".encode() + b"\xff'", 2, 4, "byte 18 is not UTF-8"),
        (b"select '\xc3", 1, 9, "byte 9 is not UTF-8"),
        (b"copy t from stdin;\nab\xe4\n\\.\n", 2, 3, "byte 22 is not UTF-8"),
    ],
)
@pytest.mark.parametrize("size", [1, 4, scan.PIECE])
def test_what_never_ends_and_what_is_no_text_is_refused_with_its_place(
    content: bytes, line: int, column: int, message: str, size: int
) -> None:
    with pytest.raises(ScanError, match=message) as caught:
        cut(content, size)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.hint
    assert caught.value.exit_code == 2


FRAGMENT = st.sampled_from(
    [
        "'",
        "''",
        '"',
        "$$",
        "$a$",
        "$a",
        "E'",
        "e'\\'",
        "\\'",
        "U&'",
        "--",
        "/*",
        "*/",
        "/*+",
        "\n",
        "\r\n",
        "-",
        "/",
        "(",
        ")",
        ";",
        ";;",
        "a",
        "é",
        "1",
        " ",
        "$1",
        "begin atomic ",
        " end",
        "case ",
        "create function ",
        "create ",
        "copy t from stdin;\n",
        "copy t from stdin ",
        "\\.\n",
        "x\n",
        "insert into t values (1, 'a', (2));\n",
    ]
)
SQL = st.lists(FRAGMENT, max_size=25).map("".join)


def outcome(sql: str, size: int) -> Cut | tuple[str, int, int]:
    try:
        return cut(sql, size)
    except ScanError as error:
        return error.message, error.line, error.column


@given(SQL, st.integers(1, 7))
def test_any_text_is_cut_or_refused_alike_in_pieces_of_any_size(sql: str, size: int) -> None:
    assert outcome(sql, size) == outcome(sql, scan.PIECE)


@given(SQL)
def test_statements_comments_data_and_what_is_blank_make_up_the_whole_text(sql: str) -> None:
    found = outcome(sql, scan.PIECE)
    if not isinstance(found, Cut):
        return
    content = sql.encode()
    behind = 0
    for raw in found.raws:
        text = raw.text.encode()
        assert content[raw.start : raw.start + len(text)] == text
        assert blank(content[behind : raw.start])
        before = content[: raw.start].decode()
        assert (raw.line, raw.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))
        behind = raw.copy[1] if raw.copy else raw.start + len(text)
    assert blank(content[behind:])


def blank(between: bytes) -> bool:
    """Tell whether a text holds no statement; the mark that ends data may stand at its beginning."""
    return texts(between.removeprefix(b"\\.")) == []


VALID = st.sampled_from(
    [
        "select 1",
        "SELECT 'a;b', E'c\\';d', $x$;$x$, \"e;\" FROM f -- g;\n WHERE h = -1",
        "select E'a'\n'b\\';'",
        "insert into t(a, b) values (1, ';'), (2, ')'), (3, '''')",
        "create rule r as on insert to t do (delete from a; delete from b)",
        "create function f() returns int language sql begin atomic; select case 1 when 1 then 2 end; select 3; end",
        "create function g(a int default (1)) returns int language sql as $$ select 1; $$",
        "create or replace procedure p() begin atomic select (case when true then 1 end); end",
        "do $$ begin perform 1; end $$",
        "/*+ hint; */ select /* a;b */ 2",
        "select a[1:2], b::text, c ->> 'd', 2*/* ; */3, @ -4 from é",
        "update t set a = foo$bar$baz where b = $1",
        "begin",
        "end",
    ]
)
BETWEEN = st.sampled_from([";", " ;\n", ";;", " -- a;b'\n;", "; /* ; ' /* ; */ */ ", ";\n\n-- x\n"])


@given(st.lists(st.tuples(VALID, BETWEEN), max_size=8))
def test_the_cut_is_the_one_that_the_grammar_makes(parts: list[tuple[str, str]]) -> None:
    sql = "".join(statement + between for statement, between in parts)
    raws = cut(sql).raws
    assert [raw.text for raw in raws] == [statement for statement, _ in parts]
    theirs = grammar.starts(sql.encode())
    assert not isinstance(theirs, grammar.Refusal)
    ends = [raw.start + len(raw.text.encode()) for raw in raws]
    # Theirs begin somewhere between the semicolon before and the first token, ours may with a hint.
    for their, behind, end in zip(theirs, [-1, *ends], ends, strict=False):
        assert behind < their < end
    assert len(theirs) == len(raws)
