SELECT pg_catalog.current_setting('server_version_num')::int,
       pg_catalog.current_setting('server_version'),
       pg_catalog.now(),
       (SELECT pg_catalog.jsonb_object_agg(extension.extname, extension.extversion)
          FROM pg_catalog.pg_extension AS extension WHERE extension.extname <> 'plpgsql'),
       ARRAY(SELECT DISTINCT role.rolname::text
               FROM pg_catalog.pg_shdepend AS needed
               JOIN pg_catalog.pg_roles AS role ON role.oid = needed.refobjid
              WHERE needed.refclassid = 'pg_catalog.pg_authid'::regclass
                AND (needed.dbid = own.oid OR needed.classid = 'pg_catalog.pg_database'::regclass
                     AND needed.objid = own.oid)
              UNION
             SELECT role.rolname::text
               FROM pg_catalog.pg_db_role_setting AS stored
               JOIN pg_catalog.pg_roles AS role ON role.oid = stored.setrole
              WHERE stored.setdatabase = own.oid
              UNION
             -- Of the role that initdb made no dependence is kept.
             SELECT pg_catalog.pg_get_userbyid(10)::text
              WHERE own.datdba = 10
                 OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE relowner = 10 AND oid >= 16384)
                 OR EXISTS (SELECT FROM pg_catalog.pg_proc WHERE proowner = 10 AND oid >= 16384)
                 OR EXISTS (SELECT FROM pg_catalog.pg_type WHERE typowner = 10 AND oid >= 16384)
                 OR EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspowner = 10 AND oid >= 16384)
              ORDER BY 1)
  FROM pg_catalog.pg_database AS own
 WHERE own.datname = pg_catalog.current_database()
