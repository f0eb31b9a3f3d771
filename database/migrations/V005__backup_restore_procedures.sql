-- V005: the catalogue of backups and restores
--
-- Purpose   Keeps account of what is backed up, whether it has been proven, and what may be deleted. The
--           database cannot dump itself or see files: the program that makes a backup calls these functions,
--           and each call is refused unless it fits the state that the backup is in.
-- Risk      Creates only new tables and functions.
-- Reverse   By a new migration that drops the functions, the view and the tables made here. Keep a copy of
--           the tables: without them nobody knows what the files in the store are.
--
--     running ---> completed ---> expiring ---> deleted
--        |  \                        |
--        |   failed                  (confirm_backup_deleted, or cancel_backup_expiry back to completed)
--        abandoned (no heartbeat for too long)
--
-- Keep a second copy of the catalogue, or keep it in another database, for the day on which this one is lost.
-- A dump contains the row of the very backup it belongs to, still running; after a restore
-- abandon_stale_backups() closes it.

CREATE TABLE IF NOT EXISTS public.backups (
    backup_id        uuid        NOT NULL DEFAULT public.uuid_v7(),
    token            uuid        NOT NULL DEFAULT gen_random_uuid(),
    kind             text        NOT NULL,
    parent_backup_id uuid,
    state            text        NOT NULL DEFAULT 'running',
    tool             text        NOT NULL,
    tool_version     text        NOT NULL,
    target           text        NOT NULL,
    database_name    text        NOT NULL,
    database_bytes   bigint      NOT NULL,
    server_version   text        NOT NULL,
    wal_position     pg_lsn      NOT NULL,
    schema_version   bigint,
    extensions       jsonb       NOT NULL,
    started_by       text        NOT NULL DEFAULT session_user,
    started_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    heartbeat_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at      timestamptz,
    deleted_at       timestamptz,
    total_bytes      bigint,
    error            text,
    CONSTRAINT backups_pkey PRIMARY KEY (backup_id),
    CONSTRAINT backups_parent_backup_id_fkey FOREIGN KEY (parent_backup_id) REFERENCES public.backups (backup_id),
    CONSTRAINT backups_kind_check CHECK (kind IN ('logical', 'physical', 'incremental')),
    CONSTRAINT backups_parent_check CHECK ((kind = 'incremental') = (parent_backup_id IS NOT NULL)),
    CONSTRAINT backups_state_check CHECK (state IN ('running', 'completed', 'failed', 'abandoned', 'expiring', 'deleted')),
    CONSTRAINT backups_finished_at_check CHECK ((state = 'running') = (finished_at IS NULL)),
    CONSTRAINT backups_deleted_at_check CHECK ((state = 'deleted') = (deleted_at IS NOT NULL)),
    CONSTRAINT backups_error_check CHECK ((state = 'failed') = (error IS NOT NULL))
);
COMMENT ON TABLE public.backups IS 'Every backup that was begun. Rows are never deleted: they also say what there once was.';
COMMENT ON COLUMN public.backups.kind IS 'logical is a dump, physical a copy of the files, incremental what has changed since its parent.';
COMMENT ON COLUMN public.backups.parent_backup_id IS 'What an incremental backup builds on.';
COMMENT ON COLUMN public.backups.state IS 'running, completed, failed, abandoned, expiring or deleted.';
COMMENT ON COLUMN public.backups.tool IS 'The program that made it.';
COMMENT ON COLUMN public.backups.database_bytes IS 'How large the database was when it began.';
COMMENT ON COLUMN public.backups.server_version IS 'The PostgreSQL that it was taken from; restore with this one or a newer.';
COMMENT ON COLUMN public.backups.wal_position IS 'How far the write-ahead log had come when it began.';
COMMENT ON COLUMN public.backups.schema_version IS 'The newest migration that it holds.';
COMMENT ON COLUMN public.backups.extensions IS 'The extensions that a restore needs, with their versions.';
COMMENT ON COLUMN public.backups.heartbeat_at IS 'The last sign of life of the program.';
COMMENT ON COLUMN public.backups.finished_at IS 'When it was completed, failed or was abandoned.';
COMMENT ON COLUMN public.backups.deleted_at IS 'When its files were gone.';
COMMENT ON COLUMN public.backups.total_bytes IS 'Of all its files together.';
COMMENT ON COLUMN public.backups.error IS 'Why it failed.';
COMMENT ON COLUMN public.backups.token IS 'Known to the program that began the backup; without it nobody else can report on it.';
COMMENT ON COLUMN public.backups.target IS 'Where the files are, without any password.';

