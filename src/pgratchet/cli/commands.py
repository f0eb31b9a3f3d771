"""The commands: one function a verb; settings in, one call of `ops`, one report out."""

from __future__ import annotations

import signal
from typing import NoReturn

import click

from pgratchet import __version__, config
from pgratchet.cli import console
from pgratchet.cli.options import budget_option, json_option, settings_options, wait_option
from pgratchet.errors import ConfigurationError, PgratchetError, Terminated
from pgratchet.model import Patience

PENDING = 3
REFUSED = 4
INTERRUPTED = 130


class Commands(click.Group):
    """The group of commands, which also answers to the names that other tools gave them."""

    ALIASES = {"migrate": "up", "apply": "up", "info": "status"}  # noqa: RUF012 - click's own style

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """A command by its name or by an alias."""
        return super().get_command(context, self.ALIASES.get(name, name))


def run(arguments: list[str]) -> int:
    """Run a command line; returns the exit code. A user's mistake never shows a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = program.main(arguments, prog_name="pgratchet", standalone_mode=False)
    except click.ClickException as mistake:
        if not _wants_json(arguments):
            mistake.show()
            return 2
        error = ConfigurationError(mistake.format_message(), "`--help` lists what the command understands.")
        return console.fail(error, as_json=True, command=arguments[0])
    except (KeyboardInterrupt, click.Abort):
        console.say("interrupted")
        return INTERRUPTED
    except PgratchetError as error:
        name = arguments[0] if arguments else ""
        return console.fail(error, as_json=_wants_json(arguments), command=Commands.ALIASES.get(name, name))
    except BrokenPipeError:
        return 1
    return int(code or 0)


def _terminate(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one would interrupt the cleaning up
    raise Terminated("told to stop by SIGTERM")


def _wants_json(arguments: list[str]) -> bool:
    return "--json" in arguments


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def program() -> None:
    """Forward-only PostgreSQL migrations, proven before they run."""


@program.command()
@settings_options
@click.option("--to", type=click.IntRange(min=0), metavar="VERSION", help="Stop after this version.")
@click.option("--dry-run", is_flag=True, help="Print the exact SQL in its order, and run nothing.")
@click.option("--out-of-order", is_flag=True, help="Also apply versions lower than the newest applied one.")
@click.option(
    "--lock-wait",
    type=click.FloatRange(min=0),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="Wait for another run to end.",
)
@click.option(
    "--lock-timeout",
    default=50,
    type=click.IntRange(min=1, max=60_000),
    show_default=True,
    metavar="MILLISECONDS",
    help="How long one try may wait for a lock: so long the application may wait behind it.",
)
@budget_option
@click.option(
    "--build-deadline",
    type=click.FloatRange(min=0),
    default=0,
    show_default="none",
    metavar="SECONDS",
    help="Cancel an index build or VALIDATE CONSTRAINT that takes longer, and drop its INVALID index.",
)
@click.option(
    "--no-preflight",
    is_flag=True,
    help="Do not look at the live database first. Right where `pgratchet preflight` shows that it refuses what "
    "you know and accept, as a dump whose end you want to wait for.",
)
@click.option(
    "--backup/--no-backup",
    default=None,
    help="Take a backup before the first step. Default: as `[backup]` says, where it is marked as production.",
)
@click.option(
    "--restore-point/--no-restore-point",
    default=None,
    help="Name a point of the write-ahead log before the first step. Default: where it is marked as production.",
)
@click.option(
    "--require-rehearsal",
    is_flag=True,
    help="Refuse files that `pgratchet rehearse` has not seen with this schema, or with no go.",
)
@wait_option
@json_option
def up(
    settings: config.Settings,
    to: int | None,
    *,
    dry_run: bool,
    out_of_order: bool,
    lock_wait: float,
    lock_timeout: int,
    lock_budget: float,
    build_deadline: float,
    no_preflight: bool,
    backup: bool | None,
    restore_point: bool | None,
    require_rehearsal: bool,
    wait: float,
    as_json: bool,
) -> None:
    """Apply what is pending, in the order of versions. Also `migrate` and `apply`."""
    from pgratchet import ops
    from pgratchet.report import jsons, text

    with console.observer(quiet=as_json) as observer:
        if dry_run:
            preview = ops.preview(
                to=to, out_of_order=out_of_order, wait=wait, observer=observer, settings=settings
            )
            console.show(preview, jsons.preview, text.preview, "up", as_json=as_json)
            console.exit_with(5 if preview.plan.problems else 0)
        outcome = ops.up(
            to=to,
            out_of_order=out_of_order,
            wait=wait,
            lock_wait=lock_wait,
            patience=Patience(f"{lock_timeout}ms", lock_budget, build_deadline),
            preflight=not no_preflight,
            backup=backup,
            restore_point=restore_point,
            require_rehearsal=require_rehearsal,
            observer=observer,
            settings=settings,
        )
    console.show(outcome, jsons.outcome, text.outcome, "up", as_json=as_json)


@program.command()
@settings_options
@click.option(
    "--to", type=click.IntRange(min=0), metavar="VERSION", help="Look as if stopping after this version."
)
@click.option("--out-of-order", is_flag=True, help="Look as `up --out-of-order` would.")
@budget_option
@wait_option
@json_option
def preflight(
    settings: config.Settings,
    to: int | None,
    *,
    out_of_order: bool,
    lock_budget: float,
    wait: float,
    as_json: bool,
) -> None:
    """Look at the live database as `up` does before a run. Writes nothing; exits with 4 where `up` would refuse."""
    from pgratchet import ops
    from pgratchet.model import Verdict
    from pgratchet.report import jsons, text

    with console.observer(quiet=as_json) as observer:
        checks = ops.preflight(
            to=to,
            out_of_order=out_of_order,
            wait=wait,
            patience=Patience(budget=lock_budget),
            observer=observer,
            settings=settings,
        )
    console.show(checks, jsons.checks, text.checks, "preflight", as_json=as_json)
    console.exit_with(REFUSED if any(check.verdict is Verdict.REFUSE for check in checks) else 0)


@program.command()
@settings_options
@click.option("--exit-code", is_flag=True, help="Exit with 3 where migrations are pending.")
@wait_option
@json_option
def status(settings: config.Settings, *, exit_code: bool, wait: float, as_json: bool) -> None:
    """Show files and history side by side; writes nothing. Also `info`."""
    from pgratchet import ops
    from pgratchet.report import jsons, text

    with console.observer(quiet=as_json) as observer:
        overview = ops.status(wait=wait, observer=observer, settings=settings)
    console.show(overview, jsons.overview, text.overview, "status", as_json=as_json)
    if overview.problems:
        console.exit_with(5)
    console.exit_with(PENDING if exit_code and overview.pending else 0)


@program.command()
@settings_options
@json_option
def init(settings: config.Settings, *, as_json: bool) -> None:
    """Start a project: the folder, a first migration, pgratchet.toml."""
    from pgratchet import scaffold

    made = scaffold.init(settings)
    console.show(
        made,
        lambda paths: {"files": paths},
        lambda paths: "\n".join(map(str, paths)),
        "init",
        as_json=as_json,
    )


@program.command()
@click.argument("version", type=click.IntRange(min=0))
@settings_options
@wait_option
@json_option
def baseline(settings: config.Settings, version: int, *, wait: float, as_json: bool) -> None:
    """Record that the schema is that of VERSION; runs nothing."""
    from pgratchet import ops
    from pgratchet.report import jsons, text

    with console.observer(quiet=as_json) as observer:
        marked = ops.baseline(version, wait=wait, observer=observer, settings=settings)
    console.show(
        marked,
        lambda files: {"marked": [jsons.migration(item) for item in files], "version": version},
        lambda files: f"Marked {text.count(len(files), 'migration')} as applied; now at version {version}.",
        "baseline",
        as_json=as_json,
    )


@program.command()
@click.argument("environment", required=False)
@settings_options
@click.option("--remove", is_flag=True, help="Take the mark away.")
@wait_option
@json_option
def mark(
    settings: config.Settings, environment: str | None, *, remove: bool, wait: float, as_json: bool
) -> None:
    """Write ENVIRONMENT (production, staging …) on the database. Without one, show what stands there."""
    from pgratchet import ops

    with console.observer(quiet=as_json) as observer:
        found = ops.mark("" if remove else environment, wait=wait, observer=observer, settings=settings)
    sentence = f"This database is marked as {found}." if found else "This database has no mark."
    console.show(found, lambda name: {"environment": name}, lambda _: sentence, "mark", as_json=as_json)


@program.command()
@click.argument("environment")
@settings_options
@wait_option
@json_option
def seed(settings: config.Settings, environment: str, *, wait: float, as_json: bool) -> None:
    """Run the seed files of ENVIRONMENT; never in production."""
    from pgratchet import ops
    from pgratchet.report import text

    with console.observer(quiet=as_json) as observer:
        files = ops.seed(environment, wait=wait, observer=observer, settings=settings)
    console.show(
        files,
        lambda found: {"environment": environment, "files": [item.path for item in found]},
        lambda found: f"Ran {text.count(len(found), 'seed file')} for {environment}.",
        "seed",
        as_json=as_json,
    )


@program.command()
@json_option
def version(*, as_json: bool) -> None:
    """Show the version of pgratchet."""
    console.show(
        __version__,
        lambda text: {"version": text},
        lambda text: f"pgratchet {text}",
        "version",
        as_json=as_json,
    )


def _register() -> None:
    from pgratchet.cli.backup import backup, backups, restore, verify
    from pgratchet.cli.check import check, explain
    from pgratchet.cli.drift import drift
    from pgratchet.cli.embedded import embedded
    from pgratchet.cli.new import new
    from pgratchet.cli.rehearse import rehearse
    from pgratchet.cli.revert import revert
    from pgratchet.cli.squash import squash

    plain = (check, drift, embedded, explain, new, rehearse, revert, squash)
    for command in (*plain, backup, backups, restore, verify):
        program.add_command(command)


_register()
