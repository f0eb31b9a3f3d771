SELECT CASE routine.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END AS kind,
       quote_ident(namespace.nspname) AS schema,
       substr(routine.oid::pg_catalog.regprocedure::text, length(quote_ident(namespace.nspname)) + 2) AS name,
       routine.tableoid AS class, routine.oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       CASE WHEN routine.prokind <> 'a' THEN rtrim(pg_catalog.pg_get_functiondef(routine.oid), E'\n') END AS definition,
       CASE WHEN routine.prokind = 'a' THEN pg_catalog.pg_get_function_arguments(routine.oid) END AS arguments,
       CASE WHEN routine.prokind = 'a' THEN routine.proparallel::text END AS parallel,
       CASE aggregate.aggkind WHEN 'o' THEN 'ordered set' WHEN 'h' THEN 'hypothetical set' END AS form,
       format_type(aggregate.aggtranstype, NULL) AS "state type",
       aggregate.aggtransfn::pg_catalog.regprocedure::text AS "state function",
       nullif(aggregate.aggfinalfn, 0)::pg_catalog.regprocedure::text AS "final function",
       nullif(aggregate.aggcombinefn, 0)::pg_catalog.regprocedure::text AS "combine function",
       nullif(aggregate.aggserialfn, 0)::pg_catalog.regprocedure::text AS "serial function",
       nullif(aggregate.aggdeserialfn, 0)::pg_catalog.regprocedure::text AS "deserial function",
       nullif(aggregate.aggmtransfn, 0)::pg_catalog.regprocedure::text AS "moving state function",
       nullif(aggregate.aggminvtransfn, 0)::pg_catalog.regprocedure::text AS "moving inverse function",
       nullif(aggregate.aggmfinalfn, 0)::pg_catalog.regprocedure::text AS "moving final function",
       format_type(nullif(aggregate.aggmtranstype, 0), NULL) AS "moving state type",
       aggregate.aggfinalextra::text || aggregate.aggfinalmodify::text AS "final extra and modify",
       aggregate.aggmfinalextra::text || aggregate.aggmfinalmodify::text AS "moving final extra and modify",
       nullif(aggregate.aggsortop, 0)::pg_catalog.regoperator::text AS "sort operator",
       nullif(aggregate.aggtransspace, 0)::text AS "state size",
       nullif(aggregate.aggmtransspace, 0)::text AS "moving state size",
       quote_literal(aggregate.agginitval) AS "initial value",
       quote_literal(aggregate.aggminitval) AS "moving initial value"
  FROM pg_catalog.pg_proc AS routine
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = routine.pronamespace
  LEFT JOIN pg_catalog.pg_aggregate AS aggregate ON aggregate.aggfnoid = routine.oid
 WHERE namespace.nspname !~ '^pg_' AND namespace.nspname <> 'information_schema'
