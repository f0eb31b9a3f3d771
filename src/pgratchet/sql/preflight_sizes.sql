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
SELECT family.name,
       coalesce(pg_catalog.sum(pg_catalog.pg_table_size(member.oid)), 0)::bigint AS heap,
       coalesce(pg_catalog.sum(pg_catalog.pg_total_relation_size(member.oid)), 0)::bigint AS total,
       pg_catalog.pg_tablespace_location(coalesce(nullif(member.reltablespace, 0), database.dattablespace)) AS place
  FROM family
  JOIN pg_catalog.pg_class AS member ON member.oid = family.oid
  JOIN pg_catalog.pg_database AS database ON database.datname = pg_catalog.current_database()
 GROUP BY family.name, place
 ORDER BY family.name, place
