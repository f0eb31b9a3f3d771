SELECT pg_catalog.format('pid %s, %s, %s, %s since %s s: %s', activity.pid, activity.usename,
                         coalesce(nullif(activity.application_name, ''), 'no application name'), activity.state,
                         pg_catalog.round(pg_catalog.date_part('epoch',
                             pg_catalog.clock_timestamp() - coalesce(activity.xact_start, activity.state_change))::numeric),
                         pg_catalog.left(pg_catalog.regexp_replace(activity.query, '\s+', ' ', 'g'), 80))
  FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids({{pid}})) AS blocker (pid)
  JOIN pg_catalog.pg_stat_activity AS activity ON activity.pid = blocker.pid
