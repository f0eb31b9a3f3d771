SELECT role.rolname::text,
       pg_catalog.format('CREATE ROLE %I', role.rolname)
           || CASE WHEN role.rolcanlogin THEN ' LOGIN' ELSE ' NOLOGIN' END
           || CASE WHEN role.rolsuper THEN ' SUPERUSER' ELSE '' END
           || CASE WHEN role.rolcreatedb THEN ' CREATEDB' ELSE '' END
           || CASE WHEN role.rolcreaterole THEN ' CREATEROLE' ELSE '' END
           || CASE WHEN role.rolinherit THEN '' ELSE ' NOINHERIT' END
           || CASE WHEN role.rolreplication THEN ' REPLICATION' ELSE '' END
           || CASE WHEN role.rolbypassrls THEN ' BYPASSRLS' ELSE '' END
           || CASE role.rolconnlimit WHEN -1 THEN '' ELSE ' CONNECTION LIMIT ' || role.rolconnlimit END
           || coalesce(' VALID UNTIL ' || pg_catalog.quote_literal(role.rolvaliduntil), '') AS creation,
       ARRAY(SELECT pg_catalog.format('ALTER ROLE %I SET %I TO %s', role.rolname, setting.name,
                        CASE WHEN setting.name IN ('search_path', 'temp_tablespaces', 'session_preload_libraries',
                                                   'local_preload_libraries')
                             THEN coalesce(nullif(setting.value, ''), '''''')  -- a list, as SQL writes it
                             ELSE pg_catalog.quote_literal(setting.value) END)
               FROM pg_catalog.unnest(role.rolconfig) AS held (entry)
              CROSS JOIN LATERAL (SELECT pg_catalog.split_part(held.entry, '=', 1),
                                         pg_catalog.substr(held.entry, pg_catalog.strpos(held.entry, '=') + 1)
                                 ) AS setting (name, value)) AS settings,
       ARRAY(SELECT head.rolname::text
               FROM pg_catalog.pg_auth_members AS membership
               JOIN pg_catalog.pg_roles AS head ON head.oid = membership.roleid
              WHERE membership.member = role.oid
              ORDER BY head.rolname) AS member_of
  FROM pg_catalog.pg_roles AS role
 WHERE role.rolname !~ '^pg_'
   AND role.rolname <> current_user
 ORDER BY role.rolname
