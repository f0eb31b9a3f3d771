CREATE TABLE IF NOT EXISTS {history_body} (
    checksum text NOT NULL,
    body     text NOT NULL,
    CONSTRAINT {history_body_pkey} PRIMARY KEY (checksum)
)
