WITH RECURSIVE family (name, oid) AS (
    SELECT given.name, relation.oid
      FROM (SELECT name, pg_catalog.parse_ident(name) AS parts
              FROM pg_catalog.unnest(ARRAY[{{names}}]::text[]) AS name) AS given
      JOIN pg_catalog.pg_class AS relation ON relation.relname = parts[pg_catalog.cardinality(parts)]::name
      JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
     WHERE CASE WHEN pg_catalog.cardinality(parts) = 1 THEN pg_catalog.pg_table_is_visible(relation.oid)
                ELSE namespace.nspname = parts[pg_catalog.cardinality(parts) - 1]::name END
    UNION
    SELECT family.name, child.inhrelid FROM family JOIN pg_catalog.pg_inherits AS child ON child.inhparent = family.oid
)
SELECT DISTINCT family.name, held.pid, held.virtualtransaction, held.mode
  FROM family
  JOIN pg_catalog.pg_locks AS held ON held.relation = family.oid
 WHERE held.locktype = 'relation' AND held.granted AND held.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
   AND held.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
 ORDER BY family.name, held.pid, held.mode
