SELECT pg_catalog.count(DISTINCT page.loid),
       coalesce(pg_catalog.sum(pg_catalog.hashtextextended(
           page.loid || ' ' || page.pageno || ' ' || pg_catalog.encode(page.data, 'hex'), 0)::numeric), 0)::text
  FROM pg_catalog.pg_largeobject AS page
