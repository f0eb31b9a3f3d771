"""A copy of the whole cluster by pg_basebackup, started here for nobody but us, and gone in the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import conninfo

from pgratchet import db, pgtools, scratch, sql
from pgratchet.backup import programs
from pgratchet.backup.pulse import pulse, written
from pgratchet.embedded import account as accounts
from pgratchet.embedded import cluster as embedded_cluster
from pgratchet.embedded.account import Account
from pgratchet.embedded.ending import COPIER
from pgratchet.errors import BackupError, ConfigurationError, RunFailed
from pgratchet.model import Observer, ignore
from pgratchet.rehearsal.sources import Origin

NAME = "pgratchet basebackup"
PORT = "5432"
"""Of a socket in a folder of our own: it only makes the socket's name."""
PATIENCE = 600
"""Seconds for the server to replay what was written during the copy."""
# Of the source's configuration, what makes its work the same here, or what it cannot start without.
SETTINGS = (
    *("DateStyle", "IntervalStyle", "TimeZone", "default_text_search_config", "default_toast_compression"),
    *("full_page_writes", "wal_compression", "wal_level", "max_wal_size", "checkpoint_timeout", "jit"),
    *(
        "work_mem",
        "maintenance_work_mem",
        "max_parallel_workers_per_gather",
        "max_parallel_maintenance_workers",
    ),
    *("random_page_cost", "seq_page_cost", "effective_cache_size", "effective_io_concurrency"),
    *("max_connections", "max_locks_per_transaction", "max_prepared_transactions", "max_worker_processes"),
)
# Nothing of the copy reaches anybody else: no network, no archive, no publisher, and no library that it may not have.
OURS = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "shared_preload_libraries": "",
    "archive_mode": "off",
    "max_logical_replication_workers": "0",
    "autovacuum": "off",
    "lc_messages": "C",
}
HINTS = (
    (
        ("must be superuser or replication role", "permission denied to start WAL sender"),
        "Let a superuser say: ALTER ROLE … REPLICATION; or take another way, such as --rows.",
    ),
    (
        ("no pg_hba.conf entry for replication",),
        "pg_hba.conf of the server needs a line for the database `replication`, this role and this address.",
    ),
    (
        ("max_wal_senders", "requested standby connections"),
        "max_wal_senders of the server leaves none for us, or wal_level is minimal.",
    ),
    (("No space left",), "Make room, or let TMPDIR name a folder on a larger disk."),
)


class _Cluster(NamedTuple):
    """A cluster that is being made: its folder, its programs, and who runs it."""

    folder: Path
    bin: Path
    account: Account | None

    @property
    def data(self) -> Path:
        return self.folder / "data"


@contextmanager
def copied(origin: Origin, observer: Observer) -> Iterator[str]:
    """Copy the cluster, start it, and yield the URL of the database in it.

    Raises ConfigurationError where the programs or the room for it are missing, RunFailed where pg_basebackup fails.
    """
    major = origin.source.major
    programs_ = pgtools.server(major, "pg_basebackup", "pg_ctl")
    with (
        db.opened(origin.url, name=NAME, wait=0, observer=ignore) as source,
        scratch.place() as folder,
    ):
        account = accounts.choose(folder)
        accounts.give(folder, account)
        _refuse_unreachable(folder, account)
        _refuse_too_large(source, folder)
        cluster = _Cluster(folder, embedded_cluster.reachable(programs_, major, account), account)
        _copy(cluster, origin, source, observer)
        _configure(cluster, source)
        _start(cluster)
        yield _opened(cluster, origin, source)


def _refuse_unreachable(folder: Path, account: Account | None) -> None:
    if not accounts.may_write(account, folder):
        assert account is not None
        raise ConfigurationError(
            f"the account {account.name}, who would run the copy, cannot enter {folder.parent}",
            "Let TMPDIR name a folder that every account can enter, or do not run as root.",
        )


def _refuse_too_large(source: db.Connection, folder: Path) -> None:
    """What does not fit is told before an hour of copying, where we may know how large the cluster is."""
    query = "SELECT pg_catalog.sum(pg_catalog.pg_database_size(oid))::bigint FROM pg_catalog.pg_database"
    with suppress(psycopg.errors.InsufficientPrivilege):
        [(size,)] = source.execute(query).fetchall()
        free = shutil.disk_usage(folder).free
        if size > free:
            raise ConfigurationError(
                f"the cluster has {size:,} bytes, and {folder.parent} has room for {free:,}",
                "Let TMPDIR name a folder on a larger disk.",
            )


