"""Runs `up` in processes that kill or freeze themselves when they hear of an event.

Each line of its input is a URL, a folder, the number of the event and that of the signal, with tabs between; the
answer is how that process ended. One that is frozen is answered with `frozen` first, and its end comes with the next
line of input: `go on` or `kill`. One process a line, and the imports are paid once.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count

import pgratchet
from pgratchet import apply, db, ops, preflight  # noqa: F401 - else every process would import them again
from pgratchet.errors import PgratchetError
from pgratchet.model import Event
from pgratchet.parse import grammar

# A frozen process is seen as idle in seconds, not in a minute; one that is at work never is for so long.
SOON = {"idle_in_transaction_session_timeout": "4s", "idle_session_timeout": "4s"}


def run(url: str, folder: str, number: int, what: int) -> None:
    heard = count(1)

    def observer(_: Event) -> None:
        if next(heard) == number:
            os.kill(os.getpid(), what)

    if what == signal.SIGSTOP:
        db.SETTINGS.update(SOON)
    try:
        pgratchet.up(url, folder, observer=observer)
    except PgratchetError as error:
        os._exit(error.exit_code)


def ended(url: str, folder: str, number: int, what: int) -> int:
    child = os.fork()
    if not child:
        run(url, folder, number, what)
        os._exit(0)
    status = os.waitpid(child, os.WUNTRACED)[1]
    if os.WIFSTOPPED(status):
        print("frozen", flush=True)
        if sys.stdin.readline() == "kill\n":
            os.kill(child, signal.SIGKILL)
        os.kill(child, signal.SIGCONT)
        status = os.waitpid(child, 0)[1]
    return os.waitstatus_to_exitcode(status)


def main() -> None:
    grammar.tree("SELECT")  # loads the library
    while line := sys.stdin.readline():
        url, folder, number, what = line.rstrip("\n").split("\t")
        print(ended(url, folder, int(number), int(what)), flush=True)


if __name__ == "__main__":
    main()
