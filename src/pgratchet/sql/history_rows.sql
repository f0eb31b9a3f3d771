SELECT kind, version, description, script, status, checksum, tree_checksum, statements_done, statements_total,
       started_at, applied_at, execution_time_ms, applied_by, run_id::text,
       nullif(journal - 'backup', '{{}}') AS journal
  FROM {history}
 UNION ALL
SELECT 'repeatable', NULL, description, script, status, checksum, tree_checksum, statements_done,
       statements_total, started_at, applied_at, execution_time_ms, applied_by, run_id::text,
       nullif(journal - 'backup', '{{}}') AS journal
  FROM {repeatable}
 ORDER BY version NULLS LAST, description
