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

COMMENT ON TABLE schema_migrations IS 'The migrations of this database, one row each. The runner alone writes it.';
COMMENT ON COLUMN schema_migrations.version IS 'The number in the name of the file.';
COMMENT ON COLUMN schema_migrations.kind IS 'versioned: a file that was run; baseline: what a new database began with; marked: entered without being run; adopted: found as the record of another tool.';
COMMENT ON COLUMN schema_migrations.script IS 'The name of the file.';
COMMENT ON COLUMN schema_migrations.status IS 'running, applied or failed.';
COMMENT ON COLUMN schema_migrations.checksum IS 'The SHA-256 of the text of the file.';
COMMENT ON COLUMN schema_migrations.tree_checksum IS 'The SHA-256 of what the text means: comments and white space do not count.';
COMMENT ON COLUMN schema_migrations.statements_done IS 'How many of its statements are done; of a file that runs in one transaction, all or none.';
COMMENT ON COLUMN schema_migrations.statements_total IS 'How many statements it has.';
COMMENT ON COLUMN schema_migrations.applied_at IS 'When it was done.';
COMMENT ON COLUMN schema_migrations.execution_time_ms IS 'How long it took.';
COMMENT ON COLUMN schema_migrations.applied_by IS 'The login that ran it.';
COMMENT ON COLUMN schema_migrations.host IS 'Where the runner ran.';
COMMENT ON COLUMN schema_migrations.application IS 'The build of the application that was being started, where it was told.';
COMMENT ON COLUMN schema_migrations.tool_version IS 'The version of the runner.';
COMMENT ON COLUMN schema_migrations.run_id IS 'Which run it was part of.';
COMMENT ON COLUMN schema_migrations.journal IS 'Of a file that cannot run in one transaction: which statement is being run.';
COMMENT ON TABLE schema_migrations_body IS 'The text of each migration as it was applied, to show what has changed when a file was edited.';
COMMENT ON COLUMN schema_migrations_body.checksum IS 'The same as in schema_migrations.';
COMMENT ON TABLE schema_migrations_repeatable IS 'The repeatable migrations (R__), each as it was last run.';
COMMENT ON COLUMN schema_migrations_repeatable.script IS 'The name of the file.';
COMMENT ON COLUMN schema_migrations_repeatable.status IS 'running, applied or failed.';
COMMENT ON COLUMN schema_migrations_repeatable.checksum IS 'The SHA-256 of the text of the file.';
COMMENT ON COLUMN schema_migrations_repeatable.tree_checksum IS 'The SHA-256 of what the text means: comments and white space do not count.';
COMMENT ON COLUMN schema_migrations_repeatable.statements_done IS 'How many of its statements are done; of a file that runs in one transaction, all or none.';
COMMENT ON COLUMN schema_migrations_repeatable.statements_total IS 'How many statements it has.';
COMMENT ON COLUMN schema_migrations_repeatable.applied_at IS 'When it was done.';
COMMENT ON COLUMN schema_migrations_repeatable.execution_time_ms IS 'How long it took.';
COMMENT ON COLUMN schema_migrations_repeatable.applied_by IS 'The login that ran it.';
COMMENT ON COLUMN schema_migrations_repeatable.host IS 'Where the runner ran.';
COMMENT ON COLUMN schema_migrations_repeatable.application IS 'The build of the application that was being started, where it was told.';
COMMENT ON COLUMN schema_migrations_repeatable.tool_version IS 'The version of the runner.';
COMMENT ON COLUMN schema_migrations_repeatable.run_id IS 'Which run it was part of.';
COMMENT ON COLUMN schema_migrations_repeatable.journal IS 'Of a file that cannot run in one transaction: which statement is being run.';

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
