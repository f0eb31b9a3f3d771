"""Backups in an object store, and encrypted ones: as good as those in a folder, or not there at all."""

from __future__ import annotations

import os
import secrets
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import pgratchet
from pgratchet import BackupError, ConfigurationError, Settings
from pgratchet.backup import bucket, manifest
from pgratchet.backup.keeping import Standing
from tests.backup.support import databases, named
from tests.database.support import ROOT
from tests.servers import Database

pytestmark = pytest.mark.one_version
SettingsOf = Callable[[Database], Settings]
SERVER = """
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
input()
"""
KEY = "PGRATCHET_BACKUP_KEY"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Run an S3 server; gives its address."""
    python = ROOT / ".venv" / "backup" / "bin" / "python"
    assert python.exists(), "run `make .venv/backup/ready`"
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [python, "-c", SERVER], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        server.kill()


@pytest.fixture
def place(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the URL of a new bucket, with the environment that leads there."""
    name = f"backups-{secrets.token_hex(4)}"
    with urllib.request.urlopen(urllib.request.Request(f"{s3}/{name}", method="PUT")) as answer:
        assert answer.status == 200
    for variable, value in {
        "AWS_ENDPOINT": s3,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(variable, value)
    return f"s3://{name}/of/the/app"


@pytest.fixture
def filled(database: Database) -> Database:
    query = "CREATE TABLE a AS SELECT n, sha512(n::text::bytea) AS m FROM generate_series(1, 30000) AS n"
    database.connect().execute(query)
    return database


def restored(database: Database, name: str, to: str, settings: Settings) -> None:
    """See that a backup can be restored."""
    done = pgratchet.restore(name, to=to, settings=settings)
    connection = database.connect()
    try:
        with named(database.server, done.database).connect() as other:
            query = "SELECT count(*), sum(hashtext(a::text)) FROM a"
            assert other.execute(query).fetchall() == connection.execute(query).fetchall()
    finally:
        connection.execute(f"DROP DATABASE {done.database} WITH (FORCE)")


@pytest.mark.parametrize("key", ["", "5a" * 32])
def test_object_store_keeps_proves_restores_and_prunes(
    filled: Database, settings_of: SettingsOf, place: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, key)
    settings = settings_of(filled)
    made = pgratchet.back_up(to=place, settings=settings)
    assert (made.standing, made.place) == (Standing.UNVERIFIED, f"{place}/{made.name}")
    found = pgratchet.verify_backup(made.name, to=place, same_server=True, settings=settings)
    assert found.standing is Standing.VERIFIED, found.problem
    assert [item.standing for item in pgratchet.backups(to=place, settings=settings)] == [Standing.VERIFIED]
    restored(filled, made.name, place, settings)
    newer = pgratchet.back_up(to=place, verify=True, same_server=True, settings=settings)
    numbers = {"keep_last": 1, "keep_daily": 0, "keep_weekly": 0, "keep_monthly": 0}
    assert [item.name for item in pgratchet.prune_backups(to=place, settings=settings, **numbers)] == [
        made.name
    ]
    assert {path.split("/")[0] for path in bucket.sizes(place)} == {newer.name}
    assert not list(Path(settings.root).glob("backups/*"))


def test_store_that_fails_in_the_middle_leaves_no_backup(
    filled: Database, settings_of: SettingsOf, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(filled)
    real, sent = bucket.put, []

    def put(url: str, path: str, content: Iterator[bytes]) -> None:
        sent.append(path)
        if len(sent) == 3:
            monkeypatch.setenv("AWS_ENDPOINT", "http://127.0.0.1:1")  # nobody is there any more
        real(url, path, content)

    monkeypatch.setattr(bucket, "put", put)
    monkeypatch.setattr(bucket, "RETRIES", 0)
    endpoint = os.environ["AWS_ENDPOINT"]
    with pytest.raises(BackupError, match=r"the object store s3://.* fails"):
        pgratchet.back_up(to=place, settings=settings)
    monkeypatch.setenv("AWS_ENDPOINT", endpoint)
    assert len(bucket.sizes(place)) == 2
    assert pgratchet.backups(to=place, settings=settings) == ()
    monkeypatch.setattr(bucket, "put", real)
    assert (
        pgratchet.back_up(to=place, verify=True, same_server=True, settings=settings).standing
        is Standing.VERIFIED
    )


def test_store_that_breaks_off_while_a_backup_is_fetched_changes_nothing(
    filled: Database, settings_of: SettingsOf, place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = settings_of(filled)
    made = pgratchet.back_up(to=place, settings=settings)
    before = databases(filled.server)
    real = bucket.get

    def get(url: str, path: str) -> Iterator[bytes]:
        pieces = real(url, path)
        yield next(pieces)
        if "/data/" in path:
            raise BackupError("the object store breaks off")
        yield from pieces

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setattr(bucket, "get", get)
    for give_up in (pgratchet.restore, pgratchet.verify_backup):
        with pytest.raises(BackupError):
            give_up(made.name, to=place, settings=settings)
    monkeypatch.setattr(bucket, "get", real)
    assert databases(filled.server) == before
    assert not list(temporary.iterdir())
    assert pgratchet.backups(to=place, settings=settings)[0].standing is Standing.UNVERIFIED


def test_object_that_is_changed_or_gone_is_found(
    filled: Database, settings_of: SettingsOf, place: str
) -> None:
    settings = settings_of(filled)
    made = pgratchet.back_up(to=place, settings=settings)
    path = f"{made.name}/data/toc.dat"
    whole = b"".join(bucket.get(place, path))
    before = databases(filled.server)
    bucket.put(place, path, iter([whole[:-1] + bytes([whole[-1] ^ 1])]))
    with pytest.raises(BackupError, match=r"data/toc\.dat is not what it was"):
        pgratchet.restore(made.name, to=place, settings=settings)
    assert (
        pgratchet.verify_backup(made.name, to=place, same_server=True, settings=settings).standing
        is Standing.FAILED
    )
    bucket.delete(place, [path])
    [listed] = pgratchet.backups(to=place, settings=settings)
    assert (listed.standing, listed.problem) == (Standing.DAMAGED, "data/toc.dat is missing")
    with pytest.raises(BackupError):
        pgratchet.restore(made.name, to=place, settings=settings)
    assert databases(filled.server) == before


def test_bucket_that_is_not_there_is_named(database: Database, settings_of: SettingsOf, place: str) -> None:
    with pytest.raises(BackupError, match="s3://not-there fails"):
        pgratchet.backups(to="s3://not-there", settings=settings_of(database))


def test_encrypted_backup_shows_nothing_and_needs_its_own_key(
    filled: Database, settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("c0" * 32 + "\n")
    monkeypatch.setenv(f"{KEY}_FILE", str(key))
    settings = settings_of(filled)
    made = pgratchet.back_up(verify=True, same_server=True, settings=settings)
    assert made.standing is Standing.VERIFIED, made.problem
    for path in Path(made.place).rglob("*.*"):
        if path.name not in {manifest.MANIFEST, manifest.PROOF}:
            assert path.read_bytes().startswith(b"pgratchet AES-256-GCM")
    restored(filled, made.name, "backups", settings)
    key.write_text("c1" * 32)
    for give_up in (pgratchet.restore, pgratchet.verify_backup):
        with pytest.raises(ConfigurationError, match="was encrypted with another key"):
            give_up(made.name, settings=settings)
    monkeypatch.delenv(f"{KEY}_FILE")
    with pytest.raises(ConfigurationError, match="is encrypted, and no key is given"):
        pgratchet.restore(made.name, settings=settings)
    assert pgratchet.backups(settings=settings)[0].standing is Standing.VERIFIED


def test_flipped_bit_of_an_encrypted_file_is_found(
    filled: Database, settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, "c0" * 32)
    settings = settings_of(filled)
    made = pgratchet.back_up(settings=settings)
    for path in sorted(Path(made.place).rglob("*.*")):
        whole = path.read_bytes()
        for place in {3, len(whole) // 2, len(whole) - 1} if path.name != manifest.PROOF else ():
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(BackupError):
                pgratchet.restore(made.name, settings=settings)
            found = pgratchet.verify_backup(made.name, same_server=True, settings=settings)
            assert found.standing in {Standing.FAILED, Standing.DAMAGED}, (path, place)
            path.write_bytes(whole)
    with suppress(FileNotFoundError):
        (Path(made.place) / manifest.PROOF).unlink()
    assert (
        pgratchet.verify_backup(made.name, same_server=True, settings=settings).standing is Standing.VERIFIED
    )
