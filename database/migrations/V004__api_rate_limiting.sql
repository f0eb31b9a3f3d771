-- V004: rate limits for requests, tokens and concurrent work
--
-- Purpose   Decides in one call whether a request may go on, under all limits of the caller's plan at once,
--           and says how much is left and when to come back.
-- Risk      Creates only new tables and functions; plans that are known already get limits.
-- Reverse   By a new migration that drops the functions and tables made here. Nothing else refers to them.
--
-- How it counts (the generic cell rate algorithm, a token bucket without a timer): for each caller and limit
-- one number is kept, the moment at which the bucket will be full again. A request moves it on by its cost; it
-- is refused if that would be further ahead than the bucket is deep. There is no window with an edge to abuse.
--
-- How to call it: in a short transaction of its own, not inside the work of the request. The row of a busy
-- caller is locked until the transaction ends.
--
-- How it is stored: a bucket that is full again means the same as no row. The buckets of limits that are not
-- durable lie in an unlogged table: no write-ahead log, no wait for the disk. A crash or a switch to a standby
-- empties it, that is, fills the buckets. Limits over days are durable and cost one commit each.

CREATE TABLE IF NOT EXISTS public.rate_limits (
    plan_code  text     NOT NULL,
    limit_name text     NOT NULL,
    unit       text     NOT NULL,
    scope      text     NOT NULL DEFAULT 'subject',
    amount     bigint   NOT NULL,
    period     interval NOT NULL,
    burst      bigint   NOT NULL,
    durable    boolean  NOT NULL DEFAULT false,
    CONSTRAINT rate_limits_pkey PRIMARY KEY (plan_code, limit_name),
    CONSTRAINT rate_limits_plan_code_fkey FOREIGN KEY (plan_code) REFERENCES public.plans (plan_code) ON DELETE CASCADE,
    CONSTRAINT rate_limits_unit_check CHECK (unit IN ('requests', 'tokens', 'concurrent')),
    CONSTRAINT rate_limits_scope_check CHECK (scope IN ('subject', 'tenant')),
    CONSTRAINT rate_limits_amount_check CHECK (amount BETWEEN 1 AND 1000000000),
    CONSTRAINT rate_limits_period_check CHECK (period BETWEEN '1 second' AND '31 days'),
    CONSTRAINT rate_limits_burst_check CHECK (burst BETWEEN 1 AND 1000 * amount)
);
COMMENT ON TABLE public.rate_limits IS 'The limits of a plan: amount a period, and burst at once. Per subject (a user, a key, an address) or for a whole tenant.';
COMMENT ON COLUMN public.rate_limits.limit_name IS 'The name that callers are told.';
COMMENT ON COLUMN public.rate_limits.unit IS 'What is counted: requests, tokens, or concurrent for work at the same time.';
COMMENT ON COLUMN public.rate_limits.scope IS 'Whether each subject has the amount to itself, or all of a tenant share it.';
COMMENT ON COLUMN public.rate_limits.amount IS 'How many in a period; for the unit concurrent: at the same time.';
COMMENT ON COLUMN public.rate_limits.burst IS 'How many at once, after a time of quiet.';
COMMENT ON COLUMN public.rate_limits.period IS 'For the unit concurrent: how long a lease lasts unless it is renewed.';
COMMENT ON COLUMN public.rate_limits.durable IS 'Whether the count survives a crash; costs a commit that waits for the disk.';

INSERT INTO public.rate_limits (plan_code, limit_name, unit, scope, amount, period, burst, durable) VALUES
    ('free', 'requests_per_minute', 'requests', 'subject', 20, '1 minute', 20, false),
    ('free', 'tokens_per_day', 'tokens', 'subject', 100000, '1 day', 100000, true),
    ('free', 'concurrent_requests', 'concurrent', 'subject', 2, '5 minutes', 2, false),
    ('standard', 'requests_per_minute', 'requests', 'subject', 60, '1 minute', 60, false),
    ('standard', 'tenant_requests_per_minute', 'requests', 'tenant', 600, '1 minute', 600, false),
    ('standard', 'tokens_per_day', 'tokens', 'subject', 1000000, '1 day', 1000000, true),
    ('standard', 'concurrent_requests', 'concurrent', 'subject', 5, '5 minutes', 5, false)
ON CONFLICT (plan_code, limit_name) DO NOTHING;

CREATE TABLE IF NOT EXISTS public.rate_limit_overrides (
    tenant_id  uuid        NOT NULL DEFAULT public.current_tenant_id(),
    subject    text        NOT NULL,
    limit_name text        NOT NULL,
    amount     bigint      NOT NULL,
    burst      bigint      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT rate_limit_overrides_pkey PRIMARY KEY (tenant_id, subject, limit_name),
    CONSTRAINT rate_limit_overrides_tenant_id_fkey FOREIGN KEY (tenant_id)
        REFERENCES public.tenants (tenant_id) ON DELETE CASCADE,
    CONSTRAINT rate_limit_overrides_amount_check CHECK (amount BETWEEN 1 AND 1000000000),
    CONSTRAINT rate_limit_overrides_burst_check CHECK (burst BETWEEN 1 AND 1000 * amount)
);
COMMENT ON TABLE public.rate_limit_overrides IS
    'Another amount for one subject than its plan says; the empty subject stands for the limits of a whole tenant.';
