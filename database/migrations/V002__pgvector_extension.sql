-- V002: pgvector, the catalogue of embedding models, and the embeddings of the default model
--
-- Purpose   Stores texts with their embeddings by tenant and finds the nearest ones. The table embeddings can
--           be used as it is by Semantic Kernel's PostgreSQL connector: a text key of one column, every other
--           column with a default.
-- Risk      CREATE EXTENSION needs a superuser on most servers. An extension that a DBA installed before is
--           accepted, from version 0.8 on. The HNSW index is built on an empty table, at once. The settings
--           of the database (hnsw.*) hold for new connections.
-- Reverse   By a new migration that drops the tables and functions made here and resets the settings:
--           ALTER DATABASE ... RESET hnsw.ef_search, hnsw.iterative_scan, hnsw.max_scan_tuples. Leave the
--           extension alone if other schemas use it.
--
-- Why halfvec: it halves table and index, loses no recall that can be measured, and can be indexed up to
-- 4000 dimensions. Why HNSW and never IVFFlat: IVFFlat learns its lists from the rows that are there when it
-- is built, and a migration builds it when there are none.

DO $extension$
DECLARE
    version text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'vector') THEN
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'vector') THEN
            RAISE feature_not_supported
                USING MESSAGE = 'pgvector is not installed on this database server',
                      HINT = 'Install pgvector 0.8 or newer for this major version of PostgreSQL and run the migrations again.';
        END IF;
        BEGIN
            CREATE EXTENSION vector WITH SCHEMA public;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE insufficient_privilege
                    USING MESSAGE = format('role %s may not install the extension vector', current_user),
                          HINT = format('Ask a DBA to run, once, in database %s: CREATE EXTENSION vector; '
                                        'then run the migrations again.', current_database());
        END;
    END IF;

    SELECT extversion INTO version FROM pg_catalog.pg_extension WHERE extname = 'vector';
    IF substring(version FROM '^\d+\.\d+')::numeric < 0.8 THEN
        RAISE feature_not_supported
            USING MESSAGE = format('pgvector 0.8 or newer is needed; database %s has %s', current_database(), version),
                  HINT = 'Install a newer pgvector on the server, then: ALTER EXTENSION vector UPDATE;';
    END IF;
    IF to_regtype('halfvec') IS NULL THEN
        RAISE undefined_object
            USING MESSAGE = 'the extension vector is installed in a schema that is not in search_path',
                  HINT = (
                      SELECT format('ALTER DATABASE %I SET search_path = "$user", public, %I; and connect again.',
                                    current_database(), extnamespace::regnamespace)
                      FROM pg_catalog.pg_extension WHERE extname = 'vector'
                  );
    END IF;
    -- Loads the library, so that its settings are known to the statements below.
    PERFORM '[1]'::halfvec;
END
$extension$;


-- Models -----------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS public.embedding_models (
    model_code text        NOT NULL,
    provider   text        NOT NULL,
    dimensions integer     NOT NULL,
    distance   text        NOT NULL DEFAULT 'cosine',
    table_name text        NOT NULL,
    is_default boolean     NOT NULL DEFAULT false,
    retired_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT embedding_models_pkey PRIMARY KEY (model_code),
    CONSTRAINT embedding_models_table_name_key UNIQUE (table_name),
    CONSTRAINT embedding_models_dimensions_check CHECK (dimensions BETWEEN 1 AND 4000),
    CONSTRAINT embedding_models_distance_check CHECK (distance IN ('cosine', 'inner_product', 'l2')),
    CONSTRAINT embedding_models_table_name_check CHECK (table_name ~ '^embeddings(_[a-z0-9_]{1,40})?$'),
    CONSTRAINT embedding_models_is_default_check CHECK (NOT (is_default AND retired_at IS NOT NULL))
);
COMMENT ON TABLE public.embedding_models IS
    'The embedding models in use and the table of each. Another model is another row and another table: see create_embedding_table().';
COMMENT ON COLUMN public.embedding_models.model_code IS 'The name that the provider gives it.';
COMMENT ON COLUMN public.embedding_models.provider IS 'Who serves the model.';
COMMENT ON COLUMN public.embedding_models.dimensions IS 'The length of its vectors, at most 4000.';
COMMENT ON COLUMN public.embedding_models.distance IS 'How far two vectors are apart: cosine, inner_product or l2.';
COMMENT ON COLUMN public.embedding_models.table_name IS 'Where its embeddings lie.';
COMMENT ON COLUMN public.embedding_models.is_default IS 'The model that is used where none is named; there is at most one.';
COMMENT ON COLUMN public.embedding_models.retired_at IS 'Since when it is no longer used.';

