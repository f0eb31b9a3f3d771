SELECT 'schema' AS kind, quote_ident(nspname) AS schema, quote_ident(nspname) AS name,
       tableoid AS class, oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id
  FROM pg_catalog.pg_namespace
 WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