-- One running backup of a kind: the index decides, whatever the programs believe.
CREATE UNIQUE INDEX IF NOT EXISTS backups_running_idx ON public.backups (kind) WHERE state = 'running';
CREATE INDEX IF NOT EXISTS backups_parent_backup_id_idx ON public.backups (parent_backup_id);

CREATE TABLE IF NOT EXISTS public.backup_files (
    backup_id uuid   NOT NULL,
    path      text   NOT NULL,
    bytes     bigint NOT NULL,
    sha256    text   NOT NULL,
    CONSTRAINT backup_files_pkey PRIMARY KEY (backup_id, path),
    CONSTRAINT backup_files_backup_id_fkey FOREIGN KEY (backup_id) REFERENCES public.backups (backup_id),
    CONSTRAINT backup_files_bytes_check CHECK (bytes >= 0),
    CONSTRAINT backup_files_sha256_check CHECK (sha256 ~ '^[0-9a-f]{64}$')
);
COMMENT ON TABLE public.backup_files IS 'The files of a backup, with the length and the SHA-256 that they had when it was finished.';
COMMENT ON COLUMN public.backup_files.path IS 'Below the target of the backup.';
COMMENT ON COLUMN public.backup_files.sha256 IS 'In hexadecimal, of the whole file.';

CREATE TABLE IF NOT EXISTS public.backup_verifications (
    verification_id uuid        NOT NULL DEFAULT public.uuid_v7(),
    backup_id       uuid        NOT NULL,
    method          text        NOT NULL,
    succeeded       boolean     NOT NULL,
    details         jsonb       NOT NULL DEFAULT '{}',
    verified_by     text        NOT NULL DEFAULT session_user,
    verified_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT backup_verifications_pkey PRIMARY KEY (verification_id),
    CONSTRAINT backup_verifications_backup_id_fkey FOREIGN KEY (backup_id) REFERENCES public.backups (backup_id),
    CONSTRAINT backup_verifications_method_check CHECK (method IN ('list', 'checksum', 'read_all', 'restore_test')),
    CONSTRAINT backup_verifications_details_check CHECK (jsonb_typeof(details) = 'object')
);
COMMENT ON TABLE public.backup_verifications IS 'Every check of a backup.';
COMMENT ON COLUMN public.backup_verifications.details IS 'What was found.';
COMMENT ON COLUMN public.backup_verifications.method IS
    'list reads the table of contents only, which a damaged file survives: it is on record, but proves nothing.';
CREATE INDEX IF NOT EXISTS backup_verifications_backup_id_idx ON public.backup_verifications (backup_id, verified_at);

