SELECT coalesce(nullif(application_name, ''), usename::text, 'unknown'), state,
       CASE WHEN NOT pg_catalog.pg_is_in_recovery()
            THEN pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), replay_lsn)::bigint END AS bytes,
       pg_catalog.date_part('epoch', replay_lag) AS seconds
  FROM pg_catalog.pg_stat_replication
 WHERE state IS DISTINCT FROM 'backup'
 ORDER BY 1
