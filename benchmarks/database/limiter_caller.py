"""One process that asks a rate limiter; limiter.py starts it and says by its standard input what to ask.

It runs under the environment of the peer, which has psycopg, limits and redis. Each line read is `limiter case
seconds`; each line written is the number of calls and the processor's seconds that they took here.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module

import psycopg

TENANT = "be000000-0000-7000-8000-0000000000ff"
CALLERS = 2_000
ALLOWED = ("1000000", "1 minute")
DENIED = ("1", "31 days")
CALL = "('{tenant}', {subject}, '{name}', {amount}, '{period}')"
SQL = {
    "floor": "SELECT 1",
    "try": f"SELECT * FROM try_rate_limit{CALL}",
    "take": f"SELECT * FROM take_rate_limit{CALL}",
}
STRATEGIES = {
    "fixed": "FixedWindowRateLimiter",
    "sliding": "SlidingWindowCounterRateLimiter",
    "moving": "MovingWindowRateLimiter",
}

Ask = Callable[[str], bool]
Make = Callable[..., Ask]


def askers(url: str, redis: str) -> dict[tuple[str, str], Ask]:
    """Every limiter by its name, for calls that are allowed and for calls that are denied."""
    makes: dict[str, Make] = {
        "floor": partial(_floor, url),
        "cursor": partial(_cursor, url),
        "try": partial(_libpq, url, "try"),
        "take": partial(_libpq, url, "take"),
    }
    for name, strategy in STRATEGIES.items():
        makes[name] = partial(_limits, redis, strategy)
        makes[f"{name}-stats"] = partial(_limits, redis, strategy, answer=True)
    kinds = {"allowed": ALLOWED, "denied": DENIED}
    return {(name, kind): make(*kinds[kind]) for name, make in makes.items() for kind in kinds}


def _connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    connection = psycopg.connect(url, autocommit=True, options=f"-c app.tenant_id={TENANT}")
    connection.execute("SET ROLE semantic_kernel_app")
    return connection


def _sql(function: str, subject: str, amount: str, period: str) -> str:
    name = "allowed" if amount == ALLOWED[0] else "denied"
    return SQL[function].format(tenant=TENANT, subject=subject, name=name, amount=amount, period=period)


def _cursor(url: str, amount: str, period: str) -> Ask:
    cursor, sql = _connect(url).cursor(), _sql("take", "%s", amount, period).encode()

    def ask(subject: str) -> bool:
        row = cursor.execute(sql, (subject,), prepare=True).fetchone()
        return row is not None and bool(row[0])

    return ask


def _libpq(url: str, function: str, amount: str, period: str) -> Ask:
    """The prepared statement without psycopg's cursor: what a caller that counts microseconds would do."""
    connection = _connect(url)
    connection.pgconn.prepare(b"take", _sql(function, "$1", amount, period).encode())

    def ask(subject: str) -> bool:
        return connection.pgconn.exec_prepared(b"take", [subject.encode()]).get_value(0, 0) == b"t"

    return ask


def _floor(url: str, amount: str, _period: str) -> Ask:
    """What a call costs that asks for nothing."""
    connection, allowed = _connect(url), amount == ALLOWED[0]
    connection.pgconn.prepare(b"nothing", b"SELECT 1")

    def ask(_subject: str) -> bool:
        connection.pgconn.exec_prepared(b"nothing", [])
        return allowed

    return ask


def _limits(redis: str, strategy: str, amount: str, period: str, *, answer: bool = False) -> Ask:
    """The library; with `answer` it is asked what is left and when it is full again too."""
    made = import_module("limits.storage").RedisStorage(redis, key_prefix=strategy)
    limiter = getattr(import_module("limits.strategies"), strategy)(made)
    item = import_module("limits").parse(f"{amount} per {'1 month' if period == DENIED[1] else period}")

    def ask(subject: str) -> bool:
        allowed = limiter.hit(item, subject)
        if answer:
            limiter.get_window_stats(item, subject)
        return bool(allowed)

    return ask


def main(url: str, redis: str) -> None:
    """Answer the lines of the standard input."""
    known = askers(url, redis)
    for line in sys.stdin:
        name, kind, spread, seconds = line.split()
        ask = known[name, kind]
        if seconds == "fill":
            print(
                sum(ask(f"caller {number}") for number in range(CALLERS if spread == "many" else 1)),
                flush=True,
            )
            continue
        subjects = [f"caller {random.randrange(CALLERS) if spread == 'many' else 0}" for _ in range(1000)]
        calls, until, processor = 0, time.monotonic() + float(seconds), time.process_time()
        while time.monotonic() < until:
            for subject in subjects[calls % 1000 : calls % 1000 + 20]:
                if ask(subject) != (kind == "allowed"):
                    sys.exit(f"{name}: a call that should be {kind} was not")
            calls += 20
        print(calls, time.process_time() - processor, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
