"""The examples of the docs run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.folders import write_migrations
from tests.servers import Database

ROOT = Path(__file__).parent.parent.parent


def start(example: str, where: Path, url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples" / example)]
    environment = {**os.environ, "DATABASE_URL": url}
    return subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.one_version
def test_an_application_applies_its_migrations_at_its_start_and_the_next_start_finds_nothing(
    database: Database, tmp_path: Path
) -> None:
    write_migrations(tmp_path / "database" / "migrations", {"V1__users.sql": "CREATE TABLE users (id int);"})
    first = start("start_up.py", tmp_path, database.url)
    again = start("start_up.py", tmp_path, database.url)
    assert (first.returncode, again.returncode) == (0, 0)
    assert re.fullmatch(
        r"V1__users.sql took \d.\d+ s\nthe schema is at version 1, 1 migrations applied now\nserving\n",
        first.stderr,
    )
    assert again.stderr == "the schema is at version 1, 0 migrations applied now\nserving\n"
    assert database.connect().execute("SELECT count(*) FROM users").fetchone() == (0,)


@pytest.mark.one_version
def test_an_application_whose_migration_fails_does_not_serve(database: Database, tmp_path: Path) -> None:
    write_migrations(tmp_path / "database" / "migrations", {"V1__users.sql": "SELECT 1 / 0;"})
    failed = start("start_up.py", tmp_path, database.url)
    assert failed.returncode == 1
    assert "StatementFailed" in failed.stderr
    assert "serving" not in failed.stderr


def test_the_guide_shows_the_example_as_it_is() -> None:
    guide = (ROOT / "docs" / "guides" / "start-up.md").read_text(encoding="utf-8")
    shown = "".join(re.findall(r"```python\n(.*?)```", guide, re.DOTALL)[:1])
    assert shown.strip() in (ROOT / "examples" / "start_up.py").read_text(encoding="utf-8")
    assert len(shown) > 500
