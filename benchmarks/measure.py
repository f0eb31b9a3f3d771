"""One run of one command, measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import launch
from benchmarks.server import Server

KEPT = {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"}
"""Of the environment; the rest, PG* and DATABASE_URL above all, would make the peers differ."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run took: seconds and bytes."""

    wall: float
    cpu: float | None = None
    server: float | None = None
    peak: int | None = None


class Failed(Exception):
    """A run that did not do what it was measured for."""


class Launcher:
    """Runs commands through the small process that measures them."""

    def __init__(self, process: subprocess.Popen[str], server: Server, limit: float) -> None:
        self._process = process
        self._server = server
        self._limit = limit

    def run(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Sample:
        """Run it to its end. Raises Failed with the last of its output where it exits with another code than 0."""
        before = self._server.cpu()
        with tempfile.NamedTemporaryFile() as output:
            told = self._ask(command, folder, environment, output.name)
            if told["code"]:
                raise Failed(_reason(int(told["code"]), Path(output.name).read_text(errors="replace")))
        server = self._server.cpu() - before
        return Sample(told["wall"], told["cpu"], server, int(told["peak"]))

    def _ask(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], output: str
    ) -> dict[str, float]:
        kept = {name: value for name, value in os.environ.items() if name in KEPT}
        order = {
            "command": list(command),
            "folder": str(folder),
            "environment": kept | dict(environment),
            "output": output,
            "limit": self._limit,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        answer: dict[str, float] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def launcher(server: Server, limit: float) -> Iterator[Launcher]:
    """Start the small process; `limit` is the most seconds that a command may take."""
    command = [sys.executable, "-I", "-S", launch.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Launcher(process, server, limit)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def _reason(code: int, output: str) -> str:
    if code == -9:
        return "ended: it took longer than the limit"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = next((line for line in reversed(lines) if "error" in line.lower()), lines[-1] if lines else "")
    return f"exit code {code}: {telling[:200]}"
