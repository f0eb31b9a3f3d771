WITH RECURSIVE family (oid, mode) AS (
    SELECT pg_catalog.to_regclass(name)::oid, mode FROM (VALUES {{targets}}) AS wanted (name, mode)
     UNION
    SELECT child.inhrelid, family.mode FROM family JOIN pg_catalog.pg_inherits AS child ON child.inhparent = family.oid
)
SELECT DISTINCT held.pid,
       -- Of another's process an ordinary role sees only that it is no user's.
       coalesce(activity.backend_type = 'autovacuum worker', activity.pid IS NOT NULL AND activity.usesysid IS NULL)
           AS autovacuum,
       coalesce(activity.query LIKE '%to prevent wraparound%%', false) AS wraparound,
       held.relation::regclass::text,
       CASE WHEN held.pid IS NULL
            THEN pg_catalog.format('prepared transaction %L of %s, for %s s, holds %s on %s', prepared.gid, prepared.owner,
                     pg_catalog.round(pg_catalog.date_part('epoch',
                         pg_catalog.clock_timestamp() - prepared.prepared)::numeric), held.mode, held.relation::regclass)
            ELSE pg_catalog.format('pid %s, %s, %s, %s for %s s, holds %s on %s: %s', held.pid,
                     coalesce(activity.usename, activity.backend_type, 'a process of the server'),
                     coalesce(nullif(activity.application_name, ''), 'no application name'),
                     coalesce(activity.state, 'active'),
                     coalesce(pg_catalog.round(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()
                         - coalesce(activity.xact_start, activity.state_change))::numeric)::text, '?'),
                     held.mode, held.relation::regclass,
                     pg_catalog.left(pg_catalog.regexp_replace(activity.query, '\s+', ' ', 'g'), 80)) END AS who
  FROM family
  JOIN pg_catalog.pg_locks AS held ON held.relation = family.oid AND held.mode = family.mode
  LEFT JOIN pg_catalog.pg_stat_activity AS activity ON activity.pid = held.pid
  LEFT JOIN pg_catalog.pg_locks AS itself
    ON held.pid IS NULL AND itself.pid IS NULL AND itself.locktype = 'transactionid'
   AND itself.virtualtransaction = held.virtualtransaction
  LEFT JOIN pg_catalog.pg_prepared_xacts AS prepared ON prepared.transaction = itself.transactionid
 WHERE held.locktype = 'relation' AND held.granted AND held.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
   AND held.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
 ORDER BY held.pid
 LIMIT 5
