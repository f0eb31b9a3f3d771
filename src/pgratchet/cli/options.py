"""The options that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from pgratchet import config

R = TypeVar("R")


def settings_options(function: Callable[..., R]) -> Callable[..., R]:
    """Give a command `--url` and `--dir`, and hand it the settings in their place."""

    @click.option(
        "--url", metavar="URL", help="The database. Default: environment, pgratchet.toml, embedded."
    )
    @click.option("--dir", "directory", metavar="FOLDER", help="The folder of the migrations.")
    @wraps(function)
    def wrapped(*args: Any, url: str | None, directory: str | None, **kwargs: Any) -> R:
        kwargs["settings"] = config.load({"url": url, "directory": directory})
        return function(*args, **kwargs)

    return wrapped


wait_option = click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=0,
    metavar="SECONDS",
    help="Wait for a server that is not there yet.",
)
budget_option = click.option(
    "--lock-budget",
    type=click.FloatRange(min=0),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="How long to try again for a lock.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
