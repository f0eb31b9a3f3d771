"""`pgratchet revert`: the next file, which takes a migration back."""

from __future__ import annotations

import click

from pgratchet import config
from pgratchet.cli import console
from pgratchet.cli.options import json_option, settings_options, wait_option
from pgratchet.errors import ConfigurationError


@click.command()
@click.argument("version", type=click.IntRange(min=0))
@settings_options
@click.option(
    "--through",
    type=click.IntRange(min=0),
    metavar="VERSION",
    help="Take back every version up to this one as well.",
)
@click.option("--on", metavar="URL", help="The scratch server. Default: an embedded PostgreSQL.")
@click.option("--same-server", is_flag=True, help="Make the scratch databases on the database's own server.")
@click.option(
    "--no-database", is_flag=True, help="Take the files of the folder, and do not ask the database's history."
)
@click.option(
    "--online/--no-online",
    default=None,
    help="Take forms that block nobody. Default: where a table that is changed is large.",
)
@click.option(
    "--unproven", is_flag=True, help="Write the nearest thing where nothing is proven; its header says so."
)
@wait_option
@json_option
def revert(
    settings: config.Settings,
    version: int,
    through: int | None,
    on: str | None,
    *,
    same_server: bool,
    no_database: bool,
    online: bool | None,
    unproven: bool,
    wait: float,
    as_json: bool,
) -> None:
    """Write the next file, which takes a version back. It is proven first; no database is changed.

    The files are run on scratch databases, with made-up rows, and then the new one; it is written only where it ends
    at the schema that the other files make without that version.
    """
    from pgratchet import ops
    from pgratchet.report import reverts

    if on is not None and same_server:
        raise ConfigurationError("--on and --same-server are both given", "Keep one of the two.")
    if same_server and no_database:
        raise ConfigurationError("--same-server needs the database", "Leave out --no-database.")
    if through is not None and through < version:
        raise ConfigurationError(f"--through {through} is below {version}", "Name the lower version first.")
    with console.observer(quiet=as_json) as observer:
        made = ops.revert(
            version,
            through=through,
            on=on,
            same_server=same_server,
            ask_database=not no_database,
            online=online,
            unproven=unproven,
            wait=wait,
            observer=observer,
            settings=settings,
        )
    console.show(made, reverts.as_object, reverts.text, "revert", as_json=as_json)
