"""The pods of the manifests, really run: by `podman kube play`, which reads Kubernetes' own files without a cluster."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.containers.declared import ROOT, documents
from tests.containers.engine.project import IMAGE, Done, Project, docker, run, wait_until

APPLICATION = "pgratchet-example-app:local"
FOLDER = ROOT / "deploy" / "kubernetes"
IMAGES = {"pgratchet": IMAGE, "pgratchet-example-app": APPLICATION}


def _podman(*arguments: str, given: str = "") -> Done:
    done = subprocess.run(
        ["podman", *arguments], input=given, capture_output=True, text=True, timeout=300, check=False
    )
    return Done(done.returncode, done.stdout + done.stderr, 0)


@pytest.fixture(scope="module")
def podman(images: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give podman the images that Docker built."""
    if shutil.which("podman") is None:
        pytest.skip("not run: podman is not here")
    saved = tmp_path_factory.mktemp("images") / "images.tar"
    docker("save", "-o", str(saved), images, APPLICATION)
    loaded = _podman("load", "-i", str(saved))
    saved.unlink()
    assert loaded.code == 0, loaded.output


@pytest.fixture(scope="module")
def started(podman: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Give a project whose database runs, and its URL as the secret that the manifests name."""
    project = Project(tmp_path_factory.mktemp("project"))
    try:
        project.start_database()
        _make_secret(project)
        yield project
    finally:
        _podman("secret", "rm", "pgratchet")
        project.remove()


def _make_secret(project: Project) -> None:
    [container] = project.containers("database")
    networks = json.loads(docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", container))
    [address] = [network["IPAddress"] for network in networks.values()]
    url = (project.secrets / "database_url").read_text().replace("@database:", f"@{address}:")
    # This podman mounts what it is given, and does not decode it.
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "pgratchet"},
        "data": {"database_url": url},
    }
    made = _podman("secret", "create", "pgratchet", "-", given=json.dumps(secret))
    assert made.code == 0, made.output


@pytest.fixture
def database(started: Project) -> Iterator[Project]:
    """Give the project with an empty database; the pods of the test are removed after."""
    started.empty()
    yield started
    _podman("pod", "rm", "--all", "--force")


def _pod(manifest: dict[str, Any]) -> str:
    """The pod that the cluster would make of a Job or Deployment, less what this podman cannot do."""
    pod = manifest["spec"]["template"]["spec"]
    pod["restartPolicy"] = "Never"  # it would start a failed init container again for ever
    for volume in pod["volumes"]:
        if "secret" in volume:
            volume["secret"]["optional"] = False  # it ends with a panic where this is not said
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        container.pop("ports", None)  # on the host's network none is mapped
        container["image"] = f"localhost/{IMAGES[container['image']]}"
    name = manifest["metadata"]["name"]
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod})


def _play(path: Path, *arguments: str) -> Done:
    """Run a manifest's pod; `arguments` take the place of its init container's."""
    [manifest] = documents(path)
    if arguments:
        manifest["spec"]["template"]["spec"]["initContainers"][0]["args"] = list(arguments)
    return _podman("kube", "play", "--network", "host", "-", given=_pod(manifest))


def _health() -> str:
    return _podman("exec", "app-app", "python", "/app/main.py", "check").output


def test_the_job_migrates_and_the_application_starts_only_then(database: Project) -> None:
    early = _play(FOLDER / "application" / "deployment.yaml")
    assert early.code != 0, "the application must not start while migrations are pending"
    assert "exited with code 3" in early.output
    assert _podman("pod", "rm", "--force", "app").code == 0

    played = _play(FOLDER / "job" / "job.yaml")
    assert played.code == 0, played.output
    assert _podman("wait", "migrate-migrate").output.strip() == "0", _podman("logs", "migrate-migrate").output
    newest = database.ask("SELECT max(version) FROM schema_migrations WHERE status = 'applied'")
    assert int(newest) >= 5

    late = _play(FOLDER / "application" / "deployment.yaml")
    assert late.code == 0, late.output
    wait_until(lambda: f'"schema_version": {newest}' in _health())


def test_the_init_container_can_migrate_by_itself(database: Project) -> None:
    played = _play(FOLDER / "application" / "deployment.yaml", "up", "--wait", "60")
    assert played.code == 0, played.output
    wait_until(lambda: '"status": "ok"' in _health())
    assert int(database.ask("SELECT count(*) FROM schema_migrations WHERE status = 'applied'")) >= 5


def test_the_containers_of_the_pods_have_no_right_that_they_do_not_need(database: Project) -> None:
    played = _play(FOLDER / "job" / "job.yaml")
    assert played.code == 0, played.output
    _podman("wait", "migrate-migrate")
    [made] = json.loads(run("podman", "inspect", "migrate-migrate").output)
    assert made["Config"]["User"] == "10001:10001" or made["Config"]["User"] == "10001"
    assert made["HostConfig"]["ReadonlyRootfs"] is True
    assert made["EffectiveCaps"] in (None, [])
