"""PostgreSQL's own grammar says whether a text is SQL, and where its statements begin."""

from __future__ import annotations

import pytest

from pgratchet.parse import grammar


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["select 1", "select 'é'", "select 2"], True),
        (["/*+ hint */ select 1", "/*+ hint */ select 2"], True),
        ([], True),
        (["select 1", "newly"], False),
        (["select 1; select 2"], False),
        (["select 1; select 2", "-- nothing"], False),
        (["select 1", ""], False),
    ],
)
def test_the_grammar_agrees_where_each_text_is_one_statement(statements: list[str], expected: bool) -> None:
    assert grammar.agrees(statements) == expected


def test_a_refusal_says_at_which_character_not_at_which_byte() -> None:
    found = grammar.starts("select é,\n :name".encode())
    assert isinstance(found, grammar.Refusal)
    assert found.character == "select é,\n :name".index(":")
    assert ":" in found.message


def test_a_tree_is_of_one_statement() -> None:
    assert grammar.tree("vacuum") == {"VacuumStmt": {"is_vacuumcmd": True}}
    assert grammar.tree("vacuum; vacuum") is None
    assert grammar.tree("newly") is None
