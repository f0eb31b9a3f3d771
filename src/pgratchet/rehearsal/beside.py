"""Clients in threads of their own that work beside a rehearsal until it is over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psycopg

from pgratchet import db


@contextmanager
def beside(
    work: Sequence[tuple[db.Connection, Callable[[], None]]], stop: threading.Event, name: str
) -> Iterator[None]:
    """Let each do its work, which ends by itself after `stop` is set and what its connection does was cancelled."""
    threads = [threading.Thread(target=task, name=name, daemon=True) for _, task in work]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for connection, _ in work:
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=5)
        for thread in threads:
            thread.join()
