"""`pgratchet squash`: a baseline in place of older files."""

from __future__ import annotations

from typing import Any

import click

from pgratchet import config
from pgratchet.cli import console
from pgratchet.cli.options import json_option, settings_options, wait_option
from pgratchet.errors import ConfigurationError

# What type checkers take for true: a start of any other command does not load the verbs.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pgratchet.baselines import Squashed


@click.command()
@settings_options
@click.option(
    "--through",
    type=click.IntRange(min=0),
    required=True,
    metavar="VERSION",
    help="The newest version that it stands for.",
)
@click.option(
    "--description", default="schema", show_default=True, help="The description in the file's name."
)
@click.option("--on", metavar="URL", help="The scratch server. Default: an embedded PostgreSQL.")
@click.option("--same-server", is_flag=True, help="Make the scratch databases on the database's own server.")
@click.option(
    "--refuse-data", is_flag=True, help="Refuse files that leave rows, instead of carrying the rows over."
)
@wait_option
@json_option
def squash(
    settings: config.Settings,
    through: int,
    description: str,
    on: str | None,
    *,
    same_server: bool,
    refuse_data: bool,
    wait: float,
    as_json: bool,
) -> None:
    """Write a baseline in place of the files up to a version. New databases start from it; those files stay.

    The files are run on a scratch database, and the baseline alone on another; it is written only where both are the
    same, in schema and in rows. No other database is changed.
    """
    from pgratchet import ops

    if on is not None and same_server:
        raise ConfigurationError("--on and --same-server are both given", "Keep one of the two.")
    with console.observer(quiet=as_json) as observer:
        made = ops.squash(
            through,
            description=description,
            on=on,
            same_server=same_server,
            refuse_data=refuse_data,
            wait=wait,
            observer=observer,
            settings=settings,
        )
    console.show(made, _as_object, _text, "squash", as_json=as_json)


def _as_object(made: Squashed) -> dict[str, Any]:
    return {
        "file": str(made.path),
        "version": made.version,
        "stands_for": list(made.stands_for),
        "rows": dict(made.rows),
        "roles": list(made.roles),
        "fingerprint": made.fingerprint,
        "server": made.major,
    }


def _text(made: Squashed) -> str:
    rows = [f"  {count} rows of {table}" for table, count in made.rows.items()]
    roles = [f"  the role {role}" for role in made.roles]
    return "\n".join(
        [
            f"{made.path} stands for {', '.join(made.stands_for)}; proven equal on PostgreSQL {made.major}.",
            *(["With them come:", *roles, *rows] if roles or rows else []),
        ]
    )
