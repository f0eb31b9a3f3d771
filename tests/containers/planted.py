"""Plants one fault at a time into a copy of the project, and runs the test that must go red.

containers/run.sh --module tests.containers.planted [the name of a fault ...]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.containers.declared import ROOT

PARTS = ("LICENSE", "README.md", "pyproject.toml", "Dockerfile", "compose.yaml", ".dockerignore")
FOLDERS = ("containers", "database", "deploy", "examples", "requirements", "src", "tests")


@dataclass(frozen=True, slots=True)
class Fault:
    """`old` in `file` becomes `new`; then `test` must fail."""

    name: str
    file: str
    old: str
    new: str
    test: str


FAULTS = (
    Fault(
        "each replica has a lock of its own",
        "src/pgratchet/lock.py",
        "{zlib.crc32(history.encode()) - 2**31}",
        "{time.time_ns() % 2**31}",
        "test_five_replicas_at_once_apply_each_version_once_and_all_succeed",
    ),
    Fault(
        "the health check asks through the socket",
        "compose.yaml",
        "--host=127.0.0.1 ",
        "--host=/var/run/postgresql ",
        "test_the_health_check_is_not_fooled_by_the_server_of_the_first_start",
    ),
    Fault(
        "the server is process 1",
        "compose.yaml",
        "    init: true\n",
        "",
        "test_a_health_check_that_was_cut_short_does_not_restart_the_database",
    ),
    Fault(
        "nobody handles SIGTERM",
        "src/pgratchet/cli/__init__.py",
        "    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n",
        "    signal.signal = lambda *_: None\n",
        "test_stop_cancels_the_statement_and_ends_with_143",
    ),
    Fault(
        "a migration of the project is broken",
        "database/migrations/V001__schema_version_table.sql",
        "CREATE TABLE",
        "CREATE TABEL",
        "test_up_migrates_the_database_then_starts_the_application_and_can_be_said_again",
    ),
    Fault(
        "the application does not wait for the migration's success",
        "compose.yaml",
        "      migrate:\n        condition: service_completed_successfully\n    ports:",
        "      migrate:\n        condition: service_started\n    ports:",
        "test_the_application_does_not_start_on_a_failed_migration",
    ),
    Fault(
        "the server does not look whether its client is alive",
        "src/pgratchet/db.py",
        '"client_connection_check_interval": "1s"',
        '"client_connection_check_interval": "0"',
        "test_kill_frees_the_lock_in_seconds",
    ),
    Fault(
        "the server keeps no connection alive",
        "src/pgratchet/db.py",
        '    "tcp_keepalives_idle": "10",\n',
        '    "tcp_keepalives_idle": "7200",\n',
        "test_a_lost_network_frees_the_lock_by_the_keep_alives",
    ),
    Fault(
        "a wrong password is tried again",
        "src/pgratchet/db.py",
        'r"starting up|',
        'r"password|starting up|',
        "test_a_wrong_password_ends_at_once_is_not_shown_and_stops_the_application",
    ),
)


def _copy(folder: Path) -> None:
    for part in PARTS:
        shutil.copy(ROOT / part, folder / part)
    for part in FOLDERS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))


def _plant(fault: Fault, folder: Path) -> None:
    path = folder / fault.file
    text = path.read_text()
    assert fault.old in text, f"{fault.file} has changed: {fault.old!r} is not in it"
    path.write_text(text.replace(fault.old, fault.new, 1))


def _goes_red(fault: Fault) -> bool:
    """Run the one test; a test that cannot be run at all proves nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _copy(folder)
        _plant(fault, folder)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "tests/containers/engine", "-k", fault.test],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    red = done.returncode == 1 and "FAILED tests/containers/engine/" in done.stdout
    reason = [line for line in done.stdout.splitlines() if line.startswith("E ")]
    print(f"{'red' if red else 'NOT RED'}: {fault.name}: {fault.test}", *reason[:2], sep="\n    ", flush=True)
    if not red:
        print(done.stdout, done.stderr)
    return red


def main(names: list[str]) -> int:
    chosen = [fault for fault in FAULTS if not names or fault.name in names]
    red = [_goes_red(fault) for fault in chosen]
    print(f"{sum(red)} of {len(red)} planted faults were found")
    return 0 if red and all(red) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
