SELECT 'operator class' AS kind, quote_ident(namespace.nspname) AS schema,
       quote_ident(class.opcname) || ' using ' || quote_ident(method.amname) AS name,
       class.tableoid AS class, class.oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       format_type(class.opcintype, NULL) AS type, class.opcdefault AS default,
       format_type(nullif(class.opckeytype, 0), NULL) AS storage,
       quote_ident(place.nspname) || '.' || quote_ident(family.opfname) AS family
  FROM pg_catalog.pg_opclass AS class
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.opcnamespace
  JOIN pg_catalog.pg_am AS method ON method.oid = class.opcmethod
  JOIN pg_catalog.pg_opfamily AS family ON family.oid = class.opcfamily
  JOIN pg_catalog.pg_namespace AS place ON place.oid = family.opfnamespace
 WHERE namespace.nspname !~ '^pg_'
