SELECT slot_name::text, active, wal_status,
       CASE WHEN NOT pg_catalog.pg_is_in_recovery()
            THEN pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn)::bigint END AS retained
  FROM pg_catalog.pg_replication_slots
 ORDER BY slot_name
