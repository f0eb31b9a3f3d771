SELECT name, reset_val
  FROM pg_catalog.pg_settings
 WHERE source = 'configuration file' AND name = ANY (pg_catalog.string_to_array(%(names)s, ','))
