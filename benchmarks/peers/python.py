"""Peers written in Python. Each comes as it is by default."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.install import pip
from benchmarks.peers.peer import Peer, Project

ALEMBIC_ENV = """
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
ALEMBIC_REVISION = """from alembic import op

revision = "{number:05}"
down_revision = {previous}


def upgrade() -> None:
    op.execute({sql!r})
"""
ALEMBIC_API = """
from alembic import command
from alembic.config import Config
import psycopg
def up(url, folder):
    command.upgrade(Config(f"{folder}/alembic.ini"), "head")
"""
DJANGO_SETTINGS = """
DATABASES = {{"default": {{
    "ENGINE": "django.db.backends.postgresql", "NAME": "{0.database}", "USER": "{0.user}",
    "HOST": "{0.host}", "PORT": "{0.port}",
}}}}
INSTALLED_APPS = ["bench"]
"""
DJANGO_MIGRATION = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = {before}
    operations = [migrations.RunSQL({sql!r})]
"""
DJANGO_API = """
import os, sys
import django
from django.core.management import call_command
from django.db import connection
ready = []
def up(url, folder):
    if not ready:
        sys.path.insert(0, folder)
        os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
        django.setup()
        ready.append(True)
    call_command("migrate", verbosity=0)
    connection.close()
"""
PGMIGRATE_API = """
import argparse, pgmigrate
def up(url, folder):
    wanted = argparse.Namespace(conn=url, base_dir=folder, target="latest")
    pgmigrate.migrate(pgmigrate.get_config(folder, wanted))
"""
YOYO_API = """
import psycopg2
from yoyo import get_backend, read_migrations
def up(url, folder):
    backend = get_backend(url)
    migrations = read_migrations(f"{folder}/migrations")
    with backend.lock():
        backend.apply_migrations(backend.to_apply(migrations))
    backend.connection.close()
"""


def _prepare_alembic(_home: Path, project: Project) -> None:
    driver = project.postgresql.replace("postgresql:", "postgresql+psycopg:")
    project.write(
        "alembic.ini", f"[alembic]\nscript_location = %(here)s/scripts\nsqlalchemy.url = {driver}\n"
    )
    project.write("scripts/env.py", ALEMBIC_ENV)
    for migration in project.migrations:
        number = migration.number
        previous = repr(f"{number - 1:05}") if number > 1 else None
        text = ALEMBIC_REVISION.format(number=number, previous=previous, sql=migration.sql)
        project.write(f"scripts/versions/{number:05}_{migration.name}.py", text)


def _alembic(home: Path, _project: Project) -> list[str]:
    return [str(home / "bin" / "alembic"), "upgrade", "head"]


def _prepare_django(_home: Path, project: Project) -> None:
    project.write("settings.py", DJANGO_SETTINGS.format(project))
    project.write("bench/__init__.py", "")
    project.write("bench/migrations/__init__.py", "")
    before: list[tuple[str, str]] = []
    for migration in project.migrations:
        name = f"{migration.number:05}_{migration.name}"
        text = DJANGO_MIGRATION.format(before=before, sql=migration.sql)
        project.write(f"bench/migrations/{name}.py", text)
        before = [("bench", name)]


def _django(home: Path, _project: Project) -> list[str]:
    options = ["--pythonpath", ".", "--settings", "settings", "--verbosity", "0"]
    return [str(home / "bin" / "django-admin"), "migrate", *options]


def _prepare_pgmigrate(_home: Path, project: Project) -> None:
    project.write("migrations.yml", "{}\n")
    for migration in project.migrations:
        migration.write(project.sql / f"V{migration.number:05}__{migration.name}.sql")


def _pgmigrate(home: Path, project: Project) -> list[str]:
    return [
        *(str(home / "bin" / "pgmigrate"), "-d", str(project.folder)),
        *("-c", project.postgresql, "-t", "latest", "migrate"),
    ]


def _prepare_plain(_home: Path, project: Project) -> None:
    for migration in project.migrations:
        migration.write(project.sql / f"{migration.number:05}_{migration.name}.sql")


def _yoyo(home: Path, project: Project) -> list[str]:
    options = ["--batch", "--no-config-file", "--database", project.postgresql]
    return [str(home / "bin" / "yoyo"), "apply", *options, str(project.sql)]


def _prepare_pyway(_home: Path, project: Project) -> None:
    for migration in project.migrations:
        migration.write(project.sql / f"V{migration.number:05}_0__{migration.name}.sql")


def _pyway(home: Path, project: Project) -> list[str]:
    options = {
        "migration-dir": "migrations",
        "table": "pyway",
        "type": "postgres",
        "host": project.host,
        "port": str(project.port),
        "name": project.database,
        "username": project.user,
    }
    flags = [text for name, value in options.items() for text in (f"--database-{name}", value)]
    return [str(home / "bin" / "pyway"), *flags, "migrate"]


PEERS = (
    Peer("pgmigrate 1.0", pip("yandex-pgmigrate==1.0.13"), _prepare_pgmigrate, _pgmigrate, api=PGMIGRATE_API),
    Peer("pyway 0.3", pip("pyway==0.3.33"), _prepare_pyway, _pyway, most=1000),
    Peer(
        "yoyo 9.0",
        pip("yoyo-migrations==9.0.0", "psycopg2-binary==2.9.13"),
        _prepare_plain,
        _yoyo,
        most=1000,
        whole=False,
        api=YOYO_API,
    ),
    Peer(
        "alembic 1.20",
        pip("alembic==1.20.1", "psycopg[binary]==3.3.9"),
        _prepare_alembic,
        _alembic,
        most=1000,
        whole=False,
        api=ALEMBIC_API,
    ),
    Peer(
        "django 5.2",
        pip("django==5.2.19", "psycopg[binary]==3.3.9"),
        _prepare_django,
        _django,
        most=1000,
        whole=False,
        api=DJANGO_API,
    ),
)
