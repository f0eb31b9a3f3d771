"""Writes docs/reference/ and docs/rules/ from the code itself: `python -m docs.generate`."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

import pgratchet
from docs import interface
from pgratchet import config, errors, ops, pgtools
from pgratchet.backup import settings
from pgratchet.cli import commands as command_line
from pgratchet.parse import directives
from pgratchet.report import pages as rule_page

FOLDER = Path(__file__).parent / "reference"
RULES = Path(__file__).parent / "rules"
NOTE = "<!-- Written by `make docs` from the code. Do not edit. -->"


def main() -> None:
    """Write every page, and delete those of rules that are no more."""
    for folder, texts in ((FOLDER, pages()), (RULES, rule_pages())):
        folder.mkdir(exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        for path in folder.iterdir():
            if path.name not in texts:
                path.unlink()


def pages() -> dict[str, str]:
    """Every page by the name of its file."""
    return {
        "commands.md": _page("Commands", commands()),
        "configuration.md": _page("Configuration", configuration()),
        "exit_codes.md": _page("Exit codes", exit_codes()),
        "directives.md": _page("Directives", known_directives()),
        "api.md": _page("Python", interface.lines()),
    }


def rule_pages() -> dict[str, str]:
    """A page for each rule of `check`, and one that lists them."""
    found = {f"{rule.id}.md": f"{NOTE}\n\n{rule_page.page(rule)}" for rule in ops.rules()}
    return {"README.md": _page("Rules", known_rules()), **found}


def known_rules() -> Iterator[str]:
    """The rules by their families."""
    yield "What `pgratchet check` looks for; `pgratchet explain RULE` prints the same page. How to turn it on, and how"
    yield "to take a rule back: [Checking](../guides/checking.md)."
    for family, members in rule_page.families(ops.rules()):
        yield from ("", f"## {family.capitalize()}", "")
        rows = ((f"[{rule.id}]({rule.id}.md)", rule.severity.value, rule.title) for rule in members)
        yield from _table(("rule", "severity", "what it finds"), rows)


def walk(command: click.Command, name: str = "pgratchet") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its full name."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    for inner in sorted(command.commands):
        yield from walk(command.commands[inner], f"{name} {inner}")


def commands() -> Iterator[str]:
    """Each command with what it does, and its options."""
    yield "Every command that takes `--json` prints one JSON object with `schema_version`, `command` and its own"
    yield "fields; a failure has `error` with `type`, `message`, `hint` and `exit_code`. Data goes to stdout, talk to"
    yield "stderr."
    for name, command in walk(command_line.program):
        yield from ("", f"## {name}", "", inspect.cleandoc(command.help or ""))
        yield from ("", "```", usage(name, command), "```")
        options = [option for option in command.params if isinstance(option, click.Option)]
        if options:
            rows = ((f"`{_spelling(option)}`", f"{option.help}{_default(option)}") for option in options)
            yield from ("", *_table(("option", "meaning"), rows))


def usage(name: str, command: click.Command) -> str:
    """A command's line, as it is typed."""
    arguments = [item for item in command.params if isinstance(item, click.Argument)]
    return " ".join([name, "[OPTIONS]", *(item.make_metavar(click.Context(command)) for item in arguments)])


def configuration() -> Iterator[str]:
    """Each setting, and where it is looked for."""
    yield "A flag wins over the environment, the environment over `pgratchet.toml`, and that over the default. The"
    yield "file is looked for in the folder that the command runs in and in those above it; the first one counts."
    yield "A key that is not in this table is an error."
    rows = (
        (f"`{key.name}`", f"`{key.variable}`", f"`{key.default}`" if key.default else "", key.meaning)
        for key in config.KEYS
    )
    yield from ("", *_table(("key", "variable", "default", "meaning"), rows), "")
    yield "A folder that is not absolute counts from the folder of `pgratchet.toml`, or without one from where the"
    yield "command runs; a folder named by a flag always counts from there."
    yield from ("", "## The database", "", "The first of these that is set:", "")
    variables = ", ".join(f"`{name}`" for name in config.LIBPQ_VARIABLES)
    places = (
        "`--url`",
        *(f"`{name}`, or the content of the file that `{name}_FILE` names" for name in config.URL_VARIABLES),
        f"libpq's own variables, where one of {variables} is set",
        "`url` in `pgratchet.toml`",
        "the embedded PostgreSQL in `.pgratchet/` beside `pgratchet.toml`, which is started if need be",
    )
    yield from (f"{number}. {place}" for number, place in enumerate(places, 1))
    yield ""
    yield "A URL is `postgresql://user:password@host:5432/database`; `postgres://` and `postgresql+driver://` are"
    yield "understood, and so is libpq's own `host=… dbname=…`. A file named by a `_FILE` variable is read less one"
    yield "last newline; an empty one is an error, and so are a variable and its `_FILE` both set."
    for name, options in config.SECTIONS.items():
        yield from ("", f"## `[{name}]`", "", f"A table of `pgratchet.toml`, for the command `{name}`.", "")
        cells = ((f"`{option.name}`", _written(option.default), option.meaning) for option in options)
        yield from _table(("key", "default", "meaning"), cells)
    yield from ("", "## The key of backups", "")
    yield f"`{settings.KEY}`, or the content of the file that `{settings.KEY}_FILE` names: 64 hexadecimal digits."
    yield "With it backups are encrypted, and encrypted ones are read."
    yield from ("", "## Programs", "")
    yield f"`{pgtools.SETTING}` names the folder of psql, pg_dump and pg_restore, which are searched for otherwise."


