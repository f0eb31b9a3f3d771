UPDATE {table}
   SET status = $2, statements_done = $3::bigint, journal = $4::jsonb
 WHERE {key} = $1
