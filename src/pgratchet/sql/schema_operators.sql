SELECT 'operator' AS kind, quote_ident(namespace.nspname) AS schema,
       substr(operator.oid::pg_catalog.regoperator::text, length(quote_ident(namespace.nspname)) + 2) AS name,
       operator.tableoid AS class, operator.oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       operator.oprcode::pg_catalog.regprocedure::text AS function,
       nullif(operator.oprcom, 0)::pg_catalog.regoperator::text AS commutator,
       nullif(operator.oprnegate, 0)::pg_catalog.regoperator::text AS negator,
       nullif(operator.oprrest, 0)::pg_catalog.regprocedure::text AS restrict,
       nullif(operator.oprjoin, 0)::pg_catalog.regprocedure::text AS join,
       operator.oprcanhash AS hashes, operator.oprcanmerge AS merges
  FROM pg_catalog.pg_operator AS operator
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = operator.oprnamespace
 WHERE namespace.nspname !~ '^pg_'
