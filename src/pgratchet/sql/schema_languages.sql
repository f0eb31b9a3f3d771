SELECT 'language' AS kind, NULL AS schema, quote_ident(lanname) AS name,
       tableoid AS class, oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       NOT lanpltrusted AS untrusted, nullif(lanplcallfoid, 0)::pg_catalog.regprocedure::text AS handler,
       nullif(laninline, 0)::pg_catalog.regprocedure::text AS inline,
       nullif(lanvalidator, 0)::pg_catalog.regprocedure::text AS validator
  FROM pg_catalog.pg_language
 WHERE lanispl
