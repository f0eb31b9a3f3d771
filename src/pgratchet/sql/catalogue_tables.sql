SELECT ARRAY[namespace.nspname, relation.relname]::text[] AS name,
       relation.relkind::text AS kind,
       ARRAY(
           SELECT pg_catalog.jsonb_build_array(
                      attname,
                      pg_catalog.format_type(atttypid, atttypmod),
                      attnotnull AND NOT EXISTS (
                          SELECT FROM pg_catalog.pg_constraint
                           WHERE conrelid = relation.oid AND contype = 'n' AND NOT convalidated AND conkey = ARRAY[attnum]),
                      attgenerated = 's',
                      coalesce((SELECT collname FROM pg_catalog.pg_collation WHERE oid = attcollation), ''))
             FROM pg_catalog.pg_attribute
            WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
            ORDER BY attnum) AS columns,
       relation.reltuples::bigint AS rows,
       relation.relpages::bigint * pg_catalog.current_setting('block_size')::bigint AS bytes,
       relation.relpersistence <> 'u' AS logged,
       coalesce(method.amname::text, '') AS access_method,
       (SELECT spcname::text FROM pg_catalog.pg_tablespace
         WHERE oid = CASE relation.reltablespace WHEN 0 THEN database.dattablespace ELSE relation.reltablespace END) AS tablespace,
       (SELECT ARRAY[parents.nspname, parent.relname]::text[]
          FROM pg_catalog.pg_inherits
          JOIN pg_catalog.pg_class AS parent ON parent.oid = inhparent
          JOIN pg_catalog.pg_namespace AS parents ON parents.oid = parent.relnamespace
         WHERE inhrelid = relation.oid AND relation.relispartition) AS partition_of,
       coalesce(pg_catalog.pg_get_expr(relation.relpartbound, relation.oid), '') AS bound,
       ARRAY(
           SELECT coalesce(attname::text, '')
             FROM pg_catalog.pg_partitioned_table AS partitioned
            CROSS JOIN pg_catalog.unnest(partitioned.partattrs::smallint[]) WITH ORDINALITY AS key (number, place)
             LEFT JOIN pg_catalog.pg_attribute ON attrelid = relation.oid AND attnum = key.number
            WHERE partitioned.partrelid = relation.oid
            ORDER BY key.place) AS partition_key,
       ARRAY(
           SELECT DISTINCT pg_catalog.jsonb_build_array(
                      attname, pg_catalog.pg_describe_object(depend.classid, depend.objid, depend.objsubid))
             FROM pg_catalog.pg_depend AS depend
             JOIN pg_catalog.pg_attribute ON attrelid = relation.oid AND attnum = depend.refobjsubid
             LEFT JOIN pg_catalog.pg_attrdef AS made
               ON depend.classid = 'pg_catalog.pg_attrdef'::regclass AND made.oid = depend.objid
            WHERE depend.refclassid = 'pg_catalog.pg_class'::regclass
              AND depend.refobjid = relation.oid
              AND (depend.classid IN ('pg_catalog.pg_rewrite'::regclass, 'pg_catalog.pg_policy'::regclass,
                                      'pg_catalog.pg_trigger'::regclass)
                   OR made.adnum <> attnum)) AS used_by
  FROM pg_catalog.pg_class AS relation
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
  JOIN pg_catalog.pg_database AS database ON database.datname = pg_catalog.current_database()
  LEFT JOIN pg_catalog.pg_am AS method ON method.oid = relation.relam
 WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
   AND namespace.nspname <> 'information_schema'
   AND NOT pg_catalog.starts_with(namespace.nspname::text, 'pg_')