CREATE UNIQUE INDEX IF NOT EXISTS embedding_models_default_idx ON public.embedding_models (is_default) WHERE is_default;

INSERT INTO public.embedding_models (model_code, provider, dimensions, table_name, is_default)
VALUES ('text-embedding-3-small', 'openai', 1536, 'embeddings', true)
ON CONFLICT (model_code) DO NOTHING;


-- Embeddings of the default model ----------------------------------------------------------------------

-- The key alone is the primary key, since Semantic Kernel writes with ON CONFLICT (key). Keys are therefore
-- shared by all tenants; embedding_key() makes one that two tenants never have in common.
CREATE TABLE IF NOT EXISTS public.embeddings (
    key             text          NOT NULL DEFAULT public.uuid_v7()::text,
    tenant_id       uuid          NOT NULL DEFAULT public.current_tenant_id(),
    collection_name text          NOT NULL DEFAULT 'default',
    content         text          NOT NULL DEFAULT '',
    metadata        jsonb         NOT NULL DEFAULT '{}',
    embedding       halfvec(1536) NOT NULL,
    created_at      timestamptz   NOT NULL DEFAULT now(),
    updated_at      timestamptz   NOT NULL DEFAULT now(),
    CONSTRAINT embeddings_pkey PRIMARY KEY (key),
    CONSTRAINT embeddings_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants (tenant_id) ON DELETE CASCADE,
    CONSTRAINT embeddings_embedding_check CHECK (l2_norm(embedding) > 0),
    CONSTRAINT embeddings_metadata_check CHECK (jsonb_typeof(metadata) = 'object')
);
COMMENT ON TABLE public.embeddings IS 'Texts and their embeddings by the default model.';
COMMENT ON COLUMN public.embeddings.collection_name IS 'A set of texts that is searched by itself.';
COMMENT ON COLUMN public.embeddings.content IS 'The text.';
COMMENT ON COLUMN public.embeddings.metadata IS 'What a search can filter by.';
COMMENT ON COLUMN public.embeddings.key IS 'Chosen by the writer; see embedding_key() for one that makes equal texts meet.';
COMMENT ON COLUMN public.embeddings.embedding IS 'Never the zero vector: it has no direction, an HNSW index leaves it out, and its cosine distance is not a number.';

CREATE INDEX IF NOT EXISTS embeddings_embedding_idx
    ON public.embeddings USING hnsw (embedding halfvec_cosine_ops) WITH (m = 16, ef_construction = 64);
CREATE INDEX IF NOT EXISTS embeddings_tenant_id_idx ON public.embeddings (tenant_id, collection_name);
CREATE INDEX IF NOT EXISTS embeddings_metadata_idx ON public.embeddings USING gin (metadata jsonb_path_ops);

DO $tenancy$
BEGIN
    IF NOT (SELECT relrowsecurity FROM pg_catalog.pg_class WHERE oid = 'public.embeddings'::regclass) THEN
        ALTER TABLE public.embeddings ENABLE ROW LEVEL SECURITY;
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_policy
        WHERE polrelid = 'public.embeddings'::regclass AND polname = 'tenant_isolation'
    ) THEN
        CREATE POLICY tenant_isolation ON public.embeddings
            USING (tenant_id = public.current_tenant_id()) WITH CHECK (tenant_id = public.current_tenant_id());
    END IF;
END
$tenancy$;


-- Functions --------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION public.create_embedding_table(p_model_code text) RETURNS regclass
LANGUAGE plpgsql VOLATILE
SET search_path = public, pg_temp
AS $body$
DECLARE
    model public.embedding_models;
    owner_name name;
