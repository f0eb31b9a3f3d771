SELECT 'trigger' AS kind, NULL AS schema, quote_ident(tgname) AS name,
       tableoid AS class, oid AS id, 0 AS sub,
       'pg_catalog.pg_class'::pg_catalog.regclass::oid AS of_class, tgrelid AS of_id,
       pg_catalog.pg_get_triggerdef(oid) AS definition,
       CASE tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica only' WHEN 'A' THEN 'always' END AS fires,
       CASE WHEN tgparentid <> 0 THEN 'yes' END AS inherited
  FROM pg_catalog.pg_trigger
 WHERE NOT tgisinternal
