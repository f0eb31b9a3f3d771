"""The hash of a file's tokens: the same for every way to write them, another for every other token."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pgratchet.parse.canonical import Digest, canonical, comments, spelling

SAME = [
    ("SELECT  1", "select\n\t1"),
    ("select a=-1", "SELECT a = - 1"),
    ("select a<=+-1", "select a <= + -1"),
    ("select 2*-b", "select 2 * - b"),
    ("date'x'", "DATE 'x'"),
    ("a . b", "a.b"),
    ("count( * ) , x :: int", "count(*),x::int"),
    ("a [ 1 : 2 ]", "a[1:2]"),
    ("a[1: -1]", "a[1:-1]"),
    ("x := 1", "x:=1"),
    ("x /* 'q\" */ y -- it's $$\n z", "x y z"),
    ("x/* /* nested */ ' */y", "x y"),
    ("a||'x'", "a || 'x'"),
    ("f( $a$ x $$ $a$ )", "f($a$ x $$ $a$)"),
    (r"E'a\' -- x' , b -- c", r"E'a\' -- x',b"),
    ("x /* ' */ $1", "X $1"),
    ('x "A" -- "', 'X"A"'),
    ("a '--' /* ' */ b", "A '--' b"),
    ("'a\r\nb'", "'a\nb'"),
    ("U&'x' UESCAPE '!'", "U&'x'uescape '!'"),
]
OTHER = [
    ("a b", "ab"),
    ("a - -1", "a --1"),
    ("a - -1", "a - 1"),
    ("a !=-1", "a != -1"),
    ("a @- 1", "a @ -1"),
    ("1 .5", "1.5"),
    ("1. 5", "1.5"),
    ("a : : b", "a::b"),
    ("a : = b", "a := b"),
    ("a . . b", "a .. b"),
    ("e'x'", "e 'x'"),
    ("b'1'", "b '1'"),
    ("u&'x'", "u & 'x'"),
    ("'a' 'b'", "'a''b'"),
    ("'a','b'", "'a'',''b'"),
    ('"a" "b"', '"a""b"'),
    ("select 'A'", "select 'a'"),
    ('select "A"', 'select "a"'),
    ('select "a"', "select a"),
    ("select 'a'", 'select "a"'),
    ("select $$a$$", "select 'a'"),
    ("select $$a$$", "select $x$a$x$"),
    ("select $$A$$", "select $$a$$"),
    ("foo$x$A$x$", "foo $x$A$x$"),
    ("x /*+ h */ y", "x y"),
    ("x /*+ h */ y", "x /*+ g */ y"),
    ("x '/*+ h */'", "x /*+ h */"),
    ("a, 'b', c", "a, b, 'c'"),
    ("É", "é"),
    (r"E'a\'b'", r"E'a\''b"),
    ("'a  b'", "'a b'"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_comments_spaces_and_the_case_of_what_is_not_quoted_do_not_count(one: str, other: str) -> None:
    assert canonical(one.encode()) == canonical(other.encode())


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_every_token_counts(one: str, other: str) -> None:
    assert canonical(one.encode()) != canonical(other.encode())


TOKEN = st.sampled_from(
    [
        "select",
        "a",
        "é",
        "e",
        "u",
        "x1",
        "foo$bar",
        "$1",
        "1",
        "2.5",
        "1e5",
        "'a'",
        "'it''s'",
        "'-- /* \" $$ '",
        r"'\'",
        r"E'\''",
        r"e'a\\'",
        "b'1'",
        "N'x'",
        "U&'y'",
        '"A"',
        '"b""--"',
        'U&"c"',
        "$$ ' $$",
        '$t$ $$ " $t$',
        "+",
        "-",
        "*",
        "<=",
        "!=-",
        "->>",
        "@-",
        "&",
        "||",
        "::",
        ":=",
        ":",
        "..",
        ".",
        ",",
        "(",
        ")",
        "[",
        "]",
        ";",
        "/*+ Hint(a) */",
    ]
)
TOKENS = st.lists(TOKEN, min_size=1, max_size=12)
SPACE = st.sampled_from([" ", "\n", "\t \r\n", " /* ' \" $$ ; */ ", " -- it's \"\n", "\n/* a /* ' */ b */\f"])


ALONE = frozenset("(),;[]")


def written(data: st.DataObject, tokens: list[str]) -> str:
    """Write tokens with space between any two, or none where none is needed, and the other case where it can be."""
    text = ""
    for before, token in pairwise(["(", *tokens]):
        needed = not {before, token} & ALONE
        # Behind a line end a string goes on.
        drawn = " " if before[-1] == token[0] == "'" else data.draw(SPACE)
        text += drawn if needed or data.draw(st.booleans()) else ""
        quoted = set(token) & set("'\"$") or "/*" in token or not token.isascii()
        text += token if quoted else token.swapcase()
    return text.strip()


@given(st.data(), TOKENS)
def test_the_same_tokens_hash_alike_however_they_are_written(data: st.DataObject, tokens: list[str]) -> None:
    assert canonical(written(data, tokens).encode()) == canonical(" ".join(tokens).encode())


@given(TOKENS, TOKENS)
def test_other_tokens_hash_otherwise(one: list[str], other: list[str]) -> None:
    assume(meaning(one) != meaning(other))
    assert canonical(" ".join(one).encode()) != canonical(" ".join(other).encode())


@given(st.data(), TOKENS)
def test_a_token_left_out_doubled_or_replaced_changes_the_hash(
    data: st.DataObject, tokens: list[str]
) -> None:
    at = data.draw(st.integers(0, len(tokens) - 1))
    changed = tokens[:at] + data.draw(st.lists(TOKEN, max_size=2)) + tokens[at + 1 :]
    assume(meaning(changed) != meaning(tokens))
    assert canonical(" ".join(changed).encode()) != canonical(" ".join(tokens).encode())


def meaning(tokens: list[str]) -> list[str]:
    return [token.lower() if token.isalpha() and token.isascii() else token for token in tokens]


def of(*statements: bytes) -> str:
    digest = Digest()
    for statement in statements:
        digest.statement(statement)
    return digest.hexadecimal()


def test_where_one_statement_ends_counts() -> None:
    assert of(b"select 1", b"select 2") != of(b"select 1 select 2")
    assert of(b"select 'a'", b"select b") != of(b"select", b"'a' select b")
    assert of(b"a", b"b") != of(b"b", b"a")


def test_the_data_of_a_copy_counts_but_not_the_pieces_it_comes_in() -> None:
    def copied(*pieces: bytes) -> str:
        digest = Digest()
        for piece in pieces:
            digest.data(piece)
        digest.statement(b"copy t from stdin", with_data=True)
        return digest.hexadecimal()

    assert copied(b"1\n", b"2\n") == copied(b"1\n2", b"\n")
    assert copied(b"1\n2\n") != copied(b"1\n3\n")
    assert copied(b"A\n") != copied(b"a\n")
    assert copied(b"1\r", b"", b"\n2\r\n") == copied(b"1\n2\n")
    assert len({copied(b"1\r"), copied(b"1"), copied(b"1\r2"), copied(b"12"), copied(b"1\n")}) == 5


@pytest.mark.parametrize("statement", [b"select  'A' , x", b'select "A",  $1 -- x'])
def test_a_long_file_hashes_as_a_short_one_does(statement: bytes) -> None:
    same = canonical(statement)
    assert same
    many = 20_000
    assert of(*[statement] * many) == of(*[statement.replace(b"  ", b" ")] * many)
    assert of(*[statement] * many) != of(*[statement] * (many - 1))


def test_the_spelling_has_the_words_in_lower_case_and_no_quotes() -> None:
    assert spelling(b"CREATE  INDEX 'a b' /* x */ ON \"T\"") == "create index\0on\0"


def test_comments_are_found_with_their_place_and_only_outside_of_quotes() -> None:
    sql = "select '--a', $$/*b*/$$ --c\n, é /* d\n */ , \"--e\" /*+ f */ --g"
    assert list(comments(sql)) == [("--c", 1, 25), ("/* d\n */", 2, 5), ("--g", 3, 22)]
