SELECT CASE WHEN relation.relkind IN ('i', 'I')
            THEN pg_catalog.pg_get_indexdef(relation.oid) || CASE WHEN entry.indisvalid THEN '' ELSE ' (INVALID)' END
            WHEN relation.relkind IN ('v', 'm')
            THEN pg_catalog.format('VIEW %s AS %s', relation.oid::regclass, pg_catalog.pg_get_viewdef(relation.oid))
            WHEN relation.relkind = 'S'
            THEN pg_catalog.format('SEQUENCE %s AS %s START %s INCREMENT %s', relation.oid::regclass,
                     sequence.seqtypid::regtype, sequence.seqstart, sequence.seqincrement)
            ELSE pg_catalog.format('TABLE %s (%s)', relation.oid::regclass, pg_catalog.concat_ws(', ', columns.list,
                     (SELECT pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(oid), ', ' ORDER BY conname)
                        FROM pg_catalog.pg_constraint WHERE conrelid = relation.oid AND contype <> 'n'
                                                        AND {{attribute}} = ''))) END
  FROM pg_catalog.pg_class AS relation
  LEFT JOIN pg_catalog.pg_index AS entry ON entry.indexrelid = relation.oid
  LEFT JOIN pg_catalog.pg_sequence AS sequence ON sequence.seqrelid = relation.oid
 CROSS JOIN LATERAL (
    SELECT pg_catalog.string_agg(pg_catalog.concat(pg_catalog.quote_ident(attribute.attname), ' ',
               pg_catalog.format_type(attribute.atttypid, attribute.atttypmod),
               CASE WHEN attribute.attnotnull THEN ' NOT NULL' END,
               ' DEFAULT ' || pg_catalog.pg_get_expr(standard.adbin, standard.adrelid)), ', ' ORDER BY attribute.attnum)
      FROM pg_catalog.pg_attribute AS attribute
      LEFT JOIN pg_catalog.pg_attrdef AS standard
        ON standard.adrelid = attribute.attrelid AND standard.adnum = attribute.attnum
     WHERE attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
       AND {{attribute}} IN ('', attribute.attname)) AS columns (list)
 WHERE relation.oid = pg_catalog.to_regclass({{name}})
