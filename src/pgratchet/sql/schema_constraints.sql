SELECT 'constraint' AS kind, NULL AS schema, quote_ident(rule.conname) AS name,
       rule.tableoid AS class, rule.oid AS id, 0 AS sub,
       CASE rule.contypid WHEN 0 THEN 'pg_catalog.pg_class'::pg_catalog.regclass
                          ELSE 'pg_catalog.pg_type'::pg_catalog.regclass END::oid AS of_class,
       CASE rule.contypid WHEN 0 THEN rule.conrelid ELSE rule.contypid END AS of_id,
       pg_catalog.pg_get_constraintdef(rule.oid) AS definition,
       CASE WHEN rule.coninhcount > 0
            THEN CASE WHEN rule.conislocal THEN 'and defined here' ELSE 'yes' END END AS inherited,
       CASE WHEN rule.contype = 'f' THEN
           (SELECT string_agg(DISTINCT CASE firing.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica only'
                                                             ELSE 'always' END, ', ')
              FROM pg_catalog.pg_trigger AS firing
             WHERE firing.tgconstraint = rule.oid AND firing.tgenabled <> 'O') END AS "its triggers"
  FROM pg_catalog.pg_constraint AS rule
 WHERE rule.oid >= 16384 AND rule.contype <> 't'
