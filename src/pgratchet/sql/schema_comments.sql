SELECT classoid AS class, objoid AS id, objsubid AS sub, 'comment' AS property, description AS value
  FROM pg_catalog.pg_description WHERE objoid >= 16384 OR classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
 UNION ALL
SELECT classoid, objoid, 0, 'comment', description FROM pg_catalog.pg_shdescription
 UNION ALL
SELECT classoid, objoid, objsubid, 'security label of ' || provider, label FROM pg_catalog.pg_seclabel
 UNION ALL
SELECT classoid, objoid, 0, 'security label of ' || provider, label FROM pg_catalog.pg_shseclabel
 UNION ALL
SELECT classid, objid, objsubid, 'depends on extension', string_agg(extension.extname, ', ' ORDER BY extension.extname)
  FROM pg_catalog.pg_depend AS dependency
  JOIN pg_catalog.pg_extension AS extension ON extension.oid = dependency.refobjid
 WHERE dependency.deptype = 'x' AND dependency.refclassid = extension.tableoid
 GROUP BY classid, objid, objsubid
