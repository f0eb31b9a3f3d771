"""Runs pg_dump, pg_dumpall and pg_restore: watched, ended with us, their complaints kept for people."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from psycopg import conninfo

from pgratchet import pgtools
from pgratchet.embedded import account as accounts
from pgratchet.embedded.account import Account
from pgratchet.errors import BackupError, ConfigurationError

CODECS = ("zstd", "lz4")
"""From the best down. A client may have been built without them, and before 16 it knows no codec by its name."""
GZIP = "gzip"
"""What it does where nothing is said."""
NOWHERE = "/nonexistent/pgratchet"
GRACE = 10.0
"""Seconds that a program has to end its own processes."""


def environment(url: str, name: str, database: str | None = None) -> dict[str, str]:
    """What a program connects with; another database of the same server where one is named."""
    chosen = conninfo.make_conninfo(url, dbname=database) if database else url
    return {**pgtools.environment(chosen), "PGAPPNAME": name, "LC_ALL": "C"}


def codec(pg_dump: Path, wanted: str = "") -> str:
    """The compression that is wanted, or the best that this pg_dump has been built with.

    Raises ConfigurationError where it has not the one that is wanted.
    """
    if wanted in {"", GZIP}:
        return wanted or next((name for name in CODECS if _has(pg_dump, name)), GZIP)
    if not _has(pg_dump, wanted):
        raise ConfigurationError(
            f"{pg_dump} was not built with {wanted}, or is older than 16, which knew gzip alone",
            f"Leave out the codec, or let {pgtools.SETTING} name the folder of a client that has it.",
        )
    return wanted


def _has(pg_dump: Path, name: str) -> bool:
    """Where it has not been built with a codec, it says so; where it has, it goes on and finds that no folder can
    be made there, and never connects."""
    command: list[str | Path] = [pg_dump, "--format=directory", f"--compress={name}", f"--file={NOWHERE}"]
    told = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    return "could not create directory" in done.stderr


def run(command: Sequence[str | Path], env: dict[str, str], keep: int | None = None) -> str:
    """Run a program to its end, and give what it wrote to stdout. Raises BackupError with what it complained of."""
    with running(command, env, keep, subprocess.PIPE) as process:
        assert process.stdout is not None
        with process.stdout as said:
            return said.read()


@contextmanager
def running(
    command: Sequence[str | Path],
    env: dict[str, str],
    keep: int | None = None,
    stdout: int | IO[str] | None = None,
    forgiven: str | None = None,
    account: Account | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Run a program beside what the caller does, and wait for it in the end; it never outlives the caller's failure.

    It inherits the descriptor `keep`, and runs as the account where one is named. Raises BackupError where it fails,
    unless each of its errors holds `forgiven`.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as complaints:
        process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if stdout is None else stdout,
            stderr=complaints,
            text=True,
            pass_fds=() if keep is None else (keep,),
            start_new_session=True,  # Ctrl-C is ours: we end it, and clean up behind it
            cwd="/" if account else None,
            **accounts.options(account),
        )
        try:
            yield process
            process.wait()
        except BaseException:
            _end(process)
            raise
        if process.returncode:
            complaints.seek(0)
            said = complaints.read()
            if forgiven is None or not all(
                forgiven in line for line in said.splitlines() if "error:" in line
            ):
                raise _failed(Path(command[0]).name, process.returncode, said)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _failed(program: str, code: int, complaints: str) -> BackupError:
    lines = [line for line in complaints.strip().splitlines() if line.strip()]
    shown = lines[:8] + (["…"] if len(lines) > 8 else [])
    said = "\n".join(f"  {line}" for line in shown) or "  (it said nothing)"
    return BackupError(f"{program} failed (exit code {code}):\n{said}", _hint(complaints))


def _hint(complaints: str) -> str | None:
    if "could not obtain lock" in complaints or "lock timeout" in complaints:
        return "A table is being changed. Run it again when that is done, or with --jobs 1, which locks once."
    if "No space left" in complaints:
        return "Make room, or name another place with --to; nothing was kept of this one."
    if "permission denied" in complaints:
        return "The role must be able to read every table: a superuser, or a member of pg_read_all_data."
    return None
