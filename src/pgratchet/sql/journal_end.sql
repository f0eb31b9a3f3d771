UPDATE {table}
   SET status = 'applied', statements_done = statements_total, journal = NULL,
       applied_at = pg_catalog.clock_timestamp(),
       execution_time_ms = (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - started_at) * 1000)::bigint
 WHERE {key} = $1
