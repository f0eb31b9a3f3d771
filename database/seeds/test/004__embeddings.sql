-- Test data: three embeddings that point along three axes, and one of the second tenant on the first axis.

DO $guard$
BEGIN
    IF current_setting('pgratchet.environment', true) = 'production' THEN
        RAISE EXCEPTION 'this database is marked as production: no test data goes into it';
    END IF;
END
$guard$;

INSERT INTO public.embeddings (key, tenant_id, collection_name, content, metadata, embedding)
SELECT
    public.embedding_key(fact.tenant_id::uuid, 'facts', fact.content),
    fact.tenant_id::uuid,
    'facts',
    fact.content,
    jsonb_build_object('axis', fact.axis),
    (SELECT array_agg(CASE WHEN dimension = fact.axis THEN 1 ELSE 0 END ORDER BY dimension) FROM generate_series(1, 1536) AS dimension)::halfvec
FROM (VALUES
    ('7e570000-0000-7000-8000-000000000001', 'first', 1),
    ('7e570000-0000-7000-8000-000000000001', 'second', 2),
    ('7e570000-0000-7000-8000-000000000001', 'third', 3),
    ('7e570000-0000-7000-8000-000000000002', 'first', 1)
) AS fact (tenant_id, content, axis)
ON CONFLICT (key) DO NOTHING;
