"""The rules of `check` where long histories of migrations are of another form than the rules' own examples."""

from __future__ import annotations

import pytest

from pgratchet.findings import Finding
from pgratchet.lint import Catalogue
from pgratchet.lint.catalogue import Column, Table
from tests.unit.test_rules import USERS, check, found

COPY = """CREATE TABLE users_new (id bigint PRIMARY KEY, email text);
INSERT INTO users_new SELECT id, email FROM users;
DROP TABLE users;
ALTER TABLE users_new RENAME TO users;
UPDATE users SET email = 'none' WHERE email IS NULL;"""
VISITS = "CREATE TABLE visits (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));"


def ids(sql: str, setup: str = USERS) -> set[str]:
    return {item.rule for item in found(sql, setup)}


def messages(sql: str, rule: str, setup: str = USERS) -> list[str]:
    return [item.message for item in found(sql, setup) if item.rule == rule]


def test_a_new_table_that_takes_the_name_of_an_old_one_is_not_waited_for() -> None:
    assert "second-table-locked" not in ids(COPY)


def test_a_new_table_that_is_dropped_again_is_not_waited_for() -> None:
    sql = "ALTER TABLE users ADD COLUMN age2 integer;\nCREATE TABLE t (id bigint);\nDROP TABLE t;"
    assert "second-table-locked" not in ids(sql)


def test_an_old_table_is_waited_for_whatever_its_new_name_is() -> None:
    sql = "ALTER TABLE users RENAME TO users_old;\nALTER TABLE orders RENAME TO orders_old;"
    assert messages(sql, "second-table-locked", USERS + "CREATE TABLE orders (id bigint);") == [
        "orders is waited for while users is locked: nobody can read or write that meanwhile"
    ]


def test_a_new_column_of_a_table_that_no_file_makes_has_no_old_values_to_lose() -> None:
    sql = "ALTER TABLE users ADD COLUMN size integer;\nUPDATE users SET size = 1;"
    assert "update-all-rows" not in ids(sql, "")


def test_a_column_that_may_have_been_there_in_a_table_that_no_file_makes_has_values_to_lose() -> None:
    sql = "ALTER TABLE users ADD COLUMN IF NOT EXISTS size integer;\nUPDATE users SET size = 1;"
    assert "update-all-rows" in ids(sql, "")


@pytest.mark.parametrize(
    ("value", "own"),
    [
        ("age + 1", True),
        ("users.age + 1", True),
        ("(SELECT max(users.age) FROM visits)", True),
        ("(SELECT max(age) + 1 FROM users)", True),
        ("(SELECT max(others.age) + 1 FROM users AS others)", True),
        ("(SELECT max(age) FROM visits WHERE visits.user_id = users.id)", False),
        ("visits.age", False),
        ("coalesce(age, 0)", False),
        ("coalesce(age + 1, 0)", True),
        ("lower(age)", False),
        ("lower(age) || 'a'", True),
    ],
)
def test_an_update_reads_what_it_writes_by_the_name_of_its_own_table(value: str, own: bool) -> None:
    sql = f"UPDATE users SET age = {value} FROM visits WHERE visits.user_id = users.id;"
    assert ("update-reads-itself" in ids(sql)) is own


@pytest.mark.parametrize(
    ("sql", "fails"),
    [
        ("DROP INDEX IF EXISTS users_age;\nCREATE UNIQUE INDEX users_age ON users (age);", False),
        (
            'DROP INDEX IF EXISTS "users_age";\nSELECT 1;\nCREATE INDEX CONCURRENTLY users_age ON users (age);',
            False,
        ),
        ("DROP INDEX IF EXISTS users_age_old;\nCREATE INDEX users_age ON users (age);", True),
        ("DROP INDEX IF EXISTS a.users_age;\nCREATE INDEX users_age ON users (age);", True),
        ("DROP INDEX IF EXISTS a.users_age;\nCREATE INDEX users_age ON a.users (age);", False),
        ("DROP TABLE IF EXISTS t;\nCREATE TABLE t (id bigint);\nCREATE INDEX t_id ON t (id);", False),
        ("DROP TABLE IF EXISTS t2;\nCREATE TABLE t (id bigint);", True),
        ("DROP FUNCTION IF EXISTS f;\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';", False),
        ("DROP TRIGGER t ON users;\nCREATE TRIGGER t AFTER DELETE ON users EXECUTE FUNCTION f();", False),
        ("DROP TRIGGER t ON users;\nCREATE TRIGGER t2 AFTER DELETE ON users EXECUTE FUNCTION f();", True),
        ("DROP FUNCTION f;\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';", False),
        ("DROP FUNCTION f(int);\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';", True),
        (
            "DROP FUNCTION IF EXISTS f(int);\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
            True,
        ),
        (
            "DROP FUNCTION IF EXISTS f(int);\nCREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';",
            False,
        ),
        ("DROP ROLE IF EXISTS r;\nCREATE ROLE r;", False),
        (COPY, False),
        ("ALTER TABLE users RENAME TO users_old;\nCREATE TABLE users (id bigint);", True),
        ("DROP TYPE IF EXISTS mood, state;\nCREATE TYPE state AS ENUM ('a');", False),
        ("DROP TYPE IF EXISTS mood;\nCREATE TYPE state AS ENUM ('a');", True),
    ],
)
def test_what_the_file_drops_first_where_it_exists_can_be_made_again(sql: str, fails: bool) -> None:
    assert bool({"no-guard", "guardless-statement"} & ids(sql)) is fails


