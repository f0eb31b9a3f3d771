SELECT namespace.nspname::text, partition.relname::text, entry.inhparent::regclass::text
  FROM pg_catalog.pg_inherits AS entry
  JOIN pg_catalog.pg_class AS partition ON partition.oid = entry.inhrelid
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = partition.relnamespace
 WHERE entry.inhdetachpending
 ORDER BY 1, 2