CREATE TABLE IF NOT EXISTS public.restores (
    restore_id      uuid        NOT NULL DEFAULT public.uuid_v7(),
    token           uuid        NOT NULL DEFAULT gen_random_uuid(),
    backup_id       uuid        NOT NULL,
    purpose         text        NOT NULL,
    target_database text        NOT NULL,
    state           text        NOT NULL DEFAULT 'running',
    started_by      text        NOT NULL DEFAULT session_user,
    started_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    heartbeat_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at     timestamptz,
    error           text,
    CONSTRAINT restores_pkey PRIMARY KEY (restore_id),
    CONSTRAINT restores_backup_id_fkey FOREIGN KEY (backup_id) REFERENCES public.backups (backup_id),
    CONSTRAINT restores_purpose_check CHECK (purpose IN ('recovery', 'test', 'copy')),
    CONSTRAINT restores_state_check CHECK (state IN ('running', 'completed', 'failed', 'abandoned')),
    CONSTRAINT restores_finished_at_check CHECK ((state = 'running') = (finished_at IS NULL)),
    CONSTRAINT restores_error_check CHECK ((state = 'failed') = (error IS NOT NULL))
);
COMMENT ON TABLE public.restores IS 'Every restore that was begun, and into which database.';
COMMENT ON COLUMN public.restores.token IS 'Known to the program that began the restore; without it nobody else can report on it.';
COMMENT ON COLUMN public.restores.purpose IS 'recovery, test or copy.';
COMMENT ON COLUMN public.restores.target_database IS 'The new database that it goes into.';
COMMENT ON COLUMN public.restores.state IS 'running, completed, failed or abandoned.';
COMMENT ON COLUMN public.restores.heartbeat_at IS 'The last sign of life of the program.';
COMMENT ON COLUMN public.restores.error IS 'Why it failed.';
CREATE INDEX IF NOT EXISTS restores_backup_id_idx ON public.restores (backup_id);
CREATE UNIQUE INDEX IF NOT EXISTS restores_running_idx ON public.restores (target_database) WHERE state = 'running';

CREATE OR REPLACE VIEW public.backup_overview WITH (security_invoker = true) AS
SELECT
    backup.backup_id,
    backup.kind,
    backup.state,
    backup.started_at,
    backup.finished_at - backup.started_at AS took,
    pg_size_pretty(backup.total_bytes) AS size,
    backup.schema_version,
    backup.target,
    proof.method AS last_proof,
    proof.succeeded AS last_proof_succeeded,
    proof.verified_at AS last_proof_at
FROM public.backups AS backup
LEFT JOIN LATERAL (
    SELECT verification.method, verification.succeeded, verification.verified_at
    FROM public.backup_verifications AS verification
    WHERE verification.backup_id = backup.backup_id AND verification.method <> 'list'
    ORDER BY verification.verified_at DESC, verification.verification_id DESC
    LIMIT 1
) AS proof ON true
ORDER BY backup.started_at DESC;
COMMENT ON VIEW public.backup_overview IS 'The backups, newest first, and the last check of each that proves something.';


-- Backups ----------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION public.abandon_stale_backups(p_after interval DEFAULT '15 minutes') RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    backups_abandoned bigint;
    restores_abandoned bigint;
BEGIN
    UPDATE public.backups AS backup
    SET state = 'abandoned', finished_at = clock_timestamp()
    WHERE backup.state = 'running' AND backup.heartbeat_at < clock_timestamp() - p_after;
    GET DIAGNOSTICS backups_abandoned = ROW_COUNT;
    UPDATE public.restores AS restore
    SET state = 'abandoned', finished_at = clock_timestamp()
    WHERE restore.state = 'running' AND restore.heartbeat_at < clock_timestamp() - p_after;
    GET DIAGNOSTICS restores_abandoned = ROW_COUNT;
    RETURN backups_abandoned + restores_abandoned;
END
$body$;
COMMENT ON FUNCTION public.abandon_stale_backups(interval) IS
    'Closes backups and restores whose program has not been heard of for that long, and returns how many.';

