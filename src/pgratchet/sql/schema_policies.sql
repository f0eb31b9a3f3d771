SELECT 'policy' AS kind, NULL AS schema, quote_ident(polname) AS name,
       tableoid AS class, oid AS id, 0 AS sub,
       'pg_catalog.pg_class'::pg_catalog.regclass::oid AS of_class, polrelid AS of_id,
       CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                   ELSE 'ALL' END AS command,
       NOT polpermissive AS restrictive,
       ARRAY(SELECT CASE role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_catalog.pg_get_userbyid(role)) END
               FROM unnest(polroles) AS role) AS roles,
       pg_catalog.pg_get_expr(polqual, polrelid) AS using,
       pg_catalog.pg_get_expr(polwithcheck, polrelid) AS "with check"
  FROM pg_catalog.pg_policy
