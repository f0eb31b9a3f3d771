"""The command line: arguments in, one call of `ops`, one report, an exit code out."""

from __future__ import annotations

import gc
import signal
import sys

UP = {"up", "migrate", "apply"}
PLAIN_FLAGS = {"--url": "url", "--dir": "directory", "--wait": None, "--lock-wait": None}


def main() -> None:
    """The console script. A start with nothing to do ends here and imports no more than that takes."""
    gc.set_threshold(
        100_000
    )  # what a short run makes lives to its end: looking for garbage takes a tenth of it
    # Process 1 of a container ignores a SIGTERM that nobody handles.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    arguments = sys.argv[1:]
    if arguments and arguments[0] in UP and _nothing_to_do(arguments[1:]):
        return
    from pgratchet.cli.commands import run

    sys.exit(run(arguments))


def _nothing_to_do(arguments: list[str]) -> bool:
    """Answer `up` with nothing to do; False where there is something, or any doubt."""
    flags = _flags(arguments)
    if flags is None:
        return False
    from pgratchet import config, glance
    from pgratchet.errors import ConfigurationError

    try:
        found = glance.nothing_to_do(config.load(flags))
    except ConfigurationError:
        return False
    if found is not None:
        from pgratchet.report import text

        print(text.nothing_to_do(*found))
    return found is not None


def _flags(arguments: list[str]) -> dict[str, str | None] | None:
    """The flags of the plainest calls of `up`; None for all others, which click understands."""
    flags: dict[str, str | None] = {}
    rest = iter(arguments)
    for argument in rest:
        value = next(rest, None)
        if argument not in PLAIN_FLAGS or value is None:
            return None
        if (name := PLAIN_FLAGS[argument]) is not None:
            flags[name] = value
    return flags
