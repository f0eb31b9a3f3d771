"""Conversations and messages: order, verbatim payloads, pages, and a search that uses its index under a policy."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import errors

from tests.database.support import (
    FIRST,
    FIRST_CONVERSATION,
    FIRST_USER,
    SECOND,
    Connection,
    as_application,
    rows,
    value,
)
from tests.servers import Database

ADD = """
INSERT INTO messages (conversation_id, seq, role, payload, payload_format) VALUES (%s, 9, '{role}', %s, 'test/1')
"""
FILL = """
INSERT INTO messages (tenant_id, conversation_id, seq, role, content, payload, payload_format)
SELECT %s, %s, number, 'user', CASE WHEN number %% 500 = 0 THEN 'a rare albatross' ELSE 'ordinary talk' END,
       '{}', 'test/1'
FROM generate_series(10, %s) AS number
"""


def test_a_payload_comes_back_byte_for_byte(migrated: Database) -> None:
    one = as_application(migrated, FIRST)
    payload = '{"role":"tool",  "$type":"z", "b":1e5,"a":100000,"b":2,"nul":"x\\u0000y","lone":"\\ud800"}'
    one.execute(ADD.format(role="tool"), [FIRST_CONVERSATION, payload])
    assert value(one, "SELECT payload::text FROM messages WHERE seq = 9") == payload


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant", "tool"])
def test_every_role_of_the_frameworks_can_be_stored(migrated: Database, role: str) -> None:
    one = as_application(migrated, FIRST)
    assert one.execute(ADD.format(role=role), [FIRST_CONVERSATION, "{}"]).rowcount == 1


def test_writers_at_the_same_time_get_numbers_without_gap_or_double(migrated: Database) -> None:
    first = value(
        migrated.connect(),
        "SELECT next_seq FROM conversations WHERE conversation_id = %s",
        FIRST_CONVERSATION,
    )

    def reserve(_: int) -> list[int]:
        with psycopg.connect(
            migrated.url, autocommit=True, options=f"-c app.tenant_id={FIRST}"
        ) as connection:
            connection.execute("SET ROLE semantic_kernel_app")
            starts = [
                value(connection, "SELECT reserve_message_seq(%s, %s, 3)", FIRST, FIRST_CONVERSATION)
                for _ in range(10)
            ]
            return [start + offset for start in starts for offset in range(3)]

    with ThreadPoolExecutor(8) as pool:
        numbers = [number for given in pool.map(reserve, range(8)) for number in given]
    assert sorted(numbers) == list(range(first, first + 240))


def test_numbers_of_a_conversation_that_is_not_there_are_refused(migrated: Database) -> None:
    with pytest.raises(errors.NoDataFound):
        as_application(migrated, SECOND).execute(
            "SELECT reserve_message_seq(%s, %s)", [SECOND, FIRST_CONVERSATION]
        )


def test_a_text_longer_than_a_search_column_can_hold_is_stored(migrated: Database) -> None:
    one = as_application(migrated, FIRST)
    add = """INSERT INTO messages (conversation_id, seq, role, content, payload, payload_format)
             SELECT %s, 9, 'user', string_agg(md5(number::text), ' '), '{}', 'test/1'
             FROM generate_series(1, 60000) AS number"""
    one.execute(add, [FIRST_CONVERSATION])
    assert value(one, "SELECT length(content) FROM messages WHERE seq = 9") > 1_900_000


def pages_of_messages(connection: Connection, size: int) -> list[int]:
    seen: list[int] = []
    before = 2**63 - 1
    while page := rows(
        connection, "SELECT seq FROM list_messages(%s, %s, %s, %s)", FIRST, FIRST_CONVERSATION, size, before
    ):
        seen += [row[0] for row in page]
        assert len(seen) < 1000, "pages without end"
        before = seen[-1]
    return seen


def test_pages_of_messages_are_complete_and_in_order_at_any_size(migrated: Database) -> None:
    migrated.connect().execute(FILL, [FIRST, FIRST_CONVERSATION, 120])
    one = as_application(migrated, FIRST)
    expected = [
        row[0]
        for row in rows(
            one, "SELECT seq FROM messages WHERE conversation_id = %s ORDER BY seq DESC", FIRST_CONVERSATION
        )
    ]
    assert len(expected) > 100
    for size in (1, 7, 50, 1000):
        assert pages_of_messages(one, size) == expected


def test_a_deep_page_reads_no_more_than_the_first(migrated: Database) -> None:
    owner = migrated.connect()
    owner.execute(FILL, [FIRST, FIRST_CONVERSATION, 20_000])
    owner.execute("VACUUM ANALYZE messages")
    one = as_application(migrated, FIRST)

    def read(before: int) -> int:
        plan = value(
            one,
            "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM list_messages(%s, %s, 50, %s)",
            FIRST,
            FIRST_CONVERSATION,
            before,
        )
        top = plan[0]["Plan"]
        return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])

    read(2**62)
    assert read(100) <= 2 * read(2**62) + 10


def test_pages_of_conversations_are_complete_even_when_times_are_equal(migrated: Database) -> None:
    owner = migrated.connect()
    owner.execute(
        "INSERT INTO conversations (tenant_id, user_id, title, last_message_at, archived_at) "
        "SELECT %s, %s, number, '2026-01-01'::timestamptz + number / 5 * interval '1 hour', "
        "CASE WHEN number %% 10 = 0 THEN now() END "
        "FROM generate_series(1, 60) AS number",
        [FIRST, FIRST_USER],
    )
    one = as_application(migrated, FIRST)
    query = "SELECT last_message_at, conversation_id FROM list_conversations(%s, %s, 7, %s, %s)"
    seen: list[tuple[object, object]] = []
    after: tuple[object, object] = ("infinity", "ffffffff-ffff-ffff-ffff-ffffffffffff")
    while page := rows(one, query, FIRST, FIRST_USER, *after):
        after = page[-1][0], page[-1][1]
        seen += [(row[0], row[1]) for row in page]
        assert len(seen) < 1000, "pages without end"
    everything = """SELECT last_message_at, conversation_id FROM conversations
                    WHERE archived_at IS NULL ORDER BY 1 DESC, 2 DESC"""
    assert seen == rows(one, everything)
    assert len(seen) == 55


def test_a_search_under_row_level_security_uses_the_index(migrated: Database) -> None:
    owner = migrated.connect()
    owner.execute(FILL, [FIRST, FIRST_CONVERSATION, 20_000])
    owner.execute("VACUUM ANALYZE messages")
    one = as_application(migrated, FIRST)
    used = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'messages_content_search_idx'"
    sequential = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'messages'"
    before = value(owner, used), value(owner, sequential)
    found = rows(one, "SELECT seq FROM search_messages(%s, 'albatrosses', 100)", FIRST)
    assert {row[0] for row in found} == set(range(500, 20_001, 500))
    one.execute("SELECT pg_stat_force_next_flush()")
    one.execute("SELECT 1")
    assert (value(owner, used), value(owner, sequential)) == (before[0] + 1, before[1])


def test_pages_of_hits_are_complete(migrated: Database) -> None:
    migrated.connect().execute(FILL, [FIRST, FIRST_CONVERSATION, 12_000])
    one = as_application(migrated, FIRST)
    query = "SELECT rank, conversation_id, seq FROM search_messages(%s, 'rare', 5, NULL, NULL, %s, %s, %s)"
    seen: list[int] = []
    after: tuple[object, object, object] = (None, None, None)
    while page := rows(one, query, FIRST, *after):
        after = page[-1][0], page[-1][1], page[-1][2]
        seen += [row[2] for row in page]
        assert len(seen) < 1000, "pages without end"
    assert seen == list(range(500, 12_001, 500))


def test_a_search_can_be_narrowed_to_a_user_or_a_conversation(migrated: Database) -> None:
    one = as_application(migrated, FIRST)
    found = "SELECT count(*) FROM search_messages(%s, 'noon', 50, %s, %s)"
    nobody = "00000000-0000-7000-8000-00000000dead"
    assert value(one, found, FIRST, None, None) == 2
    assert value(one, found, FIRST, FIRST_USER, FIRST_CONVERSATION) == 2
    assert value(one, found, FIRST, nobody, None) == 0
    assert value(one, found, FIRST, None, nobody) == 0
    assert value(one, "SELECT count(*) FROM search_messages(%s, 'the')", FIRST) == 0


def test_nobody_can_search_for_the_word_that_stands_for_a_tenant(migrated: Database) -> None:
    one = as_application(migrated, FIRST)
    for query in (f"tenant:{SECOND}", f"'tenant:{SECOND}'", f'"tenant:{SECOND}" or noon', "-noon"):
        found = rows(one, "SELECT conversation_id::text FROM search_messages(%s, %s)", FIRST, query)
        assert {row[0] for row in found} <= {FIRST_CONVERSATION}


def test_a_summary_counts_each_message_once(migrated: Database) -> None:
    one = as_application(migrated, FIRST)
    one.execute("UPDATE messages SET prompt_tokens = 5, completion_tokens = 2 WHERE role = 'assistant'")
    summary = rows(
        one,
        "SELECT messages, user_messages, assistant_messages, tool_messages, prompt_tokens, completion_tokens, models "
        "FROM conversation_summary(%s, %s)",
        FIRST,
        FIRST_CONVERSATION,
    )
    assert summary == [(4, 1, 2, 1, 10, 4, ["test-model"])]


def test_old_rows_are_deleted_in_batches_and_only_from_tables_that_grow(migrated: Database) -> None:
    owner = migrated.connect()
    owner.execute(
        "INSERT INTO api_usage (tenant_id, occurred_at, endpoint, status_code, duration_ms) "
        "SELECT %s, now() - number * interval '1 day', '/chat', 200, 1 FROM generate_series(1, 10) AS number",
        [FIRST],
    )
    delete = "SELECT delete_rows_before('api_usage', now() - interval '4 days 12 hours', 4)"
    assert [value(owner, delete) for _ in range(3)] == [4, 2, 0]
    assert value(owner, "SELECT count(*) FROM api_usage") == 4
    assert value(owner, "SELECT delete_rows_before('messages', 'infinity')") == 5
    assert value(owner, "SELECT delete_rows_before('audit_log', 'infinity')") == 0
    with pytest.raises(errors.InvalidParameterValue):
        owner.execute("SELECT delete_rows_before('users', 'infinity')")


def test_ids_are_uuids_of_version_7_in_the_order_of_their_making(migrated: Database) -> None:
    owner = migrated.connect()
    made = [value(owner, "SELECT uuid_v7()") for _ in range(200)]
    assert all((one.version, one.variant) == (7, "specified in RFC 4122") for one in made)
    assert made == sorted(made)
    assert len(set(made)) == 200
    now_ms = value(owner, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
    assert abs((made[-1].int >> 80) - now_ms) < 5000


def test_the_seeded_payloads_are_json_that_says_what_the_columns_say(migrated: Database) -> None:
    for role, payload in rows(migrated.connect(), "SELECT role, payload::text FROM messages"):
        assert json.loads(payload)["role"] == role
