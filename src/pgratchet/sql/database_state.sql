SELECT pg_catalog.to_regclass(%(history)s) IS NOT NULL AS has_history,
       NOT EXISTS (
           SELECT
             FROM pg_catalog.pg_class AS relation
             JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
            WHERE namespace.nspname NOT IN ('pg_catalog', 'information_schema')
              AND namespace.nspname !~ '^pg_(toast|temp)'
              AND relation.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
              AND (relation.oid = ANY (ARRAY[pg_catalog.to_regclass(%(history)s), pg_catalog.to_regclass(%(body)s),
                                             pg_catalog.to_regclass(%(repeatable)s)]::oid[])) IS NOT TRUE
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend
                               WHERE classid = 'pg_catalog.pg_class'::regclass
                                 AND objid = relation.oid AND deptype = 'e'))
       AND NOT EXISTS (
           SELECT
             FROM pg_catalog.pg_proc AS routine
             JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = routine.pronamespace
            WHERE namespace.nspname NOT IN ('pg_catalog', 'information_schema')
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend
                               WHERE classid = 'pg_catalog.pg_proc'::regclass
                                 AND objid = routine.oid AND deptype = 'e'))
       AND NOT EXISTS (
           SELECT
             FROM pg_catalog.pg_type AS kind
             JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = kind.typnamespace
            WHERE namespace.nspname NOT IN ('pg_catalog', 'information_schema')
              AND kind.typtype IN ('d', 'e', 'r')
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend
                               WHERE classid = 'pg_catalog.pg_type'::regclass
                                 AND objid = kind.oid AND deptype = 'e')) AS empty,
       pg_catalog.current_setting('max_locks_per_transaction')::int
           * (pg_catalog.current_setting('max_connections')::int
              + pg_catalog.current_setting('max_prepared_transactions')::int) AS locks,
       pg_catalog.pg_is_in_recovery() AS standby,
       pg_catalog.current_database() AS name
