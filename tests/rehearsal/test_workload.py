"""A workload on the copy: by pgbench and by our own clients its transactions are timed, and what breaks is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgratchet import Answer, ConfigurationError, Rehearsal, Seen
from tests.rehearsal.conftest import Rehearse

SCRIPT = """
\\set id random(1, 2000)
UPDATE users SET name = name || '' WHERE id = :id;
SELECT size::bigint
  FROM users WHERE id = :id;
"""
# It goes on only once two clients wait, beside the two that always try: so somebody has waited for a fifth of a second.
LOCK = """DO $$ BEGIN
  LOCK TABLE users IN ACCESS EXCLUSIVE MODE;
  FOR turn IN 1..6000 LOOP
    EXIT WHEN (SELECT count(*) >= 4 FROM pg_locks WHERE relation = 'users'::regclass AND NOT granted);
    PERFORM pg_sleep(0.01);
  END LOOP;
  PERFORM pg_sleep(0.2);
END $$"""

pytestmark = pytest.mark.one_version


@pytest.fixture(params=["pgbench", "our own clients"])
def by(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, _at_home: None
) -> str:
    """Let pgbench be found, or not."""
    if request.param != "pgbench":
        monkeypatch.setenv("PGRATCHET_PG_BIN", str(tmp_path))
    return str(request.param)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "load.sql"
    path.write_text(SCRIPT)
    return path


def only(rehearsal: Rehearsal) -> Seen:
    [seen] = rehearsal.run.statements
    return seen


def test_what_waits_for_a_statement_is_timed_beside_it(rehearse: Rehearse, by: str, script: Path) -> None:
    found = rehearse({"V2__lock.sql": f"{LOCK};\n"}, workload=script, clients=3, seconds=1.0, prove=False)
    load, beside = found.run.workload, only(found).latency
    assert load is not None
    assert load.by.startswith(by)
    assert (load.script, load.clients) == ("load.sql", 3)
    assert beside is not None
    assert beside.transactions >= 2
    assert beside.worst >= 200
    assert beside.p50 <= beside.p99 <= beside.worst
    for phase in (load.before, load.during, load.after):
        assert phase is not None
        assert phase.transactions > 0
        assert not phase.failed


def test_what_the_workload_can_no_longer_do_is_a_go_with_care(
    rehearse: Rehearse, by: str, script: Path
) -> None:
    files = {"V2__drop.sql": "ALTER TABLE users DROP COLUMN size;\n"}
    found = rehearse(files, workload=script, clients=2, seconds=1.0, prove=False)
    assert found.run.workload is not None
    assert found.run.workload.by.startswith(by)
    [reason] = [item for item in found.reasons if "workload" in item.what]
    assert reason.answer is Answer.CARE
    assert reason.where == only(found).where
    assert 'column "size" does not exist' in reason.what


def test_a_script_that_fails_before_the_plan_is_a_mistake(rehearse: Rehearse, by: str, script: Path) -> None:
    script.write_text("SELECT nobody FROM users;\n")
    with pytest.raises(ConfigurationError, match=r'load.sql fails on the copy .*"nobody" does not exist'):
        rehearse({"V2__a.sql": "SELECT 1;\n"}, workload=script, seconds=30.0)
    assert by


def test_a_script_that_is_not_there_is_told_before_a_copy_is_made(rehearse: Rehearse, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*none\.sql"):
        rehearse({"V2__a.sql": "SELECT 1;\n"}, workload=tmp_path / "none.sql")
