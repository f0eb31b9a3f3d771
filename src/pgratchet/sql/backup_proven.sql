SELECT backup.target
  FROM public.backups AS backup
 WHERE backup.state = 'completed'
   AND backup.database_name = pg_catalog.current_database()
   AND backup.started_at > pg_catalog.now() - pg_catalog.concat(%(hours)s::text, ' hours')::interval
   AND backup.backup_id::text <> ALL (pg_catalog.string_to_array(%(bad)s::text, ','))
   AND EXISTS (SELECT FROM public.backup_verifications AS proof
                WHERE proof.backup_id = backup.backup_id AND proof.method = 'restore_test' AND proof.succeeded)
   -- One that failed later is no good any more.
   AND (SELECT proof.succeeded FROM public.backup_verifications AS proof
         WHERE proof.backup_id = backup.backup_id AND proof.method <> 'list'
         ORDER BY proof.verified_at DESC, proof.verification_id DESC LIMIT 1)
 ORDER BY backup.started_at DESC
 LIMIT 1
