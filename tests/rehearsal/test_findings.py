"""Findings of `check` against what was seen: what did not happen counts no more, what was missed is added."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgratchet import Rehearsal, Severity, Weighed
from pgratchet.report import page, rehearsals
from tests.rehearsal.conftest import BASE, Rehearse

pytestmark = pytest.mark.one_version

SURE = "ALTER TABLE users ALTER COLUMN size TYPE bigint"
NEVER = (
    "DO $$ BEGIN IF current_setting('server_version_num')::int < 0 THEN\n"
    "  ALTER TABLE users ALTER COLUMN size TYPE numeric;\nEND IF; END $$"
)


def hidden(sql: str) -> str:
    """Write a statement in a way that no reader of files understands."""
    return f"DO $$ BEGIN EXECUTE convert_from('\\x{sql.encode().hex()}', 'UTF8'); END $$;\n"


FILES = {
    "V2__sure.sql": f"{SURE};\n",
    "V3__never.sql": f"SELECT 1; {NEVER};\n",
    "V4__hidden.sql": hidden("ALTER TABLE orders ALTER COLUMN buyer TYPE bigint"),
    "V5__build.sql": hidden("CREATE INDEX hidden ON users (name)"),
    "V6__scan.sql": hidden("ALTER TABLE users ADD CHECK (id > 0)"),
    "V7__accepted.sql": "-- pgratchet: ignore create-index-blocking no\nCREATE INDEX small ON orders (buyer);\n",
    "V8__quiet.sql": "CREATE INDEX CONCURRENTLY quiet ON orders (buyer, id);\nREINDEX INDEX CONCURRENTLY quiet;\n",
}


def by_file(found: Rehearsal) -> dict[str, list[Weighed]]:
    told: dict[str, list[Weighed]] = {name: [] for name in FILES}
    for item in found.findings:
        told[item.where.rpartition("/")[2].rpartition(":")[0]].append(item)
    return told


def test_findings_are_confirmed_taken_back_and_added(rehearse: Rehearse) -> None:
    found = rehearse(FILES, base=BASE, prove=False)
    told = by_file(found)
    brief = {name: [(item.rule, item.said, item.counts) for item in items] for name, items in told.items()}
    warning, note = Severity.WARNING, Severity.NOTE
    assert brief == {
        "V2__sure.sql": [("change-column-type", warning, warning)],
        "V3__never.sql": [("change-column-type", warning, note)],
        "V4__hidden.sql": [("seen-rewrite", None, warning)],
        "V5__build.sql": [("seen-build", None, warning)],
        "V6__scan.sql": [("seen-scan", None, warning)],
        "V7__accepted.sql": [("create-index-blocking", warning, warning)],
        "V8__quiet.sql": [],
    }
    assert told["V3__never.sql"][0].where.endswith("V3__never.sql:2")
    assert "rewrote public.users" in told["V2__sure.sql"][0].why
    assert "no table" in told["V3__never.sql"][0].why
    assert "rewrote public.orders" in told["V4__hidden.sql"][0].why
    assert "built public.hidden; ShareLock on public.users blocked writes" in told["V5__build.sql"][0].why
    assert "verifying table" in told["V6__scan.sql"][0].why
    for render in (rehearsals.text, rehearsals.markdown, page.html):
        text = render(found)
        assert "no table, index or view that was there got a new file" in text
        assert "a rewrite that no rule sees" in text
    assert rehearsals.as_object(found)["findings"][0]["rule"] == "change-column-type"


def test_a_reason_names_the_rule_that_was_right(rehearse: Rehearse, tmp_path: Path) -> None:
    (tmp_path / "pgratchet.toml").write_text("[rehearse]\nwal_bytes = 1\n")
    found = rehearse({"V2__sure.sql": f"{SURE};\n"}, prove=False)
    [reason] = [item for item in found.reasons if "of WAL" in item.what]
    assert reason.safe.endswith("`pgratchet explain change-column-type` says more.")


def test_nothing_is_said_of_what_did_not_run(rehearse: Rehearse) -> None:
    files = {
        "V2__fails.sql": "ALTER TABLE users ALTER COLUMN size TYPE bigint, ADD COLUMN id int;\n",
        "V3__later.sql": "CREATE INDEX later ON users (name);\n",
    }
    found = rehearse(files, prove=False)
    assert found.run.failure
    assert found.findings == ()
