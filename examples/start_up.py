"""An application that brings its database up to date before it serves.

DATABASE_URL and pgratchet.toml say where the database and the migrations are. With FastAPI:

    app = FastAPI(lifespan=lifespan)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pgratchet

log = logging.getLogger("example")


def tell(event: pgratchet.Event) -> None:
    """Log what takes time; this is called in the thread that runs the migrations."""
    match event:
        case pgratchet.StepEnded(migration=migration, seconds=seconds, error=None):
            log.info("%s took %.3f s", migration.script, seconds)
        case pgratchet.Waiting(what=what, who=who):
            log.warning("waiting %s %s", what, "; ".join(who))


@asynccontextmanager
async def lifespan(_: object) -> AsyncIterator[None]:
    """Apply what is pending, then serve. An error ends the start, so that nothing serves a half-known schema."""
    outcome = await asyncio.to_thread(pgratchet.up, wait=60, observer=tell)
    log.info("the schema is at version %s, %d migrations applied now", outcome.version, len(outcome.done))
    yield


async def main() -> None:
    """Start and stop as a server would."""
    async with lifespan(None):
        log.info("serving")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    asyncio.run(main())
