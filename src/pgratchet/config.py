"""Settings from flags, the environment, `pgratchet.toml` and defaults, in this order.

Every start of a container pays for this module: it imports nothing that most starts do not use.
"""

from __future__ import annotations

import os
from collections import namedtuple
from collections.abc import Mapping

# What type checkers take for true. Every start of a container would pay 10 ms for `typing`.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FILE = "pgratchet.toml"
URL_VARIABLES = ("PGRATCHET_DATABASE_URL", "DATABASE_URL")
DIRECT_VARIABLE = "PGRATCHET_DIRECT_URL"
LIBPQ_VARIABLES = ("PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE", "PGUSER", "PGPORT")


class Settings(
    namedtuple(
        "Settings", "root url url_source direct_url directory seeds schema table application environment"
    )
):
    """All that a command needs to know before it starts. Folders are absolute."""

    __slots__ = ()
    root: str
    """The folder of `pgratchet.toml`, or the one that the command runs in."""
    url: str | None
    """A URL or conninfo; empty: libpq's own environment; None: the embedded PostgreSQL."""
    url_source: str
    direct_url: str
    """One that leads around a pooler, for what changes the database; empty: `url` does for that too."""
    directory: str
    seeds: str
    schema: str
    table: str
    application: str
    """The build of the application that runs us, kept in the history; empty where it is not told."""
    environment: str
    """The mark that the database must have, where it has one; empty where any does."""


class Key(namedtuple("Key", ("name", "variable", "default", "meaning"))):
    """A setting of `pgratchet.toml`, with the environment variable that overrides it."""

    __slots__ = ()
    name: str
    variable: str
    default: str
    meaning: str


KEYS = (
    Key("url", "PGRATCHET_DATABASE_URL", "", "The database. Also `DATABASE_URL`, or libpq's own variables."),
    Key(
        "direct_url", "PGRATCHET_DIRECT_URL", "", "The same database, around its pooler: for what changes it."
    ),
    Key("directory", "PGRATCHET_DIR", "database/migrations", "The folder of the migrations."),
    Key("seeds", "PGRATCHET_SEEDS", "database/seeds", "The folder of the seeds, one folder an environment."),
    Key("schema", "PGRATCHET_SCHEMA", "public", "The schema of the history table."),
    Key("table", "PGRATCHET_TABLE", "schema_migrations", "The name of the history table."),
    Key("application", "PGRATCHET_APPLICATION", "", "The build of the application, kept in the history."),
    Key(
        "environment",
        "PGRATCHET_ENVIRONMENT",
        "",
        "Refuse a database that `pgratchet mark` marked as another.",
    ),
)


class Option(namedtuple("Option", ("name", "default", "meaning", "among", "least"), defaults=(None, None))):
    """A key of a table of `pgratchet.toml`; its value has the type of the default."""

    __slots__ = ()
    name: str
    default: str | float | bool | tuple[str, ...]
    meaning: str
    among: tuple[str, ...] | None
    """The values that there are; None: any."""
    least: int | None
    """The least number, or so many letters."""


