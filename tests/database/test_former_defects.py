"""What an earlier system of this kind got wrong, each shown not to be so here.

What other files of this folder show is not repeated: the race of check and increment, first calls without a
limit, the zero vector, one text for all tenants, roles of messages, too few rows, offsets, seeds. What belongs
to programs outside the database (runner, dump, restore) has its tests there.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import errors

from tests.database.support import FIRST, FIRST_USER, Connection, as_application, rows, value
from tests.servers import Database


def test_the_order_of_versions_is_no_business_of_a_trigger(migrated: Database) -> None:
    owner = migrated.connect()
    add = "INSERT INTO schema_migrations (version, description, script) VALUES (%s, 'x', 'x') ON CONFLICT DO NOTHING"
    for version in (5, 2, 2, 10):
        owner.execute(add, [version])
    assert [row[0] for row in rows(owner, "SELECT version FROM schema_migrations ORDER BY version")] == [
        2,
        5,
        10,
    ]


def test_no_index_depends_on_the_time(migrated: Database) -> None:
    # "functions in index predicate must be marked IMMUTABLE": such a file could never be applied.
    predicates = rows(
        migrated.connect(),
        "SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indpred IS NOT NULL AND indexrelid >= 16384",
    )
    assert predicates
    assert not any("now" in text.lower() or "current" in text.lower() for (text,) in predicates)


def test_the_statistics_of_the_database_can_be_asked_for(migrated: Database) -> None:
    found = rows(
        migrated.connect(),
        "SELECT table_name, total_bytes FROM database_statistics() WHERE table_name = 'messages'",
    )
    assert len(found) == 1
    assert found[0][1] > 0


def test_no_function_fails_by_itself_when_it_is_called(
    migrated: Database,
) -> None:
    # A column that does not exist or a name that means two things is only found when a function runs.
    program = migrated.connect(options=f"-c app.tenant_id={FIRST}")
    calls = [
        "require_tenant(%(tenant)s)", "reserve_message_seq(%(tenant)s, %(conversation)s)", "find_login('a@b.example')",
        "find_api_key('x')", "usage_statistics(%(tenant)s, '-infinity', 'infinity')",
        "list_conversations(%(tenant)s, %(user)s)",
        "list_messages(%(tenant)s, %(conversation)s)", "conversation_summary(%(tenant)s, %(conversation)s)",
        "search_messages(%(tenant)s, 'noon')", "delete_rows_before('audit_log', now())",
        "rate_limits_of(%(tenant)s, 'u')",
        "take_rate_limit(%(tenant)s, 'u', 'l', 1, '1 minute')", "consume_rate_limit(%(tenant)s, 'u')",
        "settle_rate_limit(%(tenant)s, 'u', 1)", "rate_limit_status(%(tenant)s, 'u')", "acquire_lease(%(tenant)s, 'u')",
        "renew_lease(%(tenant)s, 'u', %(user)s)", "release_lease(%(tenant)s, 'u', %(user)s)", "purge_rate_limits()",
        "abandon_stale_backups()", "plan_backup_expiry()", "database_statistics()",
    ]  # fmt: skip
    values = {"tenant": FIRST, "user": FIRST_USER, "conversation": "7e570000-0000-7000-8000-000000000101"}
    for call in calls:
        program.execute(f"SELECT * FROM {call}", values)


def test_no_password_and_no_hash_of_one_is_kept(migrated: Database) -> None:
    columns = rows(
        migrated.connect(),
        "SELECT attrelid::regclass, attname FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid "
        "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attname ~ 'password|secret|hash'",
    )
    assert columns == [("api_keys", "key_hash")]


def test_two_first_calls_at_once_do_not_collide(migrated: Database) -> None:
    def first_call(_: int) -> bool:
        with psycopg.connect(
            migrated.url, autocommit=True, options=f"-c app.tenant_id={FIRST}"
        ) as connection:
            return bool(
                value(connection, "SELECT allowed FROM consume_rate_limit(%s, 'user:new', 1, 10)", FIRST)
            )

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(first_call, range(16)))


def test_there_is_no_edge_at_which_twice_the_limit_goes_through(migrated: Database) -> None:
    # A fixed window lets 60 through before its end and 60 after it. Here a second brings one back.
    owner = migrated.connect()
    application = as_application(migrated, FIRST)
    take = "SELECT allowed FROM take_rate_limit(%s, 'u', 'l', 60, '1 hour')"
    assert sum(value(application, take, FIRST) for _ in range(80)) == 60
    owner.execute(
        "UPDATE rate_limit_buckets SET full_at = full_at - 60 * 1000000000::bigint"
    )  # a minute goes by
    assert sum(value(application, take, FIRST) for _ in range(80)) == 1


def test_limits_hold_for_a_whole_tenant_as_well(migrated: Database) -> None:
    owner = migrated.connect()
    owner.execute(
        "UPDATE rate_limits SET amount = 7, burst = 7, period = '1 day' WHERE limit_name = 'tenant_requests_per_minute'"
    )
    application = as_application(migrated, FIRST)
    answers = [
        rows(application, "SELECT allowed, limit_name FROM consume_rate_limit(%s, %s)", FIRST, f"user:{n}")[0]
        for n in range(9)
    ]
    assert [allowed for allowed, _ in answers] == [True] * 7 + [False] * 2
    assert answers[-1][1] == "tenant_requests_per_minute"


def test_statistics_of_usage_count_calls_and_not_distinct_values(migrated: Database) -> None:
    application = as_application(migrated, FIRST)
    for status, duration in ((200, 10), (200, 10), (200, 40), (500, 40)):
        application.execute(
            "INSERT INTO api_usage (endpoint, status_code, duration_ms, prompt_tokens, cost_usd) "
            "VALUES ('/chat', %s, %s, 5, 0.01)",
            [status, duration],
        )
    found = rows(
        application,
        "SELECT endpoint, requests, failures, prompt_tokens, cost_usd::float8, average_duration_ms::float8 "
        "FROM usage_statistics(%s, '-infinity', 'infinity')",
        FIRST,
    )
    assert found == [("/chat", 4, 1, 20, 0.04, 25.0)]


def test_a_report_on_a_backup_that_never_was_is_an_error(migrated: Database) -> None:
    owner = migrated.connect()
    for call in ("finish_backup(uuid_v7(), uuid_v7(), '[{\"bytes\": 1}]')", "fail_backup(uuid_v7(), uuid_v7(), 'x')",
                 "finish_restore(uuid_v7(), uuid_v7())", "record_verification(uuid_v7(), 'read_all', true)",
                 "confirm_backup_deleted(uuid_v7())"):  # fmt: skip
        with pytest.raises(errors.ObjectNotInPrerequisiteState):
            owner.execute(f"SELECT {call}")


def test_no_row_of_the_catalogue_is_deleted_with_its_files(migrated: Database) -> None:
    owner = migrated.connect()
    assert (
        rows(owner, "SELECT proname FROM pg_proc WHERE prosrc ~* 'delete from public\\.(backups|restores)'")
        == []
    )


def plan(connection: Connection, query: str) -> str:
    return "\n".join(row[0] for row in rows(connection, f"EXPLAIN {query}"))


def test_an_index_serves_the_list_of_conversations_and_no_index_is_on_a_flag(migrated: Database) -> None:
    owner = migrated.connect()
    owner.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
    listing = f"SELECT * FROM list_conversations('{FIRST}', '{FIRST_USER}', 50, now(), '{FIRST_USER}')"
    assert "conversations_active_idx" in plan(owner, listing)
    flags = rows(
        owner,
        "SELECT indexrelid::regclass FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey) "
        "JOIN pg_class ON indexrelid = pg_class.oid "
        "WHERE atttypid = 'boolean'::regtype AND relnamespace = 'public'::regnamespace "
        "AND NOT indisunique",
    )
    assert flags == []
