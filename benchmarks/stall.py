"""How long an application stalls while a change of its table waits behind a long reader.

    python -m benchmarks.stall

A report reads the table for some seconds. A migration wants to add a column to it. Clients read the table all the
while, and each notes how long its slowest query took. Every tool runs as it comes, in turn with the others.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks import server as servers
from benchmarks.peers import golang, ours
from benchmarks.peers.peer import Migration, Peer, Project
from benchmarks.server import Server

HOME = Path(__file__).parent / ".peers"
CREATE = "CREATE TABLE t (id bigint PRIMARY KEY, note text);\n"
FILL = "INSERT INTO t SELECT n, 'note ' || n FROM generate_series(1, 10000) AS n"
CHANGE = "ALTER TABLE t ADD COLUMN added integer;\n"
QUERY = b"SELECT note FROM t WHERE id = 42"
PAUSE = 0.005


@dataclass(frozen=True, slots=True)
class Stall:
    """The longest query of any client, and how long after the reader's end the change was there (seconds)."""

    longest: float
    landed: float


def main() -> None:
    """Run every tool in turn, and print a table."""
    asked = _arguments()
    found: dict[str, list[Stall]] = {}
    with servers.running(None, None) as server, tempfile.TemporaryDirectory() as place:
        for number in range(asked.runs):
            for name, prepare in _tools().items():
                command = prepare(server, Path(place) / f"{number}-{name}")
                found.setdefault(name, []).append(measure(server, command, asked.clients, asked.seconds))
    print(
        f"{asked.clients} clients read a table; a reader holds it for {asked.seconds:g} s; {asked.runs} runs, medians\n"
    )
    print("| tool      | longest stall | landed after the reader's end |")
    print("|-----------|---------------|-------------------------------|")
    for name, stalls in found.items():
        longest = statistics.median(stall.longest for stall in stalls)
        landed = statistics.median(stall.landed for stall in stalls)
        print(f"| {name:9} | {longest * 1000:10.0f} ms | {landed * 1000:26.0f} ms |")


def measure(server: Server, command: list[str], clients: int, seconds: float) -> Stall:
    """Run one migration beside the clients and the long reader."""
    stop, ready = threading.Event(), threading.Event()
    ended: list[float] = []
    slowest = [0.0] * clients
    url = server.url("stall")
    threads = [threading.Thread(target=_read, args=(url, stop, slowest, at)) for at in range(clients)]
    threads.append(threading.Thread(target=_hold, args=(url, ready, seconds, ended)))
    for thread in threads:
        thread.start()
    ready.wait()
    time.sleep(0.5)
    subprocess.run(command, check=True, capture_output=True)
    landed = time.monotonic()
    stop.set()
    for thread in threads:
        thread.join()
    return Stall(max(slowest), landed - ended[0])


def _read(url: str, stop: threading.Event, slowest: list[float], at: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        while not stop.is_set():
            began = time.monotonic()
            connection.execute(QUERY)
            slowest[at] = max(slowest[at], time.monotonic() - began)
            time.sleep(PAUSE)


def _hold(url: str, ready: threading.Event, seconds: float, ended: list[float]) -> None:
    with psycopg.connect(url, application_name="long report") as connection:
        connection.execute("SELECT count(*) FROM t")
        ready.set()
        time.sleep(seconds)
        connection.rollback()
        ended.append(time.monotonic())


def _tools() -> dict[str, Callable[[Server, Path], list[str]]]:
    dbmate = next(peer for peer in golang.PEERS if peer.name.startswith("dbmate"))
    chosen: dict[str, Callable[[Server, Path], list[str]]] = {
        "psql": _psql,
        "pgratchet": lambda server, place: _tool(ours.PEERS[0], HOME, server, place),
    }
    home = HOME / dbmate.name.replace(" ", "-").replace(".", "-")
    if home.exists():
        chosen["dbmate"] = lambda server, place: _tool(dbmate, home, server, place)
    return chosen


def _psql(server: Server, _place: Path) -> list[str]:
    _fresh(server)
    return [str(server.programs / "psql"), server.url("stall"), "-X", "-q", "-c", CHANGE]


def _tool(peer: Peer, home: Path, server: Server, place: Path) -> list[str]:
    _fresh(server, create=False)
    first, second = _file(place, 1, CREATE), _file(place, 2, CHANGE)
    command: list[str] = []
    for migrations in ((first,), (first, second)):
        project = _project(server, place / "project", migrations)
        peer.prepare(home, project)
        command = peer.command(home, project)
        if len(migrations) == 1:
            subprocess.run(command, check=True, capture_output=True)
    _fill(server)
    return command


def _project(server: Server, place: Path, migrations: tuple[Migration, ...]) -> Project:
    place.mkdir(parents=True, exist_ok=True)
    return Project(place, server.programs, servers.HOST, server.port, servers.USER, "stall", migrations)


def _file(place: Path, number: int, text: str) -> Migration:
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{number}.sql"
    path.write_text(text)
    return Migration(number, path)


def _fresh(server: Server, *, create: bool = True) -> None:
    server.recreate("stall")
    if create:
        with psycopg.connect(server.url("stall"), autocommit=True) as connection:
            connection.execute(CREATE.encode())
        _fill(server)


def _fill(server: Server) -> None:
    with psycopg.connect(server.url("stall"), autocommit=True) as connection:
        connection.execute(FILL)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stall", description=__doc__)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10, help="how long the reader holds the table")
    parser.add_argument("--runs", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
