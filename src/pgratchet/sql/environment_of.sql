SELECT pg_catalog.split_part(setting, '=', 2)
  FROM pg_catalog.pg_db_role_setting AS stored
  CROSS JOIN LATERAL pg_catalog.unnest(stored.setconfig) AS setting
 WHERE stored.setrole = 0
   AND stored.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = %(name)s)
   AND pg_catalog.split_part(setting, '=', 1) = 'pgratchet.environment'
