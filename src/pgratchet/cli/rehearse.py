"""`pgratchet rehearse`: the plan run on a copy, watched, with one answer."""

from __future__ import annotations

from collections.abc import Callable

import click

from pgratchet import config
from pgratchet.cli import console
from pgratchet.cli.options import json_option, settings_options, wait_option
from pgratchet.errors import FindingsError


@click.command()
@settings_options
@click.option("--on", metavar="URL", help="A copy that somebody prepared; it is changed, and not dropped.")
@click.option("--server", metavar="URL", help="Make the copy on another server.")
@click.option("--embedded", is_flag=True, help="Make the copy on an embedded server of the same version.")
@click.option("--schema-only", is_flag=True, help="Copy no rows: then no times are meant.")
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    metavar="N",
    help="Copy so many rows of each table, and those that they refer to; times are scaled then.",
)
@click.option(
    "--from-backup", metavar="NAME", help="Restore a backup, or the `newest`, which verifies it as well."
)
@click.option(
    "--base-backup", is_flag=True, help="Copy the whole cluster by pg_basebackup, and start the copy here."
)
@click.option(
    "--data-may-leave",
    is_flag=True,
    help="Let the rows of a database marked as production leave its server.",
)
@click.option(
    "--mask", type=click.Path(dir_okay=False), metavar="FILE", help="SQL that runs on the copy first."
)
@click.option(
    "--workload",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="A script of pgbench's that runs on the copy all the while; how long its transactions take is told.",
)
@click.option(
    "--clients",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    metavar="N",
    help="How many clients run it.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    metavar="N",
    help="How long it runs before the plan, and again after it.",
)
@click.option("--no-proofs", is_flag=True, help="Do not apply each file twice, nor break it off and go on.")
@click.option("--to", type=click.IntRange(min=0), metavar="VERSION", help="Stop after this version.")
@click.option("--out-of-order", is_flag=True, help="As `up --out-of-order` would.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "html"]),
    default="text",
    show_default=True,
    help="How the report is written; `html` is one page that needs nothing else.",
)
@wait_option
@json_option
def rehearse(
    settings: config.Settings,
    on: str | None,
    server: str | None,
    *,
    embedded: bool,
    schema_only: bool,
    rows: int | None,
    from_backup: str | None,
    base_backup: bool,
    data_may_leave: bool,
    mask: str | None,
    workload: str | None,
    clients: int,
    seconds: float,
    no_proofs: bool,
    to: int | None,
    out_of_order: bool,
    form: str,
    wait: float,
    as_json: bool,
) -> None:
    """Run what is pending on a copy, and watch it. Told are locks, blocked time, rewrites; exits with 4 for a no go.

    The copy is made by itself, on the database's own server, and dropped in the end; the database is not touched. What
    is marked as production does not leave its server unless you say so.
    """
    from pgratchet import ops
    from pgratchet.rehearsal import Answer
    from pgratchet.report import rehearsals

    with console.observer(quiet=as_json) as observer:
        found = ops.rehearse(
            on=on,
            server=server,
            embedded=embedded,
            schema_only=schema_only,
            rows=rows,
            from_backup=from_backup,
            base_backup=base_backup,
            data_may_leave=data_may_leave,
            mask=mask,
            workload=workload,
            clients=clients,
            seconds=seconds,
            prove=not no_proofs,
            to=to,
            out_of_order=out_of_order,
            wait=wait,
            observer=observer,
            settings=settings,
        )
    if found is None:
        nothing = "Nothing to rehearse: nothing is pending."
        console.show(nothing, lambda _: {"answer": None}, str, "rehearse", as_json=as_json)
        return
    console.show(found, rehearsals.as_object, _renderer(form), "rehearse", as_json=as_json)
    console.exit_with(FindingsError.exit_code if found.answer is Answer.NO_GO else 0)


def _renderer(form: str) -> Callable[..., str]:
    from pgratchet.report import page, rehearsals

    return {"text": rehearsals.text, "markdown": rehearsals.markdown, "html": page.html}[form]
