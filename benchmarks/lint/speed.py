"""What `check` takes for 1,000 files beside squawk, in turns: `python -m benchmarks.lint.speed`."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.lint.__main__ import HOME, SQUAWK
from benchmarks.lint.measure import HERE, forms
from benchmarks.peers.install import ensure, pip
from pgratchet import parse

FILES = 1000
ROUNDS = 5
FILE = """-- The table t{number}, and a change of another one
CREATE TABLE t{number} (id bigint PRIMARY KEY, a text NOT NULL, b integer DEFAULT 0);
CREATE INDEX t{number}_a ON t{number} (a);
INSERT INTO t{number} VALUES (1, 'a', 2), (2, 'b', 3);
{form}
"""
# A process of its own, as squawk is one: the start of Python and all imports count.
OURS = """
import sys
from pathlib import Path
from pgratchet import lint, parse
from pgratchet.model import Kind, Migration
paths = sorted(Path(sys.argv[1]).iterdir())
files = [(Migration(Kind.VERSIONED, at, "file", path, ""), parse.read(path)) for at, path in enumerate(paths)]
print(len(lint.check(files)))
"""


def main() -> None:
    ensure("squawk", pip(SQUAWK), HOME)
    with tempfile.TemporaryDirectory() as folder:
        paths = _write(Path(folder))
        squawk = [
            str(HOME / "bin" / "squawk"),
            "--reporter",
            "json",
            "--assume-in-transaction",
            *map(str, paths),
        ]
        commands: dict[str, list[str]] = {"squawk": squawk, "pgratchet": [sys.executable, "-c", OURS, folder]}
        took: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                took[name].append(_timed(command))
    for name, seconds in took.items():
        ratio = median(one / other for one, other in zip(seconds, took["squawk"], strict=True))
        print(f"{name:12} {median(seconds):6.2f} s of processor time, {ratio:5.1f} times squawk")


def _write(folder: Path) -> list[Path]:
    statements = [
        form for form in forms((HERE / "forms.sql").read_text()) if parse.read_text(form, "").transactional
    ]
    chosen = random.Random(1)
    for number in range(FILES):
        path = folder / f"V{number:04}__file.sql"
        path.write_text(FILE.format(number=number, form=chosen.choice(statements)))
    return sorted(folder.iterdir())


def _timed(command: list[str]) -> float:
    """The processor time of a command, which tells more than the clock on a machine that others use."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
