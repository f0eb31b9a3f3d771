"""Nothing that cannot be restored is ever called good: files damaged, lost, exchanged, and dumps cut short."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import pgratchet
from pgratchet import Backup, BackupError
from pgratchet.backup import manifest
from pgratchet.backup.keeping import Standing
from pgratchet.config import Settings
from tests.backup.support import databases
from tests.servers import Database

pytestmark = pytest.mark.one_version
SettingsOf = Callable[[Database], Settings]


@pytest.fixture
def verified(database: Database, settings_of: SettingsOf) -> Backup:
    """Give a verified backup of a small database."""
    database.connect().execute(
        "CREATE TABLE a AS SELECT n, md5(n::text) AS m FROM generate_series(1, 500) AS n"
    )
    made = pgratchet.back_up(settings=settings_of(database), verify=True, same_server=True)
    assert made.standing is Standing.VERIFIED
    return made


def files(made: Backup) -> list[Path]:
    return sorted(
        path for path in Path(made.place).rglob("*") if path.is_file() and path.name != manifest.PROOF
    )


def refused(made: Backup, database: Database, settings_of: SettingsOf) -> None:
    """See that a damaged backup is not called good any more, and that no database is made of it."""
    settings = settings_of(database)
    before = databases(database.server)
    with pytest.raises(BackupError):
        pgratchet.restore(made.name, into="never", settings=settings)
    found = pgratchet.verify_backup(made.name, same_server=True, settings=settings)
    assert found.standing in {Standing.FAILED, Standing.DAMAGED}
    assert found.problem
    [listed] = pgratchet.backups(settings=settings)
    assert listed.standing in {Standing.FAILED, Standing.DAMAGED}
    assert databases(database.server) == before


def test_one_flipped_bit_in_any_file_is_found(
    verified: Backup, database: Database, settings_of: SettingsOf
) -> None:
    for path in files(verified):
        whole = path.read_bytes()
        for place in {0, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
            refused(verified, database, settings_of)
        path.write_bytes(whole)
    assert (
        pgratchet.verify_backup(verified.name, same_server=True, settings=settings_of(database)).standing
        == "verified"
    )


def test_file_that_is_cut_short_or_gone_is_missed_already_in_the_list(
    verified: Backup, database: Database, settings_of: SettingsOf
) -> None:
    for path in files(verified):
        whole = path.read_bytes()
        path.write_bytes(whole[:-2])
        [listed] = pgratchet.backups(settings=settings_of(database))
        assert listed.standing is Standing.DAMAGED
        path.unlink()
        [listed] = pgratchet.backups(settings=settings_of(database))
        assert listed.standing is Standing.DAMAGED
        refused(verified, database, settings_of)
        path.write_bytes(whole)


def test_file_too_many_is_found(verified: Backup, database: Database, settings_of: SettingsOf) -> None:
    (Path(verified.place) / "data" / "9999.dat.gz").write_bytes(b"")
    with pytest.raises(BackupError, match=r"9999\.dat\.gz does not belong to this backup"):
        pgratchet.restore(verified.name, into="never", settings=settings_of(database))


def test_manifest_of_another_backup_is_found(
    verified: Backup, database: Database, settings_of: SettingsOf
) -> None:
    database.connect().execute("UPDATE a SET m = upper(m)")
    other = pgratchet.back_up(settings=settings_of(database), verify=True, same_server=True)
    for name in (manifest.MANIFEST, manifest.PROOF):
        shutil.copy(Path(other.place) / name, Path(verified.place) / name)
    standing = {item.name: item.standing for item in pgratchet.backups(settings=settings_of(database))}
    assert standing == {other.name: Standing.VERIFIED, verified.name: Standing.DAMAGED}
    with pytest.raises(BackupError):
        pgratchet.restore(verified.name, into="never", settings=settings_of(database))


def test_proof_counts_for_its_own_manifest_alone(
    verified: Backup, database: Database, settings_of: SettingsOf
) -> None:
    made = manifest.read(Path(verified.place))
    manifest.write(Path(verified.place), replace(made, notes=("changed",)))
    [listed] = pgratchet.backups(settings=settings_of(database))
    assert listed.standing is Standing.UNVERIFIED


def test_rows_that_do_not_come_back_make_it_bad(
    verified: Backup, database: Database, settings_of: SettingsOf
) -> None:
    """The archive is whole and restores without an error; only the digests know that it is not that database."""
    database.connect().execute("UPDATE a SET m = 'x' WHERE n = 7")
    other = pgratchet.back_up(settings=settings_of(database))
    made = manifest.read(Path(verified.place))
    shutil.rmtree(Path(verified.place) / manifest.DATA)
    shutil.copytree(Path(other.place) / manifest.DATA, Path(verified.place) / manifest.DATA)
    manifest.write(Path(verified.place), replace(made, files=manifest.files(Path(verified.place))))
    found = pgratchet.verify_backup(verified.name, same_server=True, settings=settings_of(database))
    assert (found.standing, found.problem) == (
        Standing.FAILED,
        '"public"."a" has as many rows as before (500), and not the same',
    )
    before = databases(database.server)
    with pytest.raises(BackupError, match="not what was backed up"):
        pgratchet.restore(verified.name, into="never", settings=settings_of(database))
    assert databases(database.server) == before


def test_sequence_that_comes_back_at_another_value_makes_it_bad(
    database: Database, settings_of: SettingsOf
) -> None:
    """Its next value would be one that is in use already."""
    settings = settings_of(database)
    database.connect().execute("CREATE TABLE b (n serial); INSERT INTO b SELECT FROM generate_series(1, 7)")
    made = pgratchet.back_up(settings=settings)
    told = manifest.read(Path(made.place))
    assert [(item.name, item.value, item.called) for item in told.counters] == [("b_n_seq", 7, True)]
    manifest.write(Path(made.place), replace(told, counters=(replace(told.counters[0], value=8),)))
    found = pgratchet.verify_backup(made.name, same_server=True, settings=settings)
    assert found.problem == 'the sequence "public"."b_n_seq" stood at 8, and stands at 7'
    with pytest.raises(BackupError, match="b_n_seq"):
        pgratchet.restore(made.name, into="never", settings=settings)


def rewritten(made: Backup, old: str, new: str) -> None:
    """Let the backup's own account of the catalogue be another, with checksums that fit."""
    path = Path(made.place) / manifest.SCHEMA
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    told = manifest.read(path.parent)
    manifest.write(path.parent, replace(told, files=manifest.files(path.parent)))


