-- 50,000 embeddings: sums of two of a few hundred random vectors, which are quickly made; the index after them.
CREATE TEMPORARY TABLE part AS
SELECT number, (SELECT array_agg(random() - 0.5) FROM generate_series(1, 1536) WHERE number > 0)::vector::halfvec AS one
FROM generate_series(1, 450) AS number;
CREATE TEMPORARY TABLE definition AS SELECT pg_get_indexdef('embeddings_embedding_idx'::regclass) AS sql;
DROP INDEX embeddings_embedding_idx;
INSERT INTO embeddings (key, tenant_id, collection_name, content, embedding)
SELECT 'row ' || row_number() OVER (), 'be500000-0000-7000-8000-000000000001', 'documents', 'text ' || a.number || ' and ' || b.number, a.one + b.one
FROM part AS a JOIN part AS b ON a.number < b.number LIMIT 50000;
SET maintenance_work_mem = '1GB';
DO $$ BEGIN EXECUTE (SELECT sql FROM definition); END $$;
DROP TABLE part, definition;
