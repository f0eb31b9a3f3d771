"""A pulse beside long work: tells the observer how far it is, and the database that we live."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from pgratchet.backup.manifest import size
from pgratchet.model import Observer, Waiting

EVERY = 5.0


@contextmanager
def pulse(what: str, observer: Observer, beat: Callable[[], str]) -> Iterator[None]:
    """Call `beat` every few seconds until the block ends, and tell what it says."""
    ended = threading.Event()
    began = time.monotonic()

    def go() -> None:
        while not ended.wait(EVERY):
            with suppress(psycopg.Error, OSError):  # the work itself meets what is wrong, and explains it
                observer(Waiting(what, time.monotonic() - began, (beat(),)))

    thread = threading.Thread(target=go, name="pgratchet pulse", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def written(folder: Path) -> str:
    """How much lies in a folder by now."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size
    return f"{size(total)} written"
