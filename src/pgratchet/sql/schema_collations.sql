SELECT 'collation' AS kind, quote_ident(namespace.nspname) AS schema, quote_ident(ordering.collname) AS name,
       ordering.tableoid AS class, ordering.oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       CASE ordering.collprovider WHEN 'i' THEN 'icu' WHEN 'c' THEN 'libc' WHEN 'b' THEN 'builtin' ELSE 'default' END
           AS provider,
       NOT ordering.collisdeterministic AS nondeterministic,
       ordering.collcollate AS "sort order", ordering.collctype AS "character types",
       -- PostgreSQL 17 has given it another name; the rules came with 16.
       coalesce(to_jsonb(ordering) ->> 'colllocale', to_jsonb(ordering) ->> 'colliculocale') AS locale,
       to_jsonb(ordering) ->> 'collicurules' AS rules
  FROM pg_catalog.pg_collation AS ordering
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = ordering.collnamespace
 WHERE namespace.nspname !~ '^pg_' AND namespace.nspname <> 'information_schema'
