"""What a start pays for: a container whose database is up to date imports next to nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pgratchet
from tests.folders import write_migrations
from tests.house.source import PACKAGE
from tests.servers import Database

HEAVY = {
    "psycopg",
    "typing",
    "click",
    "rich",
    "postgast",
    "dataclasses",
    "pathlib",
    "inspect",
    "asyncio",
    "tomllib",
    "ssl",
}

LOADED = """
import json, sys
before = set(sys.modules)
{}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded(program: str, *arguments: str) -> tuple[list[str], set[str]]:
    """Give the lines that a program prints in a fresh interpreter, and what it imports."""
    command = [sys.executable, "-c", LOADED.format(program), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd="/", env={"PYTHONPATH": str(PACKAGE.parent)}
    )
    *lines, modules = done.stdout.splitlines()
    return lines, set(json.loads(modules))


def test_importing_the_package_imports_none_of_its_modules() -> None:
    _, modules = loaded("import pgratchet")
    assert {name for name in modules if name.startswith("pgratchet")} == {"pgratchet"}
    assert not modules & HEAVY


@pytest.mark.one_version
@pytest.mark.parametrize("verb", ["up", "migrate", "apply"])
def test_a_start_with_nothing_to_do_imports_nothing_heavy(
    database: Database, folder: Path, verb: str
) -> None:
    write_migrations(
        folder, {"V1__a.sql": "CREATE TABLE a (id int);", "R__b.sql": "CREATE VIEW b AS TABLE a;"}
    )
    assert len(pgratchet.up(database.url, folder).done) == 2
    run = "from pgratchet.cli import main; main()"
    lines, modules = loaded(run, verb, "--url", database.url, "--dir", str(folder), "--wait", "5")
    assert lines[0].startswith("Nothing to do: ")
    assert "pgratchet.glance" in modules
    assert not modules & HEAVY


@pytest.mark.one_version
def test_a_start_that_must_look_closer_says_the_same(database: Database, folder: Path) -> None:
    write_migrations(
        folder, {"V1__a.sql": "CREATE TABLE a (id int);", "R__b.sql": "CREATE VIEW b AS TABLE a;"}
    )
    pgratchet.up(database.url, folder)
    quick = "from pgratchet.cli import main; main()"
    closer = "from pgratchet.cli.commands import run; run(sys.argv[1:])"
    where = ("up", "--url", database.url, "--dir", str(folder))
    assert loaded(quick, *where)[0] == loaded(closer, *where)[0]


def test_up_loads_nothing_that_only_other_verbs_need() -> None:
    _, modules = loaded("import pgratchet; pgratchet.up")
    ours = {name.split(".")[1] for name in modules if name.startswith("pgratchet.")}
    assert {"apply", "ops"} <= ours
    assert not ours & {"backup", "baselines", "lint", "rehearsal", "report", "schema", "scratch"}
