SELECT 'transform' AS kind, NULL AS schema,
       'for ' || format_type(transform.trftype, NULL) || ' language ' || quote_ident(language.lanname) AS name,
       transform.tableoid AS class, transform.oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       nullif(transform.trffromsql, 0)::pg_catalog.regprocedure::text AS "from sql",
       nullif(transform.trftosql, 0)::pg_catalog.regprocedure::text AS "to sql"
  FROM pg_catalog.pg_transform AS transform
  JOIN pg_catalog.pg_language AS language ON language.oid = transform.trflang
