SELECT owned.class, owned.id, 0 AS sub, 'owner' AS property,
       quote_ident(pg_catalog.pg_get_userbyid(owned.owner)) AS value
  FROM (
    SELECT tableoid AS class, oid AS id, relowner AS owner FROM pg_catalog.pg_class WHERE relkind <> 'i' AND relkind <> 'I'
     UNION ALL SELECT tableoid, oid, proowner FROM pg_catalog.pg_proc
     UNION ALL SELECT tableoid, oid, typowner FROM pg_catalog.pg_type
     UNION ALL SELECT tableoid, oid, nspowner FROM pg_catalog.pg_namespace
     UNION ALL SELECT tableoid, oid, oprowner FROM pg_catalog.pg_operator
     UNION ALL SELECT tableoid, oid, opcowner FROM pg_catalog.pg_opclass
     UNION ALL SELECT tableoid, oid, opfowner FROM pg_catalog.pg_opfamily
     UNION ALL SELECT tableoid, oid, collowner FROM pg_catalog.pg_collation
     UNION ALL SELECT tableoid, oid, conowner FROM pg_catalog.pg_conversion
     UNION ALL SELECT tableoid, oid, stxowner FROM pg_catalog.pg_statistic_ext
     UNION ALL SELECT tableoid, oid, dictowner FROM pg_catalog.pg_ts_dict
     UNION ALL SELECT tableoid, oid, cfgowner FROM pg_catalog.pg_ts_config
     UNION ALL SELECT tableoid, oid, lanowner FROM pg_catalog.pg_language
     UNION ALL SELECT tableoid, oid, fdwowner FROM pg_catalog.pg_foreign_data_wrapper
     UNION ALL SELECT tableoid, oid, srvowner FROM pg_catalog.pg_foreign_server
     UNION ALL SELECT tableoid, oid, evtowner FROM pg_catalog.pg_event_trigger
     UNION ALL SELECT tableoid, oid, pubowner FROM pg_catalog.pg_publication
     UNION ALL SELECT 'pg_catalog.pg_subscription'::pg_catalog.regclass::oid, oid, subowner FROM pg_catalog.pg_subscription
    ) AS owned
 WHERE owned.id >= 16384 OR owned.class = 'pg_catalog.pg_namespace'::pg_catalog.regclass
