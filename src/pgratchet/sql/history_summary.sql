SELECT coalesce(pg_catalog.max(version) FILTER (WHERE kind = 'baseline'), -1) AS baseline,
       coalesce(pg_catalog.bool_and(status = 'applied'), true)
           AND NOT EXISTS (SELECT FROM {repeatable} WHERE status <> 'applied') AS finished,
       pg_catalog.count(*) + (SELECT pg_catalog.count(*) FROM {repeatable}) AS applied,
       pg_catalog.max(version) AS newest,
       pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.concat_ws(E'\n',
           pg_catalog.string_agg(version || ':' || checksum, E'\n' ORDER BY version),
           (SELECT pg_catalog.string_agg(description || ':' || checksum, E'\n' ORDER BY description COLLATE "C")
              FROM {repeatable})), 'UTF8')), 'hex') AS digest
  FROM {history}
