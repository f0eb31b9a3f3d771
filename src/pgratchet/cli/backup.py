"""The commands about backups: `backup`, `backups`, `verify`, `restore`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from pgratchet import config
from pgratchet.cli import console
from pgratchet.cli.options import json_option, settings_options, wait_option

R = TypeVar("R", bound=Callable[..., Any])
WHOLE = click.IntRange(min=1)

place_option = click.option(
    "--to",
    metavar="PLACE",
    help="The folder of the backups, or the URL of an object store. Default: `backups`.",
)
jobs_option = click.option(
    "--jobs", type=WHOLE, metavar="NUMBER", help="How many tables at once. Default: 2."
)
on_option = click.option(
    "--on",
    metavar="URL",
    help="The server to verify on, in a database that is dropped again. Default: a throw-away embedded server.",
)
same_server_option = click.option(
    "--same-server", is_flag=True, help="Verify on the database's own server, in a database beside it."
)


@click.command()
@settings_options
@place_option
@jobs_option
@click.option(
    "--exclude-data",
    multiple=True,
    metavar="TABLE",
    help="Leave out the rows of this table, with its partitions; can be given again.",
)
@click.option(
    "--codec",
    type=click.Choice(["zstd", "lz4", "gzip"]),
    help="How the data are compressed. Default: the first of these that pg_dump was built with.",
)
@click.option("--verify/--no-verify", default=None, help="Prove it right away, by a restore.")
@on_option
@same_server_option
@wait_option
@json_option
def backup(
    settings: config.Settings,
    to: str | None,
    jobs: int | None,
    exclude_data: tuple[str, ...],
    codec: str | None,
    *,
    verify: bool | None,
    on: str | None,
    same_server: bool,
    wait: float,
    as_json: bool,
) -> None:
    """Take a backup of the database. It is of one snapshot, with a digest of every table."""
    from pgratchet import ops
    from pgratchet.backup.keeping import Standing
    from pgratchet.report import backups as report

    with console.observer(quiet=as_json) as observer:
        made = ops.back_up(
            to=to,
            jobs=jobs,
            exclude_data=exclude_data,
            codec=codec,
            verify=verify,
            on=on,
            same_server=same_server,
            wait=wait,
            observer=observer,
            settings=settings,
        )
    console.show(made, report.as_object, report.one, "backup", as_json=as_json)
    console.exit_with(0 if made.standing in {Standing.VERIFIED, Standing.UNVERIFIED} else 1)


@click.command()
@settings_options
@place_option
@click.option("--prune", is_flag=True, help="Delete those that no rule keeps; never the newest verified one.")
@click.option("--keep-last", type=WHOLE, metavar="NUMBER", help="Keep the newest ones.")
@click.option(
    "--keep-daily", type=click.IntRange(min=0), metavar="NUMBER", help="And the newest of so many days."
)
@click.option("--keep-weekly", type=click.IntRange(min=0), metavar="NUMBER", help="And of so many weeks.")
@click.option("--keep-monthly", type=click.IntRange(min=0), metavar="NUMBER", help="And of so many months.")
@json_option
def backups(
    settings: config.Settings, to: str | None, *, prune: bool, as_json: bool, **keep: int | None
) -> None:
    """List the backups, and how far each can be relied on. With --prune, delete those that nobody needs."""
    from pgratchet import ops
    from pgratchet.report import backups as report

    if prune:
        gone = ops.prune_backups(to=to, settings=settings, **keep)
        console.show(gone, _many, report.pruned, "backups", as_json=as_json)
    else:
        found = ops.backups(to=to, settings=settings)
        console.show(found, _many, report.listed, "backups", as_json=as_json)


@click.command()
@click.argument("name", required=False)
@settings_options
@place_option
@click.option("--drill", is_flag=True, help="Take the newest one.")
@on_option
@same_server_option
@jobs_option
@wait_option
@json_option
def verify(
    settings: config.Settings,
    name: str | None,
    to: str | None,
    *,
    drill: bool,
    on: str | None,
    same_server: bool,
    jobs: int | None,
    wait: float,
    as_json: bool,
) -> None:
    """Prove a backup: read every byte, restore it, compare every row. Exits with 1 where it is not good."""
    from pgratchet import ops
    from pgratchet.backup.keeping import Standing
    from pgratchet.report import backups as report

    if drill == bool(name):
        raise click.UsageError("Name one backup, or say --drill for the newest.")
    with console.observer(quiet=as_json) as observer:
        found = ops.verify_backup(
            name,
            to=to,
            on=on,
            same_server=same_server,
            jobs=jobs,
            wait=wait,
            observer=observer,
            settings=settings,
        )
    console.show(found, report.as_object, report.one, "verify", as_json=as_json)
    console.exit_with(0 if found.standing is Standing.VERIFIED else 1)


@click.command()
@click.argument("name")
@settings_options
@place_option
@click.option("--into", metavar="DATABASE", help="The new database. Default: one with the backup's name.")
@click.option(
    "--replace",
    is_flag=True,
    help="Take the place of a database that is there, which is kept under a name with the date. "
    "Without --into, of the one that the backup is of.",
)
@click.option(
    "--production", metavar="DATABASE", help="Its name once more, where it is marked as production."
)
@click.option("--create-roles", is_flag=True, help="Make missing roles, without a login.")
@jobs_option
@wait_option
@json_option
def restore(
    settings: config.Settings,
    name: str,
    to: str | None,
    into: str | None,
    *,
    replace: bool,
    production: str | None,
    create_roles: bool,
    jobs: int | None,
    wait: float,
    as_json: bool,
) -> None:
    """Restore a backup into a new database, and compare every row. The database is made on the server of --url."""
    from dataclasses import asdict

    from pgratchet import ops
    from pgratchet.report import backups as report

    with console.observer(quiet=as_json) as observer:
        done = ops.restore(
            name,
            into=into,
            replace=replace,
            production=production,
            create_roles=create_roles,
            to=to,
            jobs=jobs,
            wait=wait,
            observer=observer,
            settings=settings,
        )
    console.show(done, asdict, report.restored, "restore", as_json=as_json)


def _many(found: Any) -> dict[str, Any]:
    from pgratchet.report import backups as report

    return {"backups": [report.as_object(item) for item in found]}
