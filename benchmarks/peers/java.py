"""Peers written in Java."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.install import Install, maven, program, run
from benchmarks.peers.peer import Peer, Project

DRIVER = "org.postgresql:postgresql:42.7.14"
FLYWAY_LIBRARY = maven(
    "org.flywaydb:flyway-core:13.12.0", "org.flywaydb:flyway-database-postgresql:13.12.0", DRIVER
)
FLYWAY = """
import org.flywaydb.core.Flyway;

public class Up {
    public static void main(String[] given) {
        Flyway.configure().dataSource(given[0], given[1], "").locations("filesystem:migrations").load().migrate();
    }
}
"""
CHANGELOG = """<?xml version="1.0" encoding="UTF-8"?>
<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.liquibase.org/xml/ns/dbchangelog
  http://www.liquibase.org/xml/ns/dbchangelog/dbchangelog-latest.xsd">
  <includeAll path="migrations" relativeToChangelogFile="true"/>
</databaseChangeLog>
"""


def _url(project: Project) -> str:
    return f"jdbc:postgresql://{project.host}:{project.port}/{project.database}"


def _java(home: Path, *extra: str) -> list[str]:
    return [program("java"), "-cp", ":".join([f"{home}/lib/*", *extra])]


def _install_flyway(home: Path) -> None:
    """Its command line is not published whole; its library is, and takes this one call."""
    FLYWAY_LIBRARY.run(home)
    (home / "Up.java").write_text(FLYWAY)
    run([program("javac"), "-cp", f"{home}/lib/*", "Up.java"], home)


def _prepare_flyway(_home: Path, project: Project) -> None:
    for migration in project.migrations:
        migration.write(project.sql / f"V{migration.number}__{migration.name}.sql")


def _flyway(home: Path, project: Project) -> list[str]:
    return [*_java(home, str(home)), "Up", _url(project), project.user]


def _prepare_liquibase(_home: Path, project: Project) -> None:
    project.write("changelog.xml", CHANGELOG)
    for migration in project.migrations:
        header = f"--liquibase formatted sql\n--changeset bench:{migration.number}\n"
        migration.write(project.sql / f"{migration.number:05}_{migration.name}.sql", header)


def _liquibase(home: Path, project: Project) -> list[str]:
    main = "liquibase.integration.commandline.LiquibaseCommandLine"
    server = [f"--url={_url(project)}", f"--username={project.user}", "--password="]
    return [*_java(home), main, "update", *server, "--changelog-file=changelog.xml"]


def _quiet(_home: Path, _project: Project) -> dict[str, str]:
    return {"LIQUIBASE_ANALYTICS_ENABLED": "false"}


PEERS = (
    Peer(
        "flyway-core 13.12",
        Install(FLYWAY_LIBRARY.wanted, _install_flyway),
        _prepare_flyway,
        _flyway,
        most=1000,
        whole=False,
    ),
    Peer(
        "liquibase 5.0",
        maven("org.liquibase:liquibase-core:5.0.4", "info.picocli:picocli:4.7.7", DRIVER),
        _prepare_liquibase,
        _liquibase,
        _quiet,
        most=1000,
        whole=False,
    ),
)
