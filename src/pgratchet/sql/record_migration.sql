WITH kept AS (
    INSERT INTO {body} (checksum, body) SELECT $3::text, $11::text WHERE $11::text IS NOT NULL
    ON CONFLICT (checksum) DO NOTHING
)
INSERT INTO {history} (description, script, checksum, tree_checksum, statements_done, statements_total, status, host,
                       application, tool_version, run_id, started_at, applied_at, execution_time_ms, version, kind)
SELECT $1::text, $2::text, $3::text, $4::text, $5::bigint, $6::bigint, $7::text, $8::text, $9::text, $10::text, $12::uuid, began.at,
       CASE $7::text WHEN 'applied' THEN pg_catalog.clock_timestamp() END,
       CASE $7::text WHEN 'applied' THEN
           (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - began.at) * 1000)::bigint END,
       $13::bigint, $14::text
  FROM (SELECT coalesce((SELECT applied_at FROM {history} WHERE version = $15::bigint), pg_catalog.now()) AS at) AS began
    ON CONFLICT (version) DO UPDATE
   SET (description, script, kind, checksum, tree_checksum, statements_done, statements_total, status, host, application,
        tool_version, run_id, applied_at, execution_time_ms)
     = (excluded.description, excluded.script, excluded.kind, excluded.checksum, excluded.tree_checksum,
        excluded.statements_done, excluded.statements_total, excluded.status, excluded.host, excluded.application,
        excluded.tool_version, excluded.run_id, excluded.applied_at, excluded.execution_time_ms)
