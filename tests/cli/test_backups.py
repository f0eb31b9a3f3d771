"""The commands about backups as a person meets them: what is wrong in what was said, and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import Database

Run = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.one_version


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('up = "sometimes"', "backup.up cannot be 'sometimes'\n  next: It can be production, always, never."),
        ('codec = "bzip2"', "backup.codec cannot be 'bzip2'\n  next: It can be zstd, lz4, gzip."),
        ("jobs = 0", "backup.jobs cannot be 0, it is 1 or more"),
        ("jobs = true", "backup.jobs must be a whole number"),
        ("keep_last = 0", "backup.keep_last cannot be 0, it is 1 or more"),
        ("keep_daily = -1", "backup.keep_daily cannot be -1, it is 0 or more"),
        ("max_age_hours = -1", "backup.max_age_hours cannot be -1, it is 0 or more"),
        ('to = ""', "backup.to must not be empty"),
        ('same_server = true\non = "postgresql://x"', "backup.on and backup.same_server are both set"),
    ],
)
def test_setting_that_cannot_be_is_told_with_those_that_can(
    run: Run, tmp_path: Path, setting: str, said: str
) -> None:
    (tmp_path / "pgratchet.toml").write_text(f"[backup]\n{setting}\n")
    code, _, err = run("backups")
    assert code == 2
    assert f"pgratchet.toml: {said}" in err


def test_two_servers_to_verify_on_are_one_too_many(run: Run) -> None:
    code, _, err = run("verify", "--drill", "--on", "postgresql://x", "--same-server")
    assert (code, "--on and --same-server are both given" in err) == (2, True)


def test_server_to_verify_on_that_is_no_url_is_told_so(run: Run, database: Database) -> None:
    assert run("backup", "--url", database.url)[0] == 0
    code, _, err = run("verify", "--drill", "--on", "same", "--url", database.url)
    assert (code, "the database's URL cannot be parsed" in err) == (2, True)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://a:b@127.0.0.1:p0rt/x", "port is not a number from 1 to 65535"),
        ("postgresql://a:b@127.0.0.1:70000/x", "port is not a number from 1 to 65535"),
        ("postgresql://a:s3@cret@127.0.0.1/x", "host has an @ in it"),
        ("postgresql://a:s3@cret:1@127.0.0.1/x", "port is not a number from 1 to 65535"),
        ("postgresql://127.0.0.1/x?sslmode=some", 'invalid sslmode value: "some"'),
        ("host=127.0.0.1,127.0.0.2 port=1,2,3", "could not match 3 port numbers to 2 hosts"),
    ],
)
@pytest.mark.parametrize("verb", ["backup", "mark"])
def test_address_that_no_waiting_makes_right_is_a_mistake_and_no_part_of_it_shown(
    run: Run, verb: str, url: str, said: str
) -> None:
    code, _, err = run(verb, "--url", url, "--wait", 60)
    assert (code, said in err) == (2, True), err
    assert "cret" not in err


def test_restore_and_verify_wait_for_a_server_that_starts(run: Run, database: Database) -> None:
    assert run("backup", "--url", database.url)[0] == 0
    name = next(path.name for path in Path("backups").iterdir() if path.is_dir())
    url = database.url.replace(f":{database.server.port}/", ":1/")
    for command in (("restore", name), ("verify", name, "--same-server")):
        assert run(*command, "--url", url)[0] == 8
        code, _, err = run(*command, "--url", url, "--wait", 0.1)
        assert (code, "waiting for database" in err) == (8, True)
