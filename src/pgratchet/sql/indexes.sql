SELECT entry.indexrelid::bigint,
       pg_catalog.format('%I.%I', namespace.nspname, index.relname),
       entry.indisvalid,
       EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS progress
                WHERE progress.index_relid = entry.indexrelid AND progress.pid <> pg_catalog.pg_backend_pid())
  FROM pg_catalog.pg_index AS entry
  JOIN pg_catalog.pg_class AS index ON index.oid = entry.indexrelid
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = index.relnamespace
 WHERE ARRAY[entry.indrelid, entry.indexrelid] && ARRAY[{{relations}}]::oid[]
 ORDER BY entry.indexrelid
