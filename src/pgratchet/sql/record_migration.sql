INSERT INTO {history} (description, script, checksum, tree_checksum, statements_done, statements_total, status, host,
                       application, tool_version, run_id, version, kind, started_at, applied_at, execution_time_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, pg_catalog.now(),
        CASE $7::text WHEN 'applied' THEN pg_catalog.clock_timestamp() END,
        CASE $7::text WHEN 'applied' THEN
            (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - pg_catalog.now()) * 1000)::bigint END)
    ON CONFLICT (version) DO UPDATE
   SET (description, script, kind, checksum, tree_checksum, statements_done, statements_total, status, host, application,
        tool_version, run_id, applied_at, execution_time_ms)
     = (excluded.description, excluded.script, excluded.kind, excluded.checksum, excluded.tree_checksum,
        excluded.statements_done, excluded.statements_total, excluded.status, excluded.host, excluded.application,
        excluded.tool_version, excluded.run_id, excluded.applied_at, excluded.execution_time_ms)
