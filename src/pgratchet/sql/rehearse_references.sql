SELECT coalesce(pg_catalog.pg_partition_root(conrelid), conrelid)::bigint,
       coalesce(pg_catalog.pg_partition_root(confrelid), confrelid)::bigint,
       ARRAY(SELECT pg_catalog.quote_ident(attname)
               FROM pg_catalog.unnest(conkey) WITH ORDINALITY AS part (number, place)
               JOIN pg_catalog.pg_attribute ON attrelid = conrelid AND attnum = number
              ORDER BY place),
       ARRAY(SELECT pg_catalog.format_type(atttypid, atttypmod)
               FROM pg_catalog.unnest(conkey) WITH ORDINALITY AS part (number, place)
               JOIN pg_catalog.pg_attribute ON attrelid = conrelid AND attnum = number
              ORDER BY place),
       ARRAY(SELECT pg_catalog.quote_ident(attname)
               FROM pg_catalog.unnest(confkey) WITH ORDINALITY AS part (number, place)
               JOIN pg_catalog.pg_attribute ON attrelid = confrelid AND attnum = number
              ORDER BY place),
       ARRAY(SELECT 'OPERATOR(' || pg_catalog.quote_ident(nspname) || '.' || oprname || ')'
               FROM pg_catalog.unnest(conpfeqop) WITH ORDINALITY AS part (number, place)
               JOIN pg_catalog.pg_operator AS operator ON operator.oid = number
               JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = oprnamespace
              ORDER BY place)
  FROM pg_catalog.pg_constraint
 WHERE contype = 'f' AND conparentid = 0
 ORDER BY 1, 2, conname
