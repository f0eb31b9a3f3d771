"""Starts one command after the other and tells what each took; a process of its own, and a small one.

Linux counts the memory of the parent at the fork into the child's peak. The harness is as large as some of
what it measures; this program, run with `python -I -S`, is smaller than nearly all of it.
"""

import json
import os
import sys
import time


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


def run(order: dict) -> dict:  # type: ignore[type-arg] # typing costs memory here
    out = os.open(order["output"], os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        become(order, null, out)
    guard = os.fork()
    if guard == 0:
        kill_late(child, order["limit"])
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - began
    os.kill(guard, 9)
    os.waitpid(guard, 0)
    os.close(out)
    os.close(null)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss * 1024,
    }


def become(order: dict, null: int, out: int) -> None:  # type: ignore[type-arg]
    try:
        os.setsid()
        os.chdir(order["folder"])
        for target, source in enumerate((null, out, out)):
            os.dup2(source, target)
        os.execvpe(order["command"][0], order["command"], order["environment"])
    except OSError as error:
        os.write(2, f"{order['command'][0]}: {error.strerror}\n".encode())
    os._exit(127)


def kill_late(child: int, limit: float) -> None:
    """End the command's whole group of processes when its time is over."""
    time.sleep(limit)
    os.killpg(child, 9)
    os._exit(0)


if __name__ == "__main__":
    main()
