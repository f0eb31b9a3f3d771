"""The chat, as `docker compose --profile chat up` starts it; only where it is asked for, since its image is large."""

from __future__ import annotations

import os

import pytest

from tests.containers.declared import ROOT
from tests.containers.engine.project import COMPOSE, Project, docker, run, wait_until

pytestmark = pytest.mark.skipif(
    "PGRATCHET_ENGINE_CHAT" not in os.environ, reason="not run: PGRATCHET_ENGINE_CHAT is not set"
)


def test_the_chat_starts_when_migrations_and_seeds_are_done(project: Project) -> None:
    project.use_the_projects_own_database_folder()
    file = ("-f", str(ROOT / "compose.yaml"))
    built = run(*COMPOSE, *file, "--profile", "chat", "build", "chat", within=900)
    assert built.code == 0, built.output
    size = int(docker("image", "inspect", "-f", "{{.Size}}", "pgratchet-example-chat:local"))
    print(f"\nimage of the chat built in {built.seconds:.0f} s, {size / 1e6:.0f} MB")
    started = project.compose("--profile", "chat", "up", "-d", "--no-build")
    assert started.code == 0, started.output + project.logs("seed")
    [chat] = project.containers("chat")
    wait_until(lambda: docker("inspect", "-f", "{{.State.Health.Status}}", chat) == "healthy")
    answer = docker("exec", chat, "python", "-m", "examples.semantic_kernel_app", "check")
    assert '"ok"' in answer
