SELECT pg_catalog.current_setting('server_version_num')::int AS version,
       pg_catalog.current_setting('TimeZone') AS timezone,
       ARRAY(SELECT name::text FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) AS name) AS search_path,
       (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS superuser,
       (SELECT setting::bigint * 1024 FROM pg_catalog.pg_settings WHERE name = 'maintenance_work_mem') AS memory,
       (SELECT pg_catalog.jsonb_object_agg(extname, extversion) FROM pg_catalog.pg_extension) AS extensions
