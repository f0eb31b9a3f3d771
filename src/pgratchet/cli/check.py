"""`pgratchet check` and `pgratchet explain`: what files would do, before they are run."""

from __future__ import annotations

from collections.abc import Callable

import click

from pgratchet import config
from pgratchet.cli import console
from pgratchet.cli.options import json_option, settings_options, wait_option
from pgratchet.errors import FindingsError
from pgratchet.findings import Checked, Severity

FORMATS = ("text", "sarif", "github", "gitlab", "junit")


@click.command()
@click.argument("files", nargs=-1, type=click.Path())
@settings_options
@click.option(
    "--base",
    metavar="REF",
    help="Look at what is new since this branch or commit, and what became of the rest.",
)
@click.option("--live", is_flag=True, help="Look at the database that is set, also without --url.")
@click.option("--all", "everything", is_flag=True, help="Also tell of what the database has applied already.")
@click.option(
    "--severity",
    type=click.Choice([severity.value for severity in Severity]),
    help="Exit with 4 where a finding is as bad as this or worse. Default: that of pgratchet.toml, or warning.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    help="How findings are told: text for people; sarif, github (annotations), gitlab (code quality) and junit for "
    "programs.",
)
@click.option("--write", is_flag=True, help="Write migrations.lock: what each file says now.")
@wait_option
@json_option
def check(
    settings: config.Settings,
    files: tuple[str, ...],
    *,
    base: str | None,
    live: bool,
    everything: bool,
    severity: str | None,
    form: str,
    write: bool,
    wait: float,
    as_json: bool,
) -> None:
    """Look at the files before they are run, or at FILES alone. No database is needed; exits with 4 for findings."""
    from pgratchet import ops

    form = "json" if as_json else form
    with console.observer(quiet=form != "text") as observer:
        checked = ops.check(
            files,
            base=base,
            live=live or settings.url_source == "--url",
            everything=everything,
            write=write,
            severity=Severity(severity) if severity else None,
            wait=wait,
            observer=observer,
            settings=settings,
        )
    print(_renderer(form)(checked))
    console.exit_with(FindingsError.exit_code if checked.failed else 0)


@click.command()
@click.argument("rule", required=False)
@json_option
def explain(rule: str | None, *, as_json: bool) -> None:
    """Say what a rule of `check` is about, and how to do it better. Without one, list all."""
    from pgratchet import ops
    from pgratchet.report import jsons, pages

    if rule is None:
        console.show(
            ops.rules(),
            lambda found: {"rules": [jsons.rule(item) for item in found]},
            pages.listed,
            "explain",
            as_json=as_json,
        )
    else:
        console.show(
            ops.explain(rule),
            lambda found: {"rule": jsons.rule(found)},
            pages.page,
            "explain",
            as_json=as_json,
        )


def _renderer(form: str) -> Callable[[Checked], str]:
    from pgratchet import ops
    from pgratchet.report import findings, jsons, pipelines, sarif

    if form == "json":
        return lambda value: jsons.render("check", jsons.checked(value))
    if form == "sarif":
        return lambda value: sarif.render(value, {rule.id: rule.title for rule in ops.rules()})
    return {"github": pipelines.github, "gitlab": pipelines.gitlab, "junit": pipelines.junit}.get(
        form, findings.render
    )
