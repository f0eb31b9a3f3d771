SELECT 'text search ' || object.kind AS kind, quote_ident(namespace.nspname) AS schema, quote_ident(object.name) AS name,
       object.class, object.id, 0 AS sub, NULL::oid AS of_class, NULL::oid AS of_id, object.properties AS definition
  FROM (
    SELECT 'parser' AS kind, tableoid AS class, oid AS id, prsname AS name, prsnamespace AS namespace,
           concat_ws(', ', prsstart::text, prstoken::text, prsend::text, prsheadline::text, prslextype::text) AS properties
      FROM pg_catalog.pg_ts_parser
     UNION ALL
    SELECT 'template', tableoid, oid, tmplname, tmplnamespace, concat_ws(', ', tmplinit::text, tmpllexize::text)
      FROM pg_catalog.pg_ts_template
     UNION ALL
    SELECT 'dictionary', dictionary.tableoid, dictionary.oid, dictionary.dictname, dictionary.dictnamespace,
           concat_ws(', ', quote_ident(place.nspname) || '.' || quote_ident(template.tmplname), dictionary.dictinitoption)
      FROM pg_catalog.pg_ts_dict AS dictionary
      JOIN pg_catalog.pg_ts_template AS template ON template.oid = dictionary.dicttemplate
      JOIN pg_catalog.pg_namespace AS place ON place.oid = template.tmplnamespace
     UNION ALL
    SELECT 'configuration', configuration.tableoid, configuration.oid, configuration.cfgname, configuration.cfgnamespace,
           concat_ws(E'\n', quote_ident(place.nspname) || '.' || quote_ident(parser.prsname),
               (SELECT string_agg((SELECT alias FROM pg_catalog.ts_token_type(configuration.cfgparser)
                                    WHERE tokid = mapping.maptokentype)
                                  || ': ' || mapping.mapdict::pg_catalog.regdictionary::text, E'\n'
                                  ORDER BY mapping.maptokentype, mapping.mapseqno)
                  FROM pg_catalog.pg_ts_config_map AS mapping WHERE mapping.mapcfg = configuration.oid))
      FROM pg_catalog.pg_ts_config AS configuration
      JOIN pg_catalog.pg_ts_parser AS parser ON parser.oid = configuration.cfgparser
      JOIN pg_catalog.pg_namespace AS place ON place.oid = parser.prsnamespace) AS object
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = object.namespace
 WHERE namespace.nspname !~ '^pg_' AND namespace.nspname <> 'information_schema'
