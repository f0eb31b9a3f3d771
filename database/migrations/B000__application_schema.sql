-- B000: the schema that a new database of a Semantic Kernel application starts from
--
-- Purpose   Tenants, users, roles, API keys, skills, conversations, messages, usage and audit: what the
--           migrations V001 to V005 stand on.
-- Risk      None on an empty database: it only creates. On a second run every statement finds its object.
--           CREATE ROLE touches the whole server, not only this database; nothing is changed on a role
--           that exists already.
-- Reverse   By a new migration that drops the tables it no longer wants. The data goes with them, so take
--           a backup first. Roles are shared by all databases of a server: drop them by hand, last.
--
-- Rules that all tables of a tenant follow:
--   * tenant_id is the first column of every key, so that the tables can be spread by tenant later;
--   * ids are uuids in order of time, made by the server and never shared by two tenants;
--   * row level security shows the rows of the tenant in the setting app.tenant_id, and none without it.
--     The owner of the tables is exempt (migrations and dumps need that), so the application connects as
--     a member of semantic_kernel_app and may call require_row_security() at its start to be sure;
--   * no triggers: updated_at is set by the statement that updates.


-- Roles ------------------------------------------------------------------------------------------------
-- Group roles without login or password. Give them to your logins:  GRANT semantic_kernel_app TO my_login;
-- Where the migrating user may not create roles, a DBA can do it later; running the files once more with
-- psql then adds the privileges, since every file can be run again.

DO $roles$
DECLARE
    wanted record;
    missing text[] := '{}';
BEGIN
    FOR wanted IN
        SELECT *
        FROM (VALUES
            ('semantic_kernel_owner', 'NOLOGIN'),            -- owns tables and functions when a superuser migrates
            ('semantic_kernel_app', 'NOLOGIN'),              -- what the application may do
            ('semantic_kernel_reader', 'NOLOGIN'),           -- reads, for reports and support
            ('semantic_kernel_backup', 'NOLOGIN BYPASSRLS')  -- dumps every tenant and keeps the catalogue of backups
        ) AS role (name, attributes)
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted.name);
        BEGIN
            EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.attributes);
        EXCEPTION
            WHEN insufficient_privilege THEN
                missing := missing || format('CREATE ROLE %I %s;', wanted.name, wanted.attributes);
            WHEN duplicate_object OR unique_violation THEN
                NULL;  -- another database of this server was migrated at the same moment
        END;
    END LOOP;
    IF cardinality(missing) > 0 THEN
        RAISE NOTICE 'roles were left out: % may not create them', current_user
            USING HINT = format('A DBA can make them: %s Then run these files again with psql.', array_to_string(missing, ' '));
    END IF;
END
$roles$;

-- Servers that were upgraded from before PostgreSQL 15 still let everybody create objects in public. That
-- would let a stranger put an object in the way of the functions below.
DO $public_schema$
BEGIN
    IF has_schema_privilege('public', 'public', 'CREATE') THEN
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'everybody may create objects in schema public and % may not change that', current_user
            USING HINT = 'A DBA can run: REVOKE CREATE ON SCHEMA public FROM PUBLIC;';
END
$public_schema$;


-- Ids and tenancy --------------------------------------------------------------------------------------

