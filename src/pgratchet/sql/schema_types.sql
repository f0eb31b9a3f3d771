SELECT CASE type.typtype WHEN 'd' THEN 'domain' ELSE 'type' END AS kind,
       quote_ident(namespace.nspname) AS schema, quote_ident(type.typname) AS name,
       type.tableoid AS class, type.oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       CASE WHEN NOT type.typisdefined THEN 'shell' WHEN type.typtype = 'e' THEN 'enumeration'
            WHEN type.typtype = 'r' THEN 'range' WHEN type.typtype = 'b' THEN 'base' END AS form,
       (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_catalog.pg_enum
         WHERE enumtypid = type.oid) AS labels,
       format_type(nullif(type.typbasetype, 0), type.typtypmod) AS type,
       type.typtype = 'd' AND type.typnotnull AS "not null",
       type.typdefault AS default,
       CASE WHEN type.typtype = 'd' AND type.typcollation <> underlying.typcollation
            THEN type.typcollation::pg_catalog.regcollation::text
            WHEN type.typtype = 'b' AND type.typcollation <> 0 THEN 'yes' END AS collation,
       format_type(range.rngsubtype, NULL) AS subtype,
       format_type(range.rngmultitypid, NULL) AS multirange,
       (SELECT quote_ident(schema.nspname) || '.' || quote_ident(class.opcname)
          FROM pg_catalog.pg_opclass AS class JOIN pg_catalog.pg_namespace AS schema ON schema.oid = class.opcnamespace
         WHERE class.oid = range.rngsubopc) AS "subtype operator class",
       nullif(range.rngcollation, 0)::pg_catalog.regcollation::text AS "subtype collation",
       nullif(range.rngcanonical, 0)::pg_catalog.regproc::text AS canonical,
       nullif(range.rngsubdiff, 0)::pg_catalog.regproc::text AS "subtype difference",
       base.input, base.output, base.receive, base.send, base.modifiers, base."modifier output", base.analyze,
       base.subscript, base.length, base.alignment, base.storage, base.category, base.element, base.delimiter
  FROM pg_catalog.pg_type AS type
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = type.typnamespace
  LEFT JOIN pg_catalog.pg_type AS underlying ON underlying.oid = type.typbasetype
  LEFT JOIN pg_catalog.pg_range AS range ON range.rngtypid = type.oid
  LEFT JOIN LATERAL (
      SELECT type.typinput::text AS input, type.typoutput::text AS output,
             nullif(type.typreceive, 0)::text AS receive, nullif(type.typsend, 0)::text AS send,
             nullif(type.typmodin, 0)::text AS modifiers, nullif(type.typmodout, 0)::text AS "modifier output",
             nullif(type.typanalyze, 0)::text AS analyze, nullif(type.typsubscript, 0)::text AS subscript,
             type.typlen || CASE WHEN type.typbyval THEN ' by value' ELSE '' END AS length,
             type.typalign::text AS alignment, type.typstorage::text AS storage,
             type.typcategory::text || CASE WHEN type.typispreferred THEN ' preferred' ELSE '' END AS category,
             format_type(nullif(type.typelem, 0), NULL) AS element, type.typdelim::text AS delimiter) AS base
    ON type.typtype = 'b' AND type.typisdefined
 WHERE type.typtype IN ('b', 'd', 'e', 'r', 'p') AND type.typrelid = 0
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_type AS element WHERE element.typarray = type.oid)
   AND namespace.nspname !~ '^pg_' AND namespace.nspname <> 'information_schema'
