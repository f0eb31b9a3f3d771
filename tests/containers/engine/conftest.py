"""Fixtures of the tests on a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.declared import ROOT, instructions
from tests.containers.engine.project import COMPOSE, IMAGE, Project, docker, run

BASE = instructions(ROOT / "Dockerfile")[0][1].split()[0]


@pytest.fixture(scope="session")
def images() -> str:
    """Build the images of the project as its compose.yaml says; gives the one of the migrations."""
    done = run(*COMPOSE, "-f", str(ROOT / "compose.yaml"), "build", within=600)
    assert done.code == 0, done.output
    whole, base = (int(docker("image", "inspect", "-f", "{{.Size}}", image)) for image in (IMAGE, BASE))
    print(
        f"\nimages built in {done.seconds:.1f} s; {IMAGE} has {whole / 1e6:.0f} MB, "
        f"{(whole - base) / 1e6:.0f} of it above its base"
    )
    return IMAGE


@pytest.fixture
def project(images: str, tmp_path: Path) -> Iterator[Project]:
    """Give a compose project of its own, with an empty folder of migrations; all of it is removed after."""
    made = Project(tmp_path)
    try:
        yield made
    finally:
        made.remove()
