"""Ways to install a peer into a folder of its own, by pinned version."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 1200.0


@dataclass(frozen=True, slots=True)
class Install:
    """A way to install something; `wanted` names it with its version: another version installs anew."""

    wanted: str
    run: Callable[[Path], None]


class NotInstalled(Exception):
    """A peer that cannot be had here, and why."""


def ensure(name: str, install: Install, home: Path) -> None:
    """Install what is not there yet, or in another version. Raises NotInstalled."""
    stamp = home / "installed"
    if not install.wanted or (stamp.exists() and stamp.read_text() == install.wanted):
        return
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    print(f"installing {name} …", file=sys.stderr, flush=True)
    install.run(home)
    stamp.write_text(install.wanted)


NOTHING = Install("", lambda _home: None)
"""For what is there already."""


def pip(*requirements: str) -> Install:
    """A virtual environment."""

    def install(home: Path) -> None:
        run([sys.executable, "-m", "venv", str(home)], home)
        run([str(home / "bin" / "pip"), "install", "--quiet", *requirements], home)

    return Install(" ".join(requirements), install)


def npm(*packages: str) -> Install:
    """Node packages, in `node_modules`."""

    def install(home: Path) -> None:
        (home / "package.json").write_text('{"private": true}')
        run([program("npm"), "install", "--no-audit", "--no-fund", "--no-progress", *packages], home)

    return Install(" ".join(packages), install)


def go(module: str, tags: str = "") -> Install:
    """A Go program, built into `bin`."""

    def install(home: Path) -> None:
        command = [program("go"), "install", *(["-tags", tags] if tags else []), module]
        run(command, home, GOBIN=str(home / "bin"))

    return Install(f"{module} {tags}", install)


def maven(*artifacts: str) -> Install:
    """Java archives with all that they need, in `lib`; each artifact is `group:name:version`."""

    def install(home: Path) -> None:
        program("java")
        (home / "pom.xml").write_text(_pom(artifacts))
        goal = "dependency:copy-dependencies"
        run([program("mvn"), "-q", "-B", goal, "-DoutputDirectory=lib", "-DincludeScope=runtime"], home)

    return Install(" ".join(artifacts), install)


def debian(*packages: str) -> Install:
    """Debian packages and what they need and the system lacks, unpacked in `root`, never installed."""

    def install(home: Path) -> None:
        archives = home / "archives"
        (archives / "partial").mkdir(parents=True)
        options = ["-o", "Debug::NoLocking=1", "-o", f"Dir::Cache::archives={archives}"]
        wanted = ["--no-install-recommends", "--download-only", "-y", "install", *packages]
        run([program("apt-get"), *options, *wanted], home)
        for archive in archives.glob("*.deb"):
            run([program("dpkg-deb"), "-x", str(archive), str(home / "root")], home)

    return Install(" ".join(packages), install)


def program(name: str) -> str:
    """Where a program is. Raises NotInstalled."""
    path = shutil.which(name)
    if path is None:
        raise NotInstalled(f"there is no {name} here")
    return path


def run(command: Sequence[str], folder: Path, **variables: str) -> None:
    """Run one step of an installation. Raises NotInstalled with the last of what it said."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"{Path(command[0]).name} took longer than {PATIENCE:.0f} s") from error
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        telling = next((line for line in lines if "rror" in line), lines[-1] if lines else "no message")
        raise NotInstalled(f"{Path(command[0]).name} failed: {telling.strip()[:160]}")


def _pom(artifacts: Sequence[str]) -> str:
    parts = (artifact.split(":") for artifact in artifacts)
    wanted = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version>"
        "</dependency>"
        for group, name, version in parts
    )
    return (
        "<project><modelVersion>4.0.0</modelVersion><groupId>bench</groupId><artifactId>bench</artifactId>"
        f"<version>1</version><packaging>pom</packaging><dependencies>{wanted}</dependencies></project>"
    )
