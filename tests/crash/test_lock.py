"""The lock of the one runner is proven when it is taken, and looked at when it is given back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

import pgratchet
from pgratchet import lock
from pgratchet.model import Event, Noticed, ignore
from tests.crash.pgbouncer import sessions
from tests.crash.proxy import between
from tests.folders import write_migrations
from tests.servers import Database, Server

pytestmark = pytest.mark.one_version
RunOn = Callable[[Server, str], None]
FILES = {"V1__a.sql": "CREATE TABLE a (id int);\n"}


def test_a_url_that_leads_to_a_second_node_is_refused_and_nothing_stays_locked(
    server: Server, database: Database, run_on: RunOn, folder: Path
) -> None:
    """To another database, whose advisory locks are its own as those of another node are."""
    write_migrations(folder, FILES)
    other = Database(server, database.name.replace("test", "node"), database.opened)
    run_on(server, f"CREATE DATABASE {other.name} TEMPLATE template0 STRATEGY file_copy")
    held: list[object] = []

    def startup(number: int, message: bytes) -> bytes:
        return message if number == 1 else message.replace(database.name.encode(), other.name.encode())

    try:
        with between(database, startup=startup) as (url, proxy):
            with pytest.raises(pgratchet.ConfigurationError, match="two sessions at once"):
                pgratchet.up(url, folder)
            assert proxy.connections == 2
            held = [*sessions(database), *sessions(other)]
    finally:
        run_on(server, f"DROP DATABASE {other.name} WITH (FORCE)")

    assert not held
    with database.connect() as connection:
        assert connection.execute("SELECT to_regclass('a')").fetchone() == (None,)


def test_a_role_that_may_connect_once_only_needs_no_second_session(database: Database, folder: Path) -> None:
    write_migrations(folder, FILES)
    role = f"once_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'once' CONNECTION LIMIT 1".encode())
        connection.execute(f"GRANT ALL ON SCHEMA public TO {role}".encode())
    url = psycopg.conninfo.make_conninfo(database.url, user=role, password="once")

    try:
        outcome = pgratchet.up(url, folder)
    finally:
        with database.connect() as connection:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())

    assert outcome.version == 1


def test_a_lock_that_a_migration_gave_away_is_told(database: Database, folder: Path) -> None:
    write_migrations(folder, {"V1__a.sql": "SELECT pg_advisory_unlock_all();\n"})
    events: list[Event] = []

    pgratchet.up(database.url, folder, observer=events.append)

    told = [event.message for event in events if isinstance(event, Noticed) and event.severity == "WARNING"]
    assert told == ["the lock of the one runner was no longer ours when we gave it back"]


def test_the_holder_is_named_with_host_and_age_and_with_less_where_another_role_may_not_see_them(
    database: Database, folder: Path
) -> None:
    write_migrations(folder, FILES)
    role = f"guest_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'guest'".encode())
    guest = psycopg.conninfo.make_conninfo(database.url, user=role, password="guest")
    said = []
    try:
        with database.connect(application_name="the other run") as holder:
            held = lock.hold(holder, database.url, '"public"."schema_migrations"', wait=0, observer=ignore)
            with held:
                for url in (database.url, guest):
                    with pytest.raises(pgratchet.LockNotAvailable) as failure:
                        pgratchet.up(url, folder, lock_wait=0)
                    said.append(failure.value.message)
            pid = holder.info.backend_pid
    finally:
        with database.connect() as connection:
            connection.execute(f"DROP ROLE {role}".encode())

    place = rf": pid {pid}, the other run, from "
    assert re.search(place + r"127\.0\.0\.1, connected for \d+ s$", said[0])
    assert re.search(place + r"a place that is hidden from our role, connected for \? s$", said[1])
