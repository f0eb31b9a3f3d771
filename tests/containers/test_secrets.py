"""The database's URL from a secret file, as Docker and Kubernetes mount it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.containers.entry_point import exists, run
from tests.folders import write_migrations
from tests.servers import Database

FILES = {"V1__first.sql": "CREATE TABLE first ();"}


@pytest.mark.one_version
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"], ids=["nothing", "newline", "windows_newline"])
def test_a_secret_may_end_with_a_newline(
    database: Database, folder: Path, tmp_path: Path, ending: str
) -> None:
    write_migrations(folder, FILES)
    secret = tmp_path / "database_url"
    secret.write_bytes(f"{database.url}{ending}".encode())
    ended = run(folder, DATABASE_URL_FILE=str(secret))
    assert ended.code == 0, ended.stderr
    assert exists(database, "first")


@pytest.mark.parametrize(
    ("name", "reason"), [("absent", "No such file or directory"), ("", "Is a directory")]
)
def test_a_secret_that_cannot_be_read_says_so(folder: Path, tmp_path: Path, name: str, reason: str) -> None:
    write_migrations(folder, FILES)
    ended = run(folder, DATABASE_URL_FILE=str(tmp_path / name))
    assert ended.code == 2
    assert f"DATABASE_URL_FILE: cannot read {tmp_path / name}: {reason}" in ended.stderr


def test_an_empty_secret_says_so(folder: Path, tmp_path: Path) -> None:
    write_migrations(folder, FILES)
    (tmp_path / "database_url").write_text("\n")
    ended = run(folder, DATABASE_URL_FILE=str(tmp_path / "database_url"))
    assert ended.code == 2
    assert "is empty" in ended.stderr


def test_a_url_and_a_secret_with_a_url_together_are_refused(folder: Path, tmp_path: Path) -> None:
    write_migrations(folder, FILES)
    (tmp_path / "database_url").write_text("postgresql://user:s3cret@one/app")
    ended = run(
        folder,
        DATABASE_URL="postgresql://user:s3cret@two/app",
        DATABASE_URL_FILE=str(tmp_path / "database_url"),
    )
    assert ended.code == 2
    assert "DATABASE_URL and DATABASE_URL_FILE are both set" in ended.stderr
    assert "s3cret" not in ended.stderr + ended.stdout
