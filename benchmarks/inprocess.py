"""Calls one tool's Python interface again and again inside one process; run by that tool's interpreter."""

import io
import json
import sys
import time
from contextlib import redirect_stderr, redirect_stdout

WARM = 2
"""Calls before the first that counts: they import what a running application has loaded."""


def main() -> None:
    source, url, folder, count = sys.argv[1:]
    names: dict = {}  # type: ignore[type-arg] # runs on any peer's interpreter
    exec(source, names)
    times = []
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        for _ in range(WARM + int(count)):
            began = time.perf_counter()
            names["up"](url, folder)
            times.append(time.perf_counter() - began)
    print(json.dumps(times[WARM:]))


if __name__ == "__main__":
    main()
