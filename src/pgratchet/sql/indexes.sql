WITH named (oid) AS (
    SELECT pg_catalog.unnest(ARRAY[{{relations}}]::oid[])
), indexed (oid) AS (
    SELECT oid FROM named
     UNION
    SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid IN (SELECT oid FROM named)
), related (oid) AS (
    SELECT oid FROM indexed
     UNION
    SELECT reltoastrelid FROM pg_catalog.pg_class WHERE oid IN (SELECT oid FROM indexed)
)
SELECT entry.indexrelid::bigint,
       pg_catalog.format('%I.%I', namespace.nspname, index.relname),
       entry.indisvalid,
       EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS progress
                WHERE progress.index_relid = entry.indexrelid AND progress.pid <> pg_catalog.pg_backend_pid())
  FROM pg_catalog.pg_index AS entry
  JOIN pg_catalog.pg_class AS index ON index.oid = entry.indexrelid
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = index.relnamespace
 WHERE entry.indrelid IN (SELECT oid FROM related)
 ORDER BY entry.indexrelid
