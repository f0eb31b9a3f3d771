SELECT 'foreign data wrapper' AS kind, NULL AS schema, quote_ident(fdwname) AS name,
       tableoid AS class, oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       nullif(fdwhandler, 0)::pg_catalog.regprocedure::text AS handler,
       nullif(fdwvalidator, 0)::pg_catalog.regprocedure::text AS validator,
       NULL AS wrapper, NULL AS type, NULL AS version, fdwoptions AS "server options"
  FROM pg_catalog.pg_foreign_data_wrapper
 UNION ALL
SELECT 'server', NULL, quote_ident(server.srvname), server.tableoid, server.oid, 0, NULL, NULL,
       NULL, NULL, quote_ident(wrapper.fdwname), server.srvtype, server.srvversion, server.srvoptions
  FROM pg_catalog.pg_foreign_server AS server
  JOIN pg_catalog.pg_foreign_data_wrapper AS wrapper ON wrapper.oid = server.srvfdw
 UNION ALL
SELECT 'user mapping', NULL,
       CASE umuser WHEN 0 THEN 'PUBLIC' ELSE quote_ident(usename) END || ' on ' || quote_ident(srvname),
       'pg_catalog.pg_user_mapping'::pg_catalog.regclass::oid, umid, 0, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, umoptions
  FROM pg_catalog.pg_user_mappings
