"""Which backups may go: whatever the numbers, never the newest, nor the newest that is proven."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pgratchet.backup.keeping import Backup, Keep, Standing, unneeded
from pgratchet.backup.manifest import Manifest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EMPTY = Manifest(
    name="x",
    database="app",
    made_at=NOW,
    seconds=1.0,
    tool="pgratchet 0",
    client=18,
    codec="gzip",
    server=180001,
    server_version="18.1",
    system="1",
    version=1,
    script=None,
    applied_at=None,
    schema=None,
    properties={},
    extensions={},
    roles=(),
    tables=(),
    excluded=(),
    large_objects=None,
    counters=(),
    run_id=None,
    backup_id=None,
    notes=(),
    sealed=False,
    files=(),
)
NOTHING = Keep(last=0, daily=0, weekly=0, monthly=0)


def backup(days: float, standing: Standing = Standing.UNVERIFIED, database: str = "app") -> Backup:
    made = replace(EMPTY, made_at=NOW - timedelta(days=days), database=database)
    return Backup(f"{database}-{days}", "x", standing, made, None)


def gone(backups: list[Backup], keep: Keep) -> list[str]:
    return [item.name for item in unneeded(backups, keep)]


def test_newest_ones_are_kept() -> None:
    backups = [backup(days) for days in (0, 1, 2, 3)]
    assert gone(backups, Keep(last=2, daily=0, weekly=0, monthly=0)) == ["app-2", "app-3"]


def test_one_a_day_a_week_and_a_month_is_kept() -> None:
    backups = [backup(hours / 24) for hours in range(0, 24 * 120, 8)]
    kept = len(backups) - len(gone(backups, Keep(last=1, daily=7, weekly=4, monthly=3)))
    assert kept == 7 + 3 + 1  # days have the newest of this week, and of two of the months, already


def test_newest_verified_one_is_kept_behind_any_number_that_are_not() -> None:
    backups = [
        *(backup(days) for days in range(50)),
        backup(50, Standing.VERIFIED),
        backup(51, Standing.VERIFIED),
    ]
    assert "app-50" not in gone(backups, NOTHING)
    assert "app-51" in gone(backups, NOTHING)


def test_each_database_has_its_own_count() -> None:
    backups = [backup(0), backup(1, database="other")]
    assert not gone(backups, NOTHING)


def test_damaged_one_takes_nobody_s_place() -> None:
    backups = [backup(0, Standing.DAMAGED), backup(1), backup(2)]
    assert gone(backups, NOTHING) == ["app-0", "app-2"]
    assert not gone([replace(backup(0, Standing.DAMAGED), manifest=None)], NOTHING)


standings = st.sampled_from(list(Standing))
some = st.lists(st.tuples(st.integers(0, 4000), standings, st.sampled_from(["app", "other"])), max_size=40)
numbers = st.integers(0, 9)


@given(some, st.builds(Keep, last=numbers, daily=numbers, weekly=numbers, monthly=numbers))
def test_whatever_goes_the_newest_verified_of_each_database_stays(
    given_: list[tuple[int, Standing, str]], keep: Keep
) -> None:
    unique = {(hours, database): standing for hours, standing, database in given_}
    backups = [
        backup(hours / 24, standing, database) for (hours, database), standing in sorted(unique.items())
    ]
    left = [item for item in backups if item not in unneeded(backups, keep)]
    for database in ("app", "other"):
        of_it = [item for item in backups if item.manifest and item.manifest.database == database]
        verified = [item for item in of_it if item.standing is Standing.VERIFIED]
        assert not verified or verified[0] in left
        usable = [item for item in of_it if item.standing in {Standing.VERIFIED, Standing.UNVERIFIED}]
        assert not usable or usable[0] in left
        assert not of_it or usable or all(item in left for item in of_it)
