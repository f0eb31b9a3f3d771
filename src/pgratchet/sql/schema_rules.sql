SELECT 'rule' AS kind, NULL AS schema, quote_ident(rulename) AS name,
       tableoid AS class, oid AS id, 0 AS sub,
       'pg_catalog.pg_class'::pg_catalog.regclass::oid AS of_class, ev_class AS of_id,
       pg_catalog.pg_get_ruledef(oid) AS definition,
       CASE ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica only' WHEN 'A' THEN 'always' END AS fires
  FROM pg_catalog.pg_rewrite
 WHERE rulename <> '_RETURN' AND ev_class >= 16384
