CREATE SCHEMA "odd ""name"" of a schema";
SET search_path = "odd ""name"" of a schema", public;

CREATE TYPE mood AS ENUM ('sad', 'so so', 'glad');
CREATE TYPE pair AS (one integer, two text);
CREATE DOMAIN positive AS integer CHECK (value > 0);
CREATE TYPE span AS RANGE (subtype = double precision);
CREATE COLLATION anyhow (provider = libc, locale = 'C.UTF-8');

CREATE TABLE kinds (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    r text, "group" integer, "Ünï cödé ☃" text DEFAULT 'ä',
    gone text, feeling mood, two pair, few positive, spans span, any_case text COLLATE anyhow,
    f4 real, f8 double precision, exact numeric, cash money, raw bytea, bits bit varying,
    moment timestamptz, local timestamp, day date, hour timetz, gap interval,
    address inet, net cidr, mac macaddr, uid uuid, doc json, docb jsonb, words tsvector, ask tsquery,
    here point, shape polygon, many integer[], moods mood[], relation regclass, kind regtype, ranges int4multirange,
    twice bigint GENERATED ALWAYS AS ("group" * 2) STORED
);
ALTER TABLE kinds DROP COLUMN gone;
INSERT INTO kinds (r, "group", feeling, two, few, spans, any_case, f4, f8, exact, cash, raw, bits, moment, local, day, hour,
                   gap, address, net, mac, uid, doc, docb, words, ask, here, shape, many, moods, relation, kind, ranges)
SELECT CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'a\tb\nc\\d' ELSE repeat('☃', 3000) END, n,
       (enum_range(NULL::mood))[n % 3 + 1], (n, 'x,"y')::pair, n + 1, span(n, n + 0.1), 'Straße',
       CASE WHEN n = 1 THEN 'NaN' ELSE n / 3.0 END, CASE WHEN n = 2 THEN '-Infinity' ELSE sqrt(n) END,
       n / 7.0, n, sha256(n::text::bytea), n::bit(17),
       CASE WHEN n = 3 THEN 'infinity' ELSE '2024-03-31 01:30:00+00'::timestamptz + n * interval '1 h 1 us' END,
       '2024-03-31 02:30:00', '0044-03-15 BC', '12:00:00+14', n * interval '1 mon 1 day 1.5 s',
       '::1', '10.0.0.0/8', '08:00:2b:01:02:03', md5(n::text)::uuid, '{"a": 1,  "a": [null]}', '{"b": {"c": [1, 2.50]}}',
       to_tsvector('english', 'the quick foxes ' || n), 'quick & !slow'::tsquery,
       point(n, -n), polygon(circle(point(0, 0), n + 1)), ARRAY[n, NULL, n], ARRAY['glad', NULL]::mood[],
       'kinds'::regclass, 'mood'::regtype, int4multirange(int4range(n, n + 2), int4range(n + 5, NULL))
  FROM generate_series(0, 99) AS n;

CREATE TABLE nothing ();
CREATE TABLE once_full ();
INSERT INTO once_full SELECT FROM generate_series(1, 3);
CREATE UNLOGGED TABLE fleeting AS SELECT n AS id FROM generate_series(1, 10) AS n;

CREATE TABLE parent (id integer, name text);
CREATE TABLE child (extra text) INHERITS (parent);
INSERT INTO parent VALUES (1, 'p');
INSERT INTO child VALUES (2, 'c', 'x'), (2, 'c', 'x');

CREATE TABLE events (at date NOT NULL, tenant integer NOT NULL, body text) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY HASH (tenant);
CREATE TABLE events_2024_0 PARTITION OF events_2024 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE events_2024_1 PARTITION OF events_2024 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
ALTER TABLE events ADD PRIMARY KEY (at, tenant);
INSERT INTO events SELECT '2024-06-01'::date + n * 10, n, 'e' FROM generate_series(1, 60) AS n;

CREATE TABLE tree (
    id integer PRIMARY KEY,
    up integer REFERENCES tree DEFERRABLE INITIALLY DEFERRED,
    room integer, during tsrange,
    CONSTRAINT never_twice EXCLUDE USING gist (during WITH &&) WHERE (room IS NOT NULL)
);
INSERT INTO tree VALUES (2, 1), (1, NULL), (3, 2);
ALTER TABLE tree ADD CONSTRAINT small CHECK (id < 3) NOT VALID;
CREATE UNIQUE INDEX tree_partly ON tree (lower(up::text) DESC NULLS LAST) INCLUDE (room) WHERE id > 1;
CREATE STATISTICS tree_statistics (ndistinct, dependencies) ON id, up FROM tree;
ALTER TABLE tree ENABLE ROW LEVEL SECURITY;
ALTER TABLE tree FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON tree AS RESTRICTIVE FOR SELECT TO PUBLIC USING (id > 1);