-- PostgreSQL 18 makes uuids of version 7 itself. Before, the same layout is put together here: 48 bits of
-- milliseconds, 12 bits of the fraction of a millisecond, the rest random.
DO $uuid_v7$
BEGIN
    IF current_setting('server_version_num')::integer >= 180000 THEN
        CREATE OR REPLACE FUNCTION public.uuid_v7() RETURNS uuid
        LANGUAGE sql VOLATILE PARALLEL SAFE
        AS 'SELECT pg_catalog.uuidv7()';
    ELSE
        CREATE OR REPLACE FUNCTION public.uuid_v7() RETURNS uuid
        LANGUAGE sql VOLATILE PARALLEL SAFE
        AS $body$
            SELECT (
                pg_catalog.lpad(pg_catalog.to_hex(microseconds / 1000), 12, '0')
                || '7'
                || pg_catalog.lpad(pg_catalog.to_hex(microseconds % 1000 * 4096 / 1000), 3, '0')
                || pg_catalog."right"(pg_catalog.gen_random_uuid()::text, 17)
            )::uuid
            FROM (
                SELECT (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint
            ) AS clock (microseconds)
        $body$;
    END IF;
END
$uuid_v7$;
COMMENT ON FUNCTION public.uuid_v7() IS 'A new uuid, version 7: ids in the order of their creation.';

CREATE OR REPLACE FUNCTION public.current_tenant_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN NULLIF(pg_catalog.current_setting('app.tenant_id', true), '')::uuid;
COMMENT ON FUNCTION public.current_tenant_id() IS
    'The tenant this session or transaction works for (setting app.tenant_id); null when none is set.';

CREATE OR REPLACE FUNCTION public.require_tenant(p_tenant_id uuid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    IF p_tenant_id IS NULL OR p_tenant_id IS DISTINCT FROM public.current_tenant_id() THEN
        RAISE insufficient_privilege
            USING MESSAGE = 'the tenant asked for is not the tenant of this session',
                  HINT = 'Begin the transaction with: SET LOCAL app.tenant_id = ''<tenant id>''.';
    END IF;
END
$body$;
COMMENT ON FUNCTION public.require_tenant(uuid) IS
    'Refuses any tenant but the one in the setting app.tenant_id. Every function that runs with the rights of the owner calls it first.';


-- Tables -----------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS public.plans (
    plan_code   text        NOT NULL,
    description text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT plans_pkey PRIMARY KEY (plan_code),
    CONSTRAINT plans_plan_code_check CHECK (plan_code ~ '^[a-z][a-z0-9_-]*$')
);
COMMENT ON TABLE public.plans IS 'What a tenant can subscribe to; the rate limits of a plan hang on it. The same for all tenants.';

INSERT INTO public.plans (plan_code, description) VALUES
    ('free', 'For trying out'),
    ('standard', 'For daily work'),
    ('unlimited', 'No rate limits')
ON CONFLICT (plan_code) DO NOTHING;

CREATE TABLE IF NOT EXISTS public.tenants (
    tenant_id    uuid        NOT NULL DEFAULT public.uuid_v7(),
    tenant_name  text        NOT NULL,
    plan_code    text        NOT NULL DEFAULT 'free',
    suspended_at timestamptz,
    metadata     jsonb       NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenants_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT tenants_plan_code_fkey FOREIGN KEY (plan_code) REFERENCES public.plans (plan_code),
    CONSTRAINT tenants_metadata_check CHECK (jsonb_typeof(metadata) = 'object')
);
COMMENT ON TABLE public.tenants IS 'A customer. A product for single persons gives each user a tenant of its own.';
COMMENT ON COLUMN public.tenants.plan_code IS 'Which limits hold; see rate_limits.';
COMMENT ON COLUMN public.tenants.suspended_at IS 'Since when the application serves the tenant no more.';
COMMENT ON COLUMN public.tenants.metadata IS 'The application''s own.';

CREATE TABLE IF NOT EXISTS public.users (
    tenant_id    uuid        NOT NULL DEFAULT public.current_tenant_id(),
    user_id      uuid        NOT NULL DEFAULT public.uuid_v7(),
    email        text        NOT NULL,
    display_name text        NOT NULL DEFAULT '',
    disabled_at  timestamptz,
    metadata     jsonb       NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT users_email_key UNIQUE (tenant_id, email),
    CONSTRAINT users_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (tenant_id) ON DELETE CASCADE,
    CONSTRAINT users_email_check CHECK (email = lower(btrim(email)) AND email LIKE '_%@_%'),
    CONSTRAINT users_metadata_check CHECK (jsonb_typeof(metadata) = 'object')
);
COMMENT ON TABLE public.users IS 'Who somebody is. How they prove it (password, single sign-on) is the identity provider''s business and not kept here.';
COMMENT ON COLUMN public.users.email IS 'In small letters. Unique in a tenant; login_directory makes it unique among all.';
COMMENT ON COLUMN public.users.disabled_at IS 'Since when the user may not log in.';
COMMENT ON COLUMN public.users.metadata IS 'The application''s own.';

CREATE TABLE IF NOT EXISTS public.login_directory (
    email      text        NOT NULL,
    tenant_id  uuid        NOT NULL DEFAULT public.current_tenant_id(),
    user_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT login_directory_pkey PRIMARY KEY (email),
    CONSTRAINT login_directory_email_check CHECK (email = lower(btrim(email)) AND email LIKE '_%@_%')
);
COMMENT ON TABLE public.login_directory IS
    'Which tenant a login belongs to, before any tenant is known. Keyed by address and without a foreign key, so that it can be spread by address.';
COMMENT ON COLUMN public.login_directory.email IS 'In small letters; the same as in users.';

CREATE TABLE IF NOT EXISTS public.roles (
    tenant_id   uuid        NOT NULL DEFAULT public.current_tenant_id(),
    role_name   text        NOT NULL,
    description text        NOT NULL DEFAULT '',
    permissions text[]      NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT roles_pkey PRIMARY KEY (tenant_id, role_name),
    CONSTRAINT roles_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (tenant_id) ON DELETE CASCADE
);
COMMENT ON TABLE public.roles IS 'Roles inside the application; they are not roles of the server.';
COMMENT ON COLUMN public.roles.permissions IS 'Words that the application knows.';

CREATE TABLE IF NOT EXISTS public.user_roles (
    tenant_id  uuid        NOT NULL DEFAULT public.current_tenant_id(),
    user_id    uuid        NOT NULL,
    role_name  text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_roles_pkey PRIMARY KEY (tenant_id, user_id, role_name),
    CONSTRAINT user_roles_user_id_fkey FOREIGN KEY (tenant_id, user_id)
        REFERENCES public.users (tenant_id, user_id) ON DELETE CASCADE,
    CONSTRAINT user_roles_role_name_fkey FOREIGN KEY (tenant_id, role_name)
        REFERENCES public.roles (tenant_id, role_name) ON DELETE CASCADE
);
COMMENT ON TABLE public.user_roles IS 'Which user has which role.';

CREATE TABLE IF NOT EXISTS public.api_keys (
    key_hash     bytea       NOT NULL,
    tenant_id    uuid        NOT NULL DEFAULT public.current_tenant_id(),
    user_id      uuid        NOT NULL,
    key_name     text        NOT NULL,
    key_prefix   text        NOT NULL,
    scopes       text[]      NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (key_hash),
    CONSTRAINT api_keys_key_hash_check CHECK (octet_length(key_hash) = 32),
    CONSTRAINT api_keys_key_prefix_check CHECK (length(key_prefix) <= 12)
);
COMMENT ON TABLE public.api_keys IS
    'Keys of programs. Only the SHA-256 of a key is kept; the first characters are there to tell keys apart in a list. No foreign key, as in login_directory.';
COMMENT ON COLUMN public.api_keys.key_hash IS 'The SHA-256 of the whole key.';
COMMENT ON COLUMN public.api_keys.key_prefix IS 'The first characters of the key, at most 12: enough to tell keys apart, too few to guess one.';
COMMENT ON COLUMN public.api_keys.scopes IS 'What a holder may do, in words that the application knows.';
COMMENT ON COLUMN public.api_keys.expires_at IS 'Until when it is good; null: for ever.';
COMMENT ON COLUMN public.api_keys.revoked_at IS 'Since when it is no longer good.';

CREATE TABLE IF NOT EXISTS public.skills (
    tenant_id     uuid        NOT NULL DEFAULT public.current_tenant_id(),
    plugin_name   text        NOT NULL,
    function_name text        NOT NULL,
    description   text        NOT NULL DEFAULT '',
    parameters    jsonb       NOT NULL DEFAULT '{}',
    enabled       boolean     NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT skills_pkey PRIMARY KEY (tenant_id, plugin_name, function_name),
    CONSTRAINT skills_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (tenant_id) ON DELETE CASCADE,
    CONSTRAINT skills_parameters_check CHECK (jsonb_typeof(parameters) = 'object')
);
COMMENT ON TABLE public.skills IS 'The functions that a kernel may call, by plugin; parameters is their JSON schema.';
COMMENT ON COLUMN public.skills.parameters IS 'A JSON schema of the arguments.';
COMMENT ON COLUMN public.skills.enabled IS 'Whether kernels may call it.';

CREATE TABLE IF NOT EXISTS public.conversations (
    tenant_id       uuid        NOT NULL DEFAULT public.current_tenant_id(),
    conversation_id uuid        NOT NULL DEFAULT public.uuid_v7(),
    user_id         uuid        NOT NULL,
    title           text        NOT NULL DEFAULT '',
    next_seq        bigint      NOT NULL DEFAULT 1,
    metadata        jsonb       NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    last_message_at timestamptz NOT NULL DEFAULT now(),
    archived_at     timestamptz,
    CONSTRAINT conversations_pkey PRIMARY KEY (tenant_id, conversation_id),
    CONSTRAINT conversations_user_id_fkey FOREIGN KEY (tenant_id, user_id)
        REFERENCES public.users (tenant_id, user_id) ON DELETE CASCADE,
    CONSTRAINT conversations_next_seq_check CHECK (next_seq > 0),
    CONSTRAINT conversations_metadata_check CHECK (jsonb_typeof(metadata) = 'object')
);
COMMENT ON TABLE public.conversations IS 'A chat of one user.';
COMMENT ON COLUMN public.conversations.metadata IS 'The application''s own; conversations_metadata_idx finds rows that contain something.';
COMMENT ON COLUMN public.conversations.last_message_at IS 'Sets the order of the list of conversations.';
COMMENT ON COLUMN public.conversations.archived_at IS 'Since when it is out of the list.';
COMMENT ON COLUMN public.conversations.next_seq IS 'The number that the next message gets; see reserve_message_seq().';

-- The tenant is one more word of the search column. A search for the words of one tenant is then answered by
-- the index itself, without an extension and without reading the rows of others.
CREATE TABLE IF NOT EXISTS public.messages (
    tenant_id         uuid        NOT NULL DEFAULT public.current_tenant_id(),
    conversation_id   uuid        NOT NULL,
    seq               bigint      NOT NULL,
    role              text        NOT NULL,
    author_name       text,
    model             text,
    finish_reason     text,
    prompt_tokens     integer,
    completion_tokens integer,
    content           text        NOT NULL DEFAULT '',
    payload           json        NOT NULL,
    payload_format    text        NOT NULL,
    metadata          jsonb       NOT NULL DEFAULT '{}',
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    content_search    tsvector    NOT NULL GENERATED ALWAYS AS (
        to_tsvector('english'::regconfig, left(content, 200000)) || array_to_tsvector(ARRAY['tenant:' || tenant_id::text])
    ) STORED,
    CONSTRAINT messages_pkey PRIMARY KEY (tenant_id, conversation_id, seq),
    CONSTRAINT messages_conversation_id_fkey FOREIGN KEY (tenant_id, conversation_id)
        REFERENCES public.conversations (tenant_id, conversation_id) ON DELETE CASCADE,
    CONSTRAINT messages_seq_check CHECK (seq > 0),
    CONSTRAINT messages_role_check CHECK (role IN ('system', 'developer', 'user', 'assistant', 'tool')),
    CONSTRAINT messages_prompt_tokens_check CHECK (prompt_tokens >= 0),
    CONSTRAINT messages_completion_tokens_check CHECK (completion_tokens >= 0),
    CONSTRAINT messages_payload_check CHECK (json_typeof(payload) = 'object'),
    CONSTRAINT messages_metadata_check CHECK (jsonb_typeof(metadata) = 'object')
);
COMMENT ON TABLE public.messages IS 'The messages of a conversation in the order of seq.';
COMMENT ON COLUMN public.messages.seq IS 'The order in the conversation; handed out by reserve_message_seq().';
COMMENT ON COLUMN public.messages.role IS 'Who speaks: system, developer, user, assistant or tool.';
COMMENT ON COLUMN public.messages.author_name IS 'Which agent or person, where a role has several.';
COMMENT ON COLUMN public.messages.model IS 'Which model wrote it.';
COMMENT ON COLUMN public.messages.finish_reason IS 'Why the model stopped, such as stop, length or tool_calls.';
COMMENT ON COLUMN public.messages.prompt_tokens IS 'Tokens that the model read to write it; null where no model did.';
COMMENT ON COLUMN public.messages.completion_tokens IS 'Tokens that the model wrote.';
COMMENT ON COLUMN public.messages.metadata IS 'The application''s own; messages_metadata_idx finds rows that contain something.';
COMMENT ON COLUMN public.messages.payload IS
    'The message as the framework serialised it, byte for byte. json and not jsonb: jsonb refuses \u0000 and changes the order of keys.';
COMMENT ON COLUMN public.messages.payload_format IS 'Who can read the payload, such as semantic-kernel-python/1.';
COMMENT ON COLUMN public.messages.content IS 'The text of the message, for search and display; a character U+0000 is replaced by U+FFFD.';
COMMENT ON COLUMN public.messages.content_search IS
    'Words of the first 200,000 characters (a tsvector holds no more than 1 MB), and the tenant as a word of its own.';

CREATE TABLE IF NOT EXISTS public.api_usage (
    tenant_id         uuid           NOT NULL DEFAULT public.current_tenant_id(),
    usage_id          uuid           NOT NULL DEFAULT public.uuid_v7(),
    occurred_at       timestamptz    NOT NULL DEFAULT clock_timestamp(),
    user_id           uuid,
    conversation_id   uuid,
    endpoint          text           NOT NULL,
    model             text,
    status_code       integer        NOT NULL,
    duration_ms       integer        NOT NULL,
    prompt_tokens     integer        NOT NULL DEFAULT 0,
    completion_tokens integer        NOT NULL DEFAULT 0,
    cost_usd          numeric(14, 8) NOT NULL DEFAULT 0,
    CONSTRAINT api_usage_pkey PRIMARY KEY (tenant_id, usage_id),
    CONSTRAINT api_usage_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (tenant_id) ON DELETE CASCADE,
    CONSTRAINT api_usage_duration_ms_check CHECK (duration_ms >= 0),
    CONSTRAINT api_usage_tokens_check CHECK (prompt_tokens >= 0 AND completion_tokens >= 0)
);
COMMENT ON TABLE public.api_usage IS 'One row a call, only ever added: what was used and what it cost. Users and conversations may be gone already, so it does not refer to them by foreign key.';
COMMENT ON COLUMN public.api_usage.endpoint IS 'What was called.';
COMMENT ON COLUMN public.api_usage.model IS 'Which model answered, if one did.';
COMMENT ON COLUMN public.api_usage.status_code IS 'The HTTP status of the answer; from 400 on it counts as a failure.';
COMMENT ON COLUMN public.api_usage.duration_ms IS 'How long the answer took.';
COMMENT ON COLUMN public.api_usage.prompt_tokens IS 'Tokens that were read.';
COMMENT ON COLUMN public.api_usage.completion_tokens IS 'Tokens that were written.';
COMMENT ON COLUMN public.api_usage.cost_usd IS 'What the call cost, in US dollars.';

CREATE TABLE IF NOT EXISTS public.audit_log (
    tenant_id     uuid        NOT NULL DEFAULT public.current_tenant_id(),
    audit_id      uuid        NOT NULL DEFAULT public.uuid_v7(),
    occurred_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_user_id uuid,
    action        text        NOT NULL,
    entity_type   text        NOT NULL,
    entity_id     text        NOT NULL,
    details       jsonb       NOT NULL DEFAULT '{}',
    CONSTRAINT audit_log_pkey PRIMARY KEY (tenant_id, audit_id),
    CONSTRAINT audit_log_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (tenant_id) ON DELETE CASCADE,
    CONSTRAINT audit_log_details_check CHECK (jsonb_typeof(details) = 'object')
);
COMMENT ON TABLE public.audit_log IS 'Who did what to what; only ever added.';
COMMENT ON COLUMN public.audit_log.actor_user_id IS 'Who did it; null: the system itself.';
COMMENT ON COLUMN public.audit_log.action IS 'What was done, such as conversation.delete.';
COMMENT ON COLUMN public.audit_log.entity_type IS 'The kind of thing that it was done to.';
COMMENT ON COLUMN public.audit_log.entity_id IS 'Which one.';
COMMENT ON COLUMN public.audit_log.details IS 'What else is to be known.';


-- Row level security -----------------------------------------------------------------------------------

DO $tenancy$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY[
        'tenants', 'users', 'login_directory', 'roles', 'user_roles', 'api_keys', 'skills', 'conversations',
        'messages', 'api_usage', 'audit_log'
    ] LOOP
        IF NOT (SELECT relrowsecurity FROM pg_catalog.pg_class WHERE oid = format('public.%I', table_name)::regclass) THEN
            EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', table_name);
        END IF;
        IF NOT EXISTS (
            SELECT FROM pg_catalog.pg_policy
            WHERE polrelid = format('public.%I', table_name)::regclass AND polname = 'tenant_isolation'
        ) THEN
            EXECUTE format(
                'CREATE POLICY tenant_isolation ON public.%I '
                'USING (tenant_id = public.current_tenant_id()) WITH CHECK (tenant_id = public.current_tenant_id())',
                table_name
            );
        END IF;
    END LOOP;
END
$tenancy$;

CREATE OR REPLACE FUNCTION public.require_row_security() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    IF NOT row_security_active('public.messages'::regclass) THEN
        RAISE insufficient_privilege
            USING MESSAGE = format('row level security does not hold for role %s', current_user),
                  HINT = 'Connect the application as a member of semantic_kernel_app: superusers, roles with '
                         'BYPASSRLS and the owner of the tables see the rows of every tenant.';
    END IF;
END
$body$;
COMMENT ON FUNCTION public.require_row_security() IS
    'For the start of an application: refuses a connection that would see the rows of every tenant.';


-- Functions --------------------------------------------------------------------------------------------

-- created_at cannot order messages: all rows of a transaction may share it. The row of the conversation
-- hands out the numbers, so two writers wait for each other and never get the same one.
CREATE OR REPLACE FUNCTION public.reserve_message_seq(
    p_tenant_id uuid, p_conversation_id uuid, p_count integer DEFAULT 1
) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    first_seq bigint;
BEGIN
    IF p_count IS NULL OR p_count < 1 THEN
        RAISE invalid_parameter_value USING MESSAGE = 'at least one number has to be asked for';
    END IF;
    UPDATE public.conversations
    SET next_seq = next_seq + p_count,
        last_message_at = greatest(last_message_at, clock_timestamp())
    WHERE tenant_id = p_tenant_id AND conversation_id = p_conversation_id
    RETURNING next_seq - p_count INTO first_seq;
    IF NOT FOUND THEN
        RAISE no_data_found USING MESSAGE = format('there is no conversation %s', p_conversation_id);
    END IF;
    RETURN first_seq;
END
$body$;
COMMENT ON FUNCTION public.reserve_message_seq(uuid, uuid, integer) IS
    'Reserves numbers for that many messages of a conversation and returns the first; call it in the transaction that inserts them.';

-- These two answer before a tenant is known, so they run with the rights of the owner. Each needs the exact
-- secret or address and gives away nothing but ids.
CREATE OR REPLACE FUNCTION public.find_login(p_email text)
RETURNS TABLE (tenant_id uuid, user_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
    SELECT login.tenant_id, login.user_id
    FROM public.login_directory AS login
    WHERE login.email = lower(btrim(p_email))
$body$;
COMMENT ON FUNCTION public.find_login(text) IS 'The tenant and user of a login address.';

CREATE OR REPLACE FUNCTION public.find_api_key(p_key_hash bytea)
RETURNS TABLE (tenant_id uuid, user_id uuid, scopes text[])
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
    SELECT api_key.tenant_id, api_key.user_id, api_key.scopes
    FROM public.api_keys AS api_key
    WHERE api_key.key_hash = p_key_hash
      AND api_key.revoked_at IS NULL
      AND (api_key.expires_at IS NULL OR api_key.expires_at > clock_timestamp())
$body$;
COMMENT ON FUNCTION public.find_api_key(bytea) IS
    'The tenant, user and scopes of a live API key. Takes the SHA-256, so that the key itself is never in a log of the server.';

CREATE OR REPLACE FUNCTION public.usage_statistics(p_tenant_id uuid, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (
    endpoint text, model text, requests bigint, failures bigint, prompt_tokens bigint, completion_tokens bigint,
    cost_usd numeric, average_duration_ms numeric
)
LANGUAGE sql STABLE
AS $body$
    SELECT
        usage.endpoint,
        usage.model,
        count(*),
        count(*) FILTER (WHERE usage.status_code >= 400),
        sum(usage.prompt_tokens)::bigint,
        sum(usage.completion_tokens)::bigint,
        sum(usage.cost_usd),
        round(avg(usage.duration_ms), 1)
    FROM public.api_usage AS usage
    WHERE usage.tenant_id = p_tenant_id AND usage.occurred_at >= p_from AND usage.occurred_at < p_to
    GROUP BY usage.endpoint, usage.model
    ORDER BY count(*) DESC, usage.endpoint, usage.model
$body$;
COMMENT ON FUNCTION public.usage_statistics(uuid, timestamptz, timestamptz) IS
    'Requests, failures, tokens and cost by endpoint and model in a span of time (start included, end not).';


-- Privileges -------------------------------------------------------------------------------------------

REVOKE EXECUTE ON FUNCTION public.find_login(text), public.find_api_key(bytea) FROM PUBLIC;

DO $privileges$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_app') THEN
        GRANT SELECT ON public.plans, public.tenants TO semantic_kernel_app;
        GRANT SELECT, INSERT, UPDATE, DELETE
            ON public.users, public.login_directory, public.roles, public.user_roles, public.api_keys, public.skills,
               public.conversations, public.messages
            TO semantic_kernel_app;
        GRANT SELECT, INSERT ON public.api_usage, public.audit_log TO semantic_kernel_app;
        GRANT EXECUTE ON FUNCTION public.find_login(text), public.find_api_key(bytea) TO semantic_kernel_app;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_reader') THEN
        -- Neither logins nor key hashes: a report needs none of them.
        GRANT SELECT
            ON public.plans, public.tenants, public.users, public.roles, public.user_roles, public.skills,
               public.conversations, public.messages, public.api_usage, public.audit_log
            TO semantic_kernel_reader;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_backup') THEN
        GRANT SELECT
            ON public.plans, public.tenants, public.users, public.login_directory, public.roles, public.user_roles,
               public.api_keys, public.skills, public.conversations, public.messages, public.api_usage,
               public.audit_log
            TO semantic_kernel_backup;
    END IF;
END
$privileges$;

-- Functions that run with the rights of their owner must not run as a superuser, so a superuser who
-- migrates hands the objects over.
DO $ownership$
DECLARE
    object text;
BEGIN
    IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        RETURN;
    END IF;
    GRANT USAGE, CREATE ON SCHEMA public TO semantic_kernel_owner;
    FOREACH object IN ARRAY ARRAY[
        'TABLE public.plans', 'TABLE public.tenants', 'TABLE public.users', 'TABLE public.login_directory',
        'TABLE public.roles', 'TABLE public.user_roles', 'TABLE public.api_keys', 'TABLE public.skills',
        'TABLE public.conversations', 'TABLE public.messages', 'TABLE public.api_usage', 'TABLE public.audit_log',
        'FUNCTION public.uuid_v7', 'FUNCTION public.current_tenant_id', 'FUNCTION public.require_tenant',
        'FUNCTION public.require_row_security', 'FUNCTION public.reserve_message_seq', 'FUNCTION public.find_login',
        'FUNCTION public.find_api_key', 'FUNCTION public.usage_statistics'
    ] LOOP
        EXECUTE format('ALTER %s OWNER TO semantic_kernel_owner', object);
    END LOOP;
END
$ownership$;
