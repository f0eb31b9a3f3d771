"""The files for CI services: right by their schemas, and their commands run on a pull request's shallow clone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ruamel.yaml import YAML

from tests import repositories
from tests.repositories import Work

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent
TABLE = "-- Purpose: the first table\n-- Risk: none, it is new\nCREATE TABLE IF NOT EXISTS a (id bigint PRIMARY KEY);\n"
LOST = "ALTER TABLE users DROP COLUMN age;\n"


def loaded(name: str) -> Any:
    return YAML(typ="safe", pure=True).load(ROOT / name)


@pytest.fixture
def clone(tmp_path: Path) -> Work:
    """Give a clone of a branch as deep as CI services make it; one of its new files has a finding."""
    work = repositories.new(tmp_path / "work", {"V001__a.sql": LOST})
    work.git("switch", "--quiet", "--create", "mine")
    work.commit({"V002__b.sql": TABLE, "V003__c.sql": LOST})
    return repositories.clone(work, tmp_path / "clone", "--depth=1", "--branch=mine")


def run(script: str, work: Work, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "DATABASE_URL"))}
    environment = {**kept, "PATH": f"{BIN}:{os.environ['PATH']}", **variables}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(
        command, cwd=work.root, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("schema", "name"), [("github-actions", "action.yml"), ("gitlab-ci", "deploy/ci/gitlab.yml")]
)
def test_a_file_is_right_by_its_services_schema(schema: str, name: str) -> None:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", f"vendor.{schema}", str(ROOT / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def check_step() -> dict[str, Any]:
    step: dict[str, Any] = loaded("action.yml")["runs"]["steps"][-1]
    return step


def on_github(work: Work, base: str = "main", **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the step of the action; an input that is not given is empty, as on GitHub."""
    names = {
        name: re.fullmatch(r"\$\{\{ inputs\.(\w+) \}\}", value) for name, value in check_step()["env"].items()
    }
    given = {name: inputs.get(found[1], "") for name, found in names.items() if found}
    assert set(given) == set(names)
    return run(check_step()["run"], work, GITHUB_BASE_REF=base, **given)


def test_the_action_fetches_the_base_and_tells_of_what_is_new(clone: Work) -> None:
    done = on_github(clone)
    assert done.returncode == 4, done.stderr
    [line] = done.stdout.splitlines()
    assert line.startswith("::error file=database/migrations/V003__c.sql,line=1,col=1,title=drop-column::")
    again = on_github(clone)
    assert (again.returncode, again.stdout) == (4, done.stdout)


def test_the_action_writes_sarif_and_takes_its_inputs(clone: Work) -> None:
    done = on_github(clone, base="", sarif="out.sarif", directory="database/migrations", severity="error")
    assert done.returncode == 4, done.stderr
    results = json.loads((clone.root / "out.sarif").read_text())["runs"][0]["results"]
    assert [item["ruleId"] for item in results if item["level"] == "error"] == ["drop-column"] * 2
    assert len(done.stdout.splitlines()) == 2


def test_the_action_ends_well_where_nothing_is_found(clone: Work) -> None:
    (clone.folder / "V003__c.sql").unlink()
    done = on_github(clone, sarif="out.sarif")
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_the_action_fails_where_the_check_itself_does(clone: Work) -> None:
    assert on_github(clone, directory="nowhere").returncode == 2
    assert on_github(clone, directory="nowhere", sarif="out.sarif").returncode not in {0, 4}
    assert on_github(clone, base="nowhere").returncode not in {0, 4}


def test_no_input_of_the_action_is_pasted_into_its_script() -> None:
    assert not [step for step in loaded("action.yml")["runs"]["steps"] if "${{" in step["run"]]


def test_the_extra_that_is_installed_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for name in ("action.yml", "deploy/ci/gitlab.yml"):
        assert re.findall(r"\[(\w+)\]\"", (ROOT / name).read_text()) == ["lint"]
    assert "lint" in extras


def test_the_job_for_gitlab_writes_its_reports_and_fails_last(clone: Work) -> None:
    job = loaded("deploy/ci/gitlab.yml")["pgratchet-check"]
    install, *commands = job["script"]
    assert install.startswith("python3 -m pip install")
    done = run("\n".join(commands), clone, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
    # GitLab clones with GIT_DEPTH, which is all here; this clone has one commit.
    assert "git fetch --unshallow" in done.stderr
    clone.git("fetch", "--quiet", "--unshallow")
    done = run("\n".join(commands), clone, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
    assert done.returncode == 4, done.stderr
    assert "V003__c.sql:1:1" in done.stdout
    reports = job["artifacts"]["reports"]
    issues = json.loads((clone.root / reports["codequality"]).read_text())
    [issue] = [item for item in issues if item["check_name"] == "drop-column"]
    assert issue["location"]["path"] == "database/migrations/V003__c.sql"
    suites = ElementTree.parse(clone.root / reports["junit"]).getroot()
    assert suites is not None
    assert suites.get("failures") == "1"
    assert job["variables"]["GIT_DEPTH"] == "0"


def test_the_hook_of_pre_commit_looks_at_the_files_that_it_is_given(clone: Work) -> None:
    [hook] = loaded(".pre-commit-hooks.yaml")
    assert {"id", "name", "entry", "language"} <= set(hook)
    staged = [path.relative_to(clone.root) for path in sorted(clone.folder.iterdir())]
    (clone.folder / "migrations.lock").touch()
    names = [*map(str, staged[1:]), "database/migrations/migrations.lock", "README.md", "src/V1_a.sql"]
    taken = [name for name in names if re.search(hook["files"], name)]
    assert taken == names[:3]
    (clone.folder / "migrations.lock").unlink()
    done = run(f"{hook['entry']} {' '.join(taken)}", clone)
    assert done.returncode == 4
    assert "V001__a.sql" not in done.stdout
    assert "2 files checked: 1 error." in done.stdout


def test_a_hook_of_git_sees_the_repository_from_a_linked_worktree_too(tmp_path: Path) -> None:
    work = repositories.new(tmp_path / "work", {"V001__a.sql": TABLE})
    hook = work.root / ".git" / "hooks" / "pre-commit"
    hook.write_text(
        f'#!/bin/sh\nenv | grep ^GIT_DIR= >> "{tmp_path}/told"\nexec "{BIN}/pgratchet" check --base main\n'
    )
    hook.chmod(0o755)
    work.git("worktree", "add", "--quiet", "-b", "mine", str(tmp_path / "linked"))
    linked = Work(tmp_path / "linked")
    (linked.folder / "V001__a.sql").write_text("CREATE TABLE a (id integer);\n")
    done = run("git -c user.name=Ann -c user.email=a@example.org commit --quiet --all --message x", linked)
    assert done.returncode != 0
    assert "edited-after-merge" in done.stdout + done.stderr
    assert (tmp_path / "told").read_text().startswith("GIT_DIR=")