COMMENT ON COLUMN public.rate_limit_overrides.subject IS 'For whom; empty: the limits that all of a tenant share.';
COMMENT ON COLUMN public.rate_limit_overrides.amount IS 'In place of the plan''s amount.';
COMMENT ON COLUMN public.rate_limit_overrides.burst IS 'In place of the plan''s burst.';

-- Narrow rows with room to be updated in place, and no index but the key. The files do not shrink again: to cut
-- them, a vacuum would lock every caller out, and the planner would think of a table of a few pages, for which it
-- does not use the index, when the callers are back.
CREATE UNLOGGED TABLE IF NOT EXISTS public.rate_limit_buckets (
    tenant_id  uuid   NOT NULL,
    subject    text   NOT NULL COLLATE "C",
    limit_name text   NOT NULL COLLATE "C",
    full_at    bigint NOT NULL,
    CONSTRAINT rate_limit_buckets_pkey PRIMARY KEY (tenant_id, subject, limit_name)
) WITH (fillfactor = 50, vacuum_truncate = off);
COMMENT ON TABLE public.rate_limit_buckets IS 'One row for each caller and limit in use. Only the functions below read and write it.';
COMMENT ON COLUMN public.rate_limit_buckets.subject IS 'The caller: a user, a key, an address; empty: all of the tenant together.';
COMMENT ON COLUMN public.rate_limit_buckets.full_at IS 'When the bucket is full again, in nanoseconds since 1970; in the past: it is full.';

CREATE TABLE IF NOT EXISTS public.rate_limit_durable_buckets (
    tenant_id  uuid   NOT NULL,
    subject    text   NOT NULL COLLATE "C",
    limit_name text   NOT NULL COLLATE "C",
    full_at    bigint NOT NULL,
    CONSTRAINT rate_limit_durable_buckets_pkey PRIMARY KEY (tenant_id, subject, limit_name)
) WITH (fillfactor = 50, vacuum_truncate = off);
COMMENT ON TABLE public.rate_limit_durable_buckets IS 'The same for durable limits.';
COMMENT ON COLUMN public.rate_limit_durable_buckets.subject IS 'The caller: a user, a key, an address; empty: all of the tenant together.';
COMMENT ON COLUMN public.rate_limit_durable_buckets.full_at IS 'When the bucket is full again, in nanoseconds since 1970; in the past: it is full.';

-- A slot is a place that one lease at a time can hold, so there are never more leases than slots.
CREATE UNLOGGED TABLE IF NOT EXISTS public.rate_limit_leases (
    tenant_id  uuid        NOT NULL,
    subject    text        NOT NULL COLLATE "C",
    limit_name text        NOT NULL COLLATE "C",
    slot       integer     NOT NULL,
    lease_id   uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT rate_limit_leases_pkey PRIMARY KEY (tenant_id, subject, limit_name, slot)
) WITH (fillfactor = 50, vacuum_truncate = off);
COMMENT ON TABLE public.rate_limit_leases IS 'Who holds one of the places for concurrent work, and until when.';
COMMENT ON COLUMN public.rate_limit_leases.subject IS 'The caller; empty: all of the tenant together.';
COMMENT ON COLUMN public.rate_limit_leases.slot IS 'The number of the place, from 1.';
COMMENT ON COLUMN public.rate_limit_leases.lease_id IS 'Known to the holder alone; see release_lease().';
COMMENT ON COLUMN public.rate_limit_leases.expires_at IS 'When the place becomes free by itself.';

