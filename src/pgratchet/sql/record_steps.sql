INSERT INTO {history} (version, description, script, kind, status, checksum, tree_checksum, statements_done,
                       statements_total, started_at, applied_at, execution_time_ms, host, application, tool_version, run_id)
SELECT step.version, step.description, step.script, step.kind, 'applied', step.checksum, step.tree_checksum,
       step.statements, step.statements,
       pg_catalog.statement_timestamp() - step.began * interval '1 second',
       pg_catalog.statement_timestamp() - step.ended * interval '1 second',
       ((step.began - step.ended) * 1000)::bigint, $2, $3, $4, $5::uuid
  FROM pg_catalog.json_to_recordset($1::json) AS step (
           version bigint, description text, script text, kind text, checksum text, tree_checksum text,
           statements bigint, began float8, ended float8)
