"""What is measured: nothing to do, many small files, one large file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import changes, inprocess, peers
from benchmarks.changes import Changes
from benchmarks.measure import Failed, Launcher, Sample
from benchmarks.peers import Peer, Project
from benchmarks.server import HOST, USER, Server
from benchmarks.table import Table

CALLS = 20
"""Calls in one process of one round."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a scenario runs."""

    server: Server
    launcher: Launcher
    folder: Path
    peers: tuple[Peer, ...]
    runs: int | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing to measure; `take` gets the rounds to run and gives its tables."""

    name: str
    runs: int
    take: Callable[[Bench, str, int], list[Table]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A peer with its project laid out."""

    peer: Peer
    project: Project


def take(bench: Bench, scenario: Scenario) -> list[Table]:
    """Measure one scenario."""
    return scenario.take(bench, scenario.name, bench.runs or scenario.runs)


def _start_up(bench: Bench, name: str, runs: int, *, count: int) -> list[Table]:
    made = changes.tiny(bench.folder / name / "sql", count)
    title = f"nothing to do, {count:,} applied"
    command = Table(name, f"{title}: the command")
    within = Table(f"{name}-in-process", f"{title}: a call in a process that runs, {CALLS} a round")
    laid_out = [entry for entry in _entries(bench, command, made, count) if entry.peer.starts]
    entries = [entry for entry in laid_out if _ready(bench, command, entry)]
    _rounds(command, entries, runs, partial(_idle, bench))
    callable_ = [entry for entry in entries if entry.peer.api]
    _rounds(within, callable_, max(runs // 3, 1), partial(_called, bench))
    return [command, within]


def _apply(bench: Bench, name: str, runs: int, *, count: int) -> list[Table]:
    made = changes.small(bench.folder / name / "sql", count)
    table = Table(name, f"{count:,} files to an empty database, each a table and an index")
    _rounds(table, _entries(bench, table, made, count), runs, partial(_fresh, bench, made))
    return [table]


def _file(bench: Bench, name: str, runs: int, *, make: Callable[[Path], Changes], title: str) -> list[Table]:
    made = make(bench.folder / name / "sql")
    table = Table(name, title)
    _rounds(table, _entries(bench, table, made, 1), runs, partial(_fresh, bench, made))
    return [table]


def _entries(bench: Bench, table: Table, made: Changes, count: int) -> list[Entry]:
    """Lay the same files out for every peer that gets through them."""
    large = any(migration.source.stat().st_size > 1_000_000 for migration in made.migrations)
    found = []
    for number, peer in enumerate(bench.peers):
        if count > peer.most or (large and not peer.whole):
            table.notes[peer.name] = "left out: not made for this size"
            continue
        folder = bench.folder / table.name / f"peer-{number}"
        folder.mkdir(parents=True)
        project = Project(
            folder, bench.server.programs, HOST, bench.server.port, USER, f"bench_{number}", made.migrations
        )
        peer.prepare(peers.home(peer), project)
        found.append(Entry(peer, project))
    return found


def _rounds(table: Table, entries: Sequence[Entry], runs: int, run: Callable[[Entry], Sample]) -> None:
    """A B C A B C …; a peer that fails is out, and the table says why."""
    table.load.append(os.getloadavg()[0])
    for number in range(runs):
        for entry in entries:
            peer = entry.peer.name
            if peer in table.notes:
                continue
            print(f"{table.name}: round {number + 1} of {runs}: {peer} …", file=sys.stderr, flush=True)
            try:
                table.rows.setdefault(peer, []).append(run(entry))
            except Failed as failed:
                table.notes[peer] = str(failed)
                table.rows.pop(peer, None)
    table.load.append(os.getloadavg()[0])


def _ready(bench: Bench, table: Table, entry: Entry) -> bool:
    """Apply everything, and start once with nothing to do, so that caches are warm."""
    print(f"{table.name}: getting ready: {entry.peer.name} …", file=sys.stderr, flush=True)
    try:
        bench.server.recreate(entry.project.database)
        _run(bench, entry)
        _idle(bench, entry)
    except Failed as failed:
        table.notes[entry.peer.name] = str(failed)
    return entry.peer.name not in table.notes


def _fresh(bench: Bench, made: Changes, entry: Entry) -> Sample:
    bench.server.recreate(entry.project.database)
    sample = _run(bench, entry)
    found = bench.server.ask(entry.project.database, made.query)
    if found != made.answer:
        raise Failed(f"it left {found} where {made.answer} had to be")
    return sample


def _run(bench: Bench, entry: Entry) -> Sample:
    home, project = peers.home(entry.peer), entry.project
    command = entry.peer.command(home, project)
    return bench.launcher.run(command, project.folder, entry.peer.environment(home, project))


def _idle(bench: Bench, entry: Entry) -> Sample:
    home, project = peers.home(entry.peer), entry.project
    command = (entry.peer.idle or entry.peer.command)(home, project)
    return bench.launcher.run(command, project.folder, entry.peer.environment(home, project))


def _called(_bench: Bench, entry: Entry) -> Sample:
    """One process that calls the tool again and again: its median."""
    peer, project = entry.peer, entry.project
    interpreter = str(peer.python(peers.home(peer)))
    command = [interpreter, inprocess.__file__, peer.api, project.postgresql, str(project.folder), str(CALLS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project.folder)
    if done.returncode:
        raise Failed(f"in a process: {(done.stderr.strip().splitlines() or ['no message'])[-1][:160]}")
    times: list[float] = json.loads(done.stdout.splitlines()[-1])
    return Sample(median(times))


ALL = (
    Scenario("startup-5", 15, partial(_start_up, count=5)),
    Scenario("startup-1000", 11, partial(_start_up, count=1000)),
    Scenario("startup-10000", 9, partial(_start_up, count=10_000)),
    Scenario("apply-5", 7, partial(_apply, count=5)),
    Scenario("apply-1000", 5, partial(_apply, count=1000)),
    Scenario("apply-5000", 3, partial(_apply, count=5000)),
    Scenario("file-copy", 3, partial(_file, make=changes.copy, title="one file of 200 MB, COPY")),
    Scenario(
        "file-insert", 3, partial(_file, make=changes.inserts, title="one file of 200 MB, an INSERT a row")
    ),
    Scenario(
        "file-statements",
        3,
        partial(_file, make=changes.statements, title="one file of 50,000 small statements"),
    ),
)
