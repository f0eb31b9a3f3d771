SELECT ARRAY[namespace.nspname, index.relname]::text[] AS name,
       ARRAY[namespace.nspname, relation.relname]::text[] AS owner,
       method.amname::text AS method,
       ARRAY(
           SELECT coalesce(attname::text, '')
             FROM pg_catalog.unnest(found.indkey::smallint[]) WITH ORDINALITY AS key (number, place)
             LEFT JOIN pg_catalog.pg_attribute ON attrelid = relation.oid AND attnum = key.number
            WHERE key.place <= found.indnkeyatts
            ORDER BY key.place) AS columns,
       ARRAY(
           SELECT attname::text
             FROM pg_catalog.pg_attribute
            WHERE attrelid = relation.oid
              AND (attnum = ANY(found.indkey::smallint[])
                   OR attnum IN (SELECT refobjsubid FROM pg_catalog.pg_depend
                                  WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = index.oid
                                    AND refclassid = 'pg_catalog.pg_class'::regclass AND refobjid = relation.oid))) AS reads,
       found.indisvalid AS valid,
       found.indisunique AS is_unique,
       found.indexprs IS NOT NULL OR found.indpred IS NOT NULL AS computed,
       (SELECT spcname::text FROM pg_catalog.pg_tablespace
         WHERE oid = CASE index.reltablespace WHEN 0 THEN database.dattablespace ELSE index.reltablespace END) AS tablespace
  FROM pg_catalog.pg_index AS found
  JOIN pg_catalog.pg_class AS index ON index.oid = found.indexrelid
  JOIN pg_catalog.pg_class AS relation ON relation.oid = found.indrelid
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
  JOIN pg_catalog.pg_am AS method ON method.oid = index.relam
  JOIN pg_catalog.pg_database AS database ON database.datname = pg_catalog.current_database()
 WHERE namespace.nspname <> 'information_schema'
   AND NOT pg_catalog.starts_with(namespace.nspname::text, 'pg_')
