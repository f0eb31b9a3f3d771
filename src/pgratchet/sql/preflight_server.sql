WITH history AS (
    SELECT name, pg_catalog.to_regclass(name)::oid AS oid FROM pg_catalog.unnest(ARRAY[{{history}}]::text[]) AS name
)
SELECT pg_catalog.current_database(), CURRENT_USER::text, role.rolsuper,
       pg_catalog.pg_is_in_recovery() AS standby,
       pg_catalog.current_setting('transaction_read_only') = 'on' AS read_only,
       pg_catalog.current_setting('max_locks_per_transaction')::int
           * (pg_catalog.current_setting('max_connections')::int
              + pg_catalog.current_setting('max_prepared_transactions')::int) AS locks,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS creates_in_database,
       (SELECT pg_catalog.has_schema_privilege(oid, 'CREATE')
          FROM pg_catalog.pg_namespace WHERE nspname = {{schema}}) AS creates_in_schema,
       (SELECT oid IS NOT NULL FROM history LIMIT 1) AS has_history,
       ARRAY(SELECT pg_catalog.format('%s ON %s', wanted, name)
               FROM history CROSS JOIN pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS wanted
              WHERE oid IS NOT NULL AND NOT pg_catalog.has_table_privilege(oid, wanted)) AS missing_rights,
       EXISTS (SELECT FROM pg_catalog.pg_roles
                WHERE rolname IN ('rds_superuser', 'azure_pg_admin', 'cloudsqlsuperuser', 'alloydbsuperuser',
                                  'neon_superuser', 'supabase_admin', 'tsdbadmin')
                  AND pg_catalog.pg_has_role(oid, 'MEMBER'))
           OR pg_catalog.current_setting('supautils.privileged_extensions', true) <> ''
           OR pg_catalog.current_setting('extwlist.extensions', true) <> '' AS provider
  FROM pg_catalog.pg_roles AS role
 WHERE role.rolname = CURRENT_USER
