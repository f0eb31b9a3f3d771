SELECT relation.oid::bigint, pg_catalog.quote_ident(namespace.nspname) || '.' || pg_catalog.quote_ident(relation.relname),
       relation.relkind::text,
       coalesce(pg_catalog.pg_partition_root(relation.oid), relation.oid)::bigint,
       ARRAY(SELECT pg_catalog.quote_ident(attname) FROM pg_catalog.pg_attribute
              WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
              ORDER BY attnum),
       ARRAY(SELECT pg_catalog.quote_ident(attname)
               FROM pg_catalog.pg_constraint
               JOIN pg_catalog.pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
              WHERE conrelid = relation.oid AND contype = 'p'
              ORDER BY attnum),
       ARRAY(SELECT pg_catalog.quote_ident(attname) FROM pg_catalog.pg_attribute
              WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped AND attlen > 0
              ORDER BY attnum)
  FROM pg_catalog.pg_class AS relation
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
 WHERE relation.oid = ANY (pg_catalog.string_to_array(%(oids)s, ',')::oid[])
 ORDER BY 2
