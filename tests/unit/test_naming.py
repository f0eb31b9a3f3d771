"""File names and checksums: what a name says, what a wrong one should be, and what a content counts as."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pgratchet import naming

WORD = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)
DESCRIPTION = st.lists(WORD, min_size=1, max_size=4).map("_".join)
VERSION = st.integers(0, naming.GREATEST_VERSION)
CONTENT = st.text(alphabet="ab ;é\n", max_size=60).map(str.encode).filter(bytes.strip)


Checksum = Callable[[bytes], str | None]


@pytest.fixture(scope="module")
def checksum(tmp_path_factory: pytest.TempPathFactory) -> Checksum:
    path = tmp_path_factory.mktemp("checksum") / "file.sql"

    def of(content: bytes) -> str | None:
        path.write_bytes(content)
        return naming.checksum(str(path))

    return of


@given(prefix=st.sampled_from("VB"), version=VERSION, zeros=st.integers(0, 5), description=DESCRIPTION)
def test_a_good_name_says_its_parts_whatever_the_leading_zeros(
    prefix: str, version: int, zeros: int, description: str
) -> None:
    name = f"{prefix}{'0' * zeros}{version}__{description}.sql"
    assert naming.read(name) == (prefix, version, description)


def test_an_accent_does_not_cut_a_word_in_two() -> None:
    assert naming.snake("Ünïcode – où & Größe") == "unicode_ou_gro_e"


def test_the_greatest_version_is_the_greatest_bigint() -> None:
    assert naming.read("V9223372036854775807__x.sql") == ("V", 9223372036854775807, "x")


@given(description=DESCRIPTION)
def test_a_repeatable_has_no_version(description: str) -> None:
    assert naming.read(f"R__{description}.sql") == ("R", None, description)


@pytest.mark.parametrize(
    "name",
    [
        "V1_add_users.sql",
        "V1__Add_users.sql",
        "V1__add users.sql",
        "V1__add__users.sql",
        "V1__add_users_.sql",
        "V1__.sql",
        "V1__add_users",
        "V1__add_users.SQL",
        "v1__add_users.sql",
        "V__add_users.sql",
        "V1.1__add_users.sql",
        "V-1__add_users.sql",
        "V+1__add_users.sql",
        "V١__add_users.sql",
        "V1__añadir.sql",
        "R1__add_users.sql",
        "U1__add_users.sql",
        "V1__add_users.sql\n",
        "V9223372036854775808__too_great_for_bigint.sql",
    ],
)
def test_a_wrong_name_is_not_read(name: str) -> None:
    assert naming.read(name) is None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("V1_add_users.sql", "V1__add_users.sql"),
        ("V001__Add Users.sql", "V001__add_users.sql"),
        ("V001__addUserEmail.sql", "V001__add_user_email.sql"),
        ("v7__add_users.SQL", "V7__add_users.sql"),
        ("7_add_users.sql", "V7__add_users.sql"),
        ("C7__add_users.sql", "V7__add_users.sql"),
        ("Version 7 - add users.sql", "V7__add_users.sql"),
        ("20240131120000_add_users.sql", "V20240131120000__add_users.sql"),
        ("V7__add_users", "V7__add_users.sql"),
        ("V7__add.users.sql", "V7__add_users.sql"),
        ("V7__add_users.pgsql", "V7__add_users.sql"),
        ("V7__2FA.sql", "V7__2_fa.sql"),
        ("V7.sql", "V7__change.sql"),
        ("b3_all_tables.sql", "B3__all_tables.sql"),
        ("Repeatable views.sql", "R__views.sql"),
        ("R2__views.sql", "R__views.sql"),
    ],
)
def test_a_wrong_name_is_told_the_right_one(wrong: str, right: str) -> None:
    assert naming.suggestion(wrong) == right


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "add_2fa.sql",
        "U7__drop_users.sql",
        "V7.1__add_users.sql",
        "V7__add_users.sql.orig",
        "V7__add_users.sql~",
        "V7__add\nusers.sql",
        "V__add_users.sql",
    ],
)
def test_where_the_right_name_would_be_a_guess_none_is_told(name: str) -> None:
    assert naming.suggestion(name) is None


@given(
    st.text(max_size=40) | st.from_regex(r"[vVbBrR]?[0-9]{0,20}[_ .-]{0,3}\w{0,9}(\.sql)?", fullmatch=True)
)
def test_a_suggestion_is_itself_a_good_name(wrong: str) -> None:
    better = naming.suggestion(wrong)
    assert better is None or naming.read(better) is not None


@given(prefix=st.sampled_from(["V1", "B1", "R"]), description=DESCRIPTION)
def test_a_good_name_is_its_own_suggestion(prefix: str, description: str) -> None:
    name = f"{prefix}__{description}.sql"
    assert naming.suggestion(name) == name


@given(st.text(max_size=40))
def test_what_snake_makes_is_a_description_or_nothing(text: str) -> None:
    words = naming.snake(text)
    assert words == "" or naming.read(f"V1__{words}.sql") == ("V", 1, words)


@given(CONTENT)
def test_the_checksum_does_not_know_a_bom_the_kind_of_line_ends_or_a_last_newline(
    checksum: Checksum, content: bytes
) -> None:
    plain = checksum(content)
    assert checksum(naming.BOM + content) == plain
    assert checksum(content.replace(b"\n", b"\r\n")) == plain
    assert checksum(content.replace(b"\n", b"\r")) == plain
    assert checksum(content.rstrip(b"\n")) == checksum(content.rstrip(b"\n") + b"\n")


@given(one=CONTENT, other=CONTENT)
def test_the_checksum_knows_every_other_change(checksum: Checksum, one: bytes, other: bytes) -> None:
    assume(one.removesuffix(b"\n") != other.removesuffix(b"\n"))
    assert checksum(one) != checksum(other)


@example(content=b"abcd\r\nx", piece=4)
@given(content=st.lists(st.sampled_from([b"a", b"\r", b"\n", b" "])).map(b"".join), piece=st.integers(4, 9))
def test_the_checksum_does_not_depend_on_the_pieces_in_which_a_file_is_read(
    checksum: Checksum, content: bytes, piece: int
) -> None:
    whole = checksum(naming.BOM + content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(naming, "PIECE", piece)
        assert checksum(naming.BOM + content) == whole


def test_the_checksum_is_that_of_sha256sum_for_a_plain_file(checksum: Checksum) -> None:
    assert checksum(b"SELECT 1;\n") == "b4e0497804e46e0a0b0b8c31975b062152d551bac49c3c2e80932567b4085dcd"


@pytest.mark.parametrize("content", [b"", naming.BOM, b" \r\n\t\r\n", naming.BOM + b"\r", b"\n" * 9])
def test_a_file_of_nothing_but_space_has_no_checksum(checksum: Checksum, content: bytes) -> None:
    assert checksum(content) is None


@pytest.mark.parametrize("name", ["README.md", "readme.md", ".gitkeep", ".V1__x.sql.swp"])
def test_a_readme_and_dot_files_may_stand_in_the_folder(name: str) -> None:
    assert naming.ignored(name)


@pytest.mark.parametrize("name", ["README.txt", "notes.md", "V1__x.sql"])
def test_nothing_else_may(name: str) -> None:
    assert not naming.ignored(name)


def test_many_files_are_told_by_the_first_and_the_last() -> None:
    assert naming.few(["V1__a.sql", "V2__b.sql", "V3__c.sql"]) == "V1__a.sql, V2__b.sql, V3__c.sql"
    assert naming.few([f"V{n}__x.sql" for n in range(1, 10)]) == "V1__x.sql … V9__x.sql (9 files)"
