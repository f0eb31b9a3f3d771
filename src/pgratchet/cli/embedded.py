"""`pgratchet embedded`: the PostgreSQL that comes with the package."""

from __future__ import annotations

import subprocess
from pathlib import Path

import click

from pgratchet import config
from pgratchet.cli import console

FOLDER = ".pgratchet"


@click.group()
def embedded() -> None:
    """The PostgreSQL that comes with the package, for development."""


def _folder(directory: str | None) -> Path:
    return Path(config.load({"directory": directory}).root) / FOLDER


@embedded.command()
@click.option("--major", type=int, help="The major version, for a new database: 16 or 18.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def start(major: int | None, *, as_json: bool) -> None:
    """Start it, making it first if need be; prints its URL."""
    from pgratchet import embedded as server

    _show_url(server.start(_folder(None), major), "embedded start", as_json=as_json)


@embedded.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def stop(*, as_json: bool) -> None:
    """Stop it; its data stay."""
    from pgratchet import embedded as server

    stopped = server.stop(_folder(None))
    sentence = "Stopped." if stopped else "It was not running."
    console.show(
        stopped, lambda value: {"stopped": value}, lambda _: sentence, "embedded stop", as_json=as_json
    )


@embedded.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def url(*, as_json: bool) -> None:
    """Print its URL, which holds its password; exits with 8 where it does not run."""
    from pgratchet import embedded as server
    from pgratchet.errors import DatabaseUnreachable

    found = server.url(_folder(None))
    if found is None:
        raise DatabaseUnreachable(
            "the embedded PostgreSQL is not running here", "`pgratchet embedded start` starts it."
        )
    _show_url(found, "embedded url", as_json=as_json)


@embedded.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: tuple[str, ...]) -> None:
    """Run psql on it, starting it if need be: `pgratchet embedded psql -- -c 'SELECT 1'`."""
    from pgratchet import embedded as server
    from pgratchet import pgtools

    folder = _folder(None)
    environment = pgtools.environment(server.start(folder))
    program = pgtools.find("psql", at_least=server.major(folder))
    done = subprocess.run([str(program), *arguments], env=environment, check=False)
    console.exit_with(done.returncode)


def _show_url(found: str, command: str, *, as_json: bool) -> None:
    console.show(found, lambda value: {"url": value}, str, command, as_json=as_json)