SECTIONS = {
    "check": (
        Option(
            "severity",
            "warning",
            "Findings of this severity or worse fail `check`: note, unsure, warning, error.",
            ("note", "unsure", "warning", "error"),
        ),
        Option(
            "target",
            "",
            "`citus`: the rules of a distributed database are errors, not warnings.",
            ("", "citus"),
        ),
        Option("ignore", (), "Rules that are not looked at."),
        Option(
            "style",
            default=False,
            meaning="With squawk installed: also its matters of taste, as `int` keys and `varchar`, as notes.",
        ),
        Option(
            "qualified", default=False, meaning="Names of tables and functions have to have their schema."
        ),
    ),
    "backup": (
        Option("to", "backups", "The folder of the backups, or the URL of an object store.", least=1),
        Option("jobs", 2, "How many tables are copied at once.", least=1),
        Option("exclude_data", (), "Tables without their data, as `table` or `schema.table`."),
        Option(
            "codec",
            "",
            "How the data are compressed: `zstd`, `lz4`, `gzip`; empty: the first of them that pg_dump has.",
            ("", "zstd", "lz4", "gzip"),
        ),
        Option(
            "up",
            "production",
            "Where `up` takes a backup first: `production`, `always`, `never`.",
            ("production", "always", "never"),
        ),
        Option(
            "max_age_hours",
            24,
            "How old the verified backup may be without which `up` runs no file in production that loses data; "
            "0: it asks for none.",
            least=0,
        ),
        Option("verify", default=False, meaning="Restore each backup right after it was taken, to prove it."),
        Option("on", "", "The URL of the server for that; empty: a throw-away embedded one."),
        Option("same_server", default=False, meaning="Do that on the database's own server."),
        Option("keep_last", 7, "Keep the newest ones.", least=1),
        Option("keep_daily", 7, "Keep the newest of each of the last days.", least=0),
        Option("keep_weekly", 4, "Keep the newest of each of the last weeks.", least=0),
        Option("keep_monthly", 12, "Keep the newest of each of the last months.", least=0),
    ),
    "drift": (
        Option("ignore", (), "Patterns of what is no drift: `table public.sk_*`, `index *: clustered`."),
    ),
    "rehearse": (
        Option("blocked_reads_ms", 1000.0, "No go where the reads of a table are blocked for longer."),
        Option("blocked_writes_ms", 1000.0, "No go where the writes of a table are blocked for longer."),
        Option("lock_held_ms", 2000.0, "No go where a lock that blocks reads or writes is held for longer."),
        Option("wal_bytes", 1073741824.0, "No go where a statement writes more WAL."),
        Option("disk_bytes", 10737418240.0, "No go where the database grows by more, at its largest."),
        Option("duration_ms", 600000.0, "No go where the whole plan takes longer."),
        Option("care", 0.5, "Go with care from this share of a limit on."),
        Option("folder", ".pgratchet/rehearsals", "Where the results of rehearsals are kept."),
    ),
    "revert": (
        Option(
            "online_bytes",
            1073741824.0,
            "Take forms that block nobody, as `--online` does, where a table that is changed is larger.",
        ),
    ),
}
"""The tables of `pgratchet.toml`, each for the command of its name."""


def section(settings: Settings, name: str, **given: Any) -> dict[str, Any]:
    """The values of one table of `pgratchet.toml`, with the defaults of what it leaves out. A list is a tuple.

    What is `given`, and not None, stands for what the file says.
    Raises ConfigurationError for an unknown key, and for a value of another type or out of its bounds.
    """
    path = os.path.join(settings.root, FILE)
    options = {option.name: option for option in SECTIONS[name]}
    values: dict[str, Any] = {option.name: option.default for option in SECTIONS[name]}
    for key, value in (_read(path) if os.path.isfile(path) else {}).get(name, {}).items():
        if key not in options:
            raise _unknown(path, f"{name}.{key}", tuple(f"{name}.{option}" for option in options))
        values[key] = _bounded(
            f"{path}: {name}.{key}", _typed(f"{path}: {name}.{key}", value, values[key]), options[key]
        )
    for key, value in given.items():
        if value is not None:
            values[key] = _bounded(f"{name}.{key}", value, options[key])
    return values


def _bounded(place: str, value: Any, option: Option) -> Any:
    """A value where it is one of those that there are."""
    if option.among is not None and value not in option.among:
        known = ", ".join(word for word in option.among if word)
        raise _error(f"{place} cannot be {value!r}", f"It can be {known}.")
    if option.least is not None and (len(value) if isinstance(value, str) else value) < option.least:
        what = (
            "must not be empty"
            if isinstance(value, str)
            else f"cannot be {value}, it is {option.least} or more"
        )
        raise _error(f"{place} {what}", option.meaning)
    return value


