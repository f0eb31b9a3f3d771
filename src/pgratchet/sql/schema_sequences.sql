SELECT 'sequence' AS kind, quote_ident(namespace.nspname) AS schema, quote_ident(relation.relname) AS name,
       relation.tableoid AS class, relation.oid AS id, 0 AS sub,
       owner.refclassid AS of_class, owner.refobjid AS of_id,
       format_type(sequence.seqtypid, NULL) AS type, sequence.seqstart::text AS start,
       sequence.seqincrement::text AS increment, sequence.seqmin::text AS minimum, sequence.seqmax::text AS maximum,
       sequence.seqcache::text AS cache, sequence.seqcycle AS cycle,
       CASE relation.relpersistence WHEN 'u' THEN 'unlogged' END AS persistence,
       (SELECT quote_ident(attname) FROM pg_catalog.pg_attribute
         WHERE attrelid = owner.refobjid AND attnum = owner.refobjsubid)
           || CASE owner.deptype WHEN 'i' THEN ' as its identity' ELSE '' END AS "owned by column"
  FROM pg_catalog.pg_sequence AS sequence
  JOIN pg_catalog.pg_class AS relation ON relation.oid = sequence.seqrelid
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
  LEFT JOIN pg_catalog.pg_depend AS owner
    ON owner.classid = relation.tableoid AND owner.objid = relation.oid AND owner.objsubid = 0
   AND owner.refclassid = relation.tableoid AND owner.refobjsubid > 0 AND owner.deptype IN ('a', 'i')
 WHERE namespace.nspname !~ '^pg_' AND namespace.nspname <> 'information_schema'
