SELECT held.pid, activity.application_name, coalesce(activity.client_hostname, activity.client_addr::text, 'local'),
       activity.backend_start, activity.state, pg_catalog.left(activity.query, 80)
  FROM pg_catalog.pg_locks AS held
  LEFT JOIN pg_catalog.pg_stat_activity AS activity ON activity.pid = held.pid
 WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 2
   AND held.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
   AND held.classid = {{classid}}::bigint::oid AND held.objid = {{objid}}::bigint::oid
