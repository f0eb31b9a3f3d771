SELECT held.pid, coalesce(nullif(activity.application_name, ''), 'unknown'),
       CASE WHEN activity.backend_start IS NULL THEN 'a place that is hidden from our role'
            ELSE coalesce(activity.client_hostname, pg_catalog.host(activity.client_addr), 'local') END,
       coalesce(pg_catalog.round(pg_catalog.date_part('epoch',
           pg_catalog.clock_timestamp() - activity.backend_start)::numeric)::text, '?')
  FROM pg_catalog.pg_locks AS held
  JOIN pg_catalog.pg_stat_activity AS activity ON activity.pid = held.pid
 WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 2
   AND held.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
   AND held.classid = {{classid}}::bigint::oid AND held.objid = {{objid}}::bigint::oid
