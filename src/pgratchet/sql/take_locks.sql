DO $pgratchet$
DECLARE
    target record;
BEGIN
    FOR target IN
        SELECT relation.oid::regclass AS name, wanted.mode
          FROM (VALUES {{targets}}) AS wanted (name, mode)
          JOIN pg_catalog.pg_class AS relation ON relation.oid = pg_catalog.to_regclass(wanted.name)
         WHERE relation.relkind IN ('r', 'p') AND pg_catalog.pg_has_role(relation.relowner, 'USAGE')
         ORDER BY relation.oid::regclass::text COLLATE "C"
    LOOP
        EXECUTE pg_catalog.format('LOCK TABLE ONLY %s IN %s MODE', target.name, target.mode);
    END LOOP;
END
$pgratchet$
