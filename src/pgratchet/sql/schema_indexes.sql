SELECT 'index' AS kind, quote_ident(namespace.nspname) AS schema, quote_ident(relation.relname) AS name,
       relation.tableoid AS class, relation.oid AS id, 0 AS sub, relation.tableoid AS of_class, index.indrelid AS of_id,
       pg_catalog.pg_get_indexdef(relation.oid) AS definition,
       NOT index.indisvalid AS invalid, NOT index.indisready AS "not ready",
       index.indisclustered AS clustered, index.indisreplident AS "replica identity",
       (SELECT spcname FROM pg_catalog.pg_tablespace WHERE oid = relation.reltablespace) AS tablespace,
       -- Only an expression has statistics of its own.
       CASE WHEN index.indexprs IS NOT NULL THEN
           (SELECT string_agg(attnum || ': ' || attstattarget, ', ' ORDER BY attnum) FROM pg_catalog.pg_attribute
             WHERE attrelid = relation.oid AND attstattarget >= 0) END AS statistics,
       CASE WHEN relation.relispartition THEN
           (SELECT inhparent::pg_catalog.regclass::text FROM pg_catalog.pg_inherits
             WHERE inhrelid = relation.oid) END AS "attached to"
  FROM pg_catalog.pg_index AS index
  JOIN pg_catalog.pg_class AS relation ON relation.oid = index.indexrelid
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
 WHERE index.indrelid >= 16384 AND namespace.nspname !~ '^pg_'
