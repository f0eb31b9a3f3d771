SELECT prepared.gid, prepared.owner::text,
       pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - prepared.prepared) AS age,
       held.virtualtransaction
  FROM pg_catalog.pg_prepared_xacts AS prepared
  JOIN pg_catalog.pg_locks AS held
    ON held.locktype = 'transactionid' AND held.transactionid = prepared.transaction AND held.pid IS NULL
 WHERE prepared.database = pg_catalog.current_database()
 ORDER BY prepared.prepared
