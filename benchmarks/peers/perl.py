"""Sqitch, written in Perl; from Debian's packages, unpacked but not installed."""

from __future__ import annotations

import sysconfig
from pathlib import Path

from benchmarks.peers.install import debian
from benchmarks.peers.peer import Peer, Project

CONFIG = """[core]
  engine = pg
[user]
  name = Bench
  email = bench@localhost
"""
PLAN = "%syntax-version=1.0.0\n%project=bench\n\n"


def _prepare(_home: Path, project: Project) -> None:
    project.write("sqitch.conf", CONFIG)
    stamp = "2024-01-01T00:00:00Z Bench <bench@localhost> # a change"
    lines = [f"{migration.name} {stamp}\n" for migration in project.migrations]
    project.write("sqitch.plan", PLAN + "".join(lines))
    for migration in project.migrations:
        migration.write(project.folder / "deploy" / f"{migration.name}.sql", "BEGIN;\n", "COMMIT;\n")


def _sqitch(home: Path, project: Project) -> list[str]:
    target = f"db:pg://{project.user}@{project.host}:{project.port}/{project.database}"
    return [str(home / "root" / "usr" / "bin" / "sqitch"), "deploy", target]


def _environment(home: Path, _project: Project) -> dict[str, str]:
    machine = sysconfig.get_config_var("MULTIARCH")
    usr = home / "root" / "usr"
    folders = [
        usr / "share" / "perl5",
        *usr.glob(f"lib/{machine}/perl5/*"),
        usr / "lib" / str(machine) / "perl-base",
    ]
    return {"PERL5LIB": ":".join(map(str, folders)), "LD_LIBRARY_PATH": str(usr / "lib" / str(machine))}


PEERS = (Peer("sqitch 1.3", debian("sqitch", "libdbd-pg-perl"), _prepare, _sqitch, _environment, most=1000),)
