SELECT coalesce(pg_catalog.bool_and(pg_catalog.has_function_privilege(routine.oid, 'EXECUTE'))
                    AND pg_catalog.count(*) = 7, false)
       AND NOT pg_catalog.pg_is_in_recovery()
  FROM pg_catalog.pg_proc AS routine
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = routine.pronamespace
 WHERE namespace.nspname = 'public'
   AND routine.proname IN ('begin_backup', 'heartbeat_backup', 'finish_backup', 'fail_backup', 'record_verification',
                           'begin_restore', 'finish_restore')
