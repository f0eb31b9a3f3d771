SELECT pid, usename::text, application_name, backend_type, state,
       pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - xact_start) AS age,
       pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - state_change) AS idle,
       pg_catalog.left(pg_catalog.regexp_replace(query, '\s+', ' ', 'g'), 120) AS query,
       query = '<insufficient privilege>' AS hidden
  FROM pg_catalog.pg_stat_activity
 WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
   AND backend_type IS DISTINCT FROM 'parallel worker'
   AND (xact_start IS NOT NULL OR query = '<insufficient privilege>')
 ORDER BY xact_start, pid
