"""The start: the schema is brought up to date or waited for, then the application connects with few rights."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pgratchet
from examples.semantic_kernel_app.settings import VECTOR_SEARCH, Settings
from examples.semantic_kernel_app.tenancy import TenantPool, with_options

log = logging.getLogger(__name__)
BETWEEN_LOOKS = 0.5


class SchemaNotReady(Exception):
    """Nobody has applied what this build needs."""


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[TenantPool]:
    """Give the pool of an application that may serve. Every error ends the start."""
    if settings.migration_url is None:
        await await_schema(settings)
    else:
        await migrate(settings)
    async with TenantPool(application_url(settings), min_size=1, max_size=8, open=False) as pool:
        async with pool.connection() as connection:
            await connection.execute("SELECT require_row_security()")
        yield pool


async def migrate(settings: Settings) -> None:
    """Apply what is pending. Any number of processes may do so at once: one works, the others wait for it."""
    outcome = await asyncio.to_thread(
        pgratchet.up, settings.migration_url, settings.migrations, wait=settings.wait, observer=tell
    )
    log.info("the schema is at version %s, %d migrations applied now", outcome.version, len(outcome.done))


async def await_schema(settings: Settings) -> None:
    """Wait until nothing is pending; the files are those that this build of the application was made for."""
    deadline = time.monotonic() + settings.wait
    while True:
        overview = await asyncio.to_thread(
            pgratchet.status, settings.url, settings.migrations, wait=settings.wait, observer=tell
        )
        if not overview.pending:
            return
        if time.monotonic() > deadline:
            raise SchemaNotReady(
                f"{overview.pending} migrations are still pending after {settings.wait:.0f} s"
            )
        await asyncio.sleep(BETWEEN_LOOKS)


def application_url(settings: Settings) -> str:
    """The URL to work with: as a role that reads and writes rows and can change no table."""
    role = {"role": settings.role} if settings.role else {}
    return with_options(settings.url, {**role, **VECTOR_SEARCH})


def tell(event: pgratchet.Event) -> None:
    """Log what takes time; this is called in the thread that runs the migrations."""
    match event:
        case pgratchet.StepEnded(migration=migration, seconds=seconds, error=None):
            log.info("%s took %.3f s", migration.script, seconds)
        case pgratchet.Waiting(what=what, who=who):
            log.warning("waiting %s %s", what, "; ".join(who))
