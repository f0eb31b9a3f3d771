SELECT current_setting('server_version_num')::int / 10000 AS major,
       pg_catalog.pg_get_userbyid(history.relowner)::text AS owner,
       ARRAY(SELECT 'table ' || quote_ident(namespace.nspname) || '.' || quote_ident(relation.relname)
               FROM pg_catalog.pg_class AS relation
               JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
              WHERE relation.oid = ANY (ARRAY[to_regclass(%(history)s), to_regclass(%(body)s),
                                              to_regclass(%(repeatable)s)]::oid[])) AS tables,
       ARRAY(SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_') AS roles
  FROM pg_catalog.pg_class AS history
 WHERE history.oid = to_regclass(%(history)s)
