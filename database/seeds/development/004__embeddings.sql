-- Development data: what the shop knows, with embeddings that need no model. Each word of a text counts in one
-- of the 1536 dimensions, chosen by the first four bytes of its SHA-256; the vector is then brought to length
-- one. Texts with words in common are near each other, which is enough to try out a search without a network.

DO $guard$
BEGIN
    IF current_setting('pgratchet.environment', true) = 'production' THEN
        RAISE EXCEPTION 'this database is marked as production: no development data goes into it';
    END IF;
END
$guard$;

WITH fact (tenant_id, collection_name, content, metadata) AS (
    VALUES
        ('0d000000-0000-7000-8000-000000000001'::uuid, 'shop', 'The shop opens at nine on working days and at eleven on holidays.', '{"topic": "hours"}'::jsonb),
        ('0d000000-0000-7000-8000-000000000001', 'shop', 'On Mondays the shop stays closed.', '{"topic": "hours"}'),
        ('0d000000-0000-7000-8000-000000000001', 'shop', 'Books can be returned within fourteen days with the receipt.', '{"topic": "returns"}'),
        ('0d000000-0000-7000-8000-000000000001', 'shop', 'Orders of more than fifty euros are sent without postage.', '{"topic": "delivery"}'),
        ('0d000000-0000-7000-8000-000000000001', 'books', 'The sea atlas shows every harbour from Narvik to Cadiz.', '{"topic": "atlas", "shelf": 4}'),
        ('0d000000-0000-7000-8000-000000000001', 'books', 'A garden by the sea tells of plants that bear salt and wind.', '{"topic": "gardens", "shelf": 7}'),
        ('0d000000-0000-7000-8000-000000000002', 'notes', 'The path from the lighthouse to the old mole takes an hour.', '{"topic": "walks"}'),
        ('0d000000-0000-7000-8000-000000000002', 'notes', 'On Mondays the shop stays closed.', '{"topic": "hours"}')
), counted AS (
    SELECT
        fact.*,
        position.dimension,
        count(word.hash) AS amount
    FROM fact
    CROSS JOIN generate_series(0, 1535) AS position (dimension)
    LEFT JOIN LATERAL (
        SELECT sha256(convert_to(found.parts[1], 'UTF8')) AS hash
        FROM regexp_matches(lower(fact.content), '[a-z0-9]+', 'g') AS found (parts)
    ) AS word
      ON (get_byte(word.hash, 0)::bigint * 16777216 + get_byte(word.hash, 1) * 65536
          + get_byte(word.hash, 2) * 256 + get_byte(word.hash, 3)) % 1536 = position.dimension
    GROUP BY fact.tenant_id, fact.collection_name, fact.content, fact.metadata, position.dimension
), embedded AS (
    SELECT
        counted.tenant_id,
        counted.collection_name,
        counted.content,
        counted.metadata,
        l2_normalize(array_agg(counted.amount::real ORDER BY counted.dimension)::vector)::halfvec(1536) AS embedding
    FROM counted
    GROUP BY counted.tenant_id, counted.collection_name, counted.content, counted.metadata
)
INSERT INTO public.embeddings (key, tenant_id, collection_name, content, metadata, embedding)
SELECT
    public.embedding_key(embedded.tenant_id, embedded.collection_name, embedded.content),
    embedded.tenant_id,
    embedded.collection_name,
    embedded.content,
    embedded.metadata,
    embedded.embedding
FROM embedded
ON CONFLICT (key) DO NOTHING;
