SELECT DISTINCT activity.pid, activity.backend_type = 'autovacuum worker' AS autovacuum,
       activity.query LIKE '%to prevent wraparound%%' AS wraparound,
       pg_catalog.format('pid %s, %s, %s, %s since %s s, holds %s on %s: %s', activity.pid,
                         coalesce(activity.usename, activity.backend_type),
                         coalesce(nullif(activity.application_name, ''), 'no application name'),
                         coalesce(activity.state, 'active'),
                         pg_catalog.round(pg_catalog.date_part('epoch',
                             pg_catalog.clock_timestamp() - coalesce(activity.xact_start, activity.state_change))::numeric),
                         held.mode, held.relation::regclass,
                         pg_catalog.left(pg_catalog.regexp_replace(activity.query, '\s+', ' ', 'g'), 80)) AS who
  FROM pg_catalog.pg_locks AS held
  JOIN pg_catalog.pg_stat_activity AS activity ON activity.pid = held.pid
 WHERE held.locktype = 'relation' AND held.granted AND held.pid <> pg_catalog.pg_backend_pid()
   AND held.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
   AND held.relation = ANY (ARRAY(SELECT pg_catalog.to_regclass(name)::oid FROM pg_catalog.unnest(ARRAY[{{names}}]::text[]) AS name))
 ORDER BY activity.pid
 LIMIT 5
