"""Ends what works on a data folder that nobody wants any more: at once, whoever started it, and no other process."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

COPIER = "copier"
"""A file beside the data with the number of the process that writes them."""
PATIENCE = 30.0
"""Seconds for a process to be gone after it was told so."""
PAUSE = 0.05


def end(data: Path) -> None:
    """End the server of these data, or who still copies them; what they had in hand is lost."""
    for pid in _processes(data):
        _end(pid, data)


def _processes(data: Path) -> Iterator[int]:
    for file in (data.with_name(COPIER), data / "postmaster.pid"):
        with suppress(OSError, ValueError, IndexError):
            yield int(file.read_text().split()[0])


def _end(pid: int, data: Path) -> None:
    for number in (signal.SIGQUIT, signal.SIGKILL):
        deadline = time.monotonic() + PATIENCE
        if _is_for(pid, data):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        while _is_for(pid, data) and time.monotonic() < deadline:
            time.sleep(PAUSE)


def _is_for(pid: int, data: Path) -> bool:
    """Whether a process lives whose command names the data: its number may be somebody else's by now."""
    file = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            return os.fsencode(data) in file.read_bytes()
        except OSError:
            return False
    command = ["/bin/ps", "-o", "args=", "-p", str(pid)]  # macOS
    return str(data) in subprocess.run(command, capture_output=True, text=True, check=False).stdout