def _written(value: str | float | bool | tuple[str, ...]) -> str:
    """A default as the file has it; nothing for an empty text."""
    if isinstance(value, tuple):
        return f"`{list(value)}`"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if text else ""


def exit_codes() -> Iterator[str]:
    """Each exit code with the errors that have it."""
    public = [kind for kind in _errors() if kind.__name__ in pgratchet.__all__]
    taken = {kind.exit_code for kind in public}
    rows = [(0, "", "done, or nothing to do")]
    rows += [(kind.exit_code, f"`{kind.__name__}`", _first_line(kind)) for kind in public]
    rows += [
        (kind.exit_code, "", _first_line(kind) + ("" if _is_used(kind) else " (kept for a later version)"))
        for kind in _errors()
        if kind.exit_code not in taken
    ]
    rows += [
        (2, "", "a command line that is not understood"),
        (command_line.PENDING, "", "migrations are pending: `status --exit-code` alone"),
        (errors.FindingsError.exit_code, "", "findings at or over the threshold: `check` alone"),
    ]
    if command_line.INTERRUPTED not in {code for code, *_ in rows}:
        rows.append((command_line.INTERRUPTED, "", "interrupted by Ctrl-C"))
    cells = ((str(code), error, text) for code, error, text in sorted(rows, key=lambda row: row[0]))
    yield from _table(("code", "error", "meaning"), cells)
    yield from ("", "After 6 and 8 it can help to try again; after the others it does not.")


def known_directives() -> Iterator[str]:
    """Each directive with its values."""
    yield "A directive is a line `-- pgratchet: key=value` in the comments at the top of a file, before its first"
    yield "statement. An unknown key or value is an error, and so is a directive behind the first statement."
    rows = (
        (f"`{key}`", ", ".join(f"`{value}`" for value in directives.VALUES.get(key, ())), meaning)
        for key, meaning in directives.KNOWN.items()
    )
    yield from ("", *_table(("key", "values", "meaning"), rows))
    yield from (
        "",
        "`-- pgratchet: ignore <rule>[, <rule>] <the reason>` takes findings of `check` back: at the top of the",
    )
    yield "file for all of it, anywhere else for the next statement, or for the one that it stands in."


def _errors() -> list[type[errors.PgratchetError]]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    return [
        kind for kind in kinds if issubclass(kind, errors.PgratchetError) and kind.__bases__ != (Exception,)
    ]


def _is_used(kind: type) -> bool:
    package = Path(pgratchet.__file__).parent
    files = (path for path in package.rglob("*.py") if path.name != "errors.py")
    return any(kind.__name__ in path.read_text(encoding="utf-8") for path in files)


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").partition("\n")[0].rstrip(".")


def _spelling(option: click.Option) -> str:
    names = ", ".join((*option.opts, *option.secondary_opts))
    return names if option.is_flag else f"{names} {option.make_metavar(click.Context(click.Command(None)))}"


def _default(option: click.Option) -> str:
    return (
        f" Default: {option.default:g}." if isinstance(option.default, int | float) and option.default else ""
    )


def _page(title: str, lines: Iterable[str]) -> str:
    return "\n".join([NOTE, "", f"# {title}", "", *lines]) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


if __name__ == "__main__":
    main()
