-- V003: indexes for conversations and messages, and the functions that read them
--
-- Purpose   Lists conversations and messages page by page at the same speed at any depth, searches the text
--           of messages, and finds old rows for retention.
-- Risk      The tables may have rows by now, so every index is built CONCURRENTLY: readers and writers go on.
--           That cannot be done in a transaction; the statements are run one by one. A build waits for
--           transactions that began before it, and reads its table twice.
-- If it     An index build that was cut off leaves an invalid index. The runner finds it, drops it and builds
-- fails     it again. With psql the last statement of this file says what to drop before running it again.
-- Reverse   By a new migration: DROP INDEX CONCURRENTLY for each index, DROP FUNCTION for each function.
--
-- pgratchet: ignore concurrently-with-others the functions work without the indexes, and every statement can be run again

-- Conversations of a user, newest first. The first serves the usual list; the second all of them, and the
-- deletion of a user.
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversations_active_idx
    ON public.conversations (tenant_id, user_id, last_message_at DESC, conversation_id DESC)
    WHERE archived_at IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversations_user_id_idx
    ON public.conversations (tenant_id, user_id, last_message_at DESC, conversation_id DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversations_metadata_idx
    ON public.conversations USING gin (metadata jsonb_path_ops);

-- Messages in their order need no index of their own: the primary key is that order.
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_content_search_idx
    ON public.messages USING gin (content_search);
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_metadata_idx
    ON public.messages USING gin (metadata jsonb_path_ops);

-- Rows that are only ever added lie in the order of time: a BRIN index finds the old ones at a thousandth of
-- the size. It would be useless for pages of the newest rows.
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_created_at_idx
    ON public.messages USING brin (created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS api_usage_occurred_at_idx
    ON public.api_usage USING brin (occurred_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS api_usage_tenant_id_idx
    ON public.api_usage (tenant_id, occurred_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_log_occurred_at_idx
    ON public.audit_log USING brin (occurred_at);

-- The other side of foreign keys and of keys that lead with something else than the tenant.
CREATE INDEX CONCURRENTLY IF NOT EXISTS user_roles_role_name_idx
    ON public.user_roles (tenant_id, role_name);
CREATE INDEX CONCURRENTLY IF NOT EXISTS login_directory_tenant_id_idx
    ON public.login_directory (tenant_id, user_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS api_keys_tenant_id_idx
    ON public.api_keys (tenant_id, user_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS tenants_plan_code_idx
    ON public.tenants (plan_code);


-- These three run with the rights of their caller and name everything in full. Without settings of their own
-- the planner can look into them, so that they cost what the query in them costs.
CREATE OR REPLACE FUNCTION public.list_conversations(
    p_tenant_id uuid,
    p_user_id uuid,
    p_limit integer DEFAULT 50,
    p_before timestamptz DEFAULT 'infinity',
    p_before_id uuid DEFAULT 'ffffffff-ffff-ffff-ffff-ffffffffffff'
) RETURNS TABLE (
    conversation_id uuid, title text, metadata jsonb, message_count bigint, created_at timestamptz, last_message_at timestamptz
)
LANGUAGE sql STABLE
AS $body$
    SELECT
        conversation.conversation_id,
        conversation.title,
        conversation.metadata,
        conversation.next_seq - 1,
        conversation.created_at,
        conversation.last_message_at
    FROM public.conversations AS conversation
    WHERE conversation.tenant_id = p_tenant_id
      AND conversation.user_id = p_user_id
      AND conversation.archived_at IS NULL
      AND (conversation.last_message_at, conversation.conversation_id) < (p_before, p_before_id)
    ORDER BY conversation.last_message_at DESC, conversation.conversation_id DESC
    LIMIT p_limit
$body$;
COMMENT ON FUNCTION public.list_conversations(uuid, uuid, integer, timestamptz, uuid) IS
    'A page of a user''s conversations that are not archived, newest first. For the next page pass last_message_at and conversation_id of the last row.';

CREATE OR REPLACE FUNCTION public.list_messages(
    p_tenant_id uuid, p_conversation_id uuid, p_limit integer DEFAULT 50, p_before_seq bigint DEFAULT 9223372036854775807
) RETURNS TABLE (
    seq bigint, role text, author_name text, content text, payload json, payload_format text, metadata jsonb, created_at timestamptz
)
LANGUAGE sql STABLE
AS $body$
    SELECT
        message.seq,
        message.role,
        message.author_name,
        message.content,
        message.payload,
        message.payload_format,
        message.metadata,
        message.created_at
    FROM public.messages AS message
    WHERE message.tenant_id = p_tenant_id
      AND message.conversation_id = p_conversation_id
      AND message.seq < p_before_seq
    ORDER BY message.seq DESC
    LIMIT p_limit
$body$;
COMMENT ON FUNCTION public.list_messages(uuid, uuid, integer, bigint) IS
    'A page of a conversation, newest message first. For the next page pass seq of the last row.';

CREATE OR REPLACE FUNCTION public.conversation_summary(p_tenant_id uuid, p_conversation_id uuid)
RETURNS TABLE (
    messages bigint, user_messages bigint, assistant_messages bigint, tool_messages bigint, prompt_tokens bigint,
    completion_tokens bigint, first_message_at timestamptz, last_message_at timestamptz, models text[]
)
LANGUAGE sql STABLE
AS $body$
    SELECT
        count(*),
        count(*) FILTER (WHERE message.role = 'user'),
        count(*) FILTER (WHERE message.role = 'assistant'),
        count(*) FILTER (WHERE message.role = 'tool'),
        coalesce(sum(message.prompt_tokens), 0)::bigint,
        coalesce(sum(message.completion_tokens), 0)::bigint,
        min(message.created_at),
        max(message.created_at),
        coalesce(array_agg(DISTINCT message.model) FILTER (WHERE message.model IS NOT NULL), '{}')
    FROM public.messages AS message
    WHERE message.tenant_id = p_tenant_id AND message.conversation_id = p_conversation_id
$body$;
COMMENT ON FUNCTION public.conversation_summary(uuid, uuid) IS 'Counts, tokens, span and models of one conversation.';

-- The operator @@ may not look at rows before a policy has, so under row level security the index on
-- content_search would never be used. This function runs with the rights of the owner instead and checks the
-- tenant itself. It ranks no more than the newest 1,000 hits, so that a common word cannot stall the server.
CREATE OR REPLACE FUNCTION public.search_messages(
    p_tenant_id uuid,
    p_query text,
    p_limit integer DEFAULT 50,
    p_user_id uuid DEFAULT NULL,
    p_conversation_id uuid DEFAULT NULL,
    p_after_rank double precision DEFAULT NULL,
    p_after_conversation_id uuid DEFAULT NULL,
    p_after_seq bigint DEFAULT NULL
) RETURNS TABLE (
    conversation_id uuid, title text, seq bigint, role text, content text, created_at timestamptz, rank double precision
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    ranked_at_most CONSTANT integer := 1000;
    words tsquery := websearch_to_tsquery('english'::regconfig, p_query);
BEGIN
    PERFORM public.require_tenant(p_tenant_id);
    IF numnode(words) = 0 THEN
        RETURN;  -- nothing but words that are not searched for, such as "the"
    END IF;
    RETURN QUERY
    WITH hit AS MATERIALIZED (
        SELECT message.*
        FROM public.messages AS message
        WHERE message.content_search @@ (words && format('''tenant:%s''', p_tenant_id)::tsquery)
          AND message.tenant_id = p_tenant_id
          AND (p_conversation_id IS NULL OR message.conversation_id = p_conversation_id)
          AND (p_user_id IS NULL OR EXISTS (
              SELECT FROM public.conversations AS mine
              WHERE mine.tenant_id = p_tenant_id
                AND mine.conversation_id = message.conversation_id
                AND mine.user_id = p_user_id
          ))
        ORDER BY message.created_at DESC, message.conversation_id, message.seq
        LIMIT ranked_at_most
    ), ranked AS (
        SELECT hit.*, ts_rank_cd(hit.content_search, words)::double precision AS score FROM hit
    )
    SELECT
        ranked.conversation_id, conversation.title, ranked.seq, ranked.role, ranked.content, ranked.created_at, ranked.score
    FROM ranked
    JOIN public.conversations AS conversation
      ON conversation.tenant_id = p_tenant_id AND conversation.conversation_id = ranked.conversation_id
    WHERE p_after_rank IS NULL
       OR ranked.score < p_after_rank
       OR (ranked.score = p_after_rank
           AND (ranked.conversation_id, ranked.seq) > (p_after_conversation_id, p_after_seq))
    ORDER BY ranked.score DESC, ranked.conversation_id, ranked.seq
    LIMIT p_limit;
END
$body$;
COMMENT ON FUNCTION public.search_messages(uuid, text, integer, uuid, uuid, double precision, uuid, bigint) IS
    'Messages that match a query as typed into a search engine, best first. For the next page pass rank, conversation_id and seq of the last row.';

CREATE OR REPLACE FUNCTION public.delete_rows_before(p_table_name text, p_before timestamptz, p_batch integer DEFAULT 10000)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    key_columns text;
    time_column text;
    deleted bigint;
BEGIN
    SELECT known.key_columns, known.time_column INTO key_columns, time_column
    FROM (VALUES
        ('messages', 'tenant_id, conversation_id, seq', 'created_at'),
        ('api_usage', 'tenant_id, usage_id', 'occurred_at'),
        ('audit_log', 'tenant_id, audit_id', 'occurred_at')
    ) AS known (table_name, key_columns, time_column)
    WHERE known.table_name = p_table_name;
    IF NOT FOUND THEN
        RAISE invalid_parameter_value
            USING MESSAGE = format('%s is not a table that rows are deleted from by age', p_table_name),
                  HINT = 'Possible are messages, api_usage and audit_log.';
    END IF;
    EXECUTE format(
        'DELETE FROM public.%1$I WHERE (%2$s) IN (SELECT %2$s FROM public.%1$I WHERE %3$I < $1 LIMIT $2)',
        p_table_name, key_columns, time_column
    ) USING p_before, p_batch;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
$body$;
COMMENT ON FUNCTION public.delete_rows_before(text, timestamptz, integer) IS
    'Deletes a batch of old messages, api_usage or audit_log and returns how many; repeat, each in a transaction of its own, until it returns 0.';

REVOKE EXECUTE ON FUNCTION
    public.search_messages(uuid, text, integer, uuid, uuid, double precision, uuid, bigint),
    public.delete_rows_before(text, timestamptz, integer)
FROM PUBLIC;

DO $privileges$
DECLARE
    object text;
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_app') THEN
        GRANT EXECUTE ON FUNCTION public.search_messages TO semantic_kernel_app;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_reader') THEN
        GRANT EXECUTE ON FUNCTION public.search_messages TO semantic_kernel_reader;
    END IF;
    -- As in B000: nothing that runs with the rights of its owner may belong to a superuser.
    IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        FOREACH object IN ARRAY ARRAY[
            'list_conversations', 'list_messages', 'conversation_summary', 'search_messages', 'delete_rows_before'
        ] LOOP
            EXECUTE format('ALTER FUNCTION public.%I OWNER TO semantic_kernel_owner', object);
        END LOOP;
    END IF;
END
$privileges$;

-- IF NOT EXISTS is content with an index that a broken build left behind, and PostgreSQL never uses one.
DO $validity$
DECLARE
    broken text;
BEGIN
    SELECT string_agg(format('DROP INDEX CONCURRENTLY %s;', indexrelid::regclass), ' ' ORDER BY indexrelid) INTO broken
    FROM pg_catalog.pg_index
    WHERE NOT indisvalid
      AND indrelid IN (
          'public.conversations'::regclass, 'public.messages'::regclass, 'public.api_usage'::regclass,
          'public.audit_log'::regclass, 'public.user_roles'::regclass, 'public.login_directory'::regclass,
          'public.api_keys'::regclass, 'public.tenants'::regclass
      );
    IF broken IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state
            USING MESSAGE = 'an earlier build of an index was cut off and left an invalid one behind',
                  HINT = format('Run this file again after: %s', broken);
    END IF;
END
$validity$;
