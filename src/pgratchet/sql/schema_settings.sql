SELECT 'setting' AS kind, NULL AS schema,
       split_part(setting.entry, '=', 1)
           || CASE held.setrole WHEN 0 THEN '' ELSE ' of ' || quote_ident(pg_catalog.pg_get_userbyid(held.setrole)) END AS name,
       held.tableoid AS class, held.setrole AS id, setting.number::int AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       substr(setting.entry, strpos(setting.entry, '=') + 1) AS value
  FROM pg_catalog.pg_db_role_setting AS held
 CROSS JOIN LATERAL unnest(held.setconfig) WITH ORDINALITY AS setting (entry, number)
 WHERE held.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
