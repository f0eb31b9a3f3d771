SELECT 'cast' AS kind, NULL AS schema, format_type(castsource, NULL) || ' as ' || format_type(casttarget, NULL) AS name,
       tableoid AS class, oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       CASE castmethod WHEN 'i' THEN 'by input and output' WHEN 'b' THEN 'without function'
                       ELSE castfunc::pg_catalog.regprocedure::text END AS method,
       CASE castcontext WHEN 'a' THEN 'assignment' WHEN 'i' THEN 'implicit' END AS context
  FROM pg_catalog.pg_cast
 WHERE oid >= 16384
