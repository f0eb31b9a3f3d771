SELECT namespace.nspname::text, index.relname::text, entry.indrelid::bigint, entry.indrelid::regclass::text,
       EXISTS (SELECT
                 FROM pg_catalog.pg_stat_progress_create_index AS progress
                WHERE progress.index_relid = entry.indexrelid
                   -- What another role builds is hidden from us, but not its lock on the table.
                   OR (progress.index_relid IS NULL
                       AND EXISTS (SELECT FROM pg_catalog.pg_locks AS held
                                    WHERE held.pid = progress.pid AND held.relation = entry.indrelid))) AS building
  FROM pg_catalog.pg_index AS entry
  JOIN pg_catalog.pg_class AS index ON index.oid = entry.indexrelid
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = index.relnamespace
 WHERE NOT entry.indisvalid AND index.relkind = 'i'
 ORDER BY namespace.nspname, index.relname
