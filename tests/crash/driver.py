"""Runs `up` in processes that kill themselves with SIGKILL when they hear of an event.

Each line of its input is a URL, a folder and the number of the event, with tabs between; the answer is how that process
ended. One process a line, and the imports are paid once.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count

import pgratchet
from pgratchet import apply, ops, preflight  # noqa: F401 - else every process would import them again
from pgratchet.model import Event
from pgratchet.parse import grammar


def run(url: str, folder: str, number: int) -> None:
    heard = count(1)

    def observer(_: Event) -> None:
        if next(heard) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    pgratchet.up(url, folder, observer=observer)


def ended(url: str, folder: str, number: int) -> int:
    child = os.fork()
    if not child:
        run(url, folder, number)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    grammar.tree("SELECT")  # loads the library
    for line in sys.stdin:
        url, folder, number = line.rstrip("\n").split("\t")
        print(ended(url, folder, int(number)), flush=True)


if __name__ == "__main__":
    main()
