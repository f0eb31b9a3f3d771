SELECT pid, relation::bigint, mode, granted
  FROM pg_catalog.pg_locks
 WHERE locktype = 'relation' AND relation >= 16384 AND pid IN ({{pids}})
   AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
