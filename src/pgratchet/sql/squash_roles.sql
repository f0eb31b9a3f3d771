SELECT role.rolname::text,
       pg_catalog.format('CREATE ROLE %I', role.rolname)
           || CASE WHEN role.rolcanlogin THEN ' LOGIN' ELSE ' NOLOGIN' END
           || CASE WHEN role.rolsuper THEN ' SUPERUSER' ELSE '' END
           || CASE WHEN role.rolcreatedb THEN ' CREATEDB' ELSE '' END
           || CASE WHEN role.rolcreaterole THEN ' CREATEROLE' ELSE '' END
           || CASE WHEN role.rolinherit THEN '' ELSE ' NOINHERIT' END
           || CASE WHEN role.rolreplication THEN ' REPLICATION' ELSE '' END
           || CASE WHEN role.rolbypassrls THEN ' BYPASSRLS' ELSE '' END
           || CASE role.rolconnlimit WHEN -1 THEN '' ELSE ' CONNECTION LIMIT ' || role.rolconnlimit END AS creation,
       ARRAY(SELECT head.rolname::text
               FROM pg_catalog.pg_auth_members AS membership
               JOIN pg_catalog.pg_roles AS head ON head.oid = membership.roleid
              WHERE membership.member = role.oid
              ORDER BY head.rolname) AS member_of
  FROM pg_catalog.pg_roles AS role
 WHERE role.rolname !~ '^pg_'
   AND role.rolname <> current_user
 ORDER BY role.rolname
