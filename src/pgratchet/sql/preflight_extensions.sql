SELECT wanted, installed.extversion, available.default_version, version.version, version.superuser, version.trusted
  FROM pg_catalog.unnest(ARRAY[{{names}}]::text[]) AS wanted
  LEFT JOIN pg_catalog.pg_extension AS installed ON installed.extname = wanted
  LEFT JOIN pg_catalog.pg_available_extensions AS available ON available.name = wanted
  LEFT JOIN pg_catalog.pg_available_extension_versions AS version ON version.name = wanted
 ORDER BY wanted
