SELECT inhrelid::regclass::text, inhparent::regclass::text, inhparent::bigint
  FROM pg_catalog.pg_inherits
 WHERE inhdetachpending
 ORDER BY 1