BEGIN
    SELECT * INTO model FROM public.embedding_models AS known WHERE known.model_code = p_model_code;
    IF NOT FOUND THEN
        RAISE no_data_found
            USING MESSAGE = format('embedding model %s is not known', p_model_code),
                  HINT = 'Insert it into embedding_models first.';
    END IF;
    IF to_regclass(format('public.%I', model.table_name)) IS NULL THEN
        -- The table of the default model is the pattern; only the dimensions and the names differ.
        EXECUTE format(
            'CREATE TABLE public.%I (LIKE public.embeddings INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)',
            model.table_name
        );
        EXECUTE format('ALTER TABLE public.%I ALTER COLUMN embedding TYPE halfvec(%s)', model.table_name, model.dimensions);
        EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT %I PRIMARY KEY (key)', model.table_name, model.table_name || '_pkey');
        EXECUTE format(
            'ALTER TABLE public.%I ADD CONSTRAINT %I FOREIGN KEY (tenant_id) REFERENCES public.tenants (tenant_id) ON DELETE CASCADE',
            model.table_name, model.table_name || '_tenant_id_fkey'
        );
        EXECUTE format(
            'CREATE INDEX %I ON public.%I USING hnsw (embedding %s) WITH (m = 16, ef_construction = 64)',
            model.table_name || '_embedding_idx', model.table_name,
            CASE model.distance
                WHEN 'cosine' THEN 'halfvec_cosine_ops'
                WHEN 'inner_product' THEN 'halfvec_ip_ops'
                ELSE 'halfvec_l2_ops'
            END
        );
        EXECUTE format('CREATE INDEX %I ON public.%I (tenant_id, collection_name)', model.table_name || '_tenant_id_idx', model.table_name);
        EXECUTE format('CREATE INDEX %I ON public.%I USING gin (metadata jsonb_path_ops)', model.table_name || '_metadata_idx', model.table_name);
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', model.table_name);
        EXECUTE format(
            'CREATE POLICY tenant_isolation ON public.%I '
            'USING (tenant_id = public.current_tenant_id()) WITH CHECK (tenant_id = public.current_tenant_id())',
            model.table_name
        );
        IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_app') THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO semantic_kernel_app', model.table_name);
        END IF;
        IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_reader') THEN
            EXECUTE format('GRANT SELECT ON public.%I TO semantic_kernel_reader', model.table_name);
        END IF;
        IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_backup') THEN
            EXECUTE format('GRANT SELECT ON public.%I TO semantic_kernel_backup', model.table_name);
        END IF;
        -- search_embeddings() runs as the owner of the first table and has to be exempt from the policy here too.
        SELECT pg_get_userbyid(relowner) INTO owner_name FROM pg_catalog.pg_class WHERE oid = 'public.embeddings'::regclass;
        IF owner_name <> current_user THEN
            EXECUTE format('ALTER TABLE public.%I OWNER TO %I', model.table_name, owner_name);
        END IF;
    END IF;
    RETURN to_regclass(format('public.%I', model.table_name));
END
$body$;
COMMENT ON FUNCTION public.create_embedding_table(text) IS
    'Makes the table of a model of embedding_models, like embeddings in all but the dimensions and the distance. For migrations; does nothing when the table is there.';

