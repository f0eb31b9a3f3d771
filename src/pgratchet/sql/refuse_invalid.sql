DO $pgratchet$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_index AS entry
                 JOIN pg_catalog.pg_class AS index ON index.oid = entry.indexrelid
                WHERE index.oid = pg_catalog.to_regclass({{name}}) AND index.relkind = 'i' AND NOT entry.indisvalid) THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = {{message}}, HINT = {{hint}};
    END IF;
END
$pgratchet$
