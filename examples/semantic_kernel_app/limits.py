"""Rate limits: the functions of V004, and the answer that HTTP has for them."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from examples.semantic_kernel_app.tenancy import Person, TenantPool

CONSUME = "SELECT allowed, limit_name, retry_after FROM consume_rate_limit(%s, %s, 1, %s)"
STATUS = """
SELECT limit_name, unit, burst, period, remaining, reset_at FROM rate_limit_status(%s, %s)
WHERE unit <> 'concurrent'
"""
ACQUIRE = "SELECT allowed, lease_id, limit_name, expires_at FROM acquire_lease(%s, %s)"


class Denied(Exception):
    """A call was refused. `retry_after` is None where no waiting would help."""

    def __init__(self, limit_name: str, retry_after: timedelta | None) -> None:
        super().__init__(f"the limit {limit_name} is used up")
        self.limit_name = limit_name
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Limit:
    """What is left of a limit, and when it is full again."""

    name: str
    unit: str
    burst: int
    period: timedelta
    remaining: int
    reset_at: datetime


# Each of these is a transaction of its own: the row of a busy caller is locked until it ends.


async def consume(pool: TenantPool, person: Person, tokens: int) -> None:
    """Take a request and an estimate of tokens from all limits of a person, or raise Denied."""
    async with pool.connection() as connection:
        found = await connection.execute(CONSUME, [person.tenant_id, person.subject, tokens])
        row = await found.fetchone()
    assert row is not None
    allowed, limit_name, retry_after = row
    if not allowed:
        raise Denied(limit_name, retry_after)


async def settle(pool: TenantPool, person: Person, tokens: int) -> None:
    """Correct the estimate: a negative number gives tokens back."""
    if tokens:
        async with pool.connection() as connection:
            await connection.execute(
                "SELECT settle_rate_limit(%s, %s, %s)", [person.tenant_id, person.subject, tokens]
            )


@asynccontextmanager
async def place(pool: TenantPool, person: Person) -> AsyncIterator[None]:
    """Hold one of a person's places for concurrent work, or raise Denied."""
    async with pool.connection() as connection:
        found = await connection.execute(ACQUIRE, [person.tenant_id, person.subject])
        row = await found.fetchone()
    assert row is not None
    allowed, lease, limit_name, until = row
    if not allowed:
        raise Denied(limit_name, until - datetime.now(UTC))
    try:
        yield
    finally:
        if lease:
            async with pool.connection() as connection:
                await connection.execute(
                    "SELECT release_lease(%s, %s, %s)", [person.tenant_id, person.subject, lease]
                )


async def status(pool: TenantPool, person: Person) -> list[Limit]:
    """Give what is left of each limit; takes nothing."""
    async with pool.connection() as connection:
        found = await connection.execute(STATUS, [person.tenant_id, person.subject])
        return [Limit(*row) for row in await found.fetchall()]


def headers(limits: Sequence[Limit], now: datetime) -> dict[str, str]:
    """The fields RateLimit-Policy and RateLimit of the IETF's draft: one item a limit."""
    policies = [
        f'"{one.name}";q={one.burst};qu="{one.unit}";w={round(one.period.total_seconds())}' for one in limits
    ]
    left = [f'"{one.name}";r={one.remaining};t={seconds(one.reset_at - now)}' for one in limits]
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(left)} if limits else {}


def retry_after(denied: Denied) -> dict[str, str]:
    """The field Retry-After, where waiting helps; never less than a second."""
    return {} if denied.retry_after is None else {"Retry-After": str(max(1, seconds(denied.retry_after)))}


def seconds(span: timedelta) -> int:
    """Whole seconds, rounded up: who comes back then is not too early."""
    return max(0, math.ceil(span.total_seconds()))
