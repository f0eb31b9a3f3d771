-- V001: the history of migrations
--
-- Purpose   The three tables in which the runner records what it applied, and a view of them for people:
--               SELECT * FROM schema_migrations ORDER BY version;
--               SELECT * FROM schema_migrations_overview;
-- Risk      None. The runner makes the very same tables before its first migration; then this file finds
--           them and only adds the view and the privileges. Run by psql alone it creates them, empty.
-- Reverse   By a new migration: DROP VIEW schema_migrations_overview. The tables belong to the runner, which
--           would make them again; without their rows it cannot tell what has been applied.
--
-- The names carry no schema: the tables live in the first schema of search_path, where the runner looks.

CREATE TABLE IF NOT EXISTS schema_migrations (
    version           bigint      NOT NULL,
    description       text        NOT NULL,
    script            text        NOT NULL,
    kind              text        NOT NULL DEFAULT 'versioned',
    status            text        NOT NULL DEFAULT 'running',
    checksum          text,
    tree_checksum     text,
    statements_done   bigint      NOT NULL DEFAULT 0,
    statements_total  bigint      NOT NULL DEFAULT 0,
    started_at        timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    applied_at        timestamptz,
    execution_time_ms bigint,
    applied_by        text        NOT NULL DEFAULT session_user,
    host              text,
    application       text,
    tool_version      text,
    run_id            uuid,
    journal           jsonb,
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (version),
    CONSTRAINT schema_migrations_version_check CHECK (version >= 0),
    CONSTRAINT schema_migrations_kind_check CHECK (kind IN ('versioned', 'baseline', 'marked', 'adopted')),
    CONSTRAINT schema_migrations_status_check CHECK (status IN ('running', 'applied', 'failed'))
);

CREATE TABLE IF NOT EXISTS schema_migrations_body (
    checksum text NOT NULL,
    body     text NOT NULL,
    CONSTRAINT schema_migrations_body_pkey PRIMARY KEY (checksum)
);

CREATE TABLE IF NOT EXISTS schema_migrations_repeatable (
    description       text        NOT NULL,
    script            text        NOT NULL,
    status            text        NOT NULL DEFAULT 'running',
    checksum          text        NOT NULL,
    tree_checksum     text,
    statements_done   bigint      NOT NULL DEFAULT 0,
    statements_total  bigint      NOT NULL DEFAULT 0,
    started_at        timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    applied_at        timestamptz,
    execution_time_ms bigint,
    applied_by        text        NOT NULL DEFAULT session_user,
    host              text,
    application       text,
    tool_version      text,
    run_id            uuid,
    journal           jsonb,
    CONSTRAINT schema_migrations_repeatable_pkey PRIMARY KEY (description),
    CONSTRAINT schema_migrations_repeatable_status_check CHECK (status IN ('running', 'applied', 'failed'))
);

CREATE OR REPLACE VIEW schema_migrations_overview WITH (security_invoker = true) AS
SELECT
    version,
    description,
    status,
    CASE
        WHEN status = 'applied' THEN 'applied'
        ELSE format('%s: %s of %s statements', status, statements_done, statements_total)
    END AS progress,
    date_trunc('second', applied_at) AS applied_at,
    make_interval(secs => execution_time_ms / 1000.0) AS took,
    applied_by,
    script
FROM schema_migrations
ORDER BY version;
COMMENT ON VIEW schema_migrations_overview IS 'The migrations of this database, in order, for people.';

DO $privileges$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_reader') THEN
        GRANT SELECT ON schema_migrations, schema_migrations_body, schema_migrations_repeatable,
            schema_migrations_overview TO semantic_kernel_reader;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_backup') THEN
        GRANT SELECT ON schema_migrations, schema_migrations_body, schema_migrations_repeatable,
            schema_migrations_overview TO semantic_kernel_backup;
    END IF;
    -- The application asks at its start whether the schema is new enough for it.
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_app') THEN
        GRANT SELECT ON schema_migrations, schema_migrations_repeatable, schema_migrations_overview TO semantic_kernel_app;
    END IF;
END
$privileges$;
