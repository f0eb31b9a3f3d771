INSERT INTO {body} (checksum, body)
SELECT kept.checksum, kept.body FROM pg_catalog.json_to_recordset($1::json) AS kept (checksum text, body text)
    ON CONFLICT DO NOTHING
