CREATE EXTENSION IF NOT EXISTS vector;
CREATE SCHEMA billing;
CREATE TYPE billing.plan AS ENUM ('free', 'pro');
CREATE DOMAIN billing.amount AS numeric(14, 2) CHECK (VALUE >= 0);
CREATE DOMAIN short_text AS varchar(40);
CREATE FUNCTION new_code() RETURNS text LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN md5(random()::text); END $$;
CREATE FUNCTION tax(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 0.19';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE SEQUENCE invoice_numbers;

CREATE TABLE tenants (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    slug varchar(64) NOT NULL,
    title text,
    email text COLLATE "C",
    settings json,
    meta jsonb DEFAULT '{}',
    seats int NOT NULL DEFAULT 5,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamptz,
    plan billing.plan DEFAULT 'free',
    locale varchar(5) NOT NULL DEFAULT 'en',
    region text CONSTRAINT region_there CHECK (region IS NOT NULL),
    CONSTRAINT tenants_slug_key UNIQUE (slug)
);
CREATE INDEX tenants_created ON tenants (created_at DESC);
CREATE INDEX tenants_title ON tenants USING gin (to_tsvector('simple', title));
INSERT INTO tenants (slug, title, region, email) SELECT 's' || n, 'title', 'eu', n || '@example.org' FROM generate_series(1, 60) n;

CREATE TABLE members (
    id serial PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    login varchar(30) NOT NULL,
    phone char(12),
    born date,
    points integer DEFAULT 0,
    ratio float4,
    visits bigint,
    last_ip cidr,
    active boolean,
    role text,
    notes text,
    full_name text GENERATED ALWAYS AS (login || '!') STORED
);
CREATE UNIQUE INDEX members_login ON members (lower(login));
CREATE INDEX members_points ON members (points) WHERE points > 0;
CREATE UNIQUE INDEX members_visits ON members (visits);
INSERT INTO members (tenant_id, login, points, visits, active, role, phone)
SELECT t.id, 'l' || row_number() OVER (), 1, row_number() OVER (), true, 'user', '0' FROM tenants t;
ALTER TABLE members ADD CONSTRAINT members_role_check CHECK (role IN ('user', 'admin')) NOT VALID;

CREATE TABLE billing.invoices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid,
    number varchar(20),
    total numeric(10, 2),
    vat numeric,
    paid_at timestamptz(0),
    due interval,
    lines jsonb[],
    state smallint DEFAULT 0,
    period int4range,
    currency char(3)
);
CREATE INDEX invoices_tenant ON billing.invoices (tenant_id);
CREATE INDEX invoices_lines ON billing.invoices ((lines[1] ->> 'sku'));
INSERT INTO billing.invoices (tenant_id, number, total, vat, period, currency)
SELECT t.id, 'n' || row_number() OVER (), 10, 2, int4range((row_number() OVER ())::int * 10, (row_number() OVER ())::int * 10 + 5), 'EUR' FROM tenants t;

CREATE TABLE docs (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id uuid, body text, embedding vector(8), embedding_half halfvec(8), raw vector);
INSERT INTO docs (body, embedding) SELECT 'b', ('[' || n || ',1,1,1,1,1,1,1]')::vector FROM generate_series(1, 60) n;
CREATE INDEX docs_embedding ON docs USING hnsw (embedding vector_cosine_ops);

CREATE TABLE audit (id bigserial, at timestamptz NOT NULL, actor text, payload jsonb, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE audit_2024 PARTITION OF audit FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO audit (at, actor) SELECT '2024-03-03', 'a' FROM generate_series(1, 60) n;
CREATE TABLE audit_2025 (LIKE audit INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
INSERT INTO audit_2025 (id, at, actor) SELECT n, '2025-03-03', 'a' FROM generate_series(1, 60) n;
CREATE TABLE audit_2026 (LIKE audit INCLUDING ALL);
INSERT INTO audit_2026 (id, at, actor) SELECT n, '2026-03-03', 'a' FROM generate_series(1, 60) n;
ALTER TABLE audit_2026 ADD CONSTRAINT only_2026 CHECK (at >= '2026-01-01' AND at < '2027-01-01');

CREATE UNLOGGED TABLE cache (key text PRIMARY KEY, value bytea, expires timestamptz);
INSERT INTO cache SELECT n::text, '\x00', now() FROM generate_series(1, 60) n;
CREATE MATERIALIZED VIEW revenue AS SELECT id AS tenant_id, cardinality(lines) AS total FROM billing.invoices;
CREATE UNIQUE INDEX revenue_tenant ON revenue (tenant_id);
CREATE VIEW active_members AS SELECT points FROM members WHERE points > 0;
CREATE ROLE pgratchet_bench;
