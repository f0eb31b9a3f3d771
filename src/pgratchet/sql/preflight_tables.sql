WITH RECURSIVE named (name, oid) AS (
    SELECT given.name, relation.oid
      FROM (SELECT name, pg_catalog.parse_ident(name) AS parts
              FROM pg_catalog.unnest(ARRAY[{{names}}]::text[]) AS name) AS given
      JOIN pg_catalog.pg_class AS relation ON relation.relname = parts[pg_catalog.cardinality(parts)]::name
      JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
     WHERE CASE WHEN pg_catalog.cardinality(parts) = 1 THEN pg_catalog.pg_table_is_visible(relation.oid)
                ELSE namespace.nspname = parts[pg_catalog.cardinality(parts) - 1]::name END
), family (name, oid) AS (
    SELECT name, oid FROM named
    UNION
    SELECT family.name, child.inhrelid FROM family JOIN pg_catalog.pg_inherits AS child ON child.inhparent = family.oid
), counted AS (
    SELECT family.name,
           pg_catalog.count(*) + pg_catalog.count(nullif(member.reltoastrelid, 0)) * 2
               + pg_catalog.sum((SELECT pg_catalog.count(*) FROM pg_catalog.pg_index WHERE indrelid = member.oid)) AS number
      FROM family JOIN pg_catalog.pg_class AS member ON member.oid = family.oid
     GROUP BY family.name
)
SELECT named.name, named.oid::bigint, relation.relkind::text, owner.rolname::text,
       pg_catalog.pg_has_role(relation.relowner, 'USAGE') AS owns,
       pg_catalog.pg_has_role(namespace.nspowner, 'USAGE') AS owns_schema,
       ARRAY(SELECT wanted FROM pg_catalog.unnest(ARRAY['TRIGGER', 'TRUNCATE', 'REFERENCES']) AS wanted
              WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'f')
                AND pg_catalog.has_table_privilege(named.oid, wanted)) AS rights,
       counted.number::int
  FROM named
  JOIN counted ON counted.name = named.name
  JOIN pg_catalog.pg_class AS relation ON relation.oid = named.oid
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
  JOIN pg_catalog.pg_roles AS owner ON owner.oid = relation.relowner
 ORDER BY named.name
