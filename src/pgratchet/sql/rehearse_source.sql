SELECT pg_catalog.current_setting('server_version_num')::int / 10000,
       database.datname::text, owner.rolname::text, pg_catalog.pg_database_size(database.oid),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity
         WHERE datid = database.oid AND pid <> pg_catalog.pg_backend_pid()
           AND backend_type IS DISTINCT FROM 'autovacuum worker')::int,
       me.rolsuper OR me.rolcreatedb, me.rolsuper OR pg_catalog.pg_has_role(database.datdba, 'USAGE'),
       ARRAY(SELECT setting FROM pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) AS setting
              WHERE setdatabase = database.oid AND setrole IN (0, me.oid) ORDER BY setrole),
       pg_catalog.pg_encoding_to_char(database.encoding)::text,
       pg_catalog.to_jsonb(database),
       ARRAY(SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_')
  FROM pg_catalog.pg_database AS database
  JOIN pg_catalog.pg_roles AS owner ON owner.oid = database.datdba
  JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user
 WHERE database.datname = pg_catalog.current_database()
