"""`pgratchet drift`: the live database beside what its migrations make, and the file that takes the difference away."""

from __future__ import annotations

from typing import Any

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
@click.option(
    "--write",
    type=click.Choice(["back", "files"]),
    help="Write the next migration: one that brings the database back, or one that takes its change into the files.",
)
@click.option("--unproven", is_flag=True, help="Write it also where it is not proven to do that.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "html"]),
    default="text",
    show_default=True,
    help="How the report is written; `html` is one page that needs nothing else.",
)
@wait_option
@json_option
def drift(
    settings: config.Settings,
    on: str | None,
    ignored: tuple[str, ...],
    write: str | None,
    *,
    same_server: bool,
    unproven: bool,
    form: str,
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
    if unproven and write is None:
        raise ConfigurationError(
            "--unproven is about a file that is written", "Say which one: --write back or files."
        )
    common: dict[str, Any] = {"on": on, "same_server": same_server, "ignore_also": ignored, "wait": wait}
    with console.observer(quiet=as_json) as observer:
        common |= {"observer": observer, "settings": settings}
        if write is None:
            found = ops.drift(**common)
        else:
            from pgratchet.mending import Way

            made = ops.mend_drift(Way(write), unproven=unproven, **common)
            found = made.drift
    if write is None:
        render = differences.text if form == "text" else _page
        console.show(found, differences.as_object, render, "drift", as_json=as_json)
    else:
        told = differences.proposal if form == "text" else _page_of
        console.show(made, differences.proposal_object, told, "drift", as_json=as_json)
    console.exit_with(DriftFound.exit_code if found.changes else 0)


def _page(found: Any) -> str:
    from pgratchet.report import drift_page

    return drift_page.html(found)


def _page_of(made: Any) -> str:
    from pgratchet.report import drift_page

    return drift_page.html(made.drift, made)
