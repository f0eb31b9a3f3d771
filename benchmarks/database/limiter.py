"""Calls a second of take_rate_limit() beside the library `limits` on Redis, from Python processes of the same kind.

    python -m benchmarks.database.limiter [--server FOLDER] [--rounds 7] [--seconds 0.5]

A PostgreSQL with its default settings and Debian's redis-server, without persistence, both over TCP on this machine.
The limiters take turns within each round; a ratio is the median of the ratios of each round, and more than 1 where
take_rate_limit() is the better. On a busy machine read those of the processor's time. `limits` only says yes or no;
"with what is left" asks it for the rest too, which take_rate_limit() always answers.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from benchmarks import server as servers
from benchmarks.database.limiter_caller import ALLOWED, CALLERS, DENIED, SQL, TENANT
from benchmarks.peers import install
from benchmarks.server import HOST, TICK, Server

FOLDER = Path(__file__).parent
HOME = FOLDER.parent / ".peers" / "limits"
PEER = install.pip("limits==5.8.0", "redis[hiredis]==8.1.0", "psycopg[binary]==3.3.9")
MIGRATIONS = FOLDER.parent.parent / "database" / "migrations"
NEEDED = ("B000__application_schema.sql", "V004__api_rate_limiting.sql")
LIMITERS = {
    "floor": "SELECT 1, psycopg's libpq",
    "psycopg": "take_rate_limit, psycopg's cursor",
    "libpq": "take_rate_limit, psycopg's libpq",
    "pgbench": "take_rate_limit, pgbench",
    "fixed": "limits, fixed window",
    "sliding": "limits, sliding window counter",
    "answer": "limits, sliding, with what is left",
}
OURS = ("psycopg", "libpq", "pgbench")
CASES = tuple((kind, spread) for kind in ("allowed", "denied") for spread in ("hot", "many"))


def main() -> None:
    """Measure every case by one process and by eight."""
    asked = _arguments()
    install.ensure("limits", PEER, HOME)
    with ExitStack() as stack:
        server = stack.enter_context(servers.running(asked.server, None))
        redis, redis_process = stack.enter_context(redis_server())
        url = _migrated(server)
        for processes in (1, 8):
            with callers(processes, url, redis) as group:
                for kind, spread in CASES:
                    for name in LIMITERS:
                        if name != "pgbench":  # it asks for what the others have filled
                            group[0].tell(f"{name} {kind} {spread} fill")
                    load = os.getloadavg()[0]
                    rounds = [
                        {name: measure(group, server, redis_process, f"{name} {kind} {spread} {asked.seconds}")
                         for name in LIMITERS}
                        for _ in range(asked.rounds)
                    ]  # fmt: skip
                    _report(f"{kind}, {spread} key, {processes} process(es), load {load:.1f}", rounds)


class Caller:
    """One process that asks."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def send(self, line: str) -> None:
        """Say what to do."""
        if self._process.stdin is not None:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def answer(self) -> list[float]:
        """The numbers of its next line."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise SystemExit("a caller ended early")
        return [float(word) for word in line.split()]

    def tell(self, line: str) -> list[float]:
        """Say what to do, and wait."""
        self.send(line)
        return self.answer()


def measure(group: list[Caller], server: Server, redis_process: int, line: str) -> tuple[float, float, float]:
    """Calls a second of all callers together, and microseconds of the processor for a call: theirs, the server's."""
    name, kind, spread, _ = line.split()
    if name == "pgbench":
        return _measure_pgbench(server, len(group), kind, spread)
    before, began = server.cpu() + _cpu(redis_process), time.monotonic()
    for caller in group:
        caller.send(line)
    answers = [caller.answer() for caller in group]
    took = time.monotonic() - began
    calls = sum(made for made, _ in answers)
    behind = server.cpu() + _cpu(redis_process) - before
    return calls / took, sum(used for _, used in answers) / calls * 1e6, behind / calls * 1e6


def _measure_pgbench(server: Server, clients: int, kind: str, spread: str) -> tuple[float, float, float]:
    """The same by pgbench, whose shortest turn is a second."""
    subject = "'caller ' || :caller" if spread == "many" else "'caller 0'"
    amount, period = ALLOWED if kind == "allowed" else DENIED
    call = SQL.format(tenant=TENANT, subject=subject, name=kind, amount=amount, period=period)
    script = f"\\set caller random(0, {CALLERS - 1})\n{call};\n" if spread == "many" else f"{call};\n"
    before, used = server.cpu(), _children()
    command = [
        str(server.programs / "pgbench"),
        "-n",
        "-M",
        "prepared",
        "-c",
        str(clients),
        "-T",
        "1",
        "-f",
        "-",
    ]
    options = f"-c app.tenant_id={TENANT} -c role=semantic_kernel_app"
    done = subprocess.run(
        [*command, server.url("limiter")],
        input=script,
        env={**os.environ, "PGOPTIONS": options},
        capture_output=True,
        text=True,
        check=True,
    )
    calls = int(re.findall(r"actually processed: (\d+)", done.stdout)[0])
    rate = float(re.findall(r"(?m)^tps = ([0-9.]+)", done.stdout)[0])
    return rate, (_children() - used) / calls * 1e6, (server.cpu() - before) / calls * 1e6


def _children() -> float:
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


@contextmanager
def callers(processes: int, url: str, redis: str) -> Iterator[list[Caller]]:
    """Processes that wait for lines."""
    command = [str(HOME / "bin" / "python"), str(FOLDER / "limiter_caller.py"), url, redis]
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(processes)
        ]
        yield [Caller(process) for process in started]
        for process in started:
            if process.stdin is not None:
                process.stdin.close()


@contextmanager
def redis_server() -> Iterator[tuple[str, int]]:
    """A Redis of its own, in memory; its URL and its process."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as place:
        options = ["--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "no", "--dir", place]
        process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield f"redis://{HOST}:{port}", process.pid
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection((HOST, port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _migrated(server: Server) -> str:
    url = server.recreate("limiter")
    with psycopg.connect(url, autocommit=True) as connection:
        for name in NEEDED:
            connection.execute((MIGRATIONS / name).read_text())
        connection.execute(
            "INSERT INTO tenants (tenant_id, tenant_name, plan_code) VALUES (%s, 'Limiter', 'unlimited')",
            [TENANT],
        )
    return url


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _report(title: str, rounds: list[dict[str, tuple[float, float, float]]]) -> None:
    print(f"\n{title}\n")
    head = (
        "limiter",
        "calls a second",
        "CPU of the client",
        "of the server",
        "calls: cursor, libpq, pgbench to it",
        "CPU: it to cursor, libpq, pgbench",
    )
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name, title_of in LIMITERS.items():
        rate, client, behind = (statistics.median(one[name][at] for one in rounds) for at in range(3))
        calls = [statistics.median(one[ours][0] / one[name][0] for one in rounds) for ours in OURS]
        used = [statistics.median(_both(one[name]) / _both(one[ours]) for one in rounds) for ours in OURS]
        ratios = " | ".join(", ".join(f"{ratio:.2f}" for ratio in found) for found in (calls, used))
        print(f"| {title_of} | {rate:,.0f} | {client:.0f} µs | {behind:.0f} µs | {ratios} |", flush=True)


def _both(measured: tuple[float, float, float]) -> float:
    """The processor's time for a call, of client and server together."""
    return measured[1] + measured[2]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.database.limiter", description=__doc__)
    parser.add_argument("--server", type=Path, help="the folder of PostgreSQL's programs")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="how long one limiter's turn is")
    return parser.parse_args()


if __name__ == "__main__":
    main()
