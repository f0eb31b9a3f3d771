"""Peers written for Node."""

from __future__ import annotations

from hashlib import sha1
from pathlib import Path

from benchmarks.peers.install import Install, NotInstalled, npm, run
from benchmarks.peers.peer import Peer, Project

PRISMA = npm("prisma@7.10.1")
EPOCH = 1_500_000_000_000
"""node-pg-migrate reads the number of a file as a time in milliseconds."""


def _program(home: Path, name: str) -> str:
    return str(home / "node_modules" / ".bin" / name)


def _url(_home: Path, project: Project) -> dict[str, str]:
    return {"DATABASE_URL": project.postgresql}


def _prepare_node_pg_migrate(_home: Path, project: Project) -> None:
    for migration in project.migrations:
        name = f"{EPOCH + migration.number}_{migration.name}.sql"
        migration.write(project.sql / name, "-- Up Migration\n")


def _node_pg_migrate(home: Path, _project: Project) -> list[str]:
    return [_program(home, "node-pg-migrate"), "up", "--verbose", "false"]


def _prepare_graphile(_home: Path, project: Project) -> None:
    project.write(".gmrc", "{}\n")
    previous = ""
    for migration in project.migrations:
        body = migration.sql.strip()
        # Each file holds the digest of itself and of the one before it.
        content = f"{previous}\n{body}".strip() + "\n"
        digest = f"sha1:{sha1(content.encode(), usedforsecurity=False).hexdigest()}"
        header = f"--! Previous: {previous or '-'}\n--! Hash: {digest}\n\n"
        project.write(f"migrations/committed/{migration.number:06}.sql", f"{header}{body}\n")
        previous = digest


def _graphile(home: Path, _project: Project) -> list[str]:
    return [_program(home, "graphile-migrate"), "migrate"]


def _prepare_postgrator(_home: Path, project: Project) -> None:
    for migration in project.migrations:
        migration.write(project.sql / f"{migration.number:05}.do.{migration.name}.sql")


def _postgrator(home: Path, project: Project) -> list[str]:
    server = ["-h", project.host, "-o", str(project.port), "-d", project.database, "-u", project.user]
    return [_program(home, "postgrator"), "--no-config", *server, "-p", "none", "-m", "migrations/*"]


def _install_prisma(home: Path) -> None:
    """Its engine is no part of the package but fetched by it, which not every network allows."""
    PRISMA.run(home)
    run([_program(home, "prisma"), "version"], home, CHECKPOINT_DISABLE="1")
    if not any(home.glob("node_modules/@prisma/engines/schema-engine-*")):
        raise NotInstalled("its engine, which the package fetches from elsewhere, cannot be had")


def _prepare_prisma(_home: Path, project: Project) -> None:
    project.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n')
    project.write("prisma/migrations/migration_lock.toml", 'provider = "postgresql"\n')
    settings = (
        'module.exports = { schema: "prisma/schema.prisma", '
        f'migrations: {{ path: "prisma/migrations" }}, datasource: {{ url: "{project.postgresql}" }} }};\n'
    )
    project.write("prisma.config.js", settings)
    for migration in project.migrations:
        folder = project.folder / "prisma" / "migrations" / f"{20240101000000 + migration.number}_change"
        migration.write(folder / "migration.sql")


def _prisma(home: Path, _project: Project) -> list[str]:
    return [_program(home, "prisma"), "migrate", "deploy"]


def _quiet(home: Path, project: Project) -> dict[str, str]:
    return _url(home, project) | {"CHECKPOINT_DISABLE": "1", "PRISMA_HIDE_UPDATE_MESSAGE": "1"}


PEERS = (
    Peer(
        "node-pg-migrate 9.0",
        npm("node-pg-migrate@9.0.0", "pg@8.23.1"),
        _prepare_node_pg_migrate,
        _node_pg_migrate,
        _url,
        most=5000,
    ),
    Peer(
        "graphile-migrate 1.4",
        npm("graphile-migrate@1.4.1"),
        _prepare_graphile,
        _graphile,
        _url,
        most=5000,
        whole=False,
    ),
    Peer(
        "postgrator-cli 9.1",
        npm("postgrator-cli@9.1.1", "pg@8.23.1"),
        _prepare_postgrator,
        _postgrator,
        most=5000,
    ),
    Peer(
        "prisma 7.10",
        Install(f"{PRISMA.wanted} and its engine", _install_prisma),
        _prepare_prisma,
        _prisma,
        _quiet,
        most=1000,
        whole=False,
    ),
)
