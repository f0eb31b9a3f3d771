SELECT 'event trigger' AS kind, NULL AS schema, quote_ident(evtname) AS name,
       tableoid AS class, oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       evtevent::text AS event, evttags AS tags, evtfoid::pg_catalog.regprocedure::text AS function,
       CASE evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica only' WHEN 'A' THEN 'always' END AS fires
  FROM pg_catalog.pg_event_trigger