def _typed(place: str, value: object, default: object) -> object:
    """A value where it has the type of the default; whole numbers are numbers, lists hold strings."""
    if (
        isinstance(default, tuple)
        and isinstance(value, list)
        and all(isinstance(item, str) for item in value)
    ):
        return tuple(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(default):
        wanted = {
            "tuple": "a list of strings",
            "str": "a string",
            "bool": "true or false",
            "float": "a number",
            "int": "a whole number",
        }
        kind = wanted[type(default).__name__]
        raise _error(
            f"{place} must be {kind}", "The reference of the configuration has the keys, with their defaults."
        )
    return value


def load(
    flags: Mapping[str, str | None] | None = None,
    environment: Mapping[str, str] | None = None,
    start: str | None = None,
) -> Settings:
    """Find every setting. `flags` has the names of `Settings`; None there means not given.

    Raises ConfigurationError for a file of settings that cannot be read, an unknown key, a secret file
    that cannot be read, or a variable given twice.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    variables = os.environ if environment is None else environment
    here = os.path.abspath(start or os.getcwd())
    root, table = _file(here)
    values = {key.name: _value(key, variables, table) for key in KEYS if key.name != "url"}
    # Who names a database on the command line means that one, whatever the environment is set up for.
    values["direct_url"] = "" if "url" in given else normal_url(_direct_url(variables, table))
    url, source = _url(given, variables, table)
    if url is None and values["direct_url"]:
        url, source = values["direct_url"], DIRECT_VARIABLE
    for name in ("directory", "seeds"):
        values[name] = os.path.join(root, values[name])
    for name in set(values) & set(given):
        value = given[name]
        values[name] = os.path.join(here, value) if name in {"directory", "seeds"} else value
    return Settings(root=root, url=url, url_source=source, **values)


def secret(name: str, variables: Mapping[str, str]) -> str | None:
    """A variable's value, or the content of the file that `NAME_FILE` names, less one last newline."""
    value, path = variables.get(name), variables.get(f"{name}_FILE")
    if value and path:
        raise _error(f"{name} and {name}_FILE are both set", "Keep one of the two.")
    if not path:
        return value or None
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        raise _error(
            f"{name}_FILE: cannot read {path}: {reason}",
            f"The file must be readable by the user that runs pgratchet (uid {os.getuid()}).",
        ) from problem
    if not text.strip():
        raise _error(f"{name}_FILE: {path} is empty", "Is the secret mounted? Write the value into the file.")
    return text.removesuffix("\n")


def normal_url(url: str) -> str:
    """Let libpq understand the URLs of other drivers: `postgresql+psycopg://…` becomes `postgresql://…`."""
    scheme, mark, rest = url.partition("://")
    if not mark or not scheme.replace("+", "").isalnum():  # a conninfo; its password may hold such a mark
        return url
    if scheme.lower().split("+")[0] not in {"postgres", "postgresql"}:
        raise _error(
            f"the database's URL begins with {scheme}://, which is not PostgreSQL",
            "Write postgresql://user@host:5432/database.",
        )
    return f"postgresql://{rest}"


def _url(
    given: Mapping[str, str], variables: Mapping[str, str], table: Mapping[str, str]
) -> tuple[str | None, str]:
    if "url" in given:
        if not given["url"].strip():
            raise _error(
                "the database's URL is empty",
                "Is the variable set that it comes from? Write --url postgresql://….",
            )
        return normal_url(given["url"]), "--url"
    for name in URL_VARIABLES:
        value = secret(name, variables)
        if value:
            return normal_url(value), name
    for name in LIBPQ_VARIABLES:
        if variables.get(name):
            return "", name
    if table.get("url"):
        return normal_url(table["url"]), FILE
    return None, "embedded"


def _direct_url(variables: Mapping[str, str], table: Mapping[str, str]) -> str:
    return secret(DIRECT_VARIABLE, variables) or table.get("direct_url", "")


def _value(key: Key, variables: Mapping[str, str], table: Mapping[str, str]) -> str:
    return variables.get(key.variable) or table.get(key.name, key.default)


def _file(here: str) -> tuple[str, Mapping[str, Any]]:
    """The nearest `pgratchet.toml` upwards: its folder and its keys."""
    folder = here
    while True:
        path = os.path.join(folder, FILE)
        if os.path.isfile(path):
            return folder, _read(path)
        parent = os.path.dirname(folder)
        if parent == folder:
            return here, {}
        folder = parent


def _read(path: str) -> Mapping[str, Any]:
    import tomllib

    try:
        with open(path, "rb") as file:
            table: dict[str, Any] = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise _error(f"{path}: {problem}", "Mend the file; `pgratchet init` writes one.") from problem
    names = (*(key.name for key in KEYS), *SECTIONS)
    for name, value in table.items():
        if name not in names:
            raise _unknown(path, name, names)
        if name in SECTIONS and not isinstance(value, dict):
            raise _error(f"{path}: {name} is a table", f"Write [{name}] in a line of its own.")
        if name not in SECTIONS and not isinstance(value, str):
            raise _error(f"{path}: {name} must be a string", f'Write {name} = "…".')
    return table


def _unknown(path: str, name: str, names: tuple[str, ...]) -> Exception:
    from difflib import get_close_matches

    near = get_close_matches(name, names, n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    return _error(f"{path}: unknown key {name}", f"{meant}The keys are {', '.join(names)}.")


def _error(message: str, hint: str) -> Exception:
    from pgratchet.errors import ConfigurationError

    return ConfigurationError(message, hint)
