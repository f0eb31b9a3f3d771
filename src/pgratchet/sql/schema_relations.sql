SELECT CASE relation.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
                             WHEN 'c' THEN 'type' ELSE 'table' END AS kind,
       quote_ident(namespace.nspname) AS schema, quote_ident(relation.relname) AS name,
       CASE relation.relkind WHEN 'c' THEN kind.tableoid ELSE relation.tableoid END AS class,
       CASE relation.relkind WHEN 'c' THEN kind.oid ELSE relation.oid END AS id,
       0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       CASE relation.relkind WHEN 'c' THEN 'composite' END AS form,
       CASE relation.relpersistence WHEN 'u' THEN 'unlogged' END AS persistence,
       CASE WHEN relation.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(relation.oid) END AS "partition key",
       pg_catalog.pg_get_expr(relation.relpartbound, relation.oid) AS "partition bound",
       (SELECT string_agg(parent.inhparent::pg_catalog.regclass::text
                          || CASE WHEN parent.inhdetachpending THEN ' (being detached)' ELSE '' END,
                          ', ' ORDER BY parent.inhseqno)
          FROM pg_catalog.pg_inherits AS parent WHERE parent.inhrelid = relation.oid) AS inherits,
       format_type(nullif(relation.reloftype, 0), NULL) AS "of type",
       (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_catalog.pg_attribute
         WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped) AS "column order",
       method.amname AS "access method",
       (SELECT spcname FROM pg_catalog.pg_tablespace WHERE oid = relation.reltablespace) AS tablespace,
       relation.reloptions AS options, toast.reloptions AS "toast options",
       relation.relrowsecurity AS "row security", relation.relforcerowsecurity AS "row security forced",
       CASE WHEN relation.relkind IN ('r', 'p') THEN CASE relation.relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing'
            WHEN 'i' THEN 'index' END END AS "replica identity",
       CASE WHEN relation.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(relation.oid) END AS definition,
       NOT relation.relispopulated AS "not populated",
       server.srvname AS server, foreign_table.ftoptions AS "server options"
  FROM pg_catalog.pg_class AS relation
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
  LEFT JOIN pg_catalog.pg_type AS kind ON kind.oid = relation.reltype
  LEFT JOIN pg_catalog.pg_class AS toast ON toast.oid = relation.reltoastrelid
  LEFT JOIN pg_catalog.pg_am AS method ON method.oid = relation.relam
  LEFT JOIN pg_catalog.pg_foreign_table AS foreign_table ON foreign_table.ftrelid = relation.oid
  LEFT JOIN pg_catalog.pg_foreign_server AS server ON server.oid = foreign_table.ftserver
 WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
   AND namespace.nspname !~ '^pg_' AND namespace.nspname <> 'information_schema'
