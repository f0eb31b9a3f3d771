"""Scripts in the form of pgbench's, what pgbench logs, and the times that come of it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgratchet import ConfigurationError, Run, Seen
from pgratchet.rehearsal import driving, scripting, timing
from pgratchet.rehearsal.scripting import Command, Transaction

RANDOM = Random(7)


def written(path: Path, text: str) -> Path:
    script = path / "script.sql"
    script.write_text(text)
    return script


def test_a_script_is_read_into_its_commands_in_their_order(tmp_path: Path) -> None:
    text = "-- a comment\n\\set id random(1, 10 * :scale)\nSELECT ';' ;\nSELECT\n:id::int; \n  \\sleep 5 ms\nSELECT 2"
    assert scripting.read(written(tmp_path, text)) == (
        Command("set", "random(1, 10 * :scale)", "id"),
        Command("sql", "SELECT ';'"),
        Command("sql", "SELECT\n:id::int"),
        Command("sleep", "5", "ms"),
        Command("sql", "SELECT 2"),
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("SELECT 1;\n\\if :x\nSELECT 2;\n\\endif\n", r"script\.sql:2: \\if: only pgbench knows"),
        ("\\set x random_gaussian(1, 2, 3)\n", r"script\.sql:1: random_gaussian\(1, 2, 3\): only pgbench"),
        ("\\set x :y + 1\n", r"script\.sql:1: :y \+ 1: only pgbench"),
        ("\n\\set x __import__('os')\n", r"script\.sql:2: "),
        ("SELECT 1;\nSELECT 'open\n", r"script\.sql:2: "),
    ],
)
def test_what_only_pgbench_understands_is_refused_with_its_place(
    tmp_path: Path, text: str, place: str
) -> None:
    with pytest.raises(ConfigurationError, match=place):
        scripting.read(written(tmp_path, text))


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.sampled_from("+-*"))
def test_expressions_are_those_of_whole_numbers(one: int, other: int, sign: str) -> None:
    found = scripting.value(f"(:one {sign} :other)", {"one": one, "other": other}, RANDOM)
    assert found == {"+": one + other, "-": one - other, "*": one * other}[sign]


@given(st.integers(-50, 50), st.integers(0, 50))
def test_random_stays_within_its_bounds(low: int, more: int) -> None:
    assert low <= scripting.value(f"random({low}, {low} + {more})", {}, RANDOM) <= low + more


def test_pgbench_logs_the_end_of_each_transaction_and_how_long_it_took() -> None:
    lines = ["0 1 250000 0 1000 500000", "1 1 failed 0 1001 0", "0 2 25"]
    assert list(driving.logged(lines, 900.0)) == [
        Transaction(100.25, 100.5),
        Transaction(101.0, 101.0, "a deadlock or a failure to serialize"),
    ]


def seen(start: float, milliseconds: float) -> Seen:
    return Seen("V2.sql", "V2.sql", 1, 1, "SELECT 1", "SELECT", start, milliseconds)


def test_a_transaction_counts_beside_each_statement_that_it_met() -> None:
    run = Run(1000.0, (seen(0, 100), seen(200, 300), seen(900, 100)), (), 0, 0)
    load = driving.Load(Path("load.sql"), 2, 1.0, None)
    done = [
        Transaction(-0.05, -0.03),
        Transaction(-0.02, 0.05),
        Transaction(0.09, 0.45),
        Transaction(0.6, 0.6),  # while the clock stood still
        Transaction(0.7, 0.7, "it is gone"),
        Transaction(1.1, 1.102),
    ]
    found = timing.beside(run, load, done, lambda moment: moment * 1000)
    told = [item.latency for item in found.statements]
    assert [(one.transactions, round(one.worst), one.failed) for one in told if one] == [
        (2, 360, 0),
        (1, 360, 1),
    ]
    assert told[1] is not None
    assert told[1].failures == ("it is gone",)
    assert told[2] is None
    assert found.workload is not None
    phases = (found.workload.before, found.workload.during, found.workload.after)
    assert [(one.transactions, round(one.worst)) for one in phases if one] == [(1, 20), (2, 360), (1, 2)]


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_shares_are_times_that_were_met_and_stand_in_order(times: list[float]) -> None:
    found = timing.latency([(0.0, time, None) for time in times])
    assert found is not None
    assert found.worst == max(times)
    assert {found.p50, found.p99} <= set(times)
    assert found.p50 <= found.p99 <= found.worst
    assert sum(time <= found.p50 for time in times) * 2 >= len(times)
