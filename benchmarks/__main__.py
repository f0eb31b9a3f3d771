"""`python -m benchmarks`: run scenarios, print their tables."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

from benchmarks import peers, scenarios
from benchmarks.measure import launcher
from benchmarks.peers import Peer
from benchmarks.peers.install import NotInstalled, ensure
from benchmarks.scenarios import Bench
from benchmarks.server import running
from benchmarks.table import Table

WORK = Path(__file__).resolve().parent / ".work"


def main() -> None:
    # So that the server is stopped and the files are deleted then as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    given = _arguments()
    chosen = [item for item in scenarios.ALL if any(fnmatch(item.name, only) for only in given.only)]
    found, missing = _install(given.peers)
    for name, reason in missing.items():
        print(f"not installed: {name}: {reason}")
    tables: list[Table] = []
    WORK.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=WORK) as folder,
        running(given.server, given.data) as server,
        launcher(server, given.limit) as runner,
    ):
        facts: dict[str, object] = {
            "server": f"PostgreSQL {server.version}",
            "processors": os.cpu_count(),
            "data": str(given.data or tempfile.gettempdir()),
            "system": platform.platform(),
        }
        print(
            f"\n{facts['server']}, default settings; {facts['processors']} processors; data in {facts['data']}\n",
            flush=True,
        )
        for scenario in chosen:
            made = scenarios.take(Bench(server, runner, Path(folder), found, given.runs), scenario)
            tables.extend(made)
            for table in made:
                print(table.text(), flush=True)
            if given.json:
                _write(given.json, facts, missing, tables)


def _arguments() -> argparse.Namespace:
    names = ", ".join(scenario.name for scenario in scenarios.ALL)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=f"Scenarios: {names}.")
    parser.add_argument(
        "--only", nargs="+", default=["*"], metavar="PATTERN", help="scenarios, as 'startup-*'"
    )
    parser.add_argument("--peers", nargs="+", default=["*"], metavar="PATTERN", help="tools, as 'dbmate*'")
    parser.add_argument("--runs", type=int, metavar="N", help="rounds; the default is each scenario's own")
    parser.add_argument(
        "--limit", type=float, default=900, metavar="SECONDS", help="the most that one run may take"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single sample as well")
    parser.add_argument("--server", type=Path, metavar="FOLDER", help="PostgreSQL's programs")
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="where the server's data lies, as /dev/shm"
    )
    return parser.parse_args()


def _install(patterns: list[str]) -> tuple[tuple[Peer, ...], dict[str, str]]:
    found, missing = [], {}
    for peer in peers.ALL:
        if not any(fnmatch(peer.name, pattern) for pattern in patterns):
            continue
        try:
            ensure(peer.name, peer.install, peers.home(peer))
            found.append(peer)
        except NotInstalled as error:
            missing[peer.name] = str(error)
    return tuple(found), missing


def _write(path: Path, facts: dict[str, object], missing: dict[str, str], tables: list[Table]) -> None:
    when = datetime.now(UTC).isoformat(timespec="seconds")
    whole = {
        "schema_version": 1,
        "command": sys.argv[1:],
        "at": when,
        **facts,
        "not_installed": missing,
        "tables": [table.json() for table in tables],
    }
    path.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
