"""Runs a workload on the copy before the plan, meanwhile and after it: by pgbench, or by clients of our own."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pgratchet import __version__, db, pgtools
from pgratchet.errors import ConfigurationError
from pgratchet.rehearsal import scripting
from pgratchet.rehearsal.scripting import Transaction

DAY = 86400
LAST = 30.0
"""Seconds for the transactions that still run in the end."""
MENDING = "Mend the script: it has to run on the database as it is now."


@dataclass(frozen=True, slots=True)
class Load:
    """What is to run: a script in pgbench's form, by how many clients, how long before and after the plan."""

    path: Path
    clients: int
    seconds: float
    pgbench: Path | None
    """None: by clients of our own."""

    @property
    def by(self) -> str:
        """Who runs it, in words."""
        return f"pgbench {pgtools.version_of(self.pgbench)}" if self.pgbench else "our own clients"


def load(path: Path, clients: int, seconds: float) -> Load:
    """Look at a workload before anything is copied. Raises ConfigurationError where it cannot be run."""
    program = _pgbench()
    try:
        if program is None:
            scripting.read(path)
        elif not path.read_text(encoding="utf-8-sig").strip():
            raise ConfigurationError(f"{path} is empty", "Name a script of pgbench with --workload.")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigurationError(
            f"cannot read {path}: {problem}", "Name a script of pgbench with --workload."
        ) from problem
    return Load(path, clients, seconds, program)


def _pgbench() -> Path | None:
    try:
        return pgtools.find("pgbench")
    except ConfigurationError:
        return None


@contextmanager
def driven(url: str, asked: Load) -> Iterator[list[Transaction]]:
    """Let a workload run before, meanwhile, and after; the list holds all of it when it is over.

    Raises ConfigurationError where it fails before anything else has happened.
    """
    done: list[Transaction] = []
    with tempfile.TemporaryDirectory(prefix="pgratchet-workload-") as place:
        running = (
            scripting.clients(url, scripting.read(asked.path), asked.clients, done)
            if asked.pgbench is None
            else _by_pgbench(url, asked, asked.pgbench, Path(place), done)
        )
        with running:
            _alone(asked, done)
            yield done
            time.sleep(asked.seconds)


def _alone(asked: Load, done: Sequence[Transaction]) -> None:
    """Let it run for a while; what fails now is the script's own mistake."""
    until = time.monotonic() + asked.seconds
    while (now := time.monotonic()) < until:
        time.sleep(min(0.05, until - now))
        if error := next((item.error for item in done if item.error), None):
            raise ConfigurationError(f"{asked.path} fails on the copy as it is: {error}", MENDING)


@contextmanager
def _by_pgbench(url: str, asked: Load, program: Path, place: Path, done: list[Transaction]) -> Iterator[None]:
    # Its progress goes into our pipe: should we be killed, its next line of it kills it too.
    command = [str(program), "--no-vacuum", "--progress=1", "--log", f"--log-prefix={place}/log"]
    size = [
        f"--client={asked.clients}",
        f"--jobs={min(asked.clients, os.cpu_count() or 1)}",
        f"--time={DAY}",
    ]
    named = db.with_parameters(url, application_name=f"pgratchet {__version__} workload")
    shift = time.time() - time.monotonic()
    process = subprocess.Popen(
        [*command, *size, f"--file={asked.path}"],
        env=pgtools.environment(named),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a Ctrl-C is ours to pass on
    )
    listener = threading.Thread(target=_listen, args=(process, done), name="pgratchet workload", daemon=True)
    listener.start()
    try:
        yield
    finally:
        with process:
            _end(process)
            listener.join()
        done += (item for path in place.glob("log*") for item in logged(path.read_text().splitlines(), shift))


def _listen(process: subprocess.Popen[str], done: list[Transaction]) -> None:
    """A client of pgbench that is refused says so and gives up."""
    for line in process.stderr or ():
        if " aborted " in line or "connection to server" in line:
            now = time.monotonic()
            done.append(Transaction(now, now, line.rpartition("ERROR:")[2].strip()))


def _end(process: subprocess.Popen[str]) -> None:
    """What its own clock would do at the end of its time: no new transaction, and the log written to its end."""
    if process.poll() is None:
        process.send_signal(signal.SIGALRM)
    try:
        process.wait(LAST)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def logged(lines: Iterable[str], shift: float) -> Iterator[Transaction]:
    """Transactions as pgbench logs them: its microseconds, and the moment of the end by the wall's clock."""
    for line in lines:
        parts = line.split()
        if len(parts) < 6:  # a last line that was cut
            continue
        end = int(parts[4]) + int(parts[5]) / 1e6 - shift
        if parts[2].isdigit():
            yield Transaction(end - int(parts[2]) / 1e6, end)
        else:
            yield Transaction(end, end, "a deadlock or a failure to serialize")