def test_catalogue_that_does_not_come_back_makes_it_bad_yet_its_rows_can_be_had(
    verified: Backup, database: Database, settings_of: SettingsOf
) -> None:
    rewritten(verified, '"type": "integer"', '"type": "bigint"')
    settings = settings_of(database)
    found = pgratchet.verify_backup(verified.name, same_server=True, settings=settings)
    assert found.standing is Standing.FAILED
    assert "column public.a.n" in (found.problem or "")
    done = pgratchet.restore(verified.name, into=f"{database.name}_in_need", settings=settings)
    database.connect().execute(f"DROP DATABASE {done.database} WITH (FORCE)")
    assert any("column public.a.n" in note for note in done.notes)


def test_another_version_of_an_extension_is_a_note(
    verified: Backup, database: Database, settings_of: SettingsOf
) -> None:
    rewritten(verified, '"version": "1.0"', '"version": "0.9"')
    found = pgratchet.verify_backup(verified.name, same_server=True, settings=settings_of(database))
    assert found.proof
    assert (found.standing, len(found.proof.notes)) == (Standing.VERIFIED, 1)
    assert "extension plpgsql" in found.proof.notes[0]


def test_full_disk_leaves_no_backup_and_says_so(database: Database, tmp_path: Path) -> None:
    database.connect().execute("CREATE TABLE a AS SELECT n, md5(n::text) FROM generate_series(1, 50000) AS n")
    place = tmp_path / "backups"
    place.mkdir()
    command = (
        f"mount -t tmpfs -o size=512k tmpfs {place} && "
        f"{sys.executable} -m pgratchet backup; echo exit code $?; ls -A {place}"
    )
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", command],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "DATABASE_URL": database.url},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["exit code 1"]
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
