"""The image is small, unprivileged, and starts the program as process 1."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.containers.declared import ROOT, entry_point, image_environment, instructions, last_of

DOCKERFILES = [
    ROOT / "Dockerfile",
    ROOT / "examples" / "app" / "Dockerfile",
    ROOT / "examples" / "semantic_kernel_app" / "Dockerfile",
]
EACH = pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)


@EACH
def test_hadolint_has_nothing_to_say(dockerfile: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, dockerfile], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@EACH
def test_it_can_be_built_where_nothing_but_the_base_image_and_python_packages_can_be_had(
    dockerfile: Path,
) -> None:
    assert not re.search(r"^#\s*syntax\s*=", dockerfile.read_text(), re.MULTILINE), (
        "BuildKit would fetch this image"
    )
    steps = " ".join(value for name, value in instructions(dockerfile) if name == "RUN")
    assert not re.search(r"\b(apt|apt-get|apk|curl|wget)\b", steps)
    assert not re.search(r"(RUN|COPY) (--mount|<<)", dockerfile.read_text()), "not every builder knows these"


@EACH
def test_every_package_is_pinned_by_its_hash_and_needs_no_compiler(dockerfile: Path) -> None:
    for name, value in instructions(dockerfile):
        for step in value.split("&&") if name == "RUN" else ():
            if (
                re.search(r"pip( --python \S+)? (install\b|wheel\b.*--requirement)", step)
                and "--no-index" not in step
            ):
                assert "--require-hashes" in step
                assert "--only-binary=:all:" in step


@EACH
def test_the_user_is_a_fixed_number_other_than_root(dockerfile: Path) -> None:
    users = [value for name, value in instructions(dockerfile) if name == "USER"]
    assert re.fullmatch(r"100\d\d:100\d\d", users[-1])


def test_what_comes_as_source_alone_is_named_and_built_by_what_is_pinned() -> None:
    steps = " ".join(value for name, value in instructions(DOCKERFILES[2]) if name == "RUN")
    assert re.findall(r"--no-binary=(\S+)", steps) == ["pybars4,pymeta3"]
    assert "--no-build-isolation" in steps
    assert "setuptools" in _pins(ROOT / "containers" / "build.lock")


def test_the_user_of_the_image_is_the_documented_one() -> None:
    assert last_of("USER") == "10001:10001"


def test_the_program_is_process_1_and_waits_for_the_database() -> None:
    assert entry_point() == ["pgratchet", "up", "--wait", "60"]
    assert last_of("STOPSIGNAL") == "SIGTERM"


def test_the_migrations_are_where_the_program_looks_for_them() -> None:
    assert image_environment()["PGRATCHET_DIR"] == "/migrations"
    assert last_of("COPY") == "database/migrations /migrations"


def test_nothing_is_compiled_or_written_at_run_time() -> None:
    assert image_environment()["PYTHONDONTWRITEBYTECODE"] == "1"
    compiled = [value for name, value in instructions(ROOT / "Dockerfile") if "-m compileall" in value]
    assert len(compiled) == 2, "the packages and the standard library"


def test_the_final_stage_takes_only_the_environment_and_the_migrations() -> None:
    steps = instructions(ROOT / "Dockerfile")
    final = steps[steps.index(("FROM", "base AS program")) :]
    copied = [value for name, value in final if name == "COPY"]
    assert copied == ["--from=build /opt/pgratchet /opt/pgratchet", "database/migrations /migrations"]


def test_all_that_is_copied_is_let_through_by_dockerignore() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    let_through = {line[1:] for line in lines if line.startswith("!")}
    for dockerfile in DOCKERFILES:
        for name, value in instructions(dockerfile):
            if name == "COPY" and not value.startswith("--from"):
                for source in value.split()[:-1]:
                    known = any(source == path or source.startswith(f"{path}/") for path in let_through)
                    assert known, source
                    assert (ROOT / source).exists(), source


def _pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), re.MULTILINE))


def test_the_tools_of_the_build_are_those_of_the_development_environment() -> None:
    build, development = _pins(ROOT / "containers" / "build.lock"), _pins(ROOT / "requirements" / "dev.lock")
    assert "hatchling" in build
    shared = {name: version for name, version in build.items() if name in development}
    assert shared == {name: development[name] for name in shared}


def test_the_image_says_what_it_is_and_under_which_licence() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', last_of("LABEL")))
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert labels == {
        "title": about["name"],
        "description": about["description"],
        "licenses": about["license"],
    }
