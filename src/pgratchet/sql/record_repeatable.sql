WITH kept AS (
    INSERT INTO {body} (checksum, body) SELECT $3::text, $11::text WHERE $11::text IS NOT NULL
    ON CONFLICT (checksum) DO NOTHING
)
INSERT INTO {repeatable} (description, script, checksum, tree_checksum, statements_done, statements_total, status, host,
                          application, tool_version, run_id, started_at, applied_at, execution_time_ms)
SELECT $1::text, $2::text, $3::text, $4::text, $5::bigint, $6::bigint, $7::text, $8::text, $9::text, $10::text, $12::uuid, pg_catalog.now(),
       CASE $7::text WHEN 'applied' THEN pg_catalog.clock_timestamp() END,
       CASE $7::text WHEN 'applied' THEN
           (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - pg_catalog.now()) * 1000)::bigint END
    ON CONFLICT (description) DO UPDATE
   SET (script, checksum, tree_checksum, statements_done, statements_total, status, host, application, tool_version,
        run_id, started_at, applied_at, execution_time_ms)
     = (excluded.script, excluded.checksum, excluded.tree_checksum, excluded.statements_done,
        excluded.statements_total, excluded.status, excluded.host, excluded.application, excluded.tool_version,
        excluded.run_id, excluded.started_at, excluded.applied_at, excluded.execution_time_ms)
