SELECT 'statistics' AS kind, quote_ident(namespace.nspname) AS schema, quote_ident(statistic.stxname) AS name,
       statistic.tableoid AS class, statistic.oid AS id, 0 AS sub,
       'pg_catalog.pg_class'::pg_catalog.regclass::oid AS of_class, statistic.stxrelid AS of_id,
       pg_catalog.pg_get_statisticsobjdef(statistic.oid) AS definition,
       nullif(statistic.stxstattarget::int, -1)::text AS statistics
  FROM pg_catalog.pg_statistic_ext AS statistic
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = statistic.stxnamespace
