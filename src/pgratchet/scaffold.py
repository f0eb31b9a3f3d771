"""Writes the files of a project: the next migration, and a new project's first ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pgratchet import config, files, integrity, naming
from pgratchet.errors import ConfigurationError
from pgratchet.model import Migration, Problem, Script

RISK = "-- Risk:    which tables are locked, how long, what the running application notices"
MIGRATION = f"""\
-- Purpose: {{purpose}}
{RISK}
-- Reverse: what a later migration would do to take this back, and which data it cannot bring back

"""
FIRST = "the first table of the application"
EXAMPLE = """\
CREATE TABLE IF NOT EXISTS example (
    id         uuid        NOT NULL DEFAULT gen_random_uuid(),
    name       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT example_pkey PRIMARY KEY (id)
);
"""
README = """\
# Migrations

`V<version>__<description>.sql`, applied once, in the order of versions, never changed afterwards.
To take one back, write the next one that reverses it. `pgratchet new "add user email"` starts a file.
"""


def new(directory: str, description: str) -> Path:
    """Write the next migration's file, and its line in the lock where there is one.

    Raises ConfigurationError where the description has no word.
    """
    path = next_file(directory, description)
    _write(path, MIGRATION.format(purpose=one_line(description)))
    integrity.reserve(files.read(path.parent), path.name)
    return path


def next_file(directory: str, description: str) -> Path:
    """Where the next migration will stand. Raises ConfigurationError where the description has no word."""
    words = naming.snake(description)
    if not words:
        raise ConfigurationError(
            f"{description!r} has no letter or digit that a name could be made of",
            'Say what the migration does: `pgratchet new "add user email"`.',
        )
    folder = Path(directory)
    return folder / f"V{files.next_version(files.read(folder))}__{words}.sql"


def finished(path: Path, text: str) -> None:
    """Write a migration's file that is done, and what it says into the lock where there is one."""
    _write(path, text)
    integrity.rename(files.read(path.parent), {})


def problems(migration: Migration, script: Script) -> Iterator[Problem]:
    """A file that `new` wrote and nobody filled: applied, it could not be changed any more."""
    if not script.total and RISK in migration.path.read_text(encoding="utf-8"):
        yield Problem(
            "template",
            f"{migration.path}: nothing is written yet below its header",
            "Write the migration's statements, or delete the file.",
        )


def init(settings: config.Settings) -> tuple[Path, ...]:
    """Write a new project's folder, first migration, README and pgratchet.toml; keeps what is there."""
    folder = Path(settings.directory)
    toml = Path(settings.root) / config.FILE
    _make(folder)
    wanted = {
        folder / "V001__first_table.sql": MIGRATION.format(purpose=FIRST) + EXAMPLE,
        folder / "README.md": README,
        toml: _settings(settings),
    }
    made = [path for path in wanted if not path.exists()]
    for path in made:
        _write(path, wanted[path])
    return tuple(made)


def one_line(text: str) -> str:
    """A text that ends no comment early."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _settings(settings: config.Settings) -> str:
    lines = ["# Every setting can also be given by the environment; see the reference of the configuration."]
    for key in config.KEYS:
        chosen = Path(settings.directory) if key.name == "directory" else None
        value = _relative(chosen, settings.root) if chosen else key.default
        lines.append(f"# {key.meaning} ({key.variable})")
        lines.append(f"{'' if key.name in {'directory', 'seeds'} else '# '}{key.name} = {_quoted(value)}")
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    """A string as TOML writes it; its escapes are those of JSON."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _relative(path: Path, root: str) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = any(not naming.ignored(path.name) for path in folder.iterdir())
    except OSError as error:
        raise ConfigurationError(f"cannot make the folder {folder}: {error.strerror}", None) from error
    if taken:
        raise ConfigurationError(
            f"{folder} holds migrations already", '`pgratchet new "…"` writes the next one.'
        )


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}", None) from error
