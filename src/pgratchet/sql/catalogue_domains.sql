SELECT ARRAY[namespace.nspname, found.typname]::text[] AS name,
       pg_catalog.format_type(found.typbasetype, found.typtypmod) AS base,
       found.typnotnull OR EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE contypid = found.oid) AS constrained,
       coalesce(found.typdefault, '') AS initial
  FROM pg_catalog.pg_type AS found
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = found.typnamespace
 WHERE found.typtype = 'd'
   AND namespace.nspname <> 'information_schema'
   AND NOT pg_catalog.starts_with(namespace.nspname::text, 'pg_')
