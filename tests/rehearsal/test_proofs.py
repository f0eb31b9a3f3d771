"""Proofs: what a second run changes, what a run that was cut short leaves, and what was there before the file."""

from __future__ import annotations

import pytest

from pgratchet import Answer, Proof, Rehearsal
from tests.rehearsal.conftest import Rehearse


def proof(rehearsal: Rehearsal, what: str = "applied twice") -> Proof:
    [found] = [item for item in rehearsal.proofs if item.what.startswith(what)]
    return found


def test_a_file_that_can_run_twice_is_proven_so(rehearse: Rehearse) -> None:
    found = rehearse(
        {
            "V2__twice.sql": "ALTER TABLE users ADD COLUMN IF NOT EXISTS note text;\n"
            "UPDATE users SET note = 'x' WHERE id < 10;\n"
            "INSERT INTO orders VALUES (1000, 1) ON CONFLICT DO NOTHING;\n"
        }
    )
    assert proof(found).holds
    assert found.answer is Answer.GO


@pytest.mark.one_version
def test_a_second_run_that_is_refused_changes_no_answer(rehearse: Rehearse) -> None:
    found = rehearse({"V2__once.sql": "CREATE TABLE new (id int);\n"})
    assert not proof(found).holds
    assert 'line 1: relation "new" already exists' in proof(found).detail
    assert found.answer is Answer.GO


@pytest.mark.one_version
@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("INSERT INTO orders SELECT 5000 + count(*) FROM orders", "public.orders has 102 rows and not 101"),
        ("UPDATE users SET size = size + 1", "public.users has other values"),
        ("CREATE INDEX ON users (name)", "added: index public.users_name_idx1"),
    ],
)
def test_a_second_run_that_changes_more_in_silence_is_a_go_with_care(
    rehearse: Rehearse, sql: str, told: str
) -> None:
    found = rehearse({"V2__more.sql": f"{sql};\n"})
    assert told in proof(found).detail
    assert found.answer is Answer.CARE


def test_a_file_in_segments_is_cut_after_each_statement_and_ends_the_same(rehearse: Rehearse) -> None:
    found = rehearse(
        {
            "V2__parts.sql": "UPDATE users SET size = size + 1;\n"
            "CREATE INDEX CONCURRENTLY quiet ON users (name);\n"
            "UPDATE users SET size = size + 1;\n"
            "DROP INDEX CONCURRENTLY quiet;\n"
        }
    )
    cuts = [item for item in found.proofs if item.what.startswith("cut short")]
    assert [item.holds for item in cuts] == [True] * 4
    assert not proof(found).holds
    assert "public.users has other values" in proof(found).detail


@pytest.mark.one_version
def test_what_cannot_go_on_after_a_crash_is_no_go(rehearse: Rehearse) -> None:
    found = rehearse(
        {
            "V2__procedure.sql": "-- pgratchet: transaction=none\n"
            "CREATE PROCEDURE more() LANGUAGE plpgsql AS $$ BEGIN\n"
            "INSERT INTO orders SELECT max(id) + 1 FROM orders; COMMIT;\n"
            "END $$;\n"
            "CALL more();\n"
        }
    )
    cut = proof(found, "cut short after statement 2")
    assert not cut.holds
    assert found.answer is Answer.NO_GO
    assert found.reasons[0].where == "V2__procedure.sql"


@pytest.mark.one_version
def test_times_and_random_numbers_are_no_difference(rehearse: Rehearse) -> None:
    found = rehearse(
        {
            "V2__now.sql": "ALTER TABLE users ADD COLUMN at timestamptz DEFAULT clock_timestamp();\n"
            "CREATE INDEX CONCURRENTLY at_users ON users (at);\n"
        }
    )
    assert all(item.holds for item in found.proofs if item.what.startswith("cut short"))


@pytest.mark.one_version
def test_what_a_guard_finds_before_the_file_has_ever_run_is_drift(rehearse: Rehearse) -> None:
    found = rehearse({"V2__guard.sql": "SELECT 1;\nCREATE TABLE IF NOT EXISTS users (id bigint);\n"})
    assert found.answer is Answer.CARE
    assert found.reasons[0].what.startswith('relation "users" already exists')
    assert found.reasons[0].where is not None
    assert found.reasons[0].where.endswith("V2__guard.sql:2")


@pytest.mark.one_version
def test_a_file_that_fails_is_no_go_with_its_place(rehearse: Rehearse) -> None:
    found = rehearse({"V2__wrong.sql": "SELECT 1;\nALTER TABLE userz ADD COLUMN x int;\n"})
    assert found.answer is Answer.NO_GO
    assert 'relation "userz" does not exist' in found.reasons[0].what
    assert found.reasons[0].where is not None
    assert found.reasons[0].where.endswith("V2__wrong.sql:2")
    assert found.run.statements[-1].error is not None
