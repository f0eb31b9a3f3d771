"""pgratchet itself, as it is installed beside the interpreter that runs this."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.peers.install import NOTHING
from benchmarks.peers.peer import Peer, Project

API = """
import psycopg, pgratchet
def up(url, folder):
    pgratchet.up(url, f"{folder}/migrations")
"""


def prepare(_home: Path, project: Project) -> None:
    for migration in project.migrations:
        migration.write(project.sql / f"V{migration.number:05}__{migration.name}.sql")


def command(_home: Path, project: Project) -> list[str]:
    program = Path(sys.executable).with_name("pgratchet")
    return [str(program), "up", "--url", project.postgresql, "--dir", str(project.sql)]


PEERS = (Peer("pgratchet", NOTHING, prepare, command, api=API, python=lambda _: Path(sys.executable)),)
