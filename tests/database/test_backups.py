"""The catalogue of backups: every step is refused unless it fits the state; the newest proven one stays."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors

from tests.database.support import Connection, as_application, as_role, rows, value
from tests.servers import Database

FILES = json.dumps([{"path": "data.dump", "bytes": 5, "sha256": "AB" * 32}])
BEGIN = "SELECT * FROM begin_backup(%s, 'pg_dump', '18.1', 'file:///backups/1')"
REFUSED = errors.ObjectNotInPrerequisiteState


def begin(connection: Connection, kind: str = "logical") -> tuple[UUID, UUID]:
    ((backup, token),) = rows(connection, BEGIN, kind)
    return backup, token


def completed(connection: Connection) -> UUID:
    backup, token = begin(connection)
    connection.execute("SELECT finish_backup(%s, %s, %s::jsonb)", [backup, token, FILES])
    return backup


def test_a_backup_is_begun_kept_alive_finished_and_verified(migrated: Database) -> None:
    program = as_role(migrated, "semantic_kernel_backup")
    backup, token = begin(program)
    program.execute("SELECT heartbeat_backup(%s, %s)", [backup, token])
    program.execute("SELECT finish_backup(%s, %s, %s::jsonb)", [backup, token, FILES])
    program.execute("SELECT record_verification(%s, 'restore_test', true)", [backup])
    assert rows(program, "SELECT state, size, last_proof, last_proof_succeeded FROM backup_overview") == [
        ("completed", "5 bytes", "restore_test", True)
    ]
    assert rows(program, "SELECT path, bytes, sha256 FROM backup_files") == [("data.dump", 5, "ab" * 32)]
    name, version = rows(program, "SELECT database_name, extensions ->> 'plpgsql' FROM backups")[0]
    assert (name, version) == (migrated.name, "1.0")


@pytest.mark.parametrize(
    "report",
    [
        f"SELECT finish_backup(%s, %s, '{FILES}')",
        "SELECT fail_backup(%s, %s, 'x')",
        "SELECT heartbeat_backup(%s, %s)",
    ],
)
def test_a_report_without_the_token_or_after_the_end_is_refused(migrated: Database, report: str) -> None:
    program = as_role(migrated, "semantic_kernel_backup")
    backup, token = begin(program)
    with pytest.raises(REFUSED):
        program.execute(report, [backup, uuid4()])
    program.execute("SELECT fail_backup(%s, %s, 'no space')", [backup, token])
    with pytest.raises(REFUSED):
        program.execute(report, [backup, token])
    assert rows(program, "SELECT state, error FROM backups") == [("failed", "no space")]


def test_one_backup_of_a_kind_runs_at_a_time(migrated: Database) -> None:
    def attempt(_: int) -> bool:
        with psycopg.connect(migrated.url, autocommit=True) as connection:
            connection.execute("SET ROLE semantic_kernel_backup")
            try:
                begin(connection)
            except errors.ObjectInUse:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    begin(as_role(migrated, "semantic_kernel_backup"), "physical")


def test_a_backup_whose_program_died_does_not_bar_the_next(migrated: Database) -> None:
    program = as_role(migrated, "semantic_kernel_backup")
    dead, token = begin(program)
    migrated.connect().execute("UPDATE backups SET heartbeat_at = now() - interval '16 minutes'")
    begin(program)
    assert value(program, "SELECT state FROM backups WHERE backup_id = %s", dead) == "abandoned"
    with pytest.raises(REFUSED):
        program.execute("SELECT finish_backup(%s, %s, %s::jsonb)", [dead, token, FILES])


def test_a_finished_backup_has_files_with_digests(migrated: Database) -> None:
    program = as_role(migrated, "semantic_kernel_backup")
    backup, token = begin(program)
    finish = "SELECT finish_backup(%s, %s, %s::jsonb)"
    for files, error in (
        ("[]", errors.InvalidParameterValue),
        ('[{"path": "p", "bytes": 1, "sha256": "md5"}]', errors.CheckViolation),
    ):
        with pytest.raises(error):
            program.execute(finish, [backup, token, files])
    assert value(program, "SELECT state FROM backups") == "running"


def test_an_incremental_backup_needs_one_to_build_on(migrated: Database) -> None:
    program = as_role(migrated, "semantic_kernel_backup")
    with pytest.raises(errors.CheckViolation, match="backups_parent_check"):
        begin(program, "incremental")
    base = completed(program)
    with pytest.raises(REFUSED):
        program.execute("SELECT begin_backup('incremental', 't', '1', 'x', %s)", [base])


def test_only_a_completed_backup_is_verified_or_restored(migrated: Database) -> None:
    program = as_role(migrated, "semantic_kernel_backup")
    running, _ = begin(program)
    for call in ("record_verification(%s, 'read_all', true)", "begin_restore(%s, 'elsewhere')"):
        with pytest.raises(REFUSED):
            program.execute("SELECT " + call, [running])


def test_a_restore_goes_into_another_database_and_says_how_it_ended(migrated: Database) -> None:
    program = as_role(migrated, "semantic_kernel_backup")
    backup = completed(program)
    with pytest.raises(errors.InvalidParameterValue, match="does not go over"):
        program.execute("SELECT begin_restore(%s, current_database())", [backup])
    ((restore, token),) = rows(program, "SELECT * FROM begin_restore(%s, 'elsewhere', 'test')", backup)
    with pytest.raises(errors.ObjectInUse):
        program.execute("SELECT begin_restore(%s, 'elsewhere', 'test')", [backup])
    program.execute("SELECT heartbeat_restore(%s, %s)", [restore, token])
    program.execute("SELECT finish_restore(%s, %s, '41 errors')", [restore, token])
    with pytest.raises(REFUSED):
        program.execute("SELECT finish_restore(%s, %s)", [restore, token])
    assert rows(program, "SELECT state, error, purpose FROM restores") == [("failed", "41 errors", "test")]


PROOFS: dict[str, list[tuple[str, bool]]] = {
    "none": [],
    "good": [("read_all", True)],
    "bad": [("checksum", False)],
    "list only": [("list", True)],
    "good then bad": [("restore_test", True), ("checksum", False)],
}
AGES = st.lists(
    st.tuples(st.integers(0, 90), st.sampled_from(sorted(PROOFS))),
    min_size=1,
    max_size=10,
)


@given(made=AGES, days=st.integers(0, 60), last=st.integers(-1, 3), verified=st.integers(-1, 3))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_neither_the_newest_nor_the_newest_proven_backup_is_ever_given_up(
    migrated: Database, made: list[tuple[int, str]], days: int, last: int, verified: int
) -> None:
    owner = migrated.connect()
    owner.execute("TRUNCATE backups CASCADE")
    ages: dict[UUID, float] = {}
    proven: dict[UUID, float] = {}
    for number, (age, proof) in enumerate(made):
        backup = completed(owner)
        ages[backup] = age + number / 100
        owner.execute(
            "UPDATE backups SET started_at = now() - %s * interval '1 day' WHERE backup_id = %s",
            [ages[backup], backup],
        )
        for method, succeeded in PROOFS[proof]:
            owner.execute("SELECT record_verification(%s, %s, %s)", [backup, method, succeeded])
        if proof == "good":
            proven[backup] = ages[backup]
    expiring = {
        row[0]
        for row in rows(owner, "SELECT backup_id FROM plan_backup_expiry(%s, %s, %s)", days, last, verified)
    }
    by_age = sorted(ages, key=ages.__getitem__)
    kept = {backup for backup in ages if ages[backup] < days}
    kept |= set(by_age[: max(last, 1)])
    kept |= set(sorted(proven, key=proven.__getitem__)[: max(verified, 1)])
    assert expiring == set(ages) - kept


def test_what_others_build_on_is_kept_with_them(migrated: Database) -> None:
    owner = migrated.connect()
    chain: list[UUID] = []
    for age in (90, 80, 70):
        kind = "incremental" if chain else "physical"
        ((backup, token),) = rows(
            owner, "SELECT * FROM begin_backup(%s, 't', '1', 'x', %s)", kind, chain[-1] if chain else None
        )
        owner.execute("SELECT finish_backup(%s, %s, %s::jsonb)", [backup, token, FILES])
        owner.execute(
            "UPDATE backups SET started_at = now() - %s WHERE backup_id = %s", [timedelta(days=age), backup]
        )
        chain.append(backup)
    assert rows(owner, "SELECT * FROM plan_backup_expiry(1, 1, 1)") == []


def test_files_are_only_said_to_be_gone_when_they_were_to_go(migrated: Database) -> None:
    owner = migrated.connect()
    old, new = completed(owner), completed(owner)
    owner.execute("UPDATE backups SET started_at = now() - interval '90 days' WHERE backup_id = %s", [old])
    with pytest.raises(REFUSED):
        owner.execute("SELECT confirm_backup_deleted(%s)", [old])
    plan = "SELECT backup_id FROM plan_backup_expiry(30, 1, 1)"
    assert rows(owner, plan) == rows(owner, plan) == [(old,)], "a plan that was cut off comes again"
    owner.execute("SELECT cancel_backup_expiry(%s)", [old])
    assert rows(owner, plan) == [(old,)]
    owner.execute("SELECT confirm_backup_deleted(%s)", [old])
    assert rows(owner, "SELECT backup_id, state FROM backups ORDER BY started_at") == [
        (old, "deleted"),
        (new, "completed"),
    ]


def test_only_the_backup_role_keeps_the_catalogue_and_it_too_only_by_the_functions(
    migrated: Database,
) -> None:
    for role in ("semantic_kernel_app", "semantic_kernel_reader"):
        with pytest.raises(errors.InsufficientPrivilege):
            begin(as_role(migrated, role))
    with pytest.raises(errors.InsufficientPrivilege):
        as_role(migrated, "semantic_kernel_backup").execute("UPDATE backups SET state = 'completed'")
    with pytest.raises(errors.InsufficientPrivilege):
        as_role(migrated, "semantic_kernel_reader").execute("SELECT token FROM backups")
    assert rows(as_role(migrated, "semantic_kernel_reader"), "SELECT * FROM backup_overview") == []
    assert as_application(migrated).execute("SELECT * FROM database_statistics()").rowcount > 10


def test_the_backup_role_can_dump_every_tenant(migrated: Database) -> None:
    program = as_role(migrated, "semantic_kernel_backup")
    program.execute("SET row_security = off")
    tables = rows(
        program,
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace",
    )
    for (table,) in tables:
        program.execute(f"SELECT * FROM {table}")
    assert value(program, "SELECT count(DISTINCT tenant_id) FROM messages") == 2
