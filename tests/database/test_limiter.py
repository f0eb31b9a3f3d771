"""Rate limits are exact under any number of clients, and all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors

from tests.database.support import FIRST, Connection, as_application, rows, value
from tests.servers import Database

CONSUME = "SELECT allowed, limit_name, remaining, retry_after FROM consume_rate_limit(%s, %s, %s, %s)"


def limits(database: Database, *limit: tuple[str, str, str, int, str, int, bool]) -> Connection:
    """Give the first tenant a plan with these limits (name, unit, scope, amount, period, burst, durable)."""
    owner = database.connect()
    owner.execute("INSERT INTO plans VALUES ('tested', 'for a test') ON CONFLICT DO NOTHING")
    owner.execute("DELETE FROM rate_limits WHERE plan_code = 'tested'")
    for one in limit:
        owner.execute("INSERT INTO rate_limits VALUES ('tested', %s, %s, %s, %s, %s, %s, %s)", one)
    owner.execute("UPDATE tenants SET plan_code = 'tested' WHERE tenant_id = %s", [FIRST])
    return owner


def together(database: Database, clients: int, calls: int, work: Callable[[Connection, int], bool]) -> int:
    """Make that many calls from that many connections at once; how many were answered with yes."""

    start = Barrier(clients)

    def client(number: int) -> int:
        with psycopg.connect(
            database.url, autocommit=True, options=f"-c app.tenant_id={FIRST}"
        ) as connection:
            connection.execute("SET ROLE semantic_kernel_app")
            start.wait(60)
            return sum(work(connection, number) for _ in range(calls // clients))

    with ThreadPoolExecutor(clients) as pool:
        return sum(pool.map(client, range(clients)))


@pytest.mark.parametrize("clients", [1, 8, 32])
@pytest.mark.parametrize("durable", [False, True], ids=["unlogged", "durable"])
def test_of_640_calls_under_a_limit_of_60_exactly_60_are_allowed(
    migrated: Database, clients: int, durable: bool
) -> None:
    limits(migrated, ("requests", "requests", "subject", 60, "1 day", 60, durable))

    def consume(connection: Connection, _: int) -> bool:
        return bool(value(connection, "SELECT allowed FROM consume_rate_limit(%s, 'user:1')", FIRST))

    assert together(migrated, clients, 640, consume) == 60


@pytest.mark.parametrize("clients", [1, 8, 32])
@pytest.mark.parametrize("function", ["take_rate_limit", "try_rate_limit"])
def test_of_640_calls_under_60_a_minute_60_are_allowed_and_one_for_each_second_they_took(
    migrated: Database, clients: int, function: str
) -> None:
    owner = migrated.connect()
    call = f"SELECT * FROM {function}(%s, 'user:1', 'minute', 60, '1 minute')"

    def take(connection: Connection, _: int) -> bool:
        return bool(value(connection, call, FIRST))

    began = value(owner, "SELECT clock_timestamp()")
    allowed = together(migrated, clients, 640, take)
    took = value(owner, "SELECT clock_timestamp() - %s", began)
    assert 60 <= allowed <= 60 + int(took.total_seconds())


def test_calls_that_lose_a_race_for_one_limit_give_back_what_they_took_of_the_other(
    migrated: Database,
) -> None:
    # Ten users may make 5 calls each, together 50; the tenant has 60. Its bucket is taken first.
    owner = limits(
        migrated,
        ("mine", "requests", "subject", 5, "1 day", 5, False),
        ("ours", "requests", "tenant", 60, "1 day", 60, False),
    )

    def consume(connection: Connection, number: int) -> bool:
        answer = value(
            connection, "SELECT allowed FROM consume_rate_limit(%s, %s)", FIRST, f"user:{number % 10}"
        )
        return bool(answer)

    assert together(migrated, 20, 640, consume) == 50
    used = rows(
        owner,
        """SELECT subject <> '', sum(round((full_at / 1e9 - extract(epoch FROM clock_timestamp()))
                                        / CASE subject WHEN '' THEN 1440 ELSE 17280 END))
           FROM rate_limit_buckets GROUP BY 1 ORDER BY 1""",
    )
    assert [int(amount) for _, amount in used] == [50, 50]


def test_a_refusal_writes_nothing_and_takes_nothing_from_the_other_limits(migrated: Database) -> None:
    owner = limits(
        migrated,
        ("requests", "requests", "subject", 100, "1 day", 100, False),
        ("tokens", "tokens", "subject", 1000, "1 day", 1000, True),
    )
    application = as_application(migrated, FIRST)
    assert rows(application, CONSUME, FIRST, "user:1", 1, 900)[0][:3] == (True, "tokens", 100)
    before = rows(owner, "SELECT ctid, xmin, full_at FROM rate_limit_buckets")
    assert rows(application, CONSUME, FIRST, "user:1", 1, 200)[0][:3] == (False, "tokens", 100)
    assert rows(owner, "SELECT ctid, xmin, full_at FROM rate_limit_buckets") == before
    assert rows(application, CONSUME, FIRST, "user:1", 1, 100)[0][0] is True


@pytest.mark.parametrize("durable", [False, True], ids=["unlogged", "durable"])
def test_a_refusal_under_one_limit_is_read_by_the_statement_of_the_caller_itself(
    migrated: Database, durable: bool
) -> None:
    # Inside the statement it costs the look-up of a row; a function that is called costs several times as much.
    application = as_application(migrated, FIRST)
    call = f"take_rate_limit('{FIRST}', 'u', 'l', 2, '1 day', NULL, 2, {durable})"
    assert value(application, f"SELECT allowed FROM {call}")
    plan = "\n".join(row[0] for row in rows(application, f"EXPLAIN (COSTS OFF) SELECT * FROM {call}"))
    assert "durable_buckets" in plan if durable else "on rate_limit_buckets" in plan
    assert "Function Scan" not in plan
    application.execute("SET default_transaction_read_only = on")
    allowed, remaining, retry_after, reset_at = rows(application, f"SELECT * FROM {call}")[0]
    assert (allowed, remaining) == (False, 0)
    assert timedelta(hours=23, minutes=59) < retry_after < timedelta(days=1)
    assert value(application, "SELECT %s - now()", reset_at) <= timedelta(days=1)
    assert value(application, f"SELECT * FROM {call.replace('take', 'try', 1)}") is False
    application.execute("SET default_transaction_read_only = off")
    application.execute(
        f"SELECT FROM take_rate_limit('{FIRST}', 'full', 'l', 2, '1 day', NULL, 0, {durable})"
    )
    never = f"SELECT allowed, retry_after FROM take_rate_limit('{FIRST}', %s, 'l', 2, '1 day', NULL, 3, {durable})"
    assert [rows(application, never, who) for who in ("u", "new", "full")] == [[(False, None)]] * 3


def test_what_is_within_a_microsecond_of_the_border_is_decided_under_the_lock(migrated: Database) -> None:
    application = as_application(migrated, FIRST)
    take = "SELECT allowed FROM take_rate_limit(%s, 'u', 'l', 1000000000, '31 days', NULL, 999999999)"
    one = "SELECT allowed FROM take_rate_limit(%s, 'u', 'l', 1000000000, '31 days')"
    assert value(application, take, FIRST)
    application.execute("SET default_transaction_read_only = on")
    with pytest.raises(errors.ReadOnlySqlTransaction):
        application.execute(one, [FIRST])
    application.execute("SET default_transaction_read_only = off")
    assert value(application, one, FIRST)


IMPOSSIBLE = (
    "'', 'l', 2, '1 day'", "'u', '', 2, '1 day'", "NULL, 'l', 2, '1 day'",
    "'u', 'l', 0, '1 day'", "'u', 'l', 0, '1 day', 2", "'u', 'l', NULL, '1 day'",
    "'u', 'l', 2, '0'", "'u', 'l', 2, '32 days'",
    "'u', 'l', 2, '1 day', 2001", "'u', 'l', 2, '1 day', 0", "'u', 'l', 2, '1 day', NULL, -1",
)  # fmt: skip


@pytest.mark.one_version
def test_a_limit_that_cannot_be_is_refused(migrated: Database) -> None:
    application = as_application(migrated, FIRST)
    for function in ("take_rate_limit", "try_rate_limit"):
        for limit in IMPOSSIBLE:
            with pytest.raises(errors.InvalidParameterValue, match="a positive amount"):
                application.execute(f"SELECT * FROM {function}('{FIRST}', {limit})")
    assert rows(migrated.connect(), "SELECT FROM rate_limit_buckets") == []


def test_the_answer_says_which_limit_when_to_come_back_and_never_when_that_is_so(migrated: Database) -> None:
    limits(
        migrated,
        ("slow", "requests", "subject", 2, "1 hour", 2, False),
        ("tokens", "tokens", "subject", 10, "1 day", 10, False),
    )
    application = as_application(migrated, FIRST)
    assert [rows(application, CONSUME, FIRST, "u", 1, 0)[0][0] for _ in range(3)] == [True, True, False]
    allowed, name, remaining, wait = rows(application, CONSUME, FIRST, "u", 1, 0)[0]
    assert (allowed, name, remaining) == (False, "slow", 0)
    assert timedelta(minutes=29) < wait < timedelta(minutes=30)
    assert rows(application, CONSUME, FIRST, "other", 0, 11) == [(False, "tokens", 10, None)]


def test_the_very_first_call_of_a_caller_is_limited_too(migrated: Database) -> None:
    application = as_application(migrated, FIRST)
    assert rows(application, CONSUME, FIRST, "user:new", 1, 10_000_000)[0][:2] == (False, "tokens_per_day")


def test_an_estimate_is_settled_in_both_directions(migrated: Database) -> None:
    limits(migrated, ("tokens", "tokens", "subject", 1000, "1 day", 1000, True))
    application = as_application(migrated, FIRST)
    left = "SELECT remaining FROM rate_limit_status(%s, 'u')"
    assert rows(application, CONSUME, FIRST, "u", 1, 600)[0][0]
    application.execute("SELECT settle_rate_limit(%s, 'u', -400)", [FIRST])
    assert value(application, left, FIRST) == 800
    application.execute("SELECT settle_rate_limit(%s, 'u', 900)", [FIRST])
    assert value(application, left, FIRST) == 0
    assert not rows(application, CONSUME, FIRST, "u", 1, 0)[0][0], "in debt, even a call without tokens waits"
    application.execute("SELECT settle_rate_limit(%s, 'u', -5000)", [FIRST])
    assert value(application, left, FIRST) == 1000, "a refund never makes a bucket deeper than it is"


def test_an_override_holds_for_its_subject_alone(migrated: Database) -> None:
    owner = limits(migrated, ("requests", "requests", "subject", 2, "1 day", 2, False))
    owner.execute("INSERT INTO rate_limit_overrides VALUES (%s, 'vip', 'requests', 5, 5)", [FIRST])
    application = as_application(migrated, FIRST)
    allowed = [
        sum(rows(application, CONSUME, FIRST, who, 1, 0)[0][0] for _ in range(9)) for who in ("vip", "other")
    ]
    assert allowed == [5, 2]


def test_a_plan_without_limits_allows_everything_and_an_unknown_tenant_nothing(migrated: Database) -> None:
    limits(migrated)
    application = as_application(migrated, FIRST)
    assert rows(application, CONSUME, FIRST, "u", 1, 10**9) == [(True, None, None, timedelta(0))]
    unknown = "00000000-0000-7000-8000-00000000dead"
    with pytest.raises(errors.NoDataFound):
        as_application(migrated, unknown).execute(CONSUME, [unknown, "u", 1, 0])


def test_more_work_at_once_than_there_are_places_is_refused(migrated: Database) -> None:
    limits(migrated, ("places", "concurrent", "subject", 3, "1 hour", 3, False))

    def acquire(connection: Connection, _: int) -> bool:
        return bool(value(connection, "SELECT allowed FROM acquire_lease(%s, 'u')", FIRST))

    assert together(migrated, 16, 64, acquire) == 3
    application = as_application(migrated, FIRST)
    owner = migrated.connect()
    lease = value(owner, "SELECT lease_id FROM rate_limit_leases LIMIT 1")
    assert value(application, "SELECT release_lease(%s, 'u', %s)", FIRST, lease)
    assert not value(application, "SELECT release_lease(%s, 'u', %s)", FIRST, lease)
    assert value(application, "SELECT renew_lease(%s, 'u', %s)", FIRST, lease) is None
    assert value(application, "SELECT allowed FROM acquire_lease(%s, 'u')", FIRST)


def test_a_lease_that_nobody_renews_ends_by_itself(migrated: Database) -> None:
    owner = limits(migrated, ("places", "concurrent", "subject", 1, "1 hour", 1, False))
    application = as_application(migrated, FIRST)
    lease = value(application, "SELECT lease_id FROM acquire_lease(%s, 'u')", FIRST)
    assert value(application, "SELECT renew_lease(%s, 'u', %s)", FIRST, lease) is not None
    assert not value(application, "SELECT allowed FROM acquire_lease(%s, 'u')", FIRST)
    owner.execute("UPDATE rate_limit_leases SET expires_at = now() - interval '1 second'")
    assert value(application, "SELECT allowed FROM acquire_lease(%s, 'u')", FIRST)
    assert not value(application, "SELECT release_lease(%s, 'u', %s)", FIRST, lease), "the old lease is gone"


def test_what_is_deleted_are_full_buckets_and_ended_leases_only(migrated: Database) -> None:
    owner = limits(migrated, ("requests", "requests", "subject", 2, "1 day", 2, False))
    application = as_application(migrated, FIRST)
    for who in ("busy", "idle"):
        rows(application, CONSUME, FIRST, who, 1, 0)
    owner.execute("UPDATE rate_limit_buckets SET full_at = 1 WHERE subject = 'idle'")
    assert value(owner, "SELECT purge_rate_limits()") == 1
    assert rows(owner, "SELECT subject FROM rate_limit_buckets") == [("busy",)]
    assert value(owner, "SELECT purge_rate_limits()") == 0


def test_a_busy_caller_is_one_row_that_is_updated_in_place(migrated: Database) -> None:
    owner = migrated.connect()
    application = as_application(migrated, FIRST)
    for _ in range(200):
        application.execute("SELECT take_rate_limit(%s, 'u', 'l', 1000000, '1 second')", [FIRST])
    application.execute("SELECT pg_stat_force_next_flush()")
    application.execute("SELECT 1")
    updates = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'rate_limit_buckets'"
    all_updates, in_place = rows(owner, updates)[0]
    assert all_updates >= 199
    assert in_place >= 0.95 * all_updates


def test_time_goes_on_inside_a_transaction(migrated: Database) -> None:
    application = as_application(migrated, FIRST)
    take = "SELECT allowed FROM take_rate_limit(%s, 'u', 'l', 10, '1 second', 1)"
    with application.transaction():
        assert [value(application, take, FIRST), value(application, take, FIRST)] == [True, False]
        application.execute("SELECT pg_sleep(0.15)")
        assert value(application, take, FIRST)


@given(costs=st.lists(st.integers(0, 9), min_size=1, max_size=25), amount=st.integers(1, 30))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_costs_are_allowed_exactly_while_they_fit(migrated: Database, costs: list[int], amount: int) -> None:
    owner = migrated.connect()
    owner.execute("DELETE FROM rate_limit_buckets")
    application = as_application(migrated, FIRST)
    left = amount
    for cost in costs:
        allowed, remaining = rows(
            application,
            "SELECT allowed, remaining FROM take_rate_limit(%s, 'u', 'l', %s, '31 days', NULL, %s)",
            FIRST,
            amount,
            cost,
        )[0]
        assert allowed == (cost <= left)
        left -= cost if allowed else 0
        assert remaining == left
