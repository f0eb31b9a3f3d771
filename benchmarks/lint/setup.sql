CREATE SCHEMA shop;
CREATE DOMAIN plain_code AS text;
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN required AS text NOT NULL;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE FUNCTION steady() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END';
CREATE FUNCTION unsteady() RETURNS integer LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN 1; END';
CREATE FUNCTION inlined() RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION inlined_random() RETURNS double precision LANGUAGE sql VOLATILE AS 'SELECT random()';
CREATE SEQUENCE numbers;
CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;

CREATE TABLE users (
    id bigint PRIMARY KEY,
    name varchar(50),
    code char(10),
    bio text,
    age integer,
    small smallint,
    height numeric(10, 2),
    loose numeric,
    seen timestamp,
    made timestamptz DEFAULT now(),
    exact timestamptz(3),
    day date,
    settings json,
    net cidr,
    host inet,
    bits bit(8),
    flags bit varying(8),
    took interval,
    real_one real,
    double_one double precision,
    tags text[],
    short_tags varchar(10)[],
    coded plain_code,
    feeling mood,
    checked varchar(50) CHECK (checked <> ''),
    sure integer CHECK (sure IS NOT NULL),
    sorted varchar(50) COLLATE "C",
    lowered varchar(50),
    partial varchar(50),
    half integer,
    doubled integer GENERATED ALWAYS AS (half * 2) STORED,
    guarded integer NOT NULL DEFAULT 1
);
CREATE INDEX users_name ON users (name);
CREATE INDEX users_sorted ON users (sorted);
CREATE INDEX users_lowered ON users (lower(lowered));
CREATE INDEX users_partial ON users (id) WHERE partial <> '';
CREATE INDEX users_seen ON users (seen);
CREATE UNIQUE INDEX users_small ON users (small);
CREATE UNIQUE INDEX users_guarded ON users (guarded, id);
ALTER TABLE users ADD CONSTRAINT users_proven CHECK (height IS NOT NULL) NOT VALID;
INSERT INTO users (id, name, bio, age, small, sure, checked, height, guarded)
SELECT n, 'name', 'text', n, n, n, 'x', n, n FROM generate_series(1, 50) AS n;

CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, seller_id bigint, total integer, placed date);
CREATE INDEX orders_user_id ON orders (user_id);
INSERT INTO orders SELECT n, n, n, n, '2025-01-01' FROM generate_series(1, 50) AS n;
ALTER TABLE orders ADD CONSTRAINT orders_user_fkey FOREIGN KEY (user_id) REFERENCES users (id);
ALTER TABLE orders ADD CONSTRAINT orders_seller_fkey FOREIGN KEY (seller_id) REFERENCES users (id) NOT VALID;
ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total > 0) NOT VALID;

CREATE TABLE shop.items (id bigint NOT NULL, label text, price integer, during tstzrange, weight positive);
INSERT INTO shop.items SELECT n, 'label', n, NULL, n FROM generate_series(1, 50) AS n;

CREATE UNLOGGED TABLE scratch (id bigint PRIMARY KEY, note text);
INSERT INTO scratch SELECT n, 'note' FROM generate_series(1, 50) AS n;

CREATE TABLE events (day date NOT NULL, place integer, note text) PARTITION BY RANGE (day);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO events SELECT '2024-05-05', n, 'note' FROM generate_series(1, 50) AS n;
CREATE TABLE events_2025 (day date NOT NULL, place integer, note text);
INSERT INTO events_2025 SELECT '2025-05-05', n, 'note' FROM generate_series(1, 50) AS n;
CREATE TABLE events_2026 (
    day date NOT NULL, place integer, note text,
    CONSTRAINT bounds CHECK (day >= '2026-01-01' AND day < '2027-01-01')
);
INSERT INTO events_2026 SELECT '2026-05-05', n, 'note' FROM generate_series(1, 50) AS n;

CREATE TABLE places (place integer NOT NULL, note text) PARTITION BY LIST (place);
CREATE TABLE places_rest PARTITION OF places DEFAULT;
INSERT INTO places SELECT n, 'note' FROM generate_series(100, 150) AS n;
CREATE TABLE places_one (place integer NOT NULL, note text, CONSTRAINT one CHECK (place = 1));
INSERT INTO places_one SELECT 1, 'note' FROM generate_series(1, 50) AS n;

CREATE VIEW adults AS SELECT id FROM users WHERE age >= 18;
CREATE MATERIALIZED VIEW ages AS SELECT id, age FROM users;
CREATE UNIQUE INDEX ages_id ON ages (id);
CREATE TABLE parents (id bigint, note text);
INSERT INTO parents SELECT n, 'note' FROM generate_series(1, 50) AS n;
CREATE TABLE children (extra integer) INHERITS (parents);
INSERT INTO children SELECT n, 'note', n FROM generate_series(1, 50) AS n;
CREATE TABLE cousins (id bigint, note text);
INSERT INTO cousins SELECT n, 'note' FROM generate_series(1, 50) AS n;
CREATE ROLE pgratchet_bench;
CREATE DOMAIN stamped AS uuid DEFAULT gen_random_uuid();
CREATE DOMAIN tiny AS positive;
CREATE DOMAIN late AS integer;
ALTER DOMAIN late ADD CONSTRAINT late_check CHECK (VALUE > 0) NOT VALID;
ALTER TABLE orders ADD COLUMN late late, ADD COLUMN what regclass;
CREATE INDEX places_note ON places (note);
CREATE TABLE parts (place integer NOT NULL, note text) PARTITION BY LIST (place);
CREATE INDEX parts_note ON parts (note);
CREATE TABLE parts_one (place integer NOT NULL, note text, CONSTRAINT one CHECK (place IN (1)));
INSERT INTO parts_one SELECT 1, 'note' FROM generate_series(1, 50) AS n;
CREATE TABLE parts_two (place integer NOT NULL, note text, CONSTRAINT two CHECK (place = 2));
INSERT INTO parts_two SELECT 2, 'note' FROM generate_series(1, 50) AS n;
CREATE INDEX parts_two_note ON parts_two (note);
