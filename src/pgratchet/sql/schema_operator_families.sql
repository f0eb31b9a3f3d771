SELECT 'operator family' AS kind, quote_ident(namespace.nspname) AS schema,
       quote_ident(family.opfname) || ' using ' || quote_ident(method.amname) AS name,
       family.tableoid AS class, family.oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       ARRAY(SELECT member.amopstrategy || ' ' || member.amopopr::pg_catalog.regoperator::text
                    || coalesce(' order by ' || (SELECT quote_ident(place.nspname) || '.' || quote_ident(sorting.opfname)
                                                   FROM pg_catalog.pg_opfamily AS sorting
                                                   JOIN pg_catalog.pg_namespace AS place ON place.oid = sorting.opfnamespace
                                                  WHERE sorting.oid = member.amopsortfamily), '')
               FROM pg_catalog.pg_amop AS member WHERE member.amopfamily = family.oid) AS operators,
       ARRAY(SELECT member.amprocnum || ' (' || format_type(member.amproclefttype, NULL) || ', '
                    || format_type(member.amprocrighttype, NULL) || ') '
                    || member.amproc::pg_catalog.regprocedure::text
               FROM pg_catalog.pg_amproc AS member WHERE member.amprocfamily = family.oid) AS functions
  FROM pg_catalog.pg_opfamily AS family
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = family.opfnamespace
  JOIN pg_catalog.pg_am AS method ON method.oid = family.opfmethod
 WHERE namespace.nspname !~ '^pg_'
