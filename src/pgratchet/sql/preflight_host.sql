SELECT CASE WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')
            THEN pg_catalog.current_setting('data_directory') END AS data_directory,
       (SELECT system_identifier FROM pg_catalog.pg_control_system()) AS system_identifier
