"""compose.yaml says what the guide promises."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

from tests.containers.declared import ROOT, compose, service

SECRETS = ROOT / "deploy" / "compose" / "development"


def test_the_file_is_valid_against_the_compose_schema() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_health_check_runs_a_query_over_tcp_as_the_user_in_the_database() -> None:
    kind, check = service("database")["healthcheck"]["test"]
    environment = service("database")["environment"]
    assert kind == "CMD-SHELL"
    assert "psql" in check
    assert "--host=127.0.0.1" in check
    assert f"--username={environment['POSTGRES_USER']}" in check
    assert f"--dbname={environment['POSTGRES_DB']}" in check
    assert "--command='SELECT 1'" in check


def test_what_a_health_check_leaves_behind_is_not_the_servers_child() -> None:
    assert service("database")["init"] is True


def test_the_database_is_the_one_that_the_documented_commands_name() -> None:
    environment = service("database")["environment"]
    assert environment["POSTGRES_USER"] == "user"
    assert environment["POSTGRES_DB"] == "semantic_kernel"


def test_the_migrations_are_in_the_database_container_for_psql_and_cannot_be_changed_there() -> None:
    assert "./database/migrations:/migrations:ro" in service("database")["volumes"]
    assert (ROOT / "database" / "migrations" / "V001__schema_version_table.sql").is_file()


def test_no_migration_is_left_to_the_first_start_of_the_database_image() -> None:
    assert "docker-entrypoint-initdb.d" not in str(service("database"))


def test_the_image_of_the_database_is_pinned_to_a_version_and_an_operating_system() -> None:
    assert re.fullmatch(r"pgvector/pgvector:\d+\.\d+\.\d+-pg\d+-[a-z]+", service("database")["image"])


def test_the_volume_of_the_database_belongs_to_its_major_version() -> None:
    major = re.search(r"-pg(\d+)-", service("database")["image"])
    assert major is not None
    assert int(major[1]) < 18, "from 18 on the image wants its volume at /var/lib/postgresql"
    assert f"database-{major[1]}:/var/lib/postgresql/data" in service("database")["volumes"]
    assert f"database-{major[1]}" in compose()["volumes"]


@pytest.mark.parametrize(
    ("name", "other", "condition"),
    [
        ("migrate", "database", "service_healthy"),
        ("seed", "migrate", "service_completed_successfully"),
        ("app", "migrate", "service_completed_successfully"),
        ("app", "database", "service_healthy"),
        ("chat", "migrate", "service_completed_successfully"),
        ("chat", "seed", "service_completed_successfully"),
    ],
)
def test_each_service_waits_for_what_it_needs(name: str, other: str, condition: str) -> None:
    assert service(name)["depends_on"][other] == {"condition": condition}


def test_a_failed_migration_is_not_started_again_and_again() -> None:
    assert service("migrate")["restart"] == "no"


def test_migrate_runs_up_and_waits_for_the_server() -> None:
    assert service("migrate")["command"] == ["up", "--wait", "60"]
    assert service("migrate")["build"] == "."


def test_seeds_and_the_chat_on_them_run_only_when_asked_for() -> None:
    asked_for = {name: made["profiles"] for name, made in compose()["services"].items() if "profiles" in made}
    assert asked_for == {"seed": ["seed", "chat"], "chat": ["chat"]}


def test_the_chat_leaves_the_migrations_to_their_service_and_waits_for_the_same_files() -> None:
    assert service("chat")["environment"]["MIGRATIONS"] == "wait"
    mounted = "./database/migrations:/migrations:ro"
    assert mounted in service("chat")["volumes"]
    assert mounted in service("migrate")["volumes"]


def test_the_database_has_no_port_on_the_host_and_the_application_only_a_local_one() -> None:
    assert "ports" not in service("database")
    for name in ("app", "chat"):
        assert all(port.startswith("127.0.0.1:") for port in service(name)["ports"])


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return [str(value)]


def test_no_password_is_in_the_file() -> None:
    text = (ROOT / "compose.yaml").read_text()
    assert (SECRETS / "postgres_password").read_text().strip() not in text
    assert not re.search(r"://[^/\s:@]*:[^@\s]+@", text), "a URL with a password"
    for made in compose()["services"].values():
        for name in made.get("environment", {}):
            assert name.endswith("_FILE") or not re.search("PASSWORD|SECRET|URL", name), name


def test_every_secret_that_a_service_reads_is_mounted_for_it() -> None:
    for name, made in compose()["services"].items():
        read = {
            text.removeprefix("/run/secrets/")
            for text in _strings(made.get("environment", {}))
            if "/run/secrets/" in text
        }
        assert read == set(made.get("secrets", [])), name
        assert read <= set(compose()["secrets"])


def test_the_two_secrets_for_development_are_there_and_agree() -> None:
    password = (SECRETS / "postgres_password").read_text().strip()
    url = (SECRETS / "database_url").read_text().strip()
    environment = service("database")["environment"]
    user, database = environment["POSTGRES_USER"], environment["POSTGRES_DB"]
    assert url == f"postgresql://{user}:{password}@database:5432/{database}"


def test_the_secrets_can_be_taken_from_another_folder() -> None:
    for name, secret in compose()["secrets"].items():
        assert secret == {"file": f"${{PGRATCHET_SECRETS:-./deploy/compose/development}}/{name}"}


@pytest.mark.parametrize("name", ["migrate", "seed", "app", "chat"])
def test_our_services_have_no_rights_that_they_do_not_need(name: str) -> None:
    made = service(name)
    assert made["read_only"] is True
    assert made["cap_drop"] == ["ALL"]
    assert made["security_opt"] == ["no-new-privileges:true"]