def _copy(cluster: _Cluster, origin: Origin, source: db.Connection, observer: Observer) -> None:
    command: list[str | Path] = [
        cluster.bin / "pg_basebackup",
        f"--pgdata={cluster.data}",
        "--wal-method=stream",
        "--checkpoint=fast",
        "--no-sync",
        "--no-password",
        f"--label={NAME}",
        *_tablespaces(cluster, source),
    ]
    told = pulse("for pg_basebackup", observer, lambda: written(cluster.folder))
    try:
        environment = programs.environment(origin.url, NAME)
        with told, programs.running(command, environment, account=cluster.account) as process:
            (cluster.folder / COPIER).write_text(str(process.pid))
    except BackupError as error:
        hint = next(
            (hint for words, hint in HINTS if any(word in error.message for word in words)), error.hint
        )
        raise RunFailed(error.message, hint) from error


def _tablespaces(cluster: _Cluster, source: db.Connection) -> Iterator[str]:
    """Each tablespace goes into the copy's own folder."""
    query = (
        "SELECT oid::text, pg_catalog.pg_tablespace_location(oid) FROM pg_catalog.pg_tablespace "
        "WHERE spcname NOT IN ('pg_default', 'pg_global')"
    )
    for oid, place in source.execute(query.encode()).fetchall():
        if place:  # and not within the data
            yield f"--tablespace-mapping={place.replace('=', chr(92) + '=')}={cluster.folder / oid}"


def _configure(cluster: _Cluster, source: db.Connection) -> None:
    """A configuration of our own: the source's need not be within its data, and names what is not here."""
    rows = source.execute(sql.load("rehearse_server").encode(), {"names": ",".join(SETTINGS)}).fetchall()
    settings = {**{str(name): str(value) for name, value in rows}, **OURS}
    settings["unix_socket_directories"] = str(cluster.folder)
    us, superuser = accounts.name_of(os.geteuid()), _superuser(source)
    users = {superuser, source.info.user}
    for name in ("standby.signal", "recovery.signal"):
        (cluster.data / name).unlink(missing_ok=True)
    files = {
        "postgresql.conf": _written(settings),
        "postgresql.auto.conf": "",
        "pg_hba.conf": "local all all peer map=us\n",
        "pg_ident.conf": "".join(f"us {_quoted(us)} {_quoted(user)}\n" for user in sorted(users)),
    }
    for name, text in files.items():
        (cluster.data / name).unlink(missing_ok=True)
        accounts.write_new(cluster.data / name, text, cluster.account)


def _superuser(source: db.Connection) -> str:
    """The role that made the cluster."""
    [(name,)] = source.execute("SELECT rolname::text FROM pg_catalog.pg_roles WHERE oid = 10").fetchall()
    return str(name)


def _written(settings: Mapping[str, str]) -> str:
    quoted = ((name, value.replace("'", "''")) for name, value in settings.items())
    return "".join(f"{name} = '{value}'\n" for name, value in quoted)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _start(cluster: _Cluster) -> None:
    """Start it; it replays what was written during the copy, to the end, and is a primary of its own then."""
    log = cluster.folder / "server.log"
    command: list[str | Path] = [
        cluster.bin / "pg_ctl",
        "start",
        "-D",
        cluster.data,
        "-l",
        log,
        "-t",
        str(PATIENCE),
    ]
    if accounts.run(command, cluster.account).returncode:
        said = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        fatal = [line for line in said if "FATAL" in line or "PANIC" in line]
        raise RunFailed(
            f"the copy of the cluster does not start: {(fatal or said or ['it said nothing'])[0]}",
            f"{cluster.bin} must be built as the server's own programs are.",
        )


def _opened(cluster: _Cluster, origin: Origin, source: db.Connection) -> str:
    """Cut what leads out of the copy, and give the URL of the database in it."""
    given = {"host": str(cluster.folder), "port": PORT, "dbname": origin.source.name}
    mighty = conninfo.make_conninfo("", user=_superuser(source), **given)
    with db.opened(mighty, name=NAME, wait=PATIENCE, observer=ignore) as connection:
        # A file that drops a subscription must not drop its slot at the publisher.
        connection.execute(
            "UPDATE pg_catalog.pg_subscription SET subenabled = false, subslotname = NULL, subconninfo = ''"
        )
        name = sql.quote(origin.source.name)
        connection.execute(f"ALTER DATABASE {name} RESET {db.MARK}".encode())
    options = conninfo.conninfo_to_dict(origin.url).get("options")
    return conninfo.make_conninfo(
        "", user=source.info.user, **given, **({"options": options} if options else {})
    )
