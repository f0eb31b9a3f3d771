"""`pgratchet drift`: the live database beside what its migrations make."""

from __future__ import annotations

import click

from pgratchet import config
from pgratchet.cli import console
from pgratchet.cli.options import json_option, settings_options, wait_option
from pgratchet.errors import ConfigurationError, DriftFound


@click.command()
@settings_options
@click.option("--on", metavar="URL", help="The scratch server; it must be of the database's major version.")
@click.option("--same-server", is_flag=True, help="Make the scratch database on the database's own server.")
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="PATTERN",
    help="What is no drift, beside what pgratchet.toml says: `table public.sk_*`. May be given again.",
)
@wait_option
@json_option
def drift(
    settings: config.Settings,
    on: str | None,
    ignored: tuple[str, ...],
    *,
    same_server: bool,
    wait: float,
    as_json: bool,
) -> None:
    """Compare the database with what its migrations make. Writes nothing to it; exits with 7 where they differ.

    The files of its history are replayed on a scratch database that is dropped in the end: on an embedded PostgreSQL
    of the same major version, where there is one.
    """
    from pgratchet import ops
    from pgratchet.report import differences

    if on is not None and same_server:
        raise ConfigurationError("--on and --same-server are both given", "Keep one of the two.")
    with console.observer(quiet=as_json) as observer:
        found = ops.drift(
            on=on,
            same_server=same_server,
            ignore_also=ignored,
            wait=wait,
            observer=observer,
            settings=settings,
        )
    console.show(found, differences.as_object, differences.text, "drift", as_json=as_json)
    console.exit_with(DriftFound.exit_code if found.changes else 0)
