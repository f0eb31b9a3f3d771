SELECT 'publication' AS kind, NULL AS schema, quote_ident(publication.pubname) AS name,
       publication.tableoid AS class, publication.oid AS id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id,
       publication.puballtables AS "all tables", publication.pubviaroot AS "via partition root",
       concat_ws(', ', CASE WHEN publication.pubinsert THEN 'insert' END, CASE WHEN publication.pubupdate THEN 'update' END,
                       CASE WHEN publication.pubdelete THEN 'delete' END,
                       CASE WHEN publication.pubtruncate THEN 'truncate' END) AS publishes,
       -- Of PostgreSQL 18.
       CASE to_jsonb(publication) ->> 'pubgencols' WHEN 's' THEN 'stored' END AS "generated columns",
       ARRAY(SELECT quote_ident(namespace.nspname) FROM pg_catalog.pg_publication_namespace AS listed
               JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = listed.pnnspid
              WHERE listed.pnpubid = publication.oid) AS schemas,
       (SELECT string_agg(member.line, E'\n' ORDER BY member.line COLLATE "C") FROM (
            SELECT listed.prrelid::pg_catalog.regclass::text
                   || coalesce(' (' || (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
                                          FROM pg_catalog.pg_attribute
                                         WHERE attrelid = listed.prrelid
                                           AND attnum = ANY (listed.prattrs::smallint[])) || ')', '')
                   || coalesce(' WHERE ' || pg_catalog.pg_get_expr(listed.prqual, listed.prrelid), '') AS line
              FROM pg_catalog.pg_publication_rel AS listed WHERE listed.prpubid = publication.oid) AS member) AS tables
  FROM pg_catalog.pg_publication AS publication
