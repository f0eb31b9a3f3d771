SELECT 'grants' AS kind, NULL AS schema, 'on ' || identity.type || ' ' || identity.identity AS name,
       0::oid AS class, held.id, held.sub, NULL::oid AS of_class, NULL::oid AS of_id,
       -- As with objects of the database's own: what differs from how it was brought.
       ARRAY(SELECT CASE WHEN had.privilege_type IS NULL THEN '' ELSE 'not ' END
                    || privilege_type || CASE WHEN is_grantable THEN ' with grant option' ELSE '' END
                    || ' to ' || CASE grantee WHEN 0 THEN 'PUBLIC'
                                              ELSE quote_ident(pg_catalog.pg_get_userbyid(grantee)) END
                    || CASE grantor WHEN held.owner THEN ''
                                    ELSE ' by ' || quote_ident(pg_catalog.pg_get_userbyid(grantor)) END
               FROM aclexplode(held.now) AS has
               FULL JOIN aclexplode(held.before) AS had USING (grantor, grantee, privilege_type, is_grantable)
              WHERE has.privilege_type IS NULL OR had.privilege_type IS NULL) AS grants
  FROM (
    SELECT privileged.class, privileged.id, privileged.sub,
           privileged.owner, coalesce(privileged.acl, usual.acl) AS now, coalesce(initial.initprivs, usual.acl) AS before
      FROM (
        SELECT tableoid AS class, oid AS id, 0 AS sub, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS type,
               relacl AS acl, relowner AS owner, relnamespace AS namespace
          FROM pg_catalog.pg_class WHERE relkind <> 'i'
         UNION ALL
        SELECT relation.tableoid, relation.oid, attribute.attnum, 'c', attribute.attacl, relation.relowner,
               relation.relnamespace
          FROM pg_catalog.pg_attribute AS attribute
          JOIN pg_catalog.pg_class AS relation ON relation.oid = attribute.attrelid
         WHERE attribute.attacl IS NOT NULL
         UNION ALL SELECT tableoid, oid, 0, 'f', proacl, proowner, pronamespace FROM pg_catalog.pg_proc
         UNION ALL SELECT tableoid, oid, 0, 'T', typacl, typowner, typnamespace FROM pg_catalog.pg_type
         UNION ALL SELECT tableoid, oid, 0, 'l', lanacl, lanowner, NULL FROM pg_catalog.pg_language WHERE oid < 16384
         UNION ALL SELECT tableoid, oid, 0, 'n', nspacl, nspowner, oid FROM pg_catalog.pg_namespace) AS privileged
      LEFT JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = privileged.namespace
      LEFT JOIN pg_catalog.pg_init_privs AS initial
        ON initial.classoid = privileged.class AND initial.objoid = privileged.id AND initial.objsubid = privileged.sub
     CROSS JOIN LATERAL (SELECT acldefault(privileged.type, privileged.owner) AS acl) AS usual
     WHERE (privileged.acl IS NOT NULL OR initial.initprivs IS NOT NULL)
       -- What PostgreSQL or an extension brought: all else is an item of its own. What information_schema had from
       -- the start is not known.
       AND (coalesce(namespace.nspname, 'pg_catalog') = 'pg_catalog'
            OR EXISTS (SELECT FROM pg_catalog.pg_depend AS membership
                        WHERE membership.classid = privileged.class AND membership.objid = privileged.id
                          AND membership.deptype = 'e'))) AS held
 CROSS JOIN LATERAL pg_catalog.pg_identify_object(held.class, held.id, held.sub) AS identity
 WHERE ARRAY(SELECT entry::text FROM unnest(held.now) AS entry ORDER BY 1)
    <> ARRAY(SELECT entry::text FROM unnest(held.before) AS entry ORDER BY 1)
