"""The Kubernetes manifests say what the guide promises. Their schema is checked beside the engine's tests."""

from __future__ import annotations

from typing import Any

import pytest

from pgratchet import errors
from tests.containers.declared import ROOT, documents

FOLDER = ROOT / "deploy" / "kubernetes"
TRY_AGAIN = {errors.LockNotAvailable.exit_code, errors.DatabaseUnreachable.exit_code}
HOPELESS = {
    errors.StatementFailed.exit_code,
    errors.ConfigurationError.exit_code,
    errors.FindingsError.exit_code,
    errors.HistoryError.exit_code,
    errors.DriftFound.exit_code,
}


def _job() -> dict[str, Any]:
    [job] = documents(FOLDER / "job" / "job.yaml")
    return job


def _deployment() -> dict[str, Any]:
    [deployment] = documents(FOLDER / "application" / "deployment.yaml")
    return deployment


def _pods() -> list[Any]:
    return [
        pytest.param(made["spec"]["template"]["spec"], id=made["kind"]) for made in (_job(), _deployment())
    ]


def _containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def test_the_job_is_tried_again_only_where_that_can_help() -> None:
    disruption, failure = _job()["spec"]["podFailurePolicy"]["rules"]
    assert disruption == {
        "action": "Ignore",
        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
    }
    assert failure["action"] == "FailJob"
    assert set(failure["onExitCodes"]["values"]) == HOPELESS
    assert not TRY_AGAIN & set(failure["onExitCodes"]["values"])
    assert (
        failure["onExitCodes"]["containerName"] == _job()["spec"]["template"]["spec"]["containers"][0]["name"]
    )


def test_the_policy_is_allowed_which_needs_pods_that_are_never_restarted_in_place() -> None:
    assert _job()["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_the_pods_of_the_application_wait_for_the_migrations_and_do_not_migrate() -> None:
    [init] = _deployment()["spec"]["template"]["spec"]["initContainers"]
    assert init["args"] == ["status", "--exit-code", "--wait", "60"]
    assert _job()["spec"]["template"]["spec"]["containers"][0]["args"] == ["up", "--wait", "60"]


@pytest.mark.parametrize("pod", _pods())
def test_each_pod_fits_the_restricted_security_standard(pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in _containers(pod):
        context = pod["securityContext"] | container["securityContext"]
        assert context["runAsUser"] in {10001, 10002}
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("pod", _pods())
def test_the_secret_is_a_file_that_the_containers_may_read(pod: dict[str, Any]) -> None:
    [volume] = [volume for volume in pod["volumes"] if "secret" in volume]
    assert volume["secret"]["defaultMode"] == 0o440
    assert pod["securityContext"]["fsGroup"] == 10001
    for container in _containers(pod):
        [variable] = container["env"]
        assert variable["name"] == "DATABASE_URL_FILE"
        mounted = {
            mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == volume["name"]
        }
        assert variable["value"].rpartition("/")[0] in mounted


@pytest.mark.parametrize("pod", _pods())
def test_variables_of_other_services_cannot_be_taken_for_ours(pod: dict[str, Any]) -> None:
    assert pod["enableServiceLinks"] is False


def test_every_folder_of_the_manifests_is_described_by_a_kustomization_that_names_what_exists() -> None:
    found = sorted(FOLDER.rglob("kustomization.yaml"))
    assert len(found) == 5
    for path in found:
        [kustomization] = documents(path)
        for resource in kustomization["resources"]:
            assert (path.parent / resource).exists(), f"{path}: {resource}"
