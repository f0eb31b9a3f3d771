"""psql: what the work costs that nobody can leave out."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from benchmarks.peers.install import NOTHING
from benchmarks.peers.peer import Peer, Project

HISTORY = (
    "CREATE TABLE IF NOT EXISTS history (version bigint PRIMARY KEY, name text NOT NULL, "
    "applied_at timestamptz NOT NULL DEFAULT now());\n"
)
LOOK = "SELECT version FROM history ORDER BY version"
API = f"""
import psycopg
def up(url, folder):
    with psycopg.connect(url) as connection:
        connection.execute("{LOOK}").fetchall()
"""


def prepare(_home: Path, project: Project, *, together: bool) -> None:
    steps = []
    for migration in project.migrations:
        insert = f"INSERT INTO history (version, name) VALUES ({migration.number}, '{migration.name}');\n"
        steps.append(f"\\i '{migration.source}'\n{insert}")
    wrapped = steps if together else [f"BEGIN;\n{step}COMMIT;\n" for step in steps]
    whole = ["BEGIN;\n", *wrapped, "COMMIT;\n"] if together else wrapped
    project.write("all.sql", "".join([HISTORY, *whole]))


def command(_home: Path, project: Project) -> list[str]:
    return [*_psql(project), "-f", "all.sql"]


def idle(_home: Path, project: Project) -> list[str]:
    return [*_psql(project), "-c", LOOK]


def _psql(project: Project) -> list[str]:
    return [
        str(project.programs / "psql"),
        "-X",
        "-q",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        project.postgresql,
    ]


PEERS = (
    Peer(
        "psql",
        NOTHING,
        partial(prepare, together=False),
        command,
        idle=idle,
        api=API,
        python=lambda _: Path(sys.executable),
    ),
    Peer("psql, one transaction", NOTHING, partial(prepare, together=True), command, starts=False),
)
