"""Whom a connection works for: one pool, and the tenant of the request in every transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Connection = AsyncConnection[TupleRow]
TENANT: ContextVar[str] = ContextVar("tenant", default="")


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks."""

    tenant_id: UUID
    user_id: UUID

    @property
    def subject(self) -> str:
        """The name under which their use is counted."""
        return f"user:{self.user_id}"


@contextmanager
def working_for(tenant_id: UUID | str) -> Iterator[None]:
    """Let every connection that this task takes from the pool work for a tenant."""
    token = TENANT.set(str(tenant_id))
    try:
        yield
    finally:
        TENANT.reset(token)


class TenantPool(AsyncConnectionPool[Connection]):
    """A pool that begins each transaction with `SET LOCAL app.tenant_id`, for the connector as for ourselves.

    The connector knows nothing of tenants; row level security does the rest. Without `working_for` there is no
    tenant, and no row. The setting ends with the transaction, so a pooler in transaction mode does no harm.
    """

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Connection]:
        """Give a connection in a transaction of the tenant's; it is committed at the end."""
        async with super().connection(timeout) as connection:
            await connection.execute("SELECT set_config('app.tenant_id', %s, true)", [TENANT.get()])
            yield connection


def with_options(url: str, options: Mapping[str, str]) -> str:
    """Add settings of the server to a URL, behind those that it has."""
    given = str(conninfo_to_dict(url).get("options") or "")
    added = " ".join(f"-c {name}={value}" for name, value in options.items())
    return make_conninfo(url, options=f"{given} {added}".strip())


async def find_person(pool: TenantPool, api_key: str = "", login: str = "") -> Person | None:
    """Find who an API key or a login belongs to. The server is asked for the key's hash, never for the key."""
    async with pool.connection() as connection:
        if api_key:
            hashed = sha256(api_key.encode()).digest()
            found = await connection.execute("SELECT tenant_id, user_id FROM find_api_key(%s)", [hashed])
        else:
            found = await connection.execute("SELECT tenant_id, user_id FROM find_login(%s)", [login])
        row = await found.fetchone()
    return Person(*row) if row else None
