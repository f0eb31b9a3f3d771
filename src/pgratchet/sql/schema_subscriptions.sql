SELECT 'subscription' AS kind, NULL AS schema, quote_ident(subscription.subname) AS name,
       'pg_catalog.pg_subscription'::pg_catalog.regclass::oid AS class, subscription.oid AS id, 0 AS sub,
       NULL::oid AS of_class, NULL::oid AS of_id,
       NOT subscription.subenabled AS disabled, subscription.subpublications AS publications,
       subscription.subslotname::text AS slot, subscription.subsynccommit AS "synchronous commit",
       subscription.subbinary AS binary, subscription.substream::text AS streaming,
       CASE subscription.subtwophasestate WHEN 'd' THEN NULL ELSE 'yes' END AS "two phase",
       subscription.subdisableonerr AS "disable on error", subscription.suborigin AS origin,
       subscription.subpasswordrequired AS "password required", subscription.subrunasowner AS "run as owner",
       subscription.subfailover AS failover
  -- A name that an older server does not know inside finds its value outside. Not every column may be read by
  -- everybody, so there is no other way to ask for the row.
  FROM (SELECT NULL::text AS suborigin, NULL::boolean AS subpasswordrequired, NULL::boolean AS subrunasowner,
               NULL::boolean AS subfailover) AS missing
 CROSS JOIN LATERAL (
      SELECT oid, subname, subdbid, subenabled, subpublications, subslotname, subsynccommit, subbinary, substream,
             subtwophasestate, subdisableonerr, suborigin, subpasswordrequired, subrunasowner, subfailover
        FROM pg_catalog.pg_subscription) AS subscription
 WHERE subscription.subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
