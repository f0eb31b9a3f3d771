SELECT held.class, held.id, held.sub, 'grants' AS property, (
           -- What differs from the privileges that such an object has by itself, so that to grant and to revoke leaves
           -- nothing behind.
           SELECT string_agg(line, ', ' ORDER BY line COLLATE "C") FROM (
               SELECT CASE WHEN had.privilege_type IS NULL THEN '' ELSE 'not ' END
                      || privilege_type || CASE WHEN is_grantable THEN ' with grant option' ELSE '' END
                      || ' to ' || CASE grantee WHEN 0 THEN 'PUBLIC'
                                                ELSE quote_ident(pg_catalog.pg_get_userbyid(grantee)) END
                      || CASE grantor WHEN held.owner THEN ''
                                      ELSE ' by ' || quote_ident(pg_catalog.pg_get_userbyid(grantor)) END AS line
                 FROM aclexplode(held.acl) AS has
                 FULL JOIN aclexplode(acldefault(held.type, held.owner)) AS had
                      USING (grantor, grantee, privilege_type, is_grantable)
                WHERE has.privilege_type IS NULL OR had.privilege_type IS NULL) AS lines) AS value
  FROM (
    SELECT tableoid AS class, oid AS id, 0 AS sub, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS type,
           relowner AS owner, relacl AS acl FROM pg_catalog.pg_class
     UNION ALL
    SELECT relation.tableoid, relation.oid, attribute.attnum, 'c', relation.relowner, attribute.attacl
      FROM pg_catalog.pg_attribute AS attribute JOIN pg_catalog.pg_class AS relation ON relation.oid = attribute.attrelid
     UNION ALL SELECT tableoid, oid, 0, 'f', proowner, proacl FROM pg_catalog.pg_proc
     UNION ALL SELECT tableoid, oid, 0, 'T', typowner, typacl FROM pg_catalog.pg_type
     UNION ALL SELECT tableoid, oid, 0, 'n', nspowner, nspacl FROM pg_catalog.pg_namespace
     UNION ALL SELECT tableoid, oid, 0, 'l', lanowner, lanacl FROM pg_catalog.pg_language
     UNION ALL SELECT tableoid, oid, 0, 'F', fdwowner, fdwacl FROM pg_catalog.pg_foreign_data_wrapper
     UNION ALL SELECT tableoid, oid, 0, 'S', srvowner, srvacl FROM pg_catalog.pg_foreign_server
     UNION ALL SELECT tableoid, oid, 0, 'd', datdba, datacl FROM pg_catalog.pg_database WHERE datname = current_database()
    ) AS held
 WHERE held.acl IS NOT NULL
   AND (held.id >= 16384 OR held.class IN ('pg_catalog.pg_namespace'::pg_catalog.regclass,
                                           'pg_catalog.pg_database'::pg_catalog.regclass))
