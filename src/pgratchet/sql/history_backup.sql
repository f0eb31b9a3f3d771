UPDATE {table}
   SET journal = coalesce(journal, '{{}}') || pg_catalog.jsonb_build_object('backup', %(backup)s::text)
 WHERE run_id::text = %(run)s
