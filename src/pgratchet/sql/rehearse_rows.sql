SELECT pg_catalog.count(*)::bigint,
       coalesce(pg_catalog.sum(pg_catalog.hashtextextended(item::text, 0)), 0)::text
  FROM ONLY {{relation}} AS item
