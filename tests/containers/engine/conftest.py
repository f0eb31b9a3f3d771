"""Fixtures of the tests on a real engine."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.declared import ROOT, instructions
from tests.containers.engine.project import COMPOSE, IMAGE, Project, docker, run

BASE = instructions(ROOT / "Dockerfile")[0][1].split()[0]


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> str:
    """Build the images of the project as its compose.yaml says; gives the one of the migrations."""
    folder = tmp_path_factory.getbasetemp()
    # One worker builds, the others wait for it.
    with (folder if worker_id == "master" else folder.parent).joinpath("images").open("a") as built:
        fcntl.flock(built, fcntl.LOCK_EX)
        if not os.fstat(built.fileno()).st_size:
            built.write(_build())
    return IMAGE


def _build() -> str:
    done = run(*COMPOSE, "-f", str(ROOT / "compose.yaml"), "build", within=1000)
    assert done.code == 0, done.output
    whole, base = (int(docker("image", "inspect", "-f", "{{.Size}}", image)) for image in (IMAGE, BASE))
    said = (
        f"images built in {done.seconds:.1f} s; {IMAGE} has {whole / 1e6:.0f} MB, "
        f"{(whole - base) / 1e6:.0f} of it above its base"
    )
    print(f"\n{said}")
    return said


@pytest.fixture
def project(images: str, tmp_path: Path) -> Iterator[Project]:
    """Give a compose project of its own, with an empty folder of migrations; all of it is removed after."""
    made = Project(tmp_path)
    try:
        yield made
    finally:
        made.remove()
