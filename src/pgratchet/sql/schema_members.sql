-- What comes and goes with an extension, and the functions and casts that a range type brings.
SELECT DISTINCT classid AS class, objid AS id
  FROM pg_catalog.pg_depend
 WHERE deptype = 'e'
    OR deptype = 'i' AND refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
   AND classid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_cast'::pg_catalog.regclass)
