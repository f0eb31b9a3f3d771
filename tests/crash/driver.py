"""Runs `up` and kills itself with SIGKILL when it hears of its n-th event.

python -m tests.crash.driver URL FOLDER N
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count

import pgratchet
from pgratchet.model import Event


def main(url: str, folder: str, number: int) -> None:
    heard = count(1)

    def observer(_: Event) -> None:
        if next(heard) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    pgratchet.up(url, folder, observer=observer)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
