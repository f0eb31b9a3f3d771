SELECT 'conversion' AS kind, quote_ident(namespace.nspname) AS schema, quote_ident(conversion.conname) AS name,
       conversion.tableoid AS class, conversion.oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       pg_catalog.pg_encoding_to_char(conversion.conforencoding)::text AS "from",
       pg_catalog.pg_encoding_to_char(conversion.contoencoding)::text AS "to",
       conversion.conproc::pg_catalog.regprocedure::text AS function, conversion.condefault AS default
  FROM pg_catalog.pg_conversion AS conversion
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = conversion.connamespace
 WHERE namespace.nspname !~ '^pg_'
