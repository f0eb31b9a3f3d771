"""How long a container takes that finds nothing to migrate: ours beside dbmate's program in the same base image.

    python -m benchmarks.containers

It needs what containers/run.sh needs, and npm for dbmate.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.peers.golang import DBMATE
from benchmarks.peers.install import ensure
from tests.containers.declared import ROOT, instructions
from tests.containers.engine.project import COMPOSE, IMAGE, Project, docker, run

HOME = Path(__file__).parent / ".peers" / "dbmate"
OTHER = "pgratchet-benchmark-dbmate:local"
MIGRATIONS = 20
RUNS = 20
PASSWORD = "development-only"


def main() -> None:
    """Install dbmate and go to where an engine runs; there, measure."""
    if "PGRATCHET_ENGINE" not in os.environ:
        ensure("dbmate", DBMATE, HOME)
        os.execv(ROOT / "containers" / "run.sh", ["run.sh", "--module", "benchmarks.containers"])
    built = run(*COMPOSE, "-f", str(ROOT / "compose.yaml"), "build", "migrate", within=600)
    assert built.code == 0, built.output
    with tempfile.TemporaryDirectory() as name:
        _build_other(Path(name) / "image")
        project = Project(Path(name) / "project")
        try:
            project.start_database()
            project.ask("CREATE DATABASE other")
            _report(_measured(project, _commands(project, Path(name))))
        finally:
            project.remove()


def _build_other(folder: Path) -> None:
    folder.mkdir()
    [program] = HOME.glob("node_modules/@dbmate/*/bin/dbmate")
    shutil.copy(program, folder / "dbmate")
    base = instructions(ROOT / "Dockerfile")[0][1].split()[0]
    (folder / "Dockerfile").write_text(
        f'FROM {base}\nCOPY dbmate /usr/local/bin/dbmate\nUSER 10001:10001\nENTRYPOINT ["dbmate"]\n'
    )
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", OTHER, folder], check=True, stdout=subprocess.DEVNULL
    )


def _commands(project: Project, folder: Path) -> dict[str, list[str]]:
    """A container that does nothing, and one for each tool; all with the same rights and the same network."""
    theirs = folder / "theirs"
    theirs.mkdir()
    for number in range(1, MIGRATIONS + 1):
        statement = f"CREATE TABLE t{number} (id bigint PRIMARY KEY);\n"
        (project.migrations / f"V{number:03}__t{number}.sql").write_text(statement)
        (theirs / f"{number:03}_t{number}.sql").write_text(f"-- migrate:up\n{statement}-- migrate:down\n")
    plain = [
        "docker",
        "run",
        "--rm",
        "--network",
        f"{project.name}_default",
        "--read-only",
        "--cap-drop",
        "ALL",
    ]
    url = f"DATABASE_URL=postgres://user:{PASSWORD}@database:5432"
    ours = ["-v", f"{project.migrations}:/migrations:ro", "-e", f"{url}/semantic_kernel", IMAGE]
    dbmate = ["-v", f"{theirs}:/migrations:ro", "-e", f"{url}/other?sslmode=disable", OTHER]
    return {
        "nothing at all": [*plain, "--entrypoint", "true", IMAGE],
        "pgratchet": [*plain, *ours],
        "dbmate": [*plain, *dbmate, "--no-dump-schema", "-d", "/migrations", "up"],
    }


def _measured(project: Project, commands: dict[str, list[str]]) -> dict[str, list[float]]:
    for command in commands.values():  # the first run applies
        done = run(*command)
        assert done.code == 0, done.output
    for database, count in (("semantic_kernel", MIGRATIONS), ("other", MIGRATIONS)):
        assert docker(*_asked(project, database)) == str(count)
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, command in commands.items():
            seconds[name].append(run(*command).seconds)
    return seconds


def _asked(project: Project, database: str) -> list[str]:
    [container] = project.containers("database")
    return [
        "exec",
        container,
        "psql",
        "-XAtqU",
        "user",
        "-d",
        database,
        "-c",
        "SELECT count(*) FROM schema_migrations",
    ]


def _report(seconds: dict[str, list[float]]) -> None:
    floor = statistics.median(seconds["nothing at all"])
    print(
        f"\n{MIGRATIONS} migrations, all applied; median of {RUNS} runs in turn; load {os.getloadavg()[0]:.1f}\n"
    )
    print("| container | from `docker run` to its end | over a container that does nothing |")
    print("|---|---|---|")
    for name, samples in seconds.items():
        median = statistics.median(samples)
        print(f"| {name} | {median * 1000:.0f} ms | {(median - floor) * 1000:.0f} ms |")
    ratio = statistics.median(seconds["pgratchet"]) / statistics.median(seconds["dbmate"])
    print(f"\npgratchet takes {ratio:.2f} times as long as dbmate")


if __name__ == "__main__":
    main()
