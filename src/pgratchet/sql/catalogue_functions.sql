SELECT ARRAY[namespace.nspname, found.proname]::text[] AS name,
       found.provolatile = 'v' AS is_volatile,
       CASE
           WHEN language.lanname <> 'sql' OR found.prosecdef OR found.proretset OR found.proconfig IS NOT NULL THEN ''
           ELSE coalesce(pg_catalog.pg_get_function_sqlbody(found.oid), found.prosrc)
       END AS body,
       CASE WHEN found.prokind = 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || pg_catalog.quote_ident(found.proname)
           || '(' || pg_catalog.pg_get_function_arguments(found.oid) || ')'
           || coalesce(' RETURNS ' || pg_catalog.pg_get_function_result(found.oid), '') AS declared
  FROM pg_catalog.pg_proc AS found
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = found.pronamespace
  JOIN pg_catalog.pg_language AS language ON language.oid = found.prolang
 WHERE namespace.nspname <> 'information_schema'
   AND NOT pg_catalog.starts_with(namespace.nspname::text, 'pg_')
   AND found.prokind IN ('f', 'p')
