SELECT pg_catalog.format('pid %s, %s, %s, %s for %s s, %s: %s', activity.pid,
                         coalesce(activity.usename, activity.backend_type, 'a process of the server'),
                         coalesce(nullif(activity.application_name, ''), 'no application name'),
                         coalesce(activity.state, 'active'),
                         coalesce(pg_catalog.round(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()
                             - coalesce(activity.xact_start, activity.state_change))::numeric)::text, '?'),
                         coalesce(found.what, 'waits before us'),
                         pg_catalog.left(pg_catalog.regexp_replace(activity.query, '\s+', ' ', 'g'), 80))
  FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids({{pid}})) AS blocker (pid)
  JOIN pg_catalog.pg_stat_activity AS activity ON activity.pid = blocker.pid
  LEFT JOIN LATERAL (
    SELECT CASE WHEN held.locktype = 'relation'
                THEN pg_catalog.format('holds %s on %s', held.mode, held.relation::regclass)
                WHEN held.locktype IN ('transactionid', 'tuple') THEN 'holds rows that it has changed'
                WHEN held.locktype = 'virtualxid' THEN 'holds a transaction open that began before ours'
                ELSE pg_catalog.format('holds a lock of the kind %s', held.locktype) END
      FROM pg_catalog.pg_locks AS waited
      JOIN pg_catalog.pg_locks AS held
        ON (held.locktype, held.database, held.relation, held.page, held.tuple, held.virtualxid, held.transactionid,
            held.classid, held.objid, held.objsubid)
           IS NOT DISTINCT FROM
           (waited.locktype, waited.database, waited.relation, waited.page, waited.tuple, waited.virtualxid,
            waited.transactionid, waited.classid, waited.objid, waited.objsubid)
     WHERE waited.pid = {{pid}} AND NOT waited.granted AND held.granted AND held.pid = activity.pid
     LIMIT 1) AS found (what) ON true
 UNION ALL
SELECT pg_catalog.format('prepared transaction %L of %s, for %s s', gid, owner,
                         pg_catalog.round(pg_catalog.date_part('epoch',
                             pg_catalog.clock_timestamp() - prepared)::numeric))
  FROM pg_catalog.pg_prepared_xacts
 WHERE 0 = ANY (pg_catalog.pg_blocking_pids({{pid}})) AND database = pg_catalog.current_database()
