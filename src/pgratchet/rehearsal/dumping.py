"""A database dumped and restored: with all its rows, or without any and with the planner's statistics of them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from pgratchet import db, pgtools, scratch, sql
from pgratchet.errors import RunFailed
from pgratchet.model import Noticed, Observer, ignore
from pgratchet.rehearsal.sources import Origin

JOBS = 2
CARRIES_STATISTICS = 18
"""The first version whose dumps can hold them, and whose servers can read them."""


def whole(origin: Origin, there: str, observer: Observer) -> None:
    """Dump a database and restore it."""
    with scratch.place() as place:
        programs = Programs(origin, there, place, observer)
        programs.dump(f"--jobs={JOBS}")
        programs.restore()
    analyze(there)


def schema(origin: Origin, there: str, observer: Observer) -> bool:
    """Bring over the schema and the history; tells whether the planner's statistics came as well."""
    with scratch.place() as place:
        programs = Programs(origin, there, place, observer)
        carried = programs.major >= CARRIES_STATISTICS
        programs.dump("--no-data", "--statistics") if carried else programs.dump("--schema-only")
        programs.restore()
    _move_history(origin, there)
    if not carried:
        analyze(there)
    return carried


def analyze(there: str) -> None:
    """Let the planner know the rows."""
    with db.opened(there, name="pgratchet copy", wait=0, observer=ignore) as connection:
        connection.execute("ANALYZE")


class Programs:
    """pg_dump and pg_restore, of the version of the newer server, with a folder between them."""

    def __init__(self, origin: Origin, there: str, place: Path, observer: Observer) -> None:
        self.origin, self.there, self.observer = origin, there, observer
        self.folder = place / "dump"
        with db.opened(there, name="pgratchet copy", wait=0, observer=ignore) as connection:
            self.name = str(connection.info.dbname)
            self.major = max(connection.info.server_version // 10000, origin.source.major)

    def dump(self, *options: str) -> None:
        """Dump the source. Raises RunFailed."""
        command: list[str | Path] = [
            pgtools.find("pg_dump", self.major),
            "--format=directory",
            "--no-sync",
            "--no-subscriptions",
        ]
        done = _program([*command, *options, f"--file={self.folder}"], self.origin.url)
        if done.returncode:
            raise RunFailed(f"pg_dump failed: {_last(done)}", "Can this role read every table? Mend that.")

    def restore(self, *options: str) -> None:
        """Restore what was dumped; what cannot be is told."""
        command: list[str | Path] = [
            pgtools.find("pg_restore", self.major),
            f"--jobs={JOBS}",
            "--no-subscriptions",
        ]
        done = _program([*command, *options, "--dbname", self.name, self.folder], self.there)
        if done.returncode:
            self.observer(Noticed("WARNING", f"pg_restore could not restore all of it: {_last(done)}"))


def _program(command: Sequence[str | Path], url: str) -> subprocess.CompletedProcess[str]:
    environment = pgtools.environment(url)
    return subprocess.run(command, check=False, env=environment, capture_output=True, text=True)


def _last(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    return lines[0] if lines else done.stderr.strip()[-500:]


def _move_history(origin: Origin, there: str) -> None:
    """The plan is made from the history: its rows alone go with the schema."""
    with (
        db.opened(origin.url, name="pgratchet copy", wait=0, observer=ignore) as source,
        db.opened(there, name="pgratchet copy", wait=0, observer=ignore) as target,
    ):
        for table in origin.names.tables:
            name = sql.qualified(origin.names.schema, table)
            found = source.execute("SELECT pg_catalog.to_regclass(%s)", (name,)).fetchone()
            if found is not None and found[0] is not None:
                pipe(source, f"COPY {name} TO STDOUT", target, f"COPY {name} FROM STDIN")


def pipe(source: db.Connection, out: str, target: db.Connection, into: str) -> None:
    """Let rows flow from one server to another, never more than one of them here."""
    with source.cursor().copy(out.encode()) as rows, target.cursor().copy(into.encode()) as sink:
        for piece in rows:
            sink.write(piece)
