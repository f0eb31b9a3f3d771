SELECT relation.oid::bigint,
       CASE WHEN main.oid IS NOT NULL
            THEN CASE relation.relkind WHEN 'i' THEN 'the TOAST index of ' ELSE 'the TOAST table of ' END
                 || pg_catalog.quote_ident(main_namespace.nspname) || '.' || pg_catalog.quote_ident(main.relname)
            ELSE pg_catalog.quote_ident(namespace.nspname) || '.' || pg_catalog.quote_ident(relation.relname) END,
       relation.relkind, coalesce(pg_catalog.pg_relation_filenode(relation.oid), 0)::bigint,
       coalesce(index.indrelid, 0)::bigint
  FROM pg_catalog.pg_class AS relation
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
  LEFT JOIN pg_catalog.pg_index AS index ON index.indexrelid = relation.oid
  LEFT JOIN pg_catalog.pg_class AS main
    ON main.reltoastrelid = coalesce(index.indrelid, relation.oid) AND main.reltoastrelid <> 0
  LEFT JOIN pg_catalog.pg_namespace AS main_namespace ON main_namespace.oid = main.relnamespace
 WHERE relation.oid >= 16384 AND relation.relpersistence <> 't' AND relation.relkind <> 'c'
