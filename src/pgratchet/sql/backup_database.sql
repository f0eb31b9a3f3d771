SELECT pg_catalog.to_jsonb(database) || pg_catalog.jsonb_build_object(
           'encoding', pg_catalog.pg_encoding_to_char(database.encoding),
           'owner', pg_catalog.pg_get_userbyid(database.datdba),
           'comment', pg_catalog.shobj_description(database.oid, 'pg_database'),
           'settings', (
               SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                          'role', role.rolname, 'setting', setting.text) ORDER BY role.rolname, setting.text)
                 FROM pg_catalog.pg_db_role_setting AS stored
                 LEFT JOIN pg_catalog.pg_roles AS role ON role.oid = stored.setrole
                 CROSS JOIN LATERAL pg_catalog.unnest(stored.setconfig) AS setting (text)
                WHERE stored.setdatabase = database.oid),
           'privileges', (
               SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                          'role', role.rolname, 'privilege', granted.privilege_type, 'grantable', granted.is_grantable)
                          ORDER BY role.rolname, granted.privilege_type)
                 FROM pg_catalog.aclexplode(database.datacl) AS granted
                 LEFT JOIN pg_catalog.pg_roles AS role ON role.oid = granted.grantee))
  FROM pg_catalog.pg_database AS database
 WHERE database.datname = pg_catalog.current_database()