CREATE FUNCTION add(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE RETURN a + b;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql SET work_mem = '5MB' AS $$ BEGIN RETURN NEW; END $$;
CREATE PROCEDURE work(INOUT n integer) LANGUAGE plpgsql AS $$ BEGIN n := n + 1; END $$;
CREATE AGGREGATE total (integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE OPERATOR +@ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = add);
CREATE CAST (pair AS text) WITH INOUT AS ASSIGNMENT;
CREATE TRIGGER touching BEFORE UPDATE OF name ON parent FOR EACH ROW WHEN (NEW.id > 0) EXECUTE FUNCTION touch();
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; END $$;
CREATE EVENT TRIGGER watching ON ddl_command_end EXECUTE FUNCTION watch();

CREATE VIEW seen WITH (security_barrier) AS SELECT id, name FROM parent WHERE name LIKE '%' WITH CHECK OPTION;
CREATE RULE no_delete AS ON DELETE TO seen DO INSTEAD NOTHING;
CREATE MATERIALIZED VIEW known AS SELECT count(*) AS rows FROM kinds;
CREATE MATERIALIZED VIEW unknown AS SELECT 1 AS x WITH NO DATA;
CREATE SEQUENCE steps START 5 INCREMENT -3 MINVALUE -100 MAXVALUE 10 CYCLE;
SELECT nextval('steps'), nextval('steps');
CREATE SEQUENCE set_back;
SELECT setval('set_back', 42, false);

CREATE TEXT SEARCH DICTIONARY stems (TEMPLATE = snowball, LANGUAGE = english);
CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple);
CREATE FOREIGN DATA WRAPPER elsewhere;
CREATE SERVER far FOREIGN DATA WRAPPER elsewhere OPTIONS (host 'nowhere');
CREATE FOREIGN TABLE distant (id integer) SERVER far OPTIONS (name 'x');
CREATE PUBLICATION all_of_it FOR TABLE kinds;

SELECT lo_from_bytea(4711, repeat('large', 10000)::bytea), lo_create(4712);
COMMENT ON LARGE OBJECT 4711 IS 'large';
COMMENT ON TABLE kinds IS 'it''s "quoted"';
COMMENT ON COLUMN kinds."Ünï cödé ☃" IS E'two\nlines';
GRANT SELECT (id, "group") ON kinds TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC;

-- What needs functions of the server's own, since none is written in C here.
CREATE TYPE whole;
CREATE FUNCTION whole_in(cstring) RETURNS whole LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION whole_out(whole) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE whole (INPUT = whole_in, OUTPUT = whole_out, LIKE = integer);
CREATE TABLE wholes AS SELECT '7'::whole AS n;
CREATE OPERATOR FAMILY by_length USING btree;
CREATE FUNCTION shorter(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT length($1) < length($2)';
CREATE FUNCTION longer(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT length($1) > length($2)';
CREATE FUNCTION compared(text, text) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT length($1) - length($2)';
CREATE OPERATOR <# (LEFTARG = text, RIGHTARG = text, FUNCTION = shorter);
CREATE OPERATOR ># (LEFTARG = text, RIGHTARG = text, FUNCTION = longer);
CREATE OPERATOR CLASS length_ops FOR TYPE text USING btree FAMILY by_length AS
    OPERATOR 1 <#, OPERATOR 5 >#, FUNCTION 1 compared(text, text);
CREATE ACCESS METHOD btree_again TYPE INDEX HANDLER bthandler;
CREATE FUNCTION handled() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE LANGUAGE plmine HANDLER handled;
CREATE CONVERSION from_latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE TEXT SEARCH PARSER cut (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE bare (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'somebody');
CREATE TABLE part_of_it (id integer, tenant integer);
CREATE PUBLICATION a_part FOR TABLE part_of_it (id, tenant) WHERE (tenant = 1);
CREATE SUBSCRIPTION from_afar CONNECTION 'host=127.0.0.1 port=1 dbname=none' PUBLICATION far
    WITH (connect = false, slot_name = NONE, enabled = false);