CREATE OR REPLACE FUNCTION public.embedding_key(p_tenant_id uuid, p_collection_name text, p_content text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
    SELECT encode(
        sha256(convert_to(p_tenant_id::text || chr(31) || p_collection_name || chr(31) || p_content, 'UTF8')), 'hex'
    )
$body$;
COMMENT ON FUNCTION public.embedding_key(uuid, text, text) IS
    'The key under which the same text of the same tenant and collection always meets itself.';

CREATE OR REPLACE FUNCTION public.store_embedding(
    p_tenant_id uuid,
    p_collection_name text,
    p_content text,
    p_embedding halfvec,
    p_metadata jsonb DEFAULT '{}',
    p_key text DEFAULT NULL,
    p_model_code text DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = public, pg_temp
AS $body$
DECLARE
    target text;
    stored text;
BEGIN
    PERFORM public.require_tenant(p_tenant_id);
    SELECT model.table_name INTO target
    FROM public.embedding_models AS model
    WHERE CASE WHEN p_model_code IS NULL THEN model.is_default ELSE model.model_code = p_model_code END;
    IF NOT FOUND THEN
        RAISE no_data_found USING MESSAGE = format('embedding model %s is not known', coalesce(p_model_code, '(default)'));
    END IF;
    EXECUTE format(
        'INSERT INTO public.%I AS stored (key, tenant_id, collection_name, content, metadata, embedding) '
        'VALUES ($1, $2, $3, $4, $5, $6) '
        'ON CONFLICT (key) DO UPDATE SET collection_name = EXCLUDED.collection_name, content = EXCLUDED.content, '
        'metadata = EXCLUDED.metadata, embedding = EXCLUDED.embedding, updated_at = now() '
        'WHERE stored.tenant_id = EXCLUDED.tenant_id '
        'RETURNING key',
        target
    )
    INTO stored
    USING coalesce(p_key, public.embedding_key(p_tenant_id, p_collection_name, p_content)),
          p_tenant_id, p_collection_name, p_content, p_metadata, p_embedding;
    IF stored IS NULL THEN
        RAISE insufficient_privilege USING MESSAGE = 'the key belongs to another tenant';
    END IF;
    RETURN stored;
END
$body$;
COMMENT ON FUNCTION public.store_embedding(uuid, text, text, halfvec, jsonb, text, text) IS
    'Stores a text with its embedding and returns the key; the same text again replaces it. Without a model, the default one.';

-- Row level security hides from the planner that a filter on metadata could use its index, so this function
-- runs with the rights of the owner and checks the tenant itself.
--
-- Up to 10,000 rows behind the filter it reads them all: that is faster than an index scan that has to throw
-- most of its rows away, and exact. Above, the HNSW index answers, asking for more rows until there are enough;
-- its order is only roughly right, so the rows are sorted again. Should it still come back with too few, the
-- rows are read after all: fewer rows than asked for means that there are no more.
CREATE OR REPLACE FUNCTION public.search_embeddings(
    p_tenant_id uuid,
    p_query halfvec,
    p_limit integer DEFAULT 10,
    p_collection_name text DEFAULT NULL,
    p_filter jsonb DEFAULT '{}',
    p_max_distance double precision DEFAULT NULL,
    p_model_code text DEFAULT NULL,
    p_exact boolean DEFAULT NULL
) RETURNS TABLE (
    key text, collection_name text, content text, metadata jsonb, distance double precision, similarity double precision
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $body$
DECLARE
    exact_up_to CONSTANT integer := 10000;
    model public.embedding_models;
    operator text;
    filters text := 'tenant_id = $1';
    candidates bigint;
    is_exact boolean := p_exact;
    nearest text[];
    former_scan text;
    former_effort text;
BEGIN
    PERFORM public.require_tenant(p_tenant_id);
    IF p_limit IS NULL OR p_limit NOT BETWEEN 1 AND 1000 THEN
        RAISE invalid_parameter_value USING MESSAGE = 'the limit has to be between 1 and 1000';
    END IF;
    SELECT * INTO model
    FROM public.embedding_models AS known
    WHERE CASE WHEN p_model_code IS NULL THEN known.is_default ELSE known.model_code = p_model_code END;
    IF NOT FOUND THEN
        RAISE no_data_found USING MESSAGE = format('embedding model %s is not known', coalesce(p_model_code, '(default)'));
    END IF;
    IF p_query IS NULL OR vector_dims(p_query) <> model.dimensions OR l2_norm(p_query) = 0 THEN
        RAISE invalid_parameter_value
            USING MESSAGE = format('model %s needs a query of %s dimensions that is not zero', model.model_code, model.dimensions);
    END IF;

    operator := CASE model.distance WHEN 'cosine' THEN '<=>' WHEN 'inner_product' THEN '<#>' ELSE '<->' END;
    IF p_collection_name IS NOT NULL THEN
        filters := filters || ' AND collection_name = $4';
    END IF;
    IF p_filter <> '{}' THEN
        filters := filters || ' AND metadata @> $5';
    END IF;

    IF is_exact IS NULL THEN
        EXECUTE format(
            'SELECT count(*) FROM (SELECT FROM public.%I WHERE %s LIMIT %s) AS behind_the_filter',
            model.table_name, filters, exact_up_to + 1
        ) INTO candidates USING p_tenant_id, p_query, p_limit, p_collection_name, p_filter;
        is_exact := candidates <= exact_up_to;
    END IF;
    IF NOT is_exact THEN
        -- Not as SET clauses of the function: a dump could then be restored by superusers only, since nobody
        -- else may name settings of a library that is not loaded yet.
        former_scan := current_setting('hnsw.iterative_scan');
        former_effort := current_setting('hnsw.ef_search');
        PERFORM set_config('hnsw.iterative_scan', 'relaxed_order', true);
        PERFORM set_config('hnsw.ef_search', greatest(200, p_limit)::text, true);
        EXECUTE format(
            'SELECT array_agg(key) FROM (SELECT key FROM public.%I WHERE %s ORDER BY embedding %s $2 LIMIT $3) AS nearest',
            model.table_name, filters, operator
        ) INTO nearest USING p_tenant_id, p_query, p_limit, p_collection_name, p_filter;
        PERFORM set_config('hnsw.iterative_scan', former_scan, true);
        PERFORM set_config('hnsw.ef_search', former_effort, true);
        is_exact := coalesce(cardinality(nearest), 0) < p_limit;
    END IF;
    IF is_exact THEN
        -- "+ 0" keeps the planner from using the approximate index.
        EXECUTE format(
            'SELECT array_agg(key) FROM (SELECT key FROM public.%I WHERE %s ORDER BY (embedding %s $2) + 0 LIMIT $3) AS nearest',
            model.table_name, filters, operator
        ) INTO nearest USING p_tenant_id, p_query, p_limit, p_collection_name, p_filter;
    END IF;

    RETURN QUERY EXECUTE format(
        'SELECT found.key, found.collection_name, found.content, found.metadata, found.distance, '
        'CASE $4 WHEN ''cosine'' THEN 1 - found.distance WHEN ''inner_product'' THEN -found.distance '
        'ELSE 1 / (1 + found.distance) END '
        'FROM (SELECT *, embedding %s $2 AS distance FROM public.%I WHERE key = ANY ($1) OFFSET 0) AS found '
        'WHERE $3 IS NULL OR found.distance <= $3 '
        'ORDER BY found.distance, found.key',
        operator, model.table_name
    ) USING nearest, p_query, p_max_distance, model.distance;
END
$body$;
COMMENT ON FUNCTION public.search_embeddings(uuid, halfvec, integer, text, jsonb, double precision, text, boolean) IS
    'The nearest texts of a tenant, nearest first; by collection, by metadata (contains), up to a distance. Chooses by itself between reading all candidates and the approximate index; p_exact decides instead.';


-- Settings ---------------------------------------------------------------------------------------------
-- For queries that do not go through search_embeddings(), such as those of Semantic Kernel: without an
-- iterative scan row level security would silently shrink their results.

DO $settings$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET hnsw.ef_search = 200', current_database());
    EXECUTE format('ALTER DATABASE %I SET hnsw.iterative_scan = strict_order', current_database());
    EXECUTE format('ALTER DATABASE %I SET hnsw.max_scan_tuples = 100000', current_database());
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'the settings for vector search were not made: % does not own database %', current_user, current_database()
            USING HINT = 'Set hnsw.ef_search = 200, hnsw.iterative_scan = strict_order and hnsw.max_scan_tuples = 100000 '
                         'for the database, or in the connection string of the application.';
END
$settings$;


-- Privileges -------------------------------------------------------------------------------------------

REVOKE EXECUTE ON FUNCTION
    public.create_embedding_table(text),
    public.search_embeddings(uuid, halfvec, integer, text, jsonb, double precision, text, boolean)
FROM PUBLIC;

DO $privileges$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_app') THEN
        GRANT SELECT ON public.embedding_models TO semantic_kernel_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON public.embeddings TO semantic_kernel_app;
        GRANT EXECUTE ON FUNCTION public.search_embeddings TO semantic_kernel_app;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_reader') THEN
        GRANT SELECT ON public.embedding_models, public.embeddings TO semantic_kernel_reader;
        GRANT EXECUTE ON FUNCTION public.search_embeddings TO semantic_kernel_reader;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_backup') THEN
        GRANT SELECT ON public.embedding_models, public.embeddings TO semantic_kernel_backup;
    END IF;
END
$privileges$;

DO $ownership$
DECLARE
    object text;
    extension_schema text;
BEGIN
    -- Where the extension lives in a schema of its own, the functions have to look there too.
    SELECT extnamespace::regnamespace::text INTO extension_schema FROM pg_catalog.pg_extension WHERE extname = 'vector';
    IF extension_schema <> 'public' THEN
        FOREACH object IN ARRAY ARRAY['create_embedding_table', 'store_embedding', 'search_embeddings'] LOOP
            EXECUTE format('ALTER FUNCTION public.%I SET search_path = public, %s, pg_temp', object, extension_schema);
        END LOOP;
    END IF;
    -- As in B000: nothing that runs with the rights of its owner may belong to a superuser.
    IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        FOREACH object IN ARRAY ARRAY[
            'TABLE public.embedding_models', 'TABLE public.embeddings', 'FUNCTION public.create_embedding_table',
            'FUNCTION public.embedding_key', 'FUNCTION public.store_embedding', 'FUNCTION public.search_embeddings'
        ] LOOP
            EXECUTE format('ALTER %s OWNER TO semantic_kernel_owner', object);
        END LOOP;
    END IF;
END
$ownership$;
