"""`docker compose up` from nothing: what a newcomer sees, and every way in which it can go wrong."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import datetime

from tests.containers.declared import ROOT
from tests.containers.engine.project import COMPOSE, Project, docker, run, wait_until
from tests.folders import write_migrations

FILES = {
    "V1__first.sql": "CREATE TABLE schema_parts (name text); INSERT INTO schema_parts VALUES ('first');",
    "V2__second.sql": "INSERT INTO schema_parts VALUES ('second');",
}


def _health(project: Project) -> dict[str, object]:
    done = project.compose("exec", "-T", "app", "python", "/app/main.py", "check")
    answer: dict[str, object] = json.loads(done.output) if done.code == 0 else {}
    return answer


def test_the_compose_program_itself_finds_nothing_wrong_with_the_file() -> None:
    done = run(*COMPOSE, "-f", str(ROOT / "compose.yaml"), "config", "-q")
    assert (done.code, done.output) == (0, "")


def test_up_migrates_the_database_then_starts_the_application_and_can_be_said_again(project: Project) -> None:
    project.use_the_projects_own_database_folder()
    first = project.up()
    assert first.code == 0, first.output + project.logs("migrate")
    assert project.state("migrate") == "exited 0"
    assert project.state("app") == "running"
    newest = int(project.ask("SELECT max(version) FROM schema_migrations WHERE status = 'applied'"))
    assert newest >= 5
    wait_until(lambda: _health(project) == {"status": "ok", "schema_version": newest})
    history = project.ask("SELECT * FROM schema_migrations ORDER BY version")

    second = project.up()
    assert second.code == 0, second.output
    wait_until(lambda: project.state("migrate") == "exited 0")
    assert project.ask("SELECT * FROM schema_migrations ORDER BY version") == history
    print(f"\nup from nothing {first.seconds:.1f} s, again {second.seconds:.1f} s")

    # The command of the documentation, as it stands there, on the migrated database.
    documented = [
        "exec",
        "-T",
        "database",
        "psql",
        "-U",
        "user",
        "-d",
        "semantic_kernel",
        "-v",
        "ON_ERROR_STOP=1",
    ]
    files = [f"-f/migrations/{path.name}" for path in sorted(project.migrations.glob("V*.sql"))]
    done = project.compose(*documented, *files)
    assert done.code == 0, done.output

    seeded = project.compose("run", "--rm", "seed")
    assert seeded.code == 0, seeded.output


def test_five_replicas_at_once_apply_each_version_once_and_all_succeed(project: Project) -> None:
    slow = {"V3__slow.sql": "SELECT pg_sleep(2); INSERT INTO schema_parts VALUES ('third');"}
    index = {"V4__index.sql": "CREATE INDEX CONCURRENTLY schema_parts_name ON schema_parts (name);"}
    write_migrations(project.migrations, FILES | slow | index)
    project.start_database()
    done = project.compose("up", "--no-deps", "--no-build", "--scale", "migrate=5", "migrate")
    codes = [project.ended(container) for container in project.containers("migrate")]
    assert codes == [0] * 5, done.output
    assert project.ask("SELECT count(*), count(DISTINCT name) FROM schema_parts") == "3|3"
    assert project.ask("SELECT count(*) FROM schema_migrations WHERE status = 'applied'") == "4"
    assert project.ask("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0"
    print(f"\nfive replicas {done.seconds:.1f} s")


def test_the_application_does_not_start_on_a_failed_migration(project: Project) -> None:
    write_migrations(project.migrations, {**FILES, "V3__broken.sql": "SELECT 1 / 0;"})
    done = project.up()
    assert done.code != 0
    assert project.state("migrate") == "exited 1"
    assert project.state("app") in {"created", "absent"}
    assert "V3__broken.sql:1:" in project.logs("migrate")
    assert project.compose("run", "--rm", "migrate").code == 1


def test_replicas_of_an_older_image_start_on_a_newer_database_and_change_nothing(project: Project) -> None:
    write_migrations(project.migrations, {**FILES, "V3__third.sql": "CREATE TABLE third ();"})
    project.start_database()
    assert project.ended(project.start_migrate()) == 0
    history = project.ask("SELECT * FROM schema_migrations ORDER BY version")
    (project.migrations / "V3__third.sql").unlink()
    older = [project.start_migrate() for _ in range(2)]
    for container in older:
        assert project.ended(container) == 0, docker("logs", container)
        assert "version 3" in run("docker", "logs", container).output
    assert project.ask("SELECT * FROM schema_migrations ORDER BY version") == history
    assert project.up("app").code == 0
    wait_until(lambda: _health(project) == {"status": "ok", "schema_version": 3})


def test_a_wrong_password_ends_at_once_is_not_shown_and_stops_the_application(project: Project) -> None:
    write_migrations(project.migrations, FILES)
    (project.secrets / "database_url").write_text("postgresql://user:wr0ng@database:5432/semantic_kernel\n")
    project.start_database()
    done = project.up()
    assert done.code != 0
    assert project.state("migrate") == "exited 2", "8: it was tried again for as long as --wait says"
    assert project.state("app") in {"created", "absent"}
    assert "password authentication failed" in project.logs("migrate")
    assert "wr0ng" not in project.logs("migrate") + done.output


def test_a_database_that_comes_later_is_waited_for_also_while_its_name_is_unknown(project: Project) -> None:
    write_migrations(project.migrations, FILES)
    migrate = project.start_migrate()
    time.sleep(3)
    assert docker("inspect", "-f", "{{.State.Status}}", migrate) == "running", docker("logs", migrate)
    project.start_database()
    assert project.ended(migrate) == 0, run("docker", "logs", migrate).output
    assert project.ask("SELECT count(*) FROM schema_parts") == "2"


def test_a_database_whose_name_stays_unknown_is_given_up_when_the_time_is_over(images: str) -> None:
    url = "DATABASE_URL=postgresql://user:s3cret@nowhere.invalid/app"
    done = run("docker", "run", "--rm", "-e", url, images, "up", "--wait", "3")
    assert done.code == 8, done.output
    assert "nowhere.invalid" in done.output
    assert "s3cret" not in done.output
    print(f"\ngiven up after {done.seconds:.1f} s")


def test_the_health_check_is_not_fooled_by_the_server_of_the_first_start(project: Project) -> None:
    ours = f"label=com.docker.compose.project={project.name}"
    watch = [
        "docker",
        "events",
        "--filter",
        ours,
        "--filter",
        "event=health_status",
        "--format",
        "{{.TimeNano}}",
    ]
    with subprocess.Popen(watch, stdout=subprocess.PIPE, text=True) as events:
        project.start_database()
        assert events.stdout is not None
        healthy = int(events.stdout.readline()) / 10**9
        events.terminate()
    assert healthy > _finished(project), "it was healthy before the real server ran"


def _finished(project: Project) -> float:
    """When the server of the first start had gone."""
    [database] = project.containers("database")
    said = "init process complete"
    wait_until(lambda: said in docker("logs", database))
    [line] = [line for line in docker("logs", "-t", database).splitlines() if said in line]
    return datetime.fromisoformat(line.split()[0]).timestamp()
