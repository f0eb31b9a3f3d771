"""Pages and search in 1,000,000 messages: a deep page beside the first, a search under row level security, sizes.

Run on a database that has the migrations:

    python benchmarks/database/messages.py postgresql://localhost/bench            # or with fewer messages:
    python benchmarks/database/messages.py postgresql://localhost/bench 100000
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

import psycopg

MESSAGES = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
DEPTH = MESSAGES // 25
TENANTS = 20
WORDS = 20_000
TENANT = "be500000-0000-7000-8000-000000000001"
CONVERSATION = "be500000-0000-7000-8000-0000000000c1"
SEARCHED = ("w150", "w1500", "w15000", "w150 w200", '"w20 w40"', "w2500 -w10")

# The first tenant has one conversation of 50,000 messages; all messages lie in 1,000 conversations of 20 tenants.
# Frequent words are frequent: the number of a word is the square of a random number.
LOAD = f"""
INSERT INTO tenants (tenant_id, tenant_name)
SELECT ('be500000-0000-7000-8000-' || lpad(tenant::text, 12, '0'))::uuid, 'Tenant ' || tenant
FROM generate_series(1, {TENANTS}) AS tenant;
INSERT INTO users (tenant_id, user_id, email)
SELECT tenant_id, tenant_id, 'a@' || tenant_id || '.example' FROM tenants WHERE tenant_id::text LIKE 'be5%%';
INSERT INTO conversations (tenant_id, conversation_id, user_id)
SELECT tenant_id, ('be500000-0000-7000-8000-' || lpad(to_hex(number * 256 + 193), 12, '0'))::uuid, tenant_id
FROM generate_series(0, 999) AS number
JOIN tenants ON tenant_id = ('be500000-0000-7000-8000-' || lpad((1 + number %% {TENANTS})::text, 12, '0'))::uuid;
INSERT INTO messages (tenant_id, conversation_id, seq, role, content, payload, payload_format, created_at)
SELECT
    tenant_id, conversation_id, row_number() OVER (PARTITION BY conversation_id ORDER BY number), 'user',
    (SELECT string_agg('w' || floor({WORDS} * power(random(), 3)), ' ') FROM generate_series(1, 25) WHERE number > 0),
    '{{}}', 'benchmark/1', now() - ({MESSAGES} - number) * interval '1 second'
FROM generate_series(1, {MESSAGES}) AS number
JOIN conversations ON conversation_id = ('be500000-0000-7000-8000-' || lpad(to_hex(
    CASE WHEN number %% 20 = 0 THEN 0 ELSE number %% 1000 END * 256 + 193), 12, '0'))::uuid;
"""

SIZES = (
    "SELECT table_name, total_bytes / estimated_rows FROM database_statistics() WHERE table_name = 'messages'"
)
PAGE = "SELECT * FROM list_messages(%(tenant)s, %(conversation)s, 50, %(before)s)"
OFFSET = (
    "SELECT * FROM messages WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s "
    "ORDER BY seq DESC LIMIT 50 OFFSET %(offset)s"
)
SEARCH = "SELECT * FROM search_messages(%(tenant)s, %(query)s, 50)"
PLAIN = """
SELECT conversation_id, seq, content, ts_rank_cd(content_search, words) AS rank
FROM messages, websearch_to_tsquery('english', %(query)s) AS words
WHERE tenant_id = %(tenant)s AND content_search @@ words
ORDER BY rank DESC, conversation_id, seq LIMIT 50
"""


def median_ms(conn: psycopg.Connection[Any], sql: str, repeat: int, **values: object) -> float:
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        conn.execute(sql, values).fetchall()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def main(url: str) -> None:
    options = f"-c app.tenant_id={TENANT} -c max_parallel_workers_per_gather=0"
    with psycopg.connect(url, autocommit=True, options=options) as owner:
        if owner.execute("SELECT FROM tenants WHERE tenant_id = %s", [TENANT]).rowcount == 0:
            owner.execute(LOAD.replace("%%", "%"))
            owner.execute("VACUUM ANALYZE messages")
        top: int = owner.execute(
            "SELECT max(seq) FROM messages WHERE conversation_id = %s", [CONVERSATION]
        ).fetchall()[0][0]
        with psycopg.connect(url, autocommit=True, options=options) as application:
            application.execute("SET ROLE semantic_kernel_app")
            for table, size in owner.execute(SIZES).fetchall():
                print(f"{table}: {size} bytes a row, with indexes")
            where: dict[str, Any] = {"tenant": TENANT, "conversation": CONVERSATION}
            first = median_ms(application, PAGE, 40, **where, before=2**62)
            deep = median_ms(application, PAGE, 40, **where, before=top - DEPTH)
            offset = median_ms(application, OFFSET, 10, **where, offset=DEPTH)
            print(
                f"page of 50: first {first:.2f} ms, at depth {DEPTH:,} {deep:.2f} ms ({deep / first:.2f} times)"
            )
            print(f"the same by OFFSET {DEPTH:,}: {offset:.2f} ms")
            for query in SEARCHED:
                values: dict[str, Any] = {"tenant": TENANT, "query": query}
                hits = len(application.execute(SEARCH, values).fetchall())
                ours = median_ms(application, SEARCH, 15, **values)
                free = median_ms(owner, PLAIN, 15, **values)
                under = median_ms(application, PLAIN, 5, **values)
                print(
                    f"search {query:12} {hits:3} hits shown: search_messages under RLS {ours:7.2f} ms, "
                    f"plain without RLS {free:7.2f} ms ({ours / free:.2f} times), plain under RLS {under:8.2f} ms"
                )


if __name__ == "__main__":
    main(sys.argv[1])
