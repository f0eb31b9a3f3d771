"""`pgratchet new`: the next migration's file, or a place above the base for those that are new already."""

from __future__ import annotations

import click

from pgratchet import config
from pgratchet.cli import console
from pgratchet.cli.options import json_option, settings_options

BASE = "origin/main"


@click.command()
@click.argument("description", nargs=-1)
@settings_options
@click.option(
    "--renumber",
    is_flag=True,
    help="Instead, move the files that are new in this branch above those of the base, in their order.",
)
@click.option(
    "--base", metavar="REF", help=f"The base, for --renumber: a branch or a commit. Default: {BASE}."
)
@json_option
def new(
    settings: config.Settings,
    description: tuple[str, ...],
    *,
    renumber: bool,
    base: str | None,
    as_json: bool,
) -> None:
    """Write the next migration's file. An example: `pgratchet new "add user email"`."""
    if renumber == bool(description) or (base and not renumber):
        raise click.UsageError(
            'Say what the migration does, or --renumber: `pgratchet new "add user email"`.'
        )
    if renumber:
        _renumber(settings, base or BASE, as_json=as_json)
        return
    from pgratchet import scaffold

    path = scaffold.new(settings.directory, " ".join(description))
    console.show(path, lambda made: {"file": made}, str, "new", as_json=as_json)


def _renumber(settings: config.Settings, base: str, *, as_json: bool) -> None:
    from pgratchet import ops

    moves = ops.renumber(base, settings=settings)
    lines = [f"{before} is now {after.name}" for before, after in moves]
    told = "\n".join(lines) or f"Nothing to do: every new file is above {base}."
    console.show(
        moves,
        lambda made: {"renamed": [{"from": before, "to": after} for before, after in made]},
        lambda _: told,
        "new",
        as_json=as_json,
    )
