"""Calls a second of take_rate_limit() and try_rate_limit() beside the library `limits` on Redis.

    chrt -r 5 python -m benchmarks.database.limiter [--server FOLDER] [--rounds 7] [--seconds 0.5]

What is compared. A user of `limits` calls `hit()` in a Python process: one round trip, yes or no; beside it stands
try_rate_limit(), which answers the same. Who wants to know what is left and when to come back calls
`get_window_stats()` after it: a second round trip; beside both stands take_rate_limit(), which answers all of it at
once. Ours are asked by pgbench with prepared statements, as a client in C would, and by psycopg, as a client in Python
would; `limits` has no client but its own. All three of its strategies are asked: the moving window alone is as exact as
ours, the sliding window counter estimates, and the fixed window lets twice the amount through at its edge. `SELECT 1`
is the floor: what a call of PostgreSQL costs that does nothing.

A PostgreSQL with its default settings and Debian's redis-server, without persistence, both over TCP on this machine.
Statistics of the tables are there, as autovacuum would have them within a minute. The limiters take turns within each
round; a ratio is the median of the ratios of each round, and more than 1 where ours is the better. On a busy machine
read those of the processor's time, which is that of client and server together.
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
    "floor-pgbench": "`SELECT 1`, pgbench",
    "try-pgbench": "`try_rate_limit()`, pgbench",
    "take-pgbench": "`take_rate_limit()`, pgbench",
    "floor": "`SELECT 1`, psycopg's libpq",
    "try": "`try_rate_limit()`, psycopg's libpq",
    "take": "`take_rate_limit()`, psycopg's libpq",
    "cursor": "`take_rate_limit()`, psycopg's cursor",
    "fixed": "`hit()`, fixed window",
    "sliding": "`hit()`, sliding window counter",
    "moving": "`hit()`, moving window",
    "fixed-stats": "`hit()` and `get_window_stats()`, fixed window",
    "sliding-stats": "the same, sliding window counter",
    "moving-stats": "the same, moving window",
}
THEIRS = ("fixed", "sliding", "moving")
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
                    _fill(group[0], server, kind, spread)
                    load = os.getloadavg()[0]
                    rounds = [
                        {name: measure(group, server, redis_process, f"{name} {kind} {spread} {asked.seconds}")
                         for name in LIMITERS}
                        for _ in range(asked.rounds)
                    ]  # fmt: skip
                    _report(f"{kind}, {spread} key, {processes} process(es), load {load:.1f}", rounds)


def _fill(caller: Caller, server: Server, kind: str, spread: str) -> None:
    """Ask once for every caller, so that what is to be denied is used up; pgbench asks for what the others filled."""
    for name in ("take", *THEIRS):
        caller.tell(f"{name} {kind} {spread} fill")
    with psycopg.connect(server.url("limiter"), autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) rate_limit_buckets, rate_limit_durable_buckets")


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
    if name.endswith("-pgbench"):
        return _measure_pgbench(server, len(group), name.removesuffix("-pgbench"), kind, spread)
    before, began = server.cpu() + _cpu(redis_process), time.monotonic()
    for caller in group:
        caller.send(line)
    answers = [caller.answer() for caller in group]
    took = time.monotonic() - began
    calls = sum(made for made, _ in answers)
    behind = server.cpu() + _cpu(redis_process) - before
    return calls / took, sum(used for _, used in answers) / calls * 1e6, behind / calls * 1e6


def _measure_pgbench(
    server: Server, clients: int, name: str, kind: str, spread: str
) -> tuple[float, float, float]:
    """The same by pgbench, whose shortest turn is a second."""
    subject = "'caller ' || :caller" if spread == "many" else "'caller 0'"
    amount, period = ALLOWED if kind == "allowed" else DENIED
    call = SQL[name].format(tenant=TENANT, subject=subject, name=kind, amount=amount, period=period)
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
        "calls: ours by pgbench to it",
        "CPU: it to ours",
    )
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name, title_of in LIMITERS.items():
        ours = (
            "take-pgbench"
            if name in ("take-pgbench", "take", "cursor") or name.endswith("-stats")
            else "try-pgbench"
        )
        rate, client, behind = (statistics.median(one[name][at] for one in rounds) for at in range(3))
        calls = statistics.median(one[ours][0] / one[name][0] for one in rounds)
        used = statistics.median(_both(one[name]) / _both(one[ours]) for one in rounds)
        print(
            f"| {title_of} | {rate:,.0f} | {client:.0f} µs | {behind:.0f} µs | {calls:.2f} | {used:.2f} |",
            flush=True,
        )


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
