SELECT 'database' AS kind, NULL AS schema, 'itself' AS name,
       tableoid AS class, oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id
  FROM pg_catalog.pg_database
 WHERE datname = current_database()
