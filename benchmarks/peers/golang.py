"""Peers written in Go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.peers.install import Install, NotInstalled, go, npm
from benchmarks.peers.peer import Peer, Project

DBMATE = npm("dbmate@2.36.0")
OTHERS = "clickhouse duckdb libsql mssql mysql spanner sqlite3 starrocks turso vertica ydb"
GOOSE_TAGS = ",".join(f"no_{driver}" for driver in OTHERS.split())
"""Without the drivers of other databases, which take many minutes to build."""
SQL_MIGRATE = """
development:
  dialect: postgres
  datasource: host={0.host} port={0.port} user={0.user} dbname={0.database} sslmode=disable
  dir: migrations
"""


def _lay_out(pattern: str, before: str = "", after: str = "") -> Callable[[Path, Project], None]:
    def prepare(_home: Path, project: Project) -> None:
        for migration in project.migrations:
            migration.write(project.sql / pattern.format(migration), before, after)

    return prepare


def _dbmate(home: Path, project: Project) -> list[str]:
    found = sorted(home.glob("node_modules/@dbmate/*/bin/dbmate"))  # the package's own is a script of Node
    program = str(found[0]) if found else "dbmate"
    return [program, "--no-dump-schema", "-d", str(project.sql), "-u", project.url, "up"]


def _install_dbmate(home: Path) -> None:
    DBMATE.run(home)
    if not any(home.glob("node_modules/@dbmate/*/bin/dbmate")):
        raise NotInstalled("the package has no program for this machine")


def _sql_migrate(home: Path, _project: Project) -> list[str]:
    return [str(home / "bin" / "sql-migrate"), "up", "-config=dbconfig.yml"]


def _prepare_sql_migrate(home: Path, project: Project) -> None:
    project.write("dbconfig.yml", SQL_MIGRATE.format(project))
    _lay_out("{0.number:05}-{0.name}.sql", "-- +migrate Up\n")(home, project)


def _goose(home: Path, project: Project) -> list[str]:
    return [str(home / "bin" / "goose"), "-dir", str(project.sql), "postgres", project.url, "up"]


def _golang_migrate(home: Path, project: Project) -> list[str]:
    return [str(home / "bin" / "migrate"), "-path", str(project.sql), "-database", project.url, "up"]


PEERS = (
    Peer(
        "dbmate 2.36",
        Install(DBMATE.wanted, _install_dbmate),
        _lay_out("{0.number:014}_{0.name}.sql", "-- migrate:up\n", "\n-- migrate:down\n"),
        _dbmate,
    ),
    Peer(
        "sql-migrate 1.8",
        go("github.com/rubenv/sql-migrate/sql-migrate@v1.8.1"),
        _prepare_sql_migrate,
        _sql_migrate,
    ),
    Peer(
        "goose 3.29",
        go("github.com/pressly/goose/v3/cmd/goose@v3.29.0", GOOSE_TAGS),
        _lay_out("{0.number:05}_{0.name}.sql", "-- +goose Up\n"),
        _goose,
    ),
    Peer(
        "golang-migrate 4.20",
        go("github.com/golang-migrate/migrate/v4/cmd/migrate@v4.20.1", "postgres"),
        _lay_out("{0.number:05}_{0.name}.up.sql"),
        _golang_migrate,
    ),
)