DO $tenancy$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY[
        'rate_limit_overrides', 'rate_limit_buckets', 'rate_limit_durable_buckets', 'rate_limit_leases'
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


-- The limits of one caller -----------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION public.rate_limits_of(p_tenant_id uuid, p_subject text)
RETURNS TABLE (
    subject text, limit_name text, unit text, durable boolean, amount bigint, burst bigint, period interval, period_ns bigint
)
LANGUAGE sql STABLE
AS $body$
    SELECT
        caller.subject,
        rule.limit_name,
        rule.unit,
        rule.durable,
        coalesce(override.amount, rule.amount),
        coalesce(override.burst, rule.burst),
        rule.period,
        (EXTRACT(epoch FROM rule.period) * 1000000000)::bigint
    FROM public.tenants AS tenant
    JOIN public.rate_limits AS rule ON rule.plan_code = tenant.plan_code
    CROSS JOIN LATERAL (SELECT CASE rule.scope WHEN 'tenant' THEN '' ELSE p_subject END) AS caller (subject)
    LEFT JOIN public.rate_limit_overrides AS override
      ON override.tenant_id = p_tenant_id
     AND override.subject = caller.subject
     AND override.limit_name = rule.limit_name
    WHERE tenant.tenant_id = p_tenant_id
$body$;
COMMENT ON FUNCTION public.rate_limits_of(uuid, text) IS
    'The limits that hold for a caller: those of the tenant''s plan, with the amounts of rate_limit_overrides.';


-- Requests and tokens ----------------------------------------------------------------------------------

-- The next two do the reading and the writing for the functions after them, with their rights and settings.
CREATE OR REPLACE FUNCTION public.rate_limit_full_at(p_tenant_id uuid, p_subject text, p_limit_name text, p_durable boolean)
RETURNS bigint
LANGUAGE plpgsql STABLE
AS $body$
DECLARE
    full_ns bigint;
BEGIN
    IF p_durable THEN
        SELECT stored.full_at INTO full_ns
        FROM public.rate_limit_durable_buckets AS stored
        WHERE stored.tenant_id = p_tenant_id AND stored.subject = p_subject AND stored.limit_name = p_limit_name;
    ELSE
        SELECT stored.full_at INTO full_ns
        FROM public.rate_limit_buckets AS stored
        WHERE stored.tenant_id = p_tenant_id AND stored.subject = p_subject AND stored.limit_name = p_limit_name;
    END IF;
    RETURN full_ns;
END
$body$;
COMMENT ON FUNCTION public.rate_limit_full_at(uuid, text, text, boolean) IS 'Part of the functions of rate limiting; not to be called alone.';

-- Moves a bucket on by a cost, or back by a negative one, and returns when it is then full; null when that
-- would be further ahead than it is deep.
CREATE OR REPLACE FUNCTION public.move_rate_limit(
    p_tenant_id uuid, p_subject text, p_limit_name text, p_durable boolean, p_now_ns bigint, p_step_ns bigint, p_depth_ns bigint
) RETURNS bigint
LANGUAGE plpgsql VOLATILE
AS $body$
DECLARE
    full_ns bigint;
BEGIN
    IF p_durable THEN
        INSERT INTO public.rate_limit_durable_buckets AS stored (tenant_id, subject, limit_name, full_at)
        VALUES (p_tenant_id, p_subject, p_limit_name, p_now_ns + p_step_ns)
        ON CONFLICT ON CONSTRAINT rate_limit_durable_buckets_pkey DO UPDATE
        SET full_at = greatest(stored.full_at, p_now_ns) + p_step_ns
        WHERE greatest(stored.full_at, p_now_ns) + p_step_ns - p_now_ns <= p_depth_ns
        RETURNING stored.full_at INTO full_ns;
    ELSE
        INSERT INTO public.rate_limit_buckets AS stored (tenant_id, subject, limit_name, full_at)
        VALUES (p_tenant_id, p_subject, p_limit_name, p_now_ns + p_step_ns)
        ON CONFLICT ON CONSTRAINT rate_limit_buckets_pkey DO UPDATE
        SET full_at = greatest(stored.full_at, p_now_ns) + p_step_ns
        WHERE greatest(stored.full_at, p_now_ns) + p_step_ns - p_now_ns <= p_depth_ns
        RETURNING stored.full_at INTO full_ns;
    END IF;
    RETURN full_ns;
END
$body$;
COMMENT ON FUNCTION public.move_rate_limit(uuid, text, text, boolean, bigint, bigint, bigint) IS 'Part of the functions of rate limiting; not to be called alone.';

-- What a call under one limit is answered with.
DO $answer$
BEGIN
    IF to_regtype('public.rate_limit_answer') IS NULL THEN
        CREATE TYPE public.rate_limit_answer AS (
            allowed boolean, remaining bigint, retry_after interval, reset_at timestamptz
        );
    END IF;
END
$answer$;
COMMENT ON TYPE public.rate_limit_answer IS
    'Whether a call may go on, what is left of the limit, when to try again (null: never, the cost is more than the limit can hold), and when it is full again.';

-- How long a cost takes to come back; null when the limit or the cost cannot be.
CREATE OR REPLACE FUNCTION public.rate_limit_step(p_amount bigint, p_period interval, p_burst bigint, p_cost bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN CASE
    WHEN p_cost >= 0 AND p_burst BETWEEN 1 AND 1000 * p_amount AND p_period BETWEEN '1 second' AND '31 days'
    THEN div(least(p_cost, 2 * p_burst)::numeric * (date_part('epoch', p_period) * 1000000000)::bigint, p_amount)::bigint
END;
COMMENT ON FUNCTION public.rate_limit_step(bigint, interval, bigint, bigint) IS
    'Part of take_rate_limit() and try_rate_limit(): how far a cost moves a bucket on, in nanoseconds.';

-- Every transaction prepares each expression of PL/pgSQL anew, which is most of what such a function costs: hence
-- one statement that checks and takes, and all that can be reckoned before left to the statement that calls.
CREATE OR REPLACE FUNCTION public.take_from_bucket(
    p_tenant_id uuid, p_subject text, p_limit_name text, p_step_ns bigint, p_depth_ns bigint, p_durable boolean
) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    now_ns CONSTANT bigint := date_part('epoch', clock_timestamp()) * 1000000000;
    ahead_ns bigint;
BEGIN
    IF p_durable THEN
        INSERT INTO public.rate_limit_durable_buckets AS stored (tenant_id, subject, limit_name, full_at)
        SELECT p_tenant_id, p_subject, p_limit_name, now_ns + p_step_ns
        WHERE p_tenant_id = public.current_tenant_id() AND p_subject <> '' AND p_limit_name <> '' AND p_step_ns <= p_depth_ns
        ON CONFLICT ON CONSTRAINT rate_limit_durable_buckets_pkey DO UPDATE
        SET full_at = greatest(stored.full_at, now_ns) + p_step_ns
        WHERE greatest(stored.full_at - now_ns, 0) + p_step_ns <= p_depth_ns
        RETURNING stored.full_at - now_ns INTO ahead_ns;
    ELSE
        INSERT INTO public.rate_limit_buckets AS stored (tenant_id, subject, limit_name, full_at)
        SELECT p_tenant_id, p_subject, p_limit_name, now_ns + p_step_ns
        WHERE p_tenant_id = public.current_tenant_id() AND p_subject <> '' AND p_limit_name <> '' AND p_step_ns <= p_depth_ns
        ON CONFLICT ON CONSTRAINT rate_limit_buckets_pkey DO UPDATE
        SET full_at = greatest(stored.full_at, now_ns) + p_step_ns
        WHERE greatest(stored.full_at - now_ns, 0) + p_step_ns <= p_depth_ns
        RETURNING stored.full_at - now_ns INTO ahead_ns;
    END IF;
    IF ahead_ns IS NOT NULL THEN
        RETURN ahead_ns;
    END IF;
    PERFORM public.require_tenant(p_tenant_id);
    IF (p_subject <> '' AND p_limit_name <> '' AND p_step_ns >= 0 AND p_depth_ns >= 0) IS NOT TRUE THEN
        RAISE invalid_parameter_value
            USING MESSAGE = 'a subject and a limit are needed, a positive amount, a burst of at most 1000 times the '
                            'amount, a period from 1 second to 31 days and a cost that is not negative';
    END IF;
    RETURN -1 - greatest(public.rate_limit_full_at(p_tenant_id, p_subject, p_limit_name, p_durable) - now_ns, 0);
END
$body$;
COMMENT ON FUNCTION public.take_from_bucket(uuid, text, text, bigint, bigint, boolean) IS
    'Part of take_rate_limit() and try_rate_limit(), which look first whether there is anything to take; not to be called alone. In how many nanoseconds the bucket is full again; below zero, and one more, when nothing was taken.';

-- A refusal is decided by reading alone: full_at grows but for refunds, so what a snapshot refuses stays
-- refused, and a caller who keeps knocking costs neither a lock nor a write. To allow, the bucket is moved on
-- by one statement that checks again under the lock of its row. What is within a microsecond of the border is
-- left to that statement too, which counts in whole numbers.
--
-- The planner puts functions of this form into the statement that calls them, so that a refusal costs little
-- more than the look-up of its row: a third of what it costs inside PL/pgSQL. That is why they say STABLE, though
-- what they call to allow is not; why the look-up is made with the rights of the caller, from whom the policy of
-- the table hides the buckets of other tenants; and why they have no search_path: the names in them were resolved
-- when they were made. Each expression adds to every call, so there are few of them.
CREATE OR REPLACE FUNCTION public.take_rate_limit(
    p_tenant_id uuid,
    p_subject text,
    p_limit_name text,
    p_amount bigint,
    p_period interval,
    p_burst bigint DEFAULT NULL,
    p_cost bigint DEFAULT 1,
    p_durable boolean DEFAULT false
) RETURNS SETOF public.rate_limit_answer
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT
        decided.ahead_ns >= 0,
        -- A millionth is more than what is lost by rounding.
        greatest(floor(
            coalesce(p_burst, p_amount) + 0.000001::double precision
            - abs(decided.ahead_ns) * (p_amount / NULLIF(date_part('epoch', p_period) * 1000000000, 0))
        ), 0),
        CASE
            WHEN decided.ahead_ns >= 0 THEN interval '0'
            WHEN p_cost <= coalesce(p_burst, p_amount)
            THEN make_interval(secs => greatest(
                -decided.ahead_ns / 1000000000.0::double precision
                - (coalesce(p_burst, p_amount) - p_cost) * (date_part('epoch', p_period) / NULLIF(p_amount, 0)), 0
            ))
        END,
        to_timestamp(date_part('epoch', clock_timestamp()) + abs(decided.ahead_ns) / 1000000000.0::double precision)
    FROM (
        SELECT coalesce(
            CASE
                WHEN p_durable THEN (
                    SELECT -1 - greatest(stored.full_at - (date_part('epoch', clock_timestamp()) * 1000000000)::bigint, 0)
                    FROM public.rate_limit_durable_buckets AS stored
                    WHERE stored.tenant_id = p_tenant_id
                      AND stored.subject = p_subject
                      AND stored.limit_name = p_limit_name
                      AND stored.full_at > date_part('epoch', clock_timestamp()) * 1000000000
                          + ((coalesce(p_burst, p_amount) - p_cost) * (date_part('epoch', p_period) * 1000000000 / NULLIF(p_amount, 0)) + 1000)
                ) ELSE (
                    SELECT -1 - greatest(stored.full_at - (date_part('epoch', clock_timestamp()) * 1000000000)::bigint, 0)
                    FROM public.rate_limit_buckets AS stored
                    WHERE stored.tenant_id = p_tenant_id
                      AND stored.subject = p_subject
                      AND stored.limit_name = p_limit_name
                      AND stored.full_at > date_part('epoch', clock_timestamp()) * 1000000000
                          + ((coalesce(p_burst, p_amount) - p_cost) * (date_part('epoch', p_period) * 1000000000 / NULLIF(p_amount, 0)) + 1000)
                )
            END,
            public.take_from_bucket(
                p_tenant_id, p_subject, p_limit_name,
                public.rate_limit_step(p_amount, p_period, coalesce(p_burst, p_amount), p_cost),
                public.rate_limit_step(p_amount, p_period, coalesce(p_burst, p_amount), coalesce(p_burst, p_amount)),
                p_durable
            )
        ) AS ahead_ns
    ) AS decided;
END;
COMMENT ON FUNCTION public.take_rate_limit(uuid, text, text, bigint, interval, bigint, bigint, boolean) IS
    'Takes a cost from one limit that the caller of the function states itself: amount a period, and burst at once. Call it as SELECT * FROM take_rate_limit(...).';

CREATE OR REPLACE FUNCTION public.try_rate_limit(
    p_tenant_id uuid,
    p_subject text,
    p_limit_name text,
    p_amount bigint,
    p_period interval,
    p_burst bigint DEFAULT NULL,
    p_cost bigint DEFAULT 1,
    p_durable boolean DEFAULT false
) RETURNS SETOF boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE
        WHEN CASE
            WHEN p_durable THEN (
                SELECT stored.full_at
                FROM public.rate_limit_durable_buckets AS stored
                WHERE stored.tenant_id = p_tenant_id AND stored.subject = p_subject AND stored.limit_name = p_limit_name
            ) ELSE (
                SELECT stored.full_at
                FROM public.rate_limit_buckets AS stored
                WHERE stored.tenant_id = p_tenant_id AND stored.subject = p_subject AND stored.limit_name = p_limit_name
            )
        END > date_part('epoch', clock_timestamp()) * 1000000000
              + ((coalesce(p_burst, p_amount) - p_cost) * (date_part('epoch', p_period) * 1000000000 / NULLIF(p_amount, 0)) + 1000)
        THEN false
        ELSE public.take_from_bucket(
            p_tenant_id, p_subject, p_limit_name,
            public.rate_limit_step(p_amount, p_period, coalesce(p_burst, p_amount), p_cost),
            public.rate_limit_step(p_amount, p_period, coalesce(p_burst, p_amount), coalesce(p_burst, p_amount)),
            p_durable
        ) >= 0
    END;
END;
COMMENT ON FUNCTION public.try_rate_limit(uuid, text, text, bigint, interval, bigint, bigint, boolean) IS
    'Takes as take_rate_limit() does and answers with yes or no alone, for less. Call it as SELECT * FROM try_rate_limit(...).';

-- The same for all limits of the caller's plan. Buckets are taken in the order of their keys, so that two
-- calls cannot wait for each other; if one refuses after all, those before it get their cost back and
-- everything is read again.
--
-- A connection plans these statements once, perhaps while the tables are empty, and keeps the plan when they
-- have grown: hence no plan without the index.
CREATE OR REPLACE FUNCTION public.consume_rate_limit(
    p_tenant_id uuid,
    p_subject text,
    p_requests bigint DEFAULT 1,
    p_tokens bigint DEFAULT 0,
    OUT allowed boolean,
    OUT limit_name text,
    OUT remaining bigint,
    OUT retry_after interval,
    OUT reset_at timestamptz
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $body$
DECLARE
    tenant_plan text;
    rule record;
    amount bigint;
    burst bigint;
    now_ns bigint;
    depth_ns bigint;
    before_ns bigint;
    after_ns bigint;
    subjects text[];
    names text[];
    durables boolean[];
    steps bigint[];
    depths bigint[];
    taken integer;
    wait_ns bigint;
    longest_wait_ns bigint;
    share double precision;
    least_share double precision;
    beyond CONSTANT bigint := 9223372036854775807;  -- a cost that no bucket is deep enough for
BEGIN
    IF (p_tenant_id = public.current_tenant_id() AND p_subject <> '' AND p_requests >= 0 AND p_tokens >= 0) IS NOT TRUE THEN
        PERFORM public.require_tenant(p_tenant_id);
        RAISE invalid_parameter_value USING MESSAGE = 'a subject is needed, and costs that are not negative';
    END IF;
    SELECT tenant.plan_code INTO tenant_plan FROM public.tenants AS tenant WHERE tenant.tenant_id = p_tenant_id;
    IF NOT FOUND THEN
        RAISE no_data_found USING MESSAGE = format('there is no tenant %s', p_tenant_id);
    END IF;

    LOOP
        now_ns := date_part('epoch', clock_timestamp()) * 1000000000;
        subjects := '{}';
        names := '{}';
        durables := '{}';
        steps := '{}';
        depths := '{}';
        longest_wait_ns := 0;
        least_share := 'infinity';
        allowed := true;
        -- Look-ups by key one after the other: with a plan that is kept, half the price of joining six tables.
        FOR rule IN
            SELECT
                known.limit_name,
                CASE known.scope WHEN 'tenant' THEN '' ELSE p_subject END AS subject,
                known.durable,
                known.amount,
                known.burst,
                (date_part('epoch', known.period) * 1000000000)::bigint AS period_ns,
                CASE known.unit WHEN 'requests' THEN p_requests ELSE p_tokens END AS cost
            FROM public.rate_limits AS known
            WHERE known.plan_code = tenant_plan AND known.unit <> 'concurrent'
            ORDER BY known.scope <> 'tenant', known.limit_name COLLATE "C"
        LOOP
            SELECT
                coalesce(override.amount, rule.amount),
                coalesce(override.burst, rule.burst),
                CASE
                    WHEN rule.durable THEN (
                        SELECT stored.full_at
                        FROM public.rate_limit_durable_buckets AS stored
                        WHERE stored.tenant_id = p_tenant_id
                          AND stored.subject = rule.subject
                          AND stored.limit_name = rule.limit_name
                    ) ELSE (
                        SELECT stored.full_at
                        FROM public.rate_limit_buckets AS stored
                        WHERE stored.tenant_id = p_tenant_id
                          AND stored.subject = rule.subject
                          AND stored.limit_name = rule.limit_name
                    )
                END
            INTO amount, burst, before_ns
            FROM (SELECT) AS always
            LEFT JOIN public.rate_limit_overrides AS override
              ON override.tenant_id = p_tenant_id
             AND override.subject = rule.subject
             AND override.limit_name = rule.limit_name;
            before_ns := greatest(before_ns - now_ns, 0);
            depth_ns := div(burst::numeric * rule.period_ns, amount);
            IF rule.cost > burst THEN
                after_ns := before_ns;
                wait_ns := beyond;
            ELSE
                after_ns := before_ns + div(rule.cost::numeric * rule.period_ns, amount)::bigint;
                wait_ns := after_ns - depth_ns;
            END IF;
            IF wait_ns > longest_wait_ns THEN
                allowed := false;
                longest_wait_ns := wait_ns;
                limit_name := rule.limit_name;
                remaining := greatest(div((depth_ns - before_ns)::numeric * amount, rule.period_ns), 0);
                reset_at := to_timestamp((now_ns + before_ns) / 1000000000.0);
            END IF;
            IF allowed THEN
                IF after_ns > before_ns THEN
                    subjects := subjects || rule.subject;
                    names := names || rule.limit_name;
                    durables := durables || rule.durable;
                    steps := steps || (after_ns - before_ns);
                    depths := depths || depth_ns;
                END IF;
                share := (depth_ns - after_ns)::double precision / depth_ns;
                IF share < least_share THEN
                    least_share := share;
                    limit_name := rule.limit_name;
                    remaining := div((depth_ns - after_ns)::numeric * amount, rule.period_ns);
                    reset_at := to_timestamp((now_ns + after_ns) / 1000000000.0);
                END IF;
            END IF;
        END LOOP;

        IF NOT allowed THEN
            retry_after := CASE WHEN longest_wait_ns < beyond THEN make_interval(secs => longest_wait_ns / 1000000000.0) END;
            RETURN;
        END IF;

        taken := 0;
        WHILE taken < cardinality(names) LOOP
            EXIT WHEN public.move_rate_limit(
                p_tenant_id, subjects[taken + 1], names[taken + 1], durables[taken + 1], now_ns, steps[taken + 1], depths[taken + 1]
            ) IS NULL;
            taken := taken + 1;
        END LOOP;
        IF taken = cardinality(names) THEN
            retry_after := '0';
            RETURN;
        END IF;
        WHILE taken > 0 LOOP
            PERFORM public.move_rate_limit(
                p_tenant_id, subjects[taken], names[taken], durables[taken], now_ns, -steps[taken], beyond
            );
            taken := taken - 1;
        END LOOP;
    END LOOP;
END
$body$;
COMMENT ON FUNCTION public.consume_rate_limit(uuid, text, bigint, bigint) IS
    'Takes requests and tokens from all limits of a caller, or from none. Returns one row: the limit that refused or is nearest to it, what is left of it, when to try again (null: never, the cost is more than the limit can hold), and when it is full again.';

CREATE OR REPLACE FUNCTION public.settle_rate_limit(
    p_tenant_id uuid, p_subject text, p_tokens bigint, p_requests bigint DEFAULT 0
) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    now_ns bigint := EXTRACT(epoch FROM clock_timestamp()) * 1000000000;
    bucket record;
    deep_enough CONSTANT bigint := 9223372036854775807;  -- what has been used up has to be paid for
BEGIN
    PERFORM public.require_tenant(p_tenant_id);
    IF p_subject IS NULL OR p_subject = '' THEN
        RAISE invalid_parameter_value USING MESSAGE = 'a subject is needed';
    END IF;
    FOR bucket IN
        SELECT
            rule.subject,
            rule.limit_name,
            rule.durable,
            div(
                CASE rule.unit WHEN 'requests' THEN p_requests ELSE p_tokens END::numeric * rule.period_ns, rule.amount
            )::bigint AS step_ns
        FROM public.rate_limits_of(p_tenant_id, p_subject) AS rule
        WHERE rule.unit <> 'concurrent'
        ORDER BY rule.subject COLLATE "C", rule.limit_name COLLATE "C"
    LOOP
        IF bucket.step_ns <> 0 THEN
            PERFORM public.move_rate_limit(
                p_tenant_id, bucket.subject, bucket.limit_name, bucket.durable, now_ns, bucket.step_ns, deep_enough
            );
        END IF;
    END LOOP;
END
$body$;
COMMENT ON FUNCTION public.settle_rate_limit(uuid, text, bigint, bigint) IS
    'Corrects an estimate once the real cost is known: a negative number gives back, a positive one is taken even if that leads into debt, which later calls have to wait for.';

CREATE OR REPLACE FUNCTION public.rate_limit_status(p_tenant_id uuid, p_subject text)
RETURNS TABLE (limit_name text, unit text, amount bigint, period interval, burst bigint, remaining bigint, reset_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    now_ns bigint := EXTRACT(epoch FROM clock_timestamp()) * 1000000000;
BEGIN
    PERFORM public.require_tenant(p_tenant_id);
    RETURN QUERY
    SELECT
        rule.limit_name,
        rule.unit,
        rule.amount,
        rule.period,
        rule.burst,
        CASE
            WHEN rule.unit = 'concurrent' THEN rule.amount - (
                SELECT count(*)
                FROM public.rate_limit_leases AS lease
                WHERE lease.tenant_id = p_tenant_id
                  AND lease.subject = rule.subject
                  AND lease.limit_name = rule.limit_name
                  AND lease.slot <= rule.amount
                  AND lease.expires_at > clock_timestamp()
            )
            ELSE greatest(rule.burst - ceil(ahead.ns::numeric * rule.amount / rule.period_ns), 0)::bigint
        END,
        to_timestamp((now_ns + ahead.ns) / 1000000000.0)
    FROM public.rate_limits_of(p_tenant_id, p_subject) AS rule
    CROSS JOIN LATERAL (
        SELECT greatest(public.rate_limit_full_at(p_tenant_id, rule.subject, rule.limit_name, rule.durable) - now_ns, 0)
    ) AS ahead (ns)
    ORDER BY rule.limit_name;
END
$body$;
COMMENT ON FUNCTION public.rate_limit_status(uuid, text) IS 'Every limit of a caller and what is left of it; takes nothing.';


-- Concurrent work --------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION public.acquire_lease(
    p_tenant_id uuid,
    p_subject text,
    OUT allowed boolean,
    OUT lease_id uuid,
    OUT limit_name text,
    OUT expires_at timestamptz
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    rule record;
    free_slot integer;
BEGIN
    PERFORM public.require_tenant(p_tenant_id);
    IF p_subject IS NULL OR p_subject = '' THEN
        RAISE invalid_parameter_value USING MESSAGE = 'a subject is needed';
    END IF;
    SELECT known.* INTO rule
    FROM public.rate_limits_of(p_tenant_id, p_subject) AS known
    WHERE known.unit = 'concurrent'
    ORDER BY known.amount, known.limit_name
    LIMIT 1;
    IF NOT FOUND THEN
        allowed := true;
        RETURN;
    END IF;

    limit_name := rule.limit_name;
    LOOP
        SELECT slot.number INTO free_slot
        FROM generate_series(1, rule.amount::integer) AS slot (number)
        WHERE NOT EXISTS (
            SELECT FROM public.rate_limit_leases AS lease
            WHERE lease.tenant_id = p_tenant_id
              AND lease.subject = rule.subject
              AND lease.limit_name = rule.limit_name
              AND lease.slot = slot.number
              AND lease.expires_at > clock_timestamp()
        )
        LIMIT 1;
        IF NOT FOUND THEN
            allowed := false;
            SELECT min(lease.expires_at) INTO expires_at
            FROM public.rate_limit_leases AS lease
            WHERE lease.tenant_id = p_tenant_id
              AND lease.subject = rule.subject
              AND lease.limit_name = rule.limit_name
              AND lease.expires_at > clock_timestamp();
            RETURN;
        END IF;
        -- Somebody may have been faster: then the slot is taken, nothing is written, and the next one is tried.
        INSERT INTO public.rate_limit_leases AS lease (tenant_id, subject, limit_name, slot, lease_id, expires_at)
        VALUES (p_tenant_id, rule.subject, rule.limit_name, free_slot, gen_random_uuid(), clock_timestamp() + rule.period)
        ON CONFLICT ON CONSTRAINT rate_limit_leases_pkey DO UPDATE
        SET lease_id = EXCLUDED.lease_id, expires_at = EXCLUDED.expires_at
        WHERE lease.expires_at <= clock_timestamp()
        RETURNING lease.lease_id, lease.expires_at INTO acquire_lease.lease_id, acquire_lease.expires_at;
        IF FOUND THEN
            allowed := true;
            RETURN;
        END IF;
    END LOOP;
END
$body$;
COMMENT ON FUNCTION public.acquire_lease(uuid, text) IS
    'Takes one of the caller''s places for concurrent work. Give it back with release_lease(); a lease that nobody renews ends by itself. When refused, expires_at says when the next place becomes free at the latest.';

CREATE OR REPLACE FUNCTION public.renew_lease(p_tenant_id uuid, p_subject text, p_lease_id uuid) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    renewed_until timestamptz;
BEGIN
    PERFORM public.require_tenant(p_tenant_id);
    UPDATE public.rate_limit_leases AS lease
    SET expires_at = clock_timestamp() + rule.period
    FROM public.rate_limits_of(p_tenant_id, p_subject) AS rule
    WHERE rule.unit = 'concurrent'
      AND lease.tenant_id = p_tenant_id
      AND lease.subject = rule.subject
      AND lease.limit_name = rule.limit_name
      AND lease.lease_id = p_lease_id
      AND lease.expires_at > clock_timestamp()
    RETURNING lease.expires_at INTO renewed_until;
    RETURN renewed_until;
END
$body$;
COMMENT ON FUNCTION public.renew_lease(uuid, text, uuid) IS 'Keeps a lease and returns its new end; null when it has ended already: stop the work.';

CREATE OR REPLACE FUNCTION public.release_lease(p_tenant_id uuid, p_subject text, p_lease_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    PERFORM public.require_tenant(p_tenant_id);
    UPDATE public.rate_limit_leases AS lease
    SET expires_at = '-infinity'
    WHERE lease.tenant_id = p_tenant_id
      AND lease.subject IN (p_subject, '')
      AND lease.lease_id = p_lease_id
      AND lease.expires_at > clock_timestamp();
    RETURN FOUND;
END
$body$;
COMMENT ON FUNCTION public.release_lease(uuid, text, uuid) IS 'Gives a lease back; false when it had ended already.';


-- Retention --------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION public.purge_rate_limits(p_batch integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    now_ns bigint := EXTRACT(epoch FROM clock_timestamp()) * 1000000000;
    deleted bigint;
    total bigint := 0;
BEGIN
    WITH full_again AS (
        SELECT stored.tenant_id, stored.subject, stored.limit_name
        FROM public.rate_limit_buckets AS stored
        WHERE stored.full_at < now_ns
        LIMIT p_batch
    )
    DELETE FROM public.rate_limit_buckets AS stored
    USING full_again
    WHERE stored.tenant_id = full_again.tenant_id
      AND stored.subject = full_again.subject
      AND stored.limit_name = full_again.limit_name
      AND stored.full_at < now_ns;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    total := total + deleted;

    WITH full_again AS (
        SELECT stored.tenant_id, stored.subject, stored.limit_name
        FROM public.rate_limit_durable_buckets AS stored
        WHERE stored.full_at < now_ns
        LIMIT p_batch
    )
    DELETE FROM public.rate_limit_durable_buckets AS stored
    USING full_again
    WHERE stored.tenant_id = full_again.tenant_id
      AND stored.subject = full_again.subject
      AND stored.limit_name = full_again.limit_name
      AND stored.full_at < now_ns;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    total := total + deleted;

    WITH ended AS (
        SELECT lease.tenant_id, lease.subject, lease.limit_name, lease.slot
        FROM public.rate_limit_leases AS lease
        WHERE lease.expires_at < clock_timestamp()
        LIMIT p_batch
    )
    DELETE FROM public.rate_limit_leases AS lease
    USING ended
    WHERE lease.tenant_id = ended.tenant_id
      AND lease.subject = ended.subject
      AND lease.limit_name = ended.limit_name
      AND lease.slot = ended.slot
      AND lease.expires_at < clock_timestamp();
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN total + deleted;
END
$body$;
COMMENT ON FUNCTION public.purge_rate_limits(integer) IS
    'Deletes a batch of buckets that are full and leases that have ended, and returns how many rows; repeat until 0. Loses nothing: no row means a full bucket.';


-- Privileges -------------------------------------------------------------------------------------------

REVOKE EXECUTE ON FUNCTION
    public.rate_limits_of(uuid, text),
    public.rate_limit_full_at(uuid, text, text, boolean),
    public.move_rate_limit(uuid, text, text, boolean, bigint, bigint, bigint),
    public.rate_limit_step(bigint, interval, bigint, bigint),
    public.take_from_bucket(uuid, text, text, bigint, bigint, boolean),
    public.take_rate_limit(uuid, text, text, bigint, interval, bigint, bigint, boolean),
    public.try_rate_limit(uuid, text, text, bigint, interval, bigint, bigint, boolean),
    public.consume_rate_limit(uuid, text, bigint, bigint),
    public.settle_rate_limit(uuid, text, bigint, bigint),
    public.rate_limit_status(uuid, text),
    public.acquire_lease(uuid, text),
    public.renew_lease(uuid, text, uuid),
    public.release_lease(uuid, text, uuid),
    public.purge_rate_limits(integer)
FROM PUBLIC;

DO $privileges$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_app') THEN
        GRANT SELECT ON public.rate_limits, public.rate_limit_overrides TO semantic_kernel_app;
        -- To look, and no more: only the functions write them.
        GRANT SELECT ON public.rate_limit_buckets, public.rate_limit_durable_buckets TO semantic_kernel_app;
        GRANT EXECUTE ON FUNCTION
            public.rate_limit_step, public.take_from_bucket, public.take_rate_limit, public.try_rate_limit,
            public.consume_rate_limit, public.settle_rate_limit, public.rate_limit_status,
            public.acquire_lease, public.renew_lease, public.release_lease
        TO semantic_kernel_app;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_reader') THEN
        GRANT SELECT ON public.rate_limits, public.rate_limit_overrides TO semantic_kernel_reader;
        GRANT EXECUTE ON FUNCTION public.rate_limit_status TO semantic_kernel_reader;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'semantic_kernel_backup') THEN
        GRANT SELECT ON public.rate_limits, public.rate_limit_overrides, public.rate_limit_buckets,
            public.rate_limit_durable_buckets, public.rate_limit_leases
            TO semantic_kernel_backup;
    END IF;
END
$privileges$;

DO $ownership$
DECLARE
    object text;
BEGIN
    -- As in B000: nothing that runs with the rights of its owner may belong to a superuser.
    IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        FOREACH object IN ARRAY ARRAY[
            'TABLE public.rate_limits', 'TABLE public.rate_limit_overrides', 'TABLE public.rate_limit_buckets',
            'TABLE public.rate_limit_durable_buckets', 'TABLE public.rate_limit_leases', 'TYPE public.rate_limit_answer',
            'FUNCTION public.rate_limits_of', 'FUNCTION public.rate_limit_full_at', 'FUNCTION public.move_rate_limit',
            'FUNCTION public.rate_limit_step', 'FUNCTION public.take_from_bucket', 'FUNCTION public.take_rate_limit',
            'FUNCTION public.try_rate_limit', 'FUNCTION public.consume_rate_limit', 'FUNCTION public.settle_rate_limit',
            'FUNCTION public.rate_limit_status', 'FUNCTION public.acquire_lease',
            'FUNCTION public.renew_lease', 'FUNCTION public.release_lease', 'FUNCTION public.purge_rate_limits'
        ] LOOP
            EXECUTE format('ALTER %s OWNER TO semantic_kernel_owner', object);
        END LOOP;
    END IF;
END
$ownership$;
