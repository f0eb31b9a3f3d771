SELECT 'extension' AS kind, NULL AS schema, quote_ident(extension.extname) AS name,
       extension.tableoid AS class, extension.oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       extension.extversion AS version, quote_ident(namespace.nspname) AS "in schema"
  FROM pg_catalog.pg_extension AS extension
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = extension.extnamespace
