"""Vector search: never too few rows, exact where that is cheap, usable by Semantic Kernel's connector as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg import errors

from tests.database.support import FIRST, SECOND, Connection, as_application, rows, value
from tests.servers import Database, Server

pytestmark = pytest.mark.pg(">=16")

SEARCH = """
SELECT key FROM search_embeddings(%s, %s::halfvec, %s, NULL, %s::jsonb, p_model_code => 'tiny', p_exact => %s)
"""
MODEL = "INSERT INTO embedding_models (model_code, provider, dimensions, distance, table_name) VALUES "
LOAD = f"""
{MODEL} ('tiny', 'test', 8, 'cosine', 'embeddings_tiny');
SELECT create_embedding_table('tiny');
DROP INDEX embeddings_tiny_embedding_idx;
SELECT setseed(0.5);
INSERT INTO embeddings_tiny (key, tenant_id, collection_name, metadata, embedding)
SELECT number, CASE WHEN number % 100 = 0 THEN '{SECOND}' ELSE '{FIRST}' END::uuid, 'test',
       jsonb_build_object('tag', number % 100, 'rare', number % 4000),
       (SELECT array_agg(random_normal() + 0 * number * dimension)
        FROM generate_series(1, 8) AS dimension)::vector::halfvec
FROM generate_series(1, 10200) AS number;
CREATE INDEX embeddings_tiny_embedding_idx ON embeddings_tiny USING hnsw (embedding halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 64);
ANALYZE embeddings_tiny;
"""


@pytest.fixture(scope="module")
def loaded_name(
    run_on: Callable[[Server, str], None], template: Callable[[Server], str]
) -> Callable[[Server], str]:
    """Give the name of a database with 10,200 embeddings, made once a server for tests that only read."""
    made: dict[int, str] = {}

    def make(server: Server) -> str:
        if server.port not in made:
            made[server.port] = f"embeddings_{server.major}"
            run_on(
                server, f"CREATE DATABASE {made[server.port]} TEMPLATE {template(server)} STRATEGY file_copy"
            )
            with psycopg.connect(server.url(made[server.port]), autocommit=True) as owner:
                owner.execute(LOAD)
        return made[server.port]

    return make


@pytest.fixture
def loaded(server: Server, loaded_name: Callable[[Server], str]) -> Iterator[Database]:
    """Give the database with 10,200 embeddings."""
    with ExitStack() as opened:
        yield Database(server, loaded_name(server), opened)


def queries(connection: Connection, number: int = 10) -> list[str]:
    return [
        value(
            connection,
            "SELECT (SELECT array_agg(sin(%s * at * 7.3)) FROM generate_series(1, 8) AS at)::vector::text",
            n,
        )
        for n in range(1, number + 1)
    ]


def keys(
    connection: Connection,
    tenant: str,
    query: str,
    limit: int,
    filtered: str = "{}",
    exact: bool | None = None,
) -> list[str]:
    return [row[0] for row in rows(connection, SEARCH, tenant, query, limit, filtered, exact)]


def scans_of_the_index(database: Database, reader: Connection) -> int:
    """Times the HNSW index was used so far, by the reader too."""
    reader.execute("SELECT pg_stat_force_next_flush()")
    reader.execute("SELECT 1")
    used = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'embeddings_tiny_embedding_idx'"
    return int(value(database.connect(), used))


@pytest.mark.parametrize("exact", [None, False], ids=["as it chooses", "by the index"])
def test_a_filter_that_leaves_one_row_in_a_hundred_still_returns_as_many_as_asked_for(
    loaded: Database, exact: bool | None
) -> None:
    large, small = as_application(loaded, FIRST), as_application(loaded, SECOND)
    for query in queries(large):
        assert len(keys(large, FIRST, query, 10, '{"tag": 7}', exact)) == 10
        assert len(keys(small, SECOND, query, 10, "{}", exact)) == 10


def test_up_to_ten_thousand_rows_behind_the_filter_the_search_is_exact(loaded: Database) -> None:
    large = as_application(loaded, FIRST)
    large.execute(
        "SET enable_bitmapscan = off; SET enable_sort = off"
    )  # the planner would rather use the index
    before = scans_of_the_index(loaded, large)
    for query in queries(large):
        chosen = keys(large, FIRST, query, 10, '{"tag": 7}')
        assert chosen == keys(large, FIRST, query, 10, '{"tag": 7}', exact=True)
    assert scans_of_the_index(loaded, large) == before


def test_above_ten_thousand_rows_the_index_answers_and_finds_nearly_all(loaded: Database) -> None:
    large = as_application(loaded, FIRST)
    before = scans_of_the_index(loaded, large)
    found = [keys(large, FIRST, query, 10) for query in queries(large, 20)]
    assert scans_of_the_index(loaded, large) >= before + 20
    truth = [keys(large, FIRST, query, 10, exact=True) for query in queries(large, 20)]
    recall = sum(len(set(a) & set(b)) for a, b in zip(found, truth, strict=True)) / 200
    assert recall >= 0.95
    assert all(len(one) == 10 for one in found)


@pytest.mark.parametrize("exact", [None, False, True])
def test_fewer_rows_than_asked_for_means_that_there_are_no_more(loaded: Database, exact: bool | None) -> None:
    large = as_application(loaded, FIRST)
    there_are = value(large, "SELECT count(*) FROM embeddings_tiny WHERE metadata @> '{\"rare\": 17}'")
    assert there_are == 3
    for query in queries(large, 3):
        assert len(keys(large, FIRST, query, 10, '{"rare": 17}', exact)) == 3


def test_when_the_index_gives_up_too_early_the_rows_are_read_after_all(loaded: Database) -> None:
    large = as_application(loaded, FIRST)
    large.execute("SELECT '[1]'::halfvec")
    large.execute("SET hnsw.max_scan_tuples = 1; SET enable_sort = off")
    plain = """SELECT key FROM embeddings_tiny WHERE metadata @> '{"rare": 17}'
               ORDER BY embedding <=> %s::halfvec LIMIT 10"""
    given_up = 0
    for query in queries(large):
        given_up += len(rows(large, plain, query)) < 3
        assert len(keys(large, FIRST, query, 10, '{"rare": 17}', exact=False)) == 3
    assert given_up


def test_a_search_leaves_the_settings_of_the_session_alone(loaded: Database) -> None:
    large = as_application(loaded, FIRST)
    large.execute("SELECT '[1]'::halfvec")
    large.execute("SET hnsw.ef_search = 33; SET hnsw.iterative_scan = off")
    with large.transaction():
        keys(large, FIRST, queries(large, 1)[0], 10)
        assert value(large, "SELECT current_setting('hnsw.ef_search')") == "33"
        assert value(large, "SELECT current_setting('hnsw.iterative_scan')") == "off"


def test_rows_come_nearest_first_and_no_further_than_the_distance_given(migrated: Database) -> None:
    one = as_application(migrated, FIRST)
    query = value(one, "SELECT embedding::text FROM embeddings WHERE content = 'second'")
    search = """SELECT content, distance, similarity
                FROM search_embeddings(%s, %s::halfvec, 10, 'facts', p_max_distance => %s)"""
    assert rows(one, search, FIRST, query, None)[0] == ("second", 0, 1)
    assert [row[1] for row in rows(one, search, FIRST, query, None)] == [0, 1, 1]
    assert [row[0] for row in rows(one, search, FIRST, query, 0.5)] == ["second"]


def test_the_zero_vector_is_refused_on_the_way_in_and_as_a_query(migrated: Database) -> None:
    one = as_application(migrated, FIRST)
    zero = str([0] * 1536)
    with pytest.raises(errors.CheckViolation, match="embeddings_embedding_check"):
        one.execute("INSERT INTO embeddings (embedding) VALUES (%s)", [zero])
    with pytest.raises(errors.InvalidParameterValue, match="not zero"):
        one.execute("SELECT * FROM search_embeddings(%s, %s::halfvec)", [FIRST, zero])
    with pytest.raises(errors.InvalidParameterValue, match="1536 dimensions"):
        one.execute("SELECT * FROM search_embeddings(%s, '[1,2,3]'::halfvec)", [FIRST])


def test_the_same_text_is_stored_once_a_tenant_and_by_two_tenants_twice(migrated: Database) -> None:
    vector = str([1, *[0.5] * 1535])
    store = "SELECT store_embedding(%s, 'notes', 'the same text', %s::halfvec, %s::jsonb)"
    keys_of = [
        [
            value(as_application(migrated, tenant), store, tenant, vector, metadata)
            for metadata in ('{"n": 1}', '{"n": 2}')
        ]
        for tenant in (FIRST, SECOND)
    ]
    assert keys_of[0][0] == keys_of[0][1] != keys_of[1][0]
    owner = migrated.connect()
    stored = rows(owner, "SELECT metadata ->> 'n' FROM embeddings WHERE content = 'the same text'")
    assert stored == [("2",), ("2",)]


def test_a_key_of_another_tenant_is_neither_shown_nor_overwritten(migrated: Database) -> None:
    one, two = as_application(migrated, FIRST), as_application(migrated, SECOND)
    vector = str([1, *[0.5] * 1535])
    one.execute("INSERT INTO embeddings (key, content, embedding) VALUES ('mine', 'private', %s)", [vector])
    upsert = """INSERT INTO embeddings (key, content, embedding) VALUES ('mine', 'stolen', %s)
                ON CONFLICT (key) DO UPDATE SET content = EXCLUDED.content"""
    with pytest.raises(errors.InsufficientPrivilege):
        two.execute(upsert, [vector])
    with pytest.raises(errors.InsufficientPrivilege):
        two.execute("SELECT store_embedding(%s, 'c', 'stolen', %s::halfvec, '{}', 'mine')", [SECOND, vector])
    as_owner = migrated.connect(options=f"-c app.tenant_id={SECOND}")
    with pytest.raises(errors.InsufficientPrivilege, match="another tenant"):
        as_owner.execute(
            "SELECT store_embedding(%s, 'c', 'stolen', %s::halfvec, '{}', 'mine')", [SECOND, vector]
        )
    assert value(migrated.connect(), "SELECT content FROM embeddings WHERE key = 'mine'") == "private"


def test_the_statements_of_semantic_kernel_work_on_the_table_as_it_is(migrated: Database) -> None:
    one = as_application(migrated, FIRST)
    vector = str([0.25, *[0.5] * 1535])
    upsert = (
        'INSERT INTO "public"."embeddings" ("key", "content", "metadata", "embedding") VALUES (%s, %s, %s, %s) '
        'ON CONFLICT ("key") DO UPDATE SET "content" = EXCLUDED."content", "metadata" = EXCLUDED."metadata", '
        '"embedding" = EXCLUDED."embedding"'
    )
    for content in ("written", "written again"):
        one.execute(upsert, ["k1", content, "{}", vector])
    assert rows(one, 'SELECT "key", "content" FROM "public"."embeddings" WHERE "key" IN (\'k1\')') == [
        ("k1", "written again")
    ]
    search = (
        'SELECT "key", "embedding" <=> %s AS "sk_pg_distance" FROM "public"."embeddings" '
        'ORDER BY "sk_pg_distance" LIMIT 1'
    )
    assert rows(one, search, vector) == [("k1", 0)]
    assert value(migrated.connect(), "SELECT tenant_id::text FROM embeddings WHERE key = 'k1'") == FIRST
    one.execute('DELETE FROM "public"."embeddings" WHERE "key" IN (\'k1\')')
    assert value(migrated.connect(), "SELECT count(*) FROM embeddings WHERE key = 'k1'") == 0


DESCRIPTION = (
    """SELECT attname, format_type(atttypid, atttypmod), attnotnull, attstorage, pg_get_expr(adbin, adrelid),
              col_description(attrelid, attnum)
       FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
       WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum""",
    """SELECT contype, pg_get_constraintdef(oid), convalidated FROM pg_constraint
       WHERE conrelid = %s::regclass ORDER BY 1, 2""",
    "SELECT indexdef FROM pg_indexes WHERE tablename = %s ORDER BY 1",
    "SELECT relacl::text, relowner, relrowsecurity, relpersistence FROM pg_class WHERE oid = %s::regclass",
    "SELECT policyname, cmd, qual, with_check FROM pg_policies WHERE tablename = %s",
)


def test_a_table_for_another_model_is_like_the_first_in_all_but_its_dimensions(migrated: Database) -> None:
    owner = migrated.connect()
    owner.execute(MODEL + "('same', 'test', 1536, 'cosine', 'embeddings_same')")
    for _ in range(2):
        assert value(owner, "SELECT create_embedding_table('same')::text") == "embeddings_same"

    def described(table: str) -> str:
        return repr([rows(owner, query, table) for query in DESCRIPTION]).replace(table, "TABLE")

    assert described("embeddings_same") == described("embeddings")


def test_another_model_becomes_the_default_by_one_row(migrated: Database) -> None:
    owner = migrated.connect()
    owner.execute(MODEL + "('next', 'test', 3, 'l2', 'embeddings_next')")
    owner.execute("SELECT create_embedding_table('next')")
    with pytest.raises(errors.UniqueViolation, match="embedding_models_default_idx"):
        owner.execute("UPDATE embedding_models SET is_default = true WHERE model_code = 'next'")
    with owner.transaction():
        owner.execute("UPDATE embedding_models SET is_default = false WHERE is_default")
        owner.execute("UPDATE embedding_models SET is_default = true WHERE model_code = 'next'")
    one = as_application(migrated, FIRST)
    one.execute("SELECT store_embedding(%s, 'c', 'text', '[1,2,3]'::halfvec)", [FIRST])
    assert rows(one, "SELECT content, distance FROM search_embeddings(%s, '[1,2,5]'::halfvec)", FIRST) == [
        ("text", 2)
    ]
    with pytest.raises(errors.NoDataFound, match="is not known"):
        one.execute(
            "SELECT * FROM search_embeddings(%s, '[1,2,5]'::halfvec, p_model_code => 'nothing')", [FIRST]
        )
