"""The manifests as kustomize renders them, against the schemas of the oldest and the newest Kubernetes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.containers.declared import ROOT
from tests.containers.engine.project import run

FOLDER = ROOT / "deploy" / "kubernetes"
RENDERED = sorted(path.parent for path in FOLDER.rglob("kustomization.yaml"))
OLDEST, NEWEST = "1.31", "1.37"


def _rendered(folder: Path) -> str:
    if shutil.which("kubectl") is None:
        pytest.skip("not run: kubectl is not here")
    done = run("kubectl", "kustomize", str(folder))
    assert done.code == 0, done.output
    return done.output


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("folder", RENDERED, ids=lambda path: path.name)
def test_each_variant_is_valid_to_the_letter(folder: Path, version: str) -> None:
    validator = pytest.importorskip("kubernetes_validate", reason="not run: pip install kubernetes-validate")
    for document in YAML(typ="safe", pure=True).load_all(_rendered(folder)):
        validator.validate(document, version, strict=True)


def test_the_hooks_of_argo_cd_and_helm_keep_the_job_until_the_next_one() -> None:
    for name, annotation, value in [
        ("argo-cd", "argocd.argoproj.io/hook-delete-policy", "BeforeHookCreation"),
        ("helm", "helm.sh/hook-delete-policy", "before-hook-creation"),
    ]:
        job = YAML(typ="safe", pure=True).load(_rendered(FOLDER / "overlays" / name))
        assert job["metadata"]["annotations"][annotation] == value
        assert "ttlSecondsAfterFinished" not in job["spec"]


def test_the_variant_without_a_job_migrates_in_the_init_container() -> None:
    deployment = YAML(typ="safe", pure=True).load(_rendered(FOLDER / "overlays" / "init-container-migrates"))
    [init] = deployment["spec"]["template"]["spec"]["initContainers"]
    assert init["args"] == ["up", "--wait", "60"]
