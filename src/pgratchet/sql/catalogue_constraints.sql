SELECT ARRAY[namespace.nspname, relation.relname]::text[] AS owner,
       found.conname::text AS name,
       found.contype::text AS kind,
       ARRAY(
           SELECT attname::text
             FROM pg_catalog.unnest(found.conkey) WITH ORDINALITY AS key (number, place)
             JOIN pg_catalog.pg_attribute ON attrelid = relation.oid AND attnum = key.number
            ORDER BY key.place) AS columns,
       found.convalidated AS valid,
       coalesce(pg_catalog.pg_get_expr(found.conbin, found.conrelid), '') AS expression,
       (SELECT ARRAY[others.nspname, other.relname]::text[]
          FROM pg_catalog.pg_class AS other
          JOIN pg_catalog.pg_namespace AS others ON others.oid = other.relnamespace
         WHERE other.oid = found.confrelid) AS target,
       found.condeferred AS deferred
  FROM pg_catalog.pg_constraint AS found
  JOIN pg_catalog.pg_class AS relation ON relation.oid = found.conrelid
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
 WHERE namespace.nspname <> 'information_schema'
   AND NOT pg_catalog.starts_with(namespace.nspname::text, 'pg_')
