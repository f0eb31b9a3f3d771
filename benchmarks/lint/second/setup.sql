CREATE SCHEMA app;
SET search_path = public, app;
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TYPE app.status AS ENUM ('a','b');
CREATE DOMAIN app.email AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN app.money2 AS numeric(12,2);
CREATE DOMAIN app.uid AS uuid DEFAULT gen_random_uuid();
CREATE FUNCTION app.slug(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN lower($1);
CREATE FUNCTION app.nextcode() RETURNS text LANGUAGE sql VOLATILE RETURN 'x' || random();
CREATE FUNCTION app.stamp() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT now() $$;
CREATE FUNCTION app.two() RETURNS int LANGUAGE sql AS $$ SELECT 1 + 1 $$;
CREATE TABLE app.accounts (account_id int PRIMARY KEY, title varchar(80) NOT NULL, mail text, balance numeric(12,2), rate numeric(5,2),
  opened timestamp(3), closed timestamptz(0), at_time time, kind char(3), flag boolean, ip inet, payload jsonb, raw json, st app.status, ct text,
  emb vector(3), anyemb vector, halfemb halfvec(3), tags varchar(20)[], score int CHECK (score >= 0), nn int, pk2 bigint, x xml, o oid, b bytea, gen int GENERATED ALWAYS AS (nn + 1) STORED,
  iv interval(3), vb varbit(10), d2 app.money2, em app.email,
  CONSTRAINT nn_ok CHECK (nn IS NOT NULL AND nn > 0));
CREATE UNIQUE INDEX acc_pk2 ON app.accounts (pk2);
CREATE INDEX acc_mail ON app.accounts (lower(mail));
CREATE INDEX acc_title ON app.accounts USING hash (title);
CREATE INDEX acc_ct ON app.accounts (ct);
CREATE INDEX acc_vb ON app.accounts (vb);
CREATE INDEX acc_opened ON app.accounts (balance) INCLUDE (opened);
CREATE INDEX acc_hnsw ON app.accounts USING hnsw (emb vector_l2_ops);
INSERT INTO app.accounts (account_id,title,mail,balance,rate,score,nn,pk2,em,d2) SELECT n,'t','m',n,1,n,n,n,'a@b',1 FROM generate_series(1,40) n;
CREATE TABLE app.entries (id bigserial, account_id int REFERENCES app.accounts, note varchar(40), amount int, other int, PRIMARY KEY (id));
INSERT INTO app.entries (account_id, note, amount, other) SELECT n,'n',n,n FROM generate_series(1,40) n;
ALTER TABLE app.entries ADD CONSTRAINT amount_nn CHECK (amount IS NOT NULL) NOT VALID;
CREATE TABLE app.logs (at timestamptz NOT NULL, msg text, lvl int) PARTITION BY RANGE (at);
CREATE TABLE app.logs_1 PARTITION OF app.logs FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE app.logs_def PARTITION OF app.logs DEFAULT;
INSERT INTO app.logs SELECT '2024-01-05','m',n FROM generate_series(1,40) n;
INSERT INTO app.logs SELECT '2023-01-05','m',n FROM generate_series(1,40) n;
CREATE TABLE app.h (k int NOT NULL, v text) PARTITION BY HASH (k);
CREATE TABLE app.h0 PARTITION OF app.h FOR VALUES WITH (MODULUS 2, REMAINDER 0);
INSERT INTO app.h SELECT n, 'x' FROM generate_series(1,40) n WHERE n IN (SELECT k FROM generate_series(1,40) k WHERE satisfies_hash_partition('app.h'::regclass,2,0,k));
CREATE TABLE app.h1 (k int NOT NULL, v text);
CREATE TABLE app.lst (c text NOT NULL, v int) PARTITION BY LIST (c);
CREATE TABLE app.lst_a (c text NOT NULL CHECK (c IN ('a','b')), v int);
INSERT INTO app.lst_a SELECT 'a', n FROM generate_series(1,40) n;
CREATE TABLE app.lst_b (c text CHECK (c = 'z'), v int);
INSERT INTO app.lst_b SELECT 'z', n FROM generate_series(1,40) n;
CREATE UNLOGGED TABLE app.buf (id int, t text);
INSERT INTO app.buf SELECT n,'t' FROM generate_series(1,40) n;
CREATE MATERIALIZED VIEW app.totals AS SELECT account_id, sum(amount) s FROM app.entries GROUP BY 1;
CREATE ROLE pgratchet_bench;
