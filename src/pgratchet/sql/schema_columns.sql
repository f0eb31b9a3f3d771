SELECT 'column' AS kind, NULL AS schema, quote_ident(attribute.attname) AS name,
       relation.tableoid AS class, relation.oid AS id, attribute.attnum::int AS sub,
       CASE relation.relkind WHEN 'c' THEN 'pg_catalog.pg_type'::pg_catalog.regclass ELSE relation.tableoid END::oid AS of_class,
       CASE relation.relkind WHEN 'c' THEN relation.reltype ELSE relation.oid END AS of_id,
       format_type(attribute.atttypid, attribute.atttypmod) AS type,
       attribute.attnotnull AS "not null",
       CASE attribute.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity,
       CASE attribute.attgenerated WHEN '' THEN pg_catalog.pg_get_expr(value.adbin, value.adrelid) END AS default,
       CASE attribute.attgenerated WHEN 's' THEN 'stored: ' WHEN 'v' THEN 'virtual: ' END
           || pg_catalog.pg_get_expr(value.adbin, value.adrelid) AS generated,
       CASE WHEN attribute.attcollation <> type.typcollation
            THEN attribute.attcollation::pg_catalog.regcollation::text END AS collation,
       CASE WHEN attribute.attstorage <> type.typstorage AND relation.relkind IN ('r', 'p', 'm', 'f')
            THEN CASE attribute.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main'
                                           ELSE 'extended' END END AS storage,
       CASE attribute.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
       nullif(attribute.attstattarget::int, -1)::text AS statistics,
       -- Debian's 15.20 counts the versions of a column there.
       ARRAY(SELECT option FROM unnest(attribute.attoptions) AS option WHERE option !~ '^pg_attver=') AS options,
       attribute.attfdwoptions AS "server options",
       CASE WHEN attribute.attinhcount > 0
            THEN CASE WHEN attribute.attislocal THEN 'and defined here' ELSE 'yes' END END AS inherited
  FROM pg_catalog.pg_attribute AS attribute
  JOIN pg_catalog.pg_class AS relation ON relation.oid = attribute.attrelid
  JOIN pg_catalog.pg_type AS type ON type.oid = attribute.atttypid
  LEFT JOIN pg_catalog.pg_attrdef AS value ON value.adrelid = attribute.attrelid AND value.adnum = attribute.attnum
 WHERE relation.oid >= 16384 AND relation.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
   AND attribute.attnum > 0 AND NOT attribute.attisdropped