CREATE OR REPLACE FUNCTION public.begin_backup(
    p_kind text,
    p_tool text,
    p_tool_version text,
    p_target text,
    p_parent_backup_id uuid DEFAULT NULL,
    p_schema_version bigint DEFAULT NULL
) RETURNS TABLE (backup_id uuid, token uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    schema_version bigint := p_schema_version;
BEGIN
    PERFORM public.abandon_stale_backups();
    IF p_parent_backup_id IS NOT NULL THEN
        -- Locked, so that nobody plans to delete it meanwhile.
        PERFORM FROM public.backups AS parent
        WHERE parent.backup_id = p_parent_backup_id AND parent.state = 'completed' AND parent.kind <> 'logical'
        FOR SHARE;
        IF NOT FOUND THEN
            RAISE object_not_in_prerequisite_state
                USING MESSAGE = 'an incremental backup needs a completed physical or incremental backup to build on';
        END IF;
    END IF;
    IF schema_version IS NULL AND to_regclass('public.schema_migrations') IS NOT NULL THEN
        EXECUTE 'SELECT max(version) FROM public.schema_migrations WHERE status = ''applied''' INTO schema_version;
    END IF;
    INSERT INTO public.backups AS backup (
        kind, parent_backup_id, tool, tool_version, target, database_name, database_bytes, server_version,
        wal_position, schema_version, extensions
    )
    SELECT
        p_kind,
        p_parent_backup_id,
        p_tool,
        p_tool_version,
        p_target,
        current_database(),
        pg_database_size(current_database()),
        current_setting('server_version'),
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
        schema_version,
        (SELECT jsonb_object_agg(extension.extname, extension.extversion) FROM pg_catalog.pg_extension AS extension)
    RETURNING backup.backup_id, backup.token INTO begin_backup.backup_id, begin_backup.token;
    RETURN NEXT;
EXCEPTION
    WHEN unique_violation THEN
        RAISE object_in_use
            USING MESSAGE = format('a %s backup is running already', p_kind),
                  HINT = 'See backup_overview. If its program is dead, it is closed 15 minutes after its last sign of life.';
END
$body$;
COMMENT ON FUNCTION public.begin_backup(text, text, text, text, uuid, bigint) IS
    'Enters a backup as running and returns its id and the token for all further reports on it. Without a schema version it takes the newest of public.schema_migrations.';

CREATE OR REPLACE FUNCTION public.heartbeat_backup(p_backup_id uuid, p_token uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    UPDATE public.backups AS backup
    SET heartbeat_at = clock_timestamp()
    WHERE backup.backup_id = p_backup_id AND backup.token = p_token AND backup.state = 'running';
    IF NOT FOUND THEN
        RAISE object_not_in_prerequisite_state
            USING MESSAGE = format('backup %s is not running under this token', p_backup_id);
    END IF;
END
$body$;
COMMENT ON FUNCTION public.heartbeat_backup(uuid, uuid) IS 'A sign of life of a running backup; refused when it is no longer running: stop.';

CREATE OR REPLACE FUNCTION public.finish_backup(p_backup_id uuid, p_token uuid, p_files jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    IF jsonb_typeof(p_files) IS DISTINCT FROM 'array' OR jsonb_array_length(p_files) = 0 THEN
        RAISE invalid_parameter_value
            USING MESSAGE = 'a finished backup has files',
                  HINT = 'Pass [{"path": "...", "bytes": 1, "sha256": "..."}].';
    END IF;
    UPDATE public.backups AS backup
    SET state = 'completed',
        finished_at = clock_timestamp(),
        heartbeat_at = clock_timestamp(),
        total_bytes = (SELECT sum((file ->> 'bytes')::bigint) FROM jsonb_array_elements(p_files) AS file)
    WHERE backup.backup_id = p_backup_id AND backup.token = p_token AND backup.state = 'running';
    IF NOT FOUND THEN
        RAISE object_not_in_prerequisite_state
            USING MESSAGE = format('backup %s is not running under this token', p_backup_id);
    END IF;
    INSERT INTO public.backup_files (backup_id, path, bytes, sha256)
    SELECT p_backup_id, file ->> 'path', (file ->> 'bytes')::bigint, lower(file ->> 'sha256')
    FROM jsonb_array_elements(p_files) AS file;
END
$body$;
COMMENT ON FUNCTION public.finish_backup(uuid, uuid, jsonb) IS 'Closes a running backup as completed, with its files.';

CREATE OR REPLACE FUNCTION public.fail_backup(p_backup_id uuid, p_token uuid, p_error text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    UPDATE public.backups AS backup
    SET state = 'failed', finished_at = clock_timestamp(), error = coalesce(p_error, 'no reason given')
    WHERE backup.backup_id = p_backup_id AND backup.token = p_token AND backup.state = 'running';
    IF NOT FOUND THEN
        RAISE object_not_in_prerequisite_state
            USING MESSAGE = format('backup %s is not running under this token', p_backup_id);
    END IF;
END
$body$;
COMMENT ON FUNCTION public.fail_backup(uuid, uuid, text) IS 'Closes a running backup as failed, with the reason.';

CREATE OR REPLACE FUNCTION public.record_verification(
    p_backup_id uuid, p_method text, p_succeeded boolean, p_details jsonb DEFAULT '{}'
) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    recorded uuid;
BEGIN
    INSERT INTO public.backup_verifications (backup_id, method, succeeded, details)
    SELECT backup.backup_id, p_method, p_succeeded, p_details
    FROM public.backups AS backup
    WHERE backup.backup_id = p_backup_id AND backup.state = 'completed'
    FOR SHARE
    RETURNING verification_id INTO recorded;
    IF recorded IS NULL THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = format('backup %s is not a completed one', p_backup_id);
    END IF;
    RETURN recorded;
END
$body$;
COMMENT ON FUNCTION public.record_verification(uuid, text, boolean, jsonb) IS 'Puts the result of a check of a completed backup on record.';

-- Kept are: what is younger than keep_days, the newest keep_last, the newest keep_verified whose last proof
-- succeeded, and whatever those build on. Both numbers are at least one, so the newest backup and the newest
-- proven one always stay. All of it under one lock: two plans at once could otherwise each rely on what the
-- other gives up.
CREATE OR REPLACE FUNCTION public.plan_backup_expiry(
    p_keep_days integer DEFAULT 30, p_keep_last integer DEFAULT 7, p_keep_verified integer DEFAULT 2
) RETURNS TABLE (backup_id uuid, target text, kind text, started_at timestamptz, total_bytes bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    IF p_keep_days IS NULL OR p_keep_last IS NULL OR p_keep_verified IS NULL THEN
        RAISE invalid_parameter_value USING MESSAGE = 'say how much to keep';
    END IF;
    LOCK TABLE public.backups, public.backup_verifications IN SHARE ROW EXCLUSIVE MODE;
    WITH RECURSIVE completed AS (
        SELECT
            backup.backup_id,
            backup.parent_backup_id,
            backup.started_at,
            coalesce((
                SELECT verification.succeeded
                FROM public.backup_verifications AS verification
                WHERE verification.backup_id = backup.backup_id AND verification.method <> 'list'
                ORDER BY verification.verified_at DESC, verification.verification_id DESC
                LIMIT 1
            ), false) AS is_verified
        FROM public.backups AS backup
        WHERE backup.state = 'completed'
    ), ranked AS (
        SELECT
            completed.*,
            row_number() OVER (ORDER BY completed.started_at DESC, completed.backup_id DESC) AS age_rank,
            row_number() OVER (
                PARTITION BY completed.is_verified ORDER BY completed.started_at DESC, completed.backup_id DESC
            ) AS verified_rank
        FROM completed
    ), kept AS (
        SELECT ranked.backup_id, ranked.parent_backup_id
        FROM ranked
        WHERE ranked.started_at > clock_timestamp() - make_interval(days => p_keep_days)
           OR ranked.age_rank <= greatest(p_keep_last, 1)
           OR (ranked.is_verified AND ranked.verified_rank <= greatest(p_keep_verified, 1))
        UNION
        SELECT running.backup_id, running.parent_backup_id
        FROM public.backups AS running
        WHERE running.state = 'running'
        UNION
        SELECT parent.backup_id, parent.parent_backup_id
        FROM public.backups AS parent
        JOIN kept ON kept.parent_backup_id = parent.backup_id
    )
    UPDATE public.backups AS backup
    SET state = 'expiring'
    WHERE backup.state = 'completed' AND NOT EXISTS (SELECT FROM kept WHERE kept.backup_id = backup.backup_id);

    RETURN QUERY
    SELECT backup.backup_id, backup.target, backup.kind, backup.started_at, backup.total_bytes
    FROM public.backups AS backup
    WHERE backup.state = 'expiring'
    ORDER BY backup.started_at;
END
$body$;
COMMENT ON FUNCTION public.plan_backup_expiry(integer, integer, integer) IS
    'Marks the backups that nobody needs any more as expiring and returns all such, oldest first. Delete their files, then call confirm_backup_deleted().';

CREATE OR REPLACE FUNCTION public.confirm_backup_deleted(p_backup_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    UPDATE public.backups AS backup
    SET state = 'deleted', deleted_at = clock_timestamp()
    WHERE backup.backup_id = p_backup_id AND backup.state = 'expiring';
    IF NOT FOUND THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = format('backup %s is not expiring', p_backup_id);
    END IF;
END
$body$;
COMMENT ON FUNCTION public.confirm_backup_deleted(uuid) IS 'Says that the files of an expiring backup are gone.';

CREATE OR REPLACE FUNCTION public.cancel_backup_expiry(p_backup_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    UPDATE public.backups AS backup
    SET state = 'completed'
    WHERE backup.backup_id = p_backup_id AND backup.state = 'expiring';
    IF NOT FOUND THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = format('backup %s is not expiring', p_backup_id);
    END IF;
END
$body$;
COMMENT ON FUNCTION public.cancel_backup_expiry(uuid) IS 'Keeps an expiring backup after all; only while its files are all there.';


-- Restores ---------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION public.begin_restore(p_backup_id uuid, p_target_database text, p_purpose text DEFAULT 'recovery')
RETURNS TABLE (restore_id uuid, token uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    PERFORM public.abandon_stale_backups();
    IF p_target_database = current_database() THEN
        RAISE invalid_parameter_value
            USING MESSAGE = 'a restore does not go over the database that keeps this catalogue',
                  HINT = 'Restore into a new database, check it, then rename.';
    END IF;
    PERFORM FROM public.backups AS backup WHERE backup.backup_id = p_backup_id AND backup.state = 'completed' FOR SHARE;
    IF NOT FOUND THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = format('backup %s is not a completed one', p_backup_id);
    END IF;
    INSERT INTO public.restores AS restore (backup_id, target_database, purpose)
    VALUES (p_backup_id, p_target_database, p_purpose)
    RETURNING restore.restore_id, restore.token INTO begin_restore.restore_id, begin_restore.token;
    RETURN NEXT;
EXCEPTION
    WHEN unique_violation THEN
        RAISE object_in_use USING MESSAGE = format('a restore into database %s is running already', p_target_database);
END
$body$;
COMMENT ON FUNCTION public.begin_restore(uuid, text, text) IS 'Enters a restore of a completed backup into another database as running.';

CREATE OR REPLACE FUNCTION public.heartbeat_restore(p_restore_id uuid, p_token uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    UPDATE public.restores AS restore
    SET heartbeat_at = clock_timestamp()
    WHERE restore.restore_id = p_restore_id AND restore.token = p_token AND restore.state = 'running';
    IF NOT FOUND THEN
        RAISE object_not_in_prerequisite_state
            USING MESSAGE = format('restore %s is not running under this token', p_restore_id);
    END IF;
END
$body$;
COMMENT ON FUNCTION public.heartbeat_restore(uuid, uuid) IS 'A sign of life of a running restore.';

CREATE OR REPLACE FUNCTION public.finish_restore(p_restore_id uuid, p_token uuid, p_error text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    UPDATE public.restores AS restore
    SET state = CASE WHEN p_error IS NULL THEN 'completed' ELSE 'failed' END,
        finished_at = clock_timestamp(),
        error = p_error
    WHERE restore.restore_id = p_restore_id AND restore.token = p_token AND restore.state = 'running';
    IF NOT FOUND THEN
        RAISE object_not_in_prerequisite_state
            USING MESSAGE = format('restore %s is not running under this token', p_restore_id);
    END IF;
END
$body$;
COMMENT ON FUNCTION public.finish_restore(uuid, uuid, text) IS 'Closes a running restore: completed, or failed when there is an error.';


-- Statistics -------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION public.database_statistics()
RETURNS TABLE (
    schema_name name, table_name name, estimated_rows bigint, dead_rows bigint, table_bytes bigint, index_bytes bigint,
    total_bytes bigint, last_vacuum timestamptz, last_analyze timestamptz
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $body$
    SELECT
        stat.schemaname,
        stat.relname,
        stat.n_live_tup,
        stat.n_dead_tup,
        pg_table_size(stat.relid),
        pg_indexes_size(stat.relid),
        pg_total_relation_size(stat.relid),
        greatest(stat.last_vacuum, stat.last_autovacuum),
        greatest(stat.last_analyze, stat.last_autoanalyze)
    FROM pg_stat_user_tables AS stat
    ORDER BY pg_total_relation_size(stat.relid) DESC, stat.schemaname, stat.relname
$body$;
COMMENT ON FUNCTION public.database_statistics() IS 'The tables of this database by size. The numbers of rows are estimates.';


-- Privileges -------------------------------------------------------------------------------------------

REVOKE EXECUTE ON FUNCTION
    public.abandon_stale_backups(interval),
    public.begin_backup(text, text, text, text, uuid, bigint),
    public.heartbeat_backup(uuid, uuid),
    public.finish_backup(uuid, uuid, jsonb),
    public.fail_backup(uuid, uuid, text),
    public.record_verification(uuid, text, boolean, jsonb),
    public.plan_backup_expiry(integer, integer, integer),
    public.confirm_backup_deleted(uuid),
    public.cancel_backup_expiry(uuid),
    public.begin_restore(uuid, text, text),
    public.heartbeat_restore(uuid, uuid),
    public.finish_restore(uuid, uuid, text)
FROM PUBLIC;

DO $privileges$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_backup') THEN
        -- The state changes by the functions alone.
        GRANT SELECT ON public.backups, public.backup_files, public.backup_verifications, public.restores,
            public.backup_overview TO semantic_kernel_backup;
        GRANT EXECUTE ON FUNCTION
            public.abandon_stale_backups, public.begin_backup, public.heartbeat_backup, public.finish_backup,
            public.fail_backup, public.record_verification, public.plan_backup_expiry, public.confirm_backup_deleted,
            public.cancel_backup_expiry, public.begin_restore, public.heartbeat_restore, public.finish_restore
        TO semantic_kernel_backup;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_reader') THEN
        -- All but the tokens.
        GRANT SELECT (
            backup_id, kind, parent_backup_id, state, tool, tool_version, target, database_name, database_bytes,
            server_version, wal_position, schema_version, extensions, started_by, started_at, heartbeat_at, finished_at,
            deleted_at, total_bytes, error
        ) ON public.backups TO semantic_kernel_reader;
        GRANT SELECT ON public.backup_files, public.backup_verifications, public.backup_overview TO semantic_kernel_reader;
    END IF;
END
$privileges$;

DO $ownership$
DECLARE
    object text;
BEGIN
    -- As in B000: nothing that runs with the rights of its owner may belong to a superuser.
    IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        IF to_regclass('public.schema_migrations') IS NOT NULL THEN
            GRANT SELECT ON public.schema_migrations TO semantic_kernel_owner;
        END IF;
        FOREACH object IN ARRAY ARRAY[
            'TABLE public.backups', 'TABLE public.backup_files', 'TABLE public.backup_verifications',
            'TABLE public.restores', 'VIEW public.backup_overview', 'FUNCTION public.abandon_stale_backups',
            'FUNCTION public.begin_backup', 'FUNCTION public.heartbeat_backup', 'FUNCTION public.finish_backup',
            'FUNCTION public.fail_backup', 'FUNCTION public.record_verification', 'FUNCTION public.plan_backup_expiry',
            'FUNCTION public.confirm_backup_deleted', 'FUNCTION public.cancel_backup_expiry',
            'FUNCTION public.begin_restore', 'FUNCTION public.heartbeat_restore', 'FUNCTION public.finish_restore',
            'FUNCTION public.database_statistics'
        ] LOOP
            EXECUTE format('ALTER %s OWNER TO semantic_kernel_owner', object);
        END LOOP;
    END IF;
END
$ownership$;
