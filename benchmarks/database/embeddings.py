"""Recall and cost of vector search among clustered vectors, with and without a filter.

Run on an empty database that has the migrations:

    python benchmarks/database/embeddings.py postgresql://localhost/bench               # 100,000 of 384
    python benchmarks/database/embeddings.py postgresql://localhost/bench 20000 1536    # fewer and longer

The vectors are made by the server: overlapping Gaussian clusters whose spectrum decays, as that of real
embeddings does. Well separated clusters would give every index a recall of one.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

ROWS = int(sys.argv[2]) if len(sys.argv) > 3 else 100_000
DIMENSIONS = int(sys.argv[3]) if len(sys.argv) > 3 else 384
CLUSTERS = 100
PARTS = ("table", "HNSW index")
QUERIES = 200
TENANT = "be000000-0000-7000-8000-000000000001"
SMALL_TENANT = "be000000-0000-7000-8000-000000000002"
MODEL = f"bench-{DIMENSIONS}"
TABLE = f"embeddings_bench_{DIMENSIONS}"

PREPARE = f"""
INSERT INTO tenants (tenant_id, tenant_name, plan_code) VALUES
    ('{TENANT}', 'Large', 'unlimited'), ('{SMALL_TENANT}', 'Small', 'unlimited')
ON CONFLICT DO NOTHING;
INSERT INTO embedding_models (model_code, provider, dimensions, table_name)
VALUES ('{MODEL}', 'benchmark', {DIMENSIONS}, '{TABLE}') ON CONFLICT DO NOTHING;
SELECT create_embedding_table('{MODEL}');
DROP INDEX {TABLE}_embedding_idx;
SELECT setseed(0.42);
CREATE TABLE bench_center AS
SELECT cluster, array_agg(random_normal() / sqrt(1 + dimension / 16.0) ORDER BY dimension) AS center
FROM generate_series(1, {CLUSTERS}) AS cluster, generate_series(1, {DIMENSIONS}) AS dimension
GROUP BY cluster;
"""

# One row in a hundred belongs to the small tenant; of the large one's rows, one in a hundred is tagged.
LOAD = f"""
INSERT INTO {TABLE} (key, tenant_id, collection_name, content, metadata, embedding)
SELECT
    'row ' || number,
    CASE WHEN number % 100 = 0 THEN '{SMALL_TENANT}' ELSE '{TENANT}' END::uuid,
    'bench',
    'text ' || number,
    jsonb_build_object('tag', number % 101),
    (SELECT array_agg(value + random_normal() / sqrt(1 + dimension / 16.0))
     FROM unnest(center) WITH ORDINALITY AS of_center (value, dimension))::vector::halfvec
FROM generate_series(1, {ROWS}) AS number
JOIN bench_center ON cluster = 1 + number * 7919 % {CLUSTERS};
CREATE TABLE bench_query AS
SELECT
    number,
    (SELECT array_agg(value + random_normal() / sqrt(1 + dimension / 16.0))
     FROM unnest(center) WITH ORDINALITY AS of_center (value, dimension))::vector::halfvec AS query
FROM generate_series(1, {QUERIES}) AS number
JOIN bench_center ON cluster = 1 + number % {CLUSTERS};
GRANT SELECT ON bench_query TO PUBLIC;
"""

SEARCH = (
    "SELECT key FROM search_embeddings(%(tenant)s, %(query)s::halfvec, 10, NULL, %(filter)s::jsonb, NULL, "
    f"'{MODEL}', %(exact)s)"
)
PLAIN = f"SELECT key FROM {TABLE} ORDER BY embedding <=> %(query)s::halfvec LIMIT 10"


def cpu_seconds(pid: int) -> float:
    """Time a server process of this machine has spent on a processor."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(
    conn: psycopg.Connection[Any], sql: str, queries: list[str], **values: object
) -> tuple[list[set[str]], float, float]:
    """All queries once: what each found, and milliseconds on the processor and on the clock for one."""
    pid = conn.info.backend_pid
    for query in queries[:5]:
        conn.execute(sql, {**values, "query": query})
    cpu, clock = cpu_seconds(pid), time.perf_counter()
    found = [{row[0] for row in conn.execute(sql, {**values, "query": query})} for query in queries]
    share = 1000 / len(queries)
    return found, (cpu_seconds(pid) - cpu) * share, (time.perf_counter() - clock) * share


def report(title: str, truth: list[set[str]], measured: tuple[list[set[str]], float, float]) -> None:
    found, cpu, clock = measured
    recall = sum(len(a & b) for a, b in zip(truth, found, strict=True)) / sum(len(a) for a in truth)
    fewest = min(len(rows) for rows in found)
    print(
        f"{title:44} recall@10 {recall:.3f}  fewest rows {fewest:2}  cpu {cpu:6.2f} ms  clock {clock:6.2f} ms"
    )


def main(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        if owner.execute("SELECT to_regclass('bench_query')").fetchone() == (None,):
            owner.execute(PREPARE)
            owner.execute(LOAD)
            began = time.perf_counter()
            owner.execute(
                f"CREATE INDEX {TABLE}_embedding_idx ON {TABLE} USING hnsw (embedding halfvec_cosine_ops) "
                "WITH (m = 16, ef_construction = 64)"
            )
            print(f"index built in {time.perf_counter() - began:.0f} s")
            owner.execute(f"VACUUM ANALYZE {TABLE}")
        size = owner.execute(
            f"SELECT pg_table_size('{TABLE}'), pg_relation_size('{TABLE}_embedding_idx')"
        ).fetchall()
        print(
            "bytes a row: "
            + ", ".join(f"{part} {total // ROWS}" for part, total in zip(PARTS, size[0], strict=True))
        )
        queries = [row[0] for row in owner.execute("SELECT query::text FROM bench_query ORDER BY number")]

    def app(tenant: str) -> psycopg.Connection[Any]:
        conn = psycopg.connect(url, autocommit=True, options=f"-c app.tenant_id={tenant}")
        conn.execute("SET ROLE semantic_kernel_app")
        return conn

    with app(TENANT) as large, app(SMALL_TENANT) as small:
        every = {"tenant": TENANT, "filter": "{}"}
        truth = run(large, SEARCH, queries, **every, exact=True)
        report("99 % of the rows, exact", truth[0], truth)
        report(
            "99 % of the rows, search_embeddings", truth[0], run(large, SEARCH, queries, **every, exact=None)
        )
        report("99 % of the rows, plain query under RLS", truth[0], run(large, PLAIN, queries))

        tagged = {"tenant": TENANT, "filter": '{"tag": 7}'}
        truth = run(large, SEARCH, queries, **tagged, exact=True)
        report("filter on metadata leaves 1 %", truth[0], run(large, SEARCH, queries, **tagged, exact=None))
        report("the same by the index alone", truth[0], run(large, SEARCH, queries, **tagged, exact=False))

        own = {"tenant": SMALL_TENANT, "filter": "{}"}
        truth = run(small, SEARCH, queries, **own, exact=True)
        report("tenant with 1 % of the rows", truth[0], run(small, SEARCH, queries, **own, exact=None))
        report("the same, plain query under RLS", truth[0], run(small, PLAIN, queries))


if __name__ == "__main__":
    main(sys.argv[1])
