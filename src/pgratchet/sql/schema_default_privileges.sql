SELECT 'default privileges' AS kind, quote_ident(namespace.nspname) AS schema,
       'of ' || quote_ident(pg_catalog.pg_get_userbyid(held.defaclrole)) || coalesce(' in ' || quote_ident(namespace.nspname), '')
           || ' on ' || CASE held.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                                                WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END AS name,
       held.tableoid AS class, held.oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       ARRAY(SELECT privilege.privilege_type || CASE WHEN privilege.is_grantable THEN ' with grant option' ELSE '' END
                    || ' to ' || CASE privilege.grantee WHEN 0 THEN 'PUBLIC'
                                      ELSE quote_ident(pg_catalog.pg_get_userbyid(privilege.grantee)) END
               FROM aclexplode(held.defaclacl) AS privilege) AS grants
  FROM pg_catalog.pg_default_acl AS held
  LEFT JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = held.defaclnamespace
