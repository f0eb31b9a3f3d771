SELECT relation.oid, namespace.nspname, relation.relname, relation.relkind,
       relation.relfilenode,
       ARRAY(SELECT ancestor::oid FROM pg_catalog.pg_partition_ancestors(relation.oid) AS ancestor
              WHERE ancestor <> relation.oid) AS ancestors
  FROM pg_catalog.pg_class AS relation
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
 WHERE relation.relkind IN ('r', 'p')
   AND relation.relpersistence <> 't'
   AND namespace.nspname <> 'information_schema'
   AND namespace.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend
                    WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = relation.oid AND deptype = 'e')
 ORDER BY namespace.nspname, relation.relname
