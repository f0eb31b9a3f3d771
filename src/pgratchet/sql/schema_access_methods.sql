SELECT 'access method' AS kind, NULL AS schema, quote_ident(amname) AS name,
       tableoid AS class, oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       CASE amtype WHEN 't' THEN 'table' ELSE 'index' END AS type, amhandler::pg_catalog.regprocedure::text AS handler
  FROM pg_catalog.pg_am
 WHERE oid >= 16384
