"""The engine, or somebody, ends a container in the middle of a migration."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.containers.engine.project import Project, docker, run, wait_until
from tests.folders import write_migrations

SLOW = "CREATE TABLE half_done ();\nSELECT pg_sleep(900);\n"
# Slow until there is another database of this name.
SLOW_ONCE = """CREATE TABLE half_done ();
SELECT pg_sleep(900) WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'released');
"""
# More than what goes out at once. The time-out of a minute would make a long test.
NAPS = (
    """CREATE TABLE half_done ();
SET LOCAL idle_in_transaction_session_timeout = '2s';
"""
    + 3000 * "SELECT pg_sleep(0.02);\n"
)
NAPPING = """
SELECT count(*) FROM pg_stat_activity
WHERE query LIKE '%pg_sleep(0.02)%' AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
"""
QUICK = "CREATE TABLE half_done ();\n"
SLEEPS = """
SELECT count(*) FROM pg_stat_activity
WHERE query LIKE '%pg_sleep(900)%' AND state = 'active' AND pid <> pg_backend_pid()
"""
REPLICAS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgratchet% up %'"
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
COMMAND_OF_1 = "print(open('/proc/1/cmdline').read().replace(chr(0), ' '))"
PORT = f":{5432:04X} "
HALF = "SELECT count(*) FROM pg_class WHERE relname = 'half_done'"


@pytest.fixture(scope="module")
def started(images: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Give a project whose database runs."""
    made = Project(tmp_path_factory.mktemp("project"))
    try:
        made.start_database()
        yield made
    finally:
        made.remove()


@pytest.fixture
def project(started: Project) -> Project:
    """Give the project with an empty database and no migrations."""
    started.empty()
    return started


@pytest.fixture
def migrate(project: Project) -> Iterator[str]:
    """Give a `migrate` container that is in the middle of a long statement."""
    write_migrations(project.migrations, {"V1__slow.sql": SLOW})
    container = project.start_migrate()
    wait_until(lambda: project.ask(SLEEPS) == "1")
    yield container
    run("docker", "rm", "--force", container)


def _runs_again(project: Project) -> None:
    assert project.ask(HALF) == "0"
    write_migrations(project.migrations, {"V1__slow.sql": QUICK})
    again = project.start_migrate()
    assert project.ended(again) == 0, run("docker", "logs", again).output
    assert project.ask(HALF) == "1"


def test_one_process_runs_in_the_container_and_it_is_process_1(migrate: str) -> None:
    [_, *processes] = docker("top", migrate, "-o", "pid,args").splitlines()
    assert len(processes) == 1, processes
    assert "pgratchet up" in docker("exec", migrate, "python", "-c", COMMAND_OF_1)


def test_stop_cancels_the_statement_and_ends_with_143(project: Project, migrate: str) -> None:
    stopped = run("docker", "stop", "-t", "60", migrate)
    assert project.ended(migrate) == 143, "137: it was killed when the grace period was over"
    wait_until(lambda: project.ask(SLEEPS) == "0" and project.ask(LOCKS) == "0")
    print(f"\nstopped in {stopped.seconds:.1f} s")
    _runs_again(project)


def test_kill_frees_the_lock_in_seconds_and_the_replica_that_waits_takes_over(project: Project) -> None:
    write_migrations(project.migrations, {"V1__slow.sql": SLOW_ONCE})
    first = project.start_migrate()
    wait_until(lambda: project.ask(SLEEPS) == "1")
    second = project.start_migrate()
    wait_until(lambda: project.ask(REPLICAS) == "2")
    project.ask("CREATE DATABASE released")
    docker("kill", first)
    seconds = wait_until(lambda: project.ask(HALF) == "1")
    print(f"\nthe next one was done {seconds:.1f} s after SIGKILL")
    assert (project.ended(first), project.ended(second)) == (137, 0)
    assert project.ask("SELECT count(*) FROM schema_migrations") == "1"


def test_a_container_that_runs_out_of_memory_frees_the_lock_in_seconds(
    project: Project, migrate: str
) -> None:
    docker("update", "--memory", "128m", "--memory-swap", "128m", migrate)
    # The kernel ends the process with the highest score: that is process 1, whoever asks for too much.
    hog = "from pathlib import Path; Path('/proc/1/oom_score_adj').write_text('1000'); bytearray(10**9)"
    run("docker", "exec", migrate, "python", "-c", hog)
    assert project.ended(migrate) == 137
    assert docker("inspect", "-f", "{{.State.OOMKilled}}", migrate) == "true"
    seconds = wait_until(lambda: project.ask(LOCKS) == "0")
    print(f"\nlock free {seconds:.1f} s after the memory was gone")
    _runs_again(project)


def test_a_frozen_container_loses_its_locks_and_another_one_goes_on(project: Project) -> None:
    write_migrations(project.migrations, {"V1__slow.sql": NAPS})
    frozen = project.start_migrate()
    wait_until(lambda: project.ask(NAPPING) == "1")
    docker("pause", frozen)
    seconds = wait_until(lambda: project.ask(LOCKS) == "0")
    print(f"\nlock free {seconds:.1f} s after the container was frozen, 2 s of them the time-out")
    _runs_again(project)
    docker("unpause", frozen)
    assert project.ended(frozen) == 8, run("docker", "logs", frozen).output
    assert project.ask("SELECT count(*) FROM schema_migrations") == "1"


def test_a_database_that_restarts_in_the_middle_leaves_nothing_half_done(
    project: Project, migrate: str
) -> None:
    restarted = project.compose("restart", "-t", "5", "database")
    assert restarted.code == 0, restarted.output
    assert project.ended(migrate) == 8, run("docker", "logs", migrate).output
    project.await_database()
    _runs_again(project)


def test_a_health_check_that_was_cut_short_does_not_restart_the_database(
    project: Project, migrate: str
) -> None:
    [database] = project.containers("database")
    # What is left of one: a process whose parent is gone, and which then ends as psql does without a connection.
    docker("exec", database, "sh", "-c", "(sleep 1; touch /tmp/ended; exit 2) &")
    wait_until(lambda: run("docker", "exec", database, "test", "-e", "/tmp/ended").code == 0)
    docker("stop", "-t", "60", migrate)
    assert project.ended(migrate) == 143, "8: its connection was lost"
    assert "active server processes" not in docker("logs", database)


def test_a_lost_network_frees_the_lock_by_the_keep_alives(project: Project, migrate: str) -> None:
    docker("network", "disconnect", f"{project.name}_default", migrate)
    seconds = wait_until(lambda: project.ask(LOCKS) == "0")
    print(f"\nlock free {seconds:.1f} s after the network was lost")
    assert project.ended(migrate) == 8, run("docker", "logs", migrate).output
    _runs_again(project)


def test_stop_works_also_where_the_database_does_not_answer(project: Project) -> None:
    write_migrations(project.migrations, {"V1__slow.sql": QUICK})
    [database] = project.containers("database")
    docker("pause", database)
    try:
        migrate = project.start_migrate()
        # It is process 1: before Python has started, nobody could hear the signal.
        wait_until(lambda: PORT in docker("exec", migrate, "cat", "/proc/net/tcp", "/proc/net/tcp6"))
        stopped = run("docker", "stop", "-t", "60", migrate)
        assert project.ended(migrate) == 143, run("docker", "logs", migrate).output
        print(f"\nstopped in {stopped.seconds:.1f} s")
    finally:
        docker("unpause", database)