def key(sql: str, rule: str = "foreign-key-without-index") -> list[Finding]:
    return [item for item in check({"V2__change.sql": f"{USERS}\n{sql}\nSELECT 1;"}) if item.rule == rule]


def test_a_foreign_key_is_told_of_where_it_is_made() -> None:
    (finding,) = key(VISITS)
    assert (finding.line, finding.source) == (2, VISITS.removesuffix(";"))
    other = VISITS.replace("bigint REFERENCES", "integer REFERENCES")
    assert [item.line for item in key(other, "foreign-key-of-another-type")] == [2]


def test_a_comment_above_a_foreign_key_takes_back_what_is_said_of_it() -> None:
    comment = "-- pgratchet: ignore foreign-key-without-index nobody deletes users"
    sql = f"{USERS}\n{comment}\n{VISITS}\nSELECT 1;"
    told = {item.rule for item in check({"V2__change.sql": sql})}
    assert not {"foreign-key-without-index", "ignore-unused"} & told


def test_a_unique_index_of_some_of_its_columns_serves_a_foreign_key() -> None:
    table = "CREATE TABLE v (a bigint, b bigint, FOREIGN KEY (a, b) REFERENCES other (a, b));"
    assert key(f"{table}\nCREATE INDEX v_a ON v (a);")
    assert key(f"{table}\nCREATE UNIQUE INDEX v_a ON v (a) WHERE b > 1;")
    assert not key(f"{table}\nCREATE UNIQUE INDEX v_a ON v (a);")


def test_what_no_on_conflict_can_name_is_not_said_to_break_one() -> None:
    setup = f"{USERS}\n{VISITS}"
    assert messages("ALTER TABLE visits DROP CONSTRAINT visits_user_id_fkey;", "drop-constraint", setup) == [
        "visits_user_id_fkey no longer holds"
    ]
    assert messages("ALTER TABLE visits DROP CONSTRAINT visits_pkey;", "drop-constraint", setup) == [
        "visits_pkey no longer holds; an ON CONFLICT that names its columns fails"
    ]


@pytest.mark.parametrize(
    ("column", "constraint", "restricts"),
    [
        ("size integer", "UNIQUE (age, size)", False),
        ("size integer", "FOREIGN KEY (size) REFERENCES sizes (id) NOT VALID", False),
        ("size integer", "UNIQUE NULLS NOT DISTINCT (age, size)", True),
        ("size integer DEFAULT 1", "UNIQUE (age, size)", True),
        ("size integer", "FOREIGN KEY (age, size) REFERENCES sizes (a, b) MATCH FULL NOT VALID", True),
        ("size integer", "UNIQUE (age)", True),
    ],
)
def test_an_application_that_leaves_a_new_column_null_breaks_no_key_of_it(
    column: str, constraint: str, restricts: bool
) -> None:
    sql = f"ALTER TABLE users ADD COLUMN {column};\nALTER TABLE users ADD CONSTRAINT c {constraint};"
    assert ("restrict-writes" in ids(sql)) is restricts


def test_a_function_that_is_dropped_without_its_parameters_is_none_beside_the_next() -> None:
    make = "CREATE OR REPLACE FUNCTION f(a {0}) RETURNS integer LANGUAGE sql AS 'SELECT 1';"
    setup = f"{make.format('integer')}\nDROP FUNCTION f;\n{make.format('text')}"
    assert messages(make.format("bigint"), "function-overload", setup) == [
        "f(bigint) is made beside f(text), which stays as it is"
    ]


TRIGGER = "trigger t on table users"
VIEW = "rule _RETURN on view adults"
CHANGED = "ALTER TABLE users ALTER COLUMN age TYPE bigint;"


@pytest.mark.parametrize(
    ("sql", "user", "fails"),
    [
        (CHANGED, TRIGGER, True),
        (f"DROP TRIGGER t ON users;\n{CHANGED}", TRIGGER, False),
        (f"DROP TRIGGER IF EXISTS t2 ON users;\n{CHANGED}", TRIGGER, True),
        (f"DROP TRIGGER t ON orders;\n{CHANGED}", TRIGGER, True),
        (f"DROP VIEW adults;\n{CHANGED}", VIEW, False),
        (f"DROP VIEW public.adults;\n{CHANGED}", "rule _RETURN on view public.adults", False),
        (f"DROP VIEW children;\n{CHANGED}", VIEW, True),
        (f"DROP POLICY p ON users;\n{CHANGED}", "policy p on table users", False),
        (
            f"ALTER TABLE users DROP COLUMN old;\n{CHANGED}",
            "default value for column old of table users",
            False,
        ),
    ],
)
def test_what_is_dropped_first_keeps_no_column_from_its_new_type(sql: str, user: str, fails: bool) -> None:
    table = Table(("public", "users"), "r", (Column("age", "integer"),), used_by=(("age", user),))
    known = Catalogue(180000, tables=(table,))
    assert ("change-type-of-used-column" in {item.rule for item in found(sql, "", known)}) is fails


def test_a_default_that_only_fills_the_old_rows_leaves_inserts_without_one() -> None:
    sql = (
        "ALTER TABLE users ADD COLUMN size integer {} DEFAULT 1;\nALTER TABLE users ALTER size DROP DEFAULT;"
    )
    assert messages(sql.format("NOT NULL"), "change-default") == [
        "inserts into users that leave size out fail: it has no default any more"
    ]
    assert not messages(sql.format(""), "change-default")
