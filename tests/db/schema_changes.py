"""Changes of a schema that a fingerprint must see, and others that it must not: data for the tests.

Each is a statement on the schema that `BASE` makes, and a line that the difference must hold.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.servers import Database

READER, WRITER = "schema_reader", "schema_writer"

BASE = r"""
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('sad', 'ok');
CREATE DOMAIN app.email AS text DEFAULT 'a@b' CHECK (value ~ '@');
CREATE TYPE app.pair AS (one int, two text);
CREATE TYPE app.span AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE SEQUENCE app.numbers;
CREATE TABLE app.users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email app.email NOT NULL,
    mood app.mood DEFAULT 'ok',
    body text,
    note text,
    born timestamptz DEFAULT '2024-01-01 00:00+02',
    shout text GENERATED ALWAYS AS (upper(body)) STORED
);
CREATE TABLE app.orders (
    id serial PRIMARY KEY,
    buyer bigint REFERENCES app.users,
    at timestamptz,
    paid boolean NOT NULL DEFAULT false,
    CONSTRAINT positive CHECK (id > 0)
);
CREATE TABLE app.children () INHERITS (app.orders);
CREATE TABLE app.loose (a int, b int);
CREATE TABLE app.parts (id int, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE app.parts_2024 PARTITION OF app.parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE app.parts_2025 (id int, at date NOT NULL);
CREATE INDEX orders_buyer ON app.orders (buyer) WHERE paid;
CREATE INDEX users_lower ON app.users (lower(body));
CREATE UNIQUE INDEX loose_unique ON app.loose (b) INCLUDE (a);
ALTER TABLE app.loose ALTER a SET NOT NULL;
CREATE UNIQUE INDEX loose_key ON app.loose (a);
CREATE VIEW app.happy AS SELECT id, email FROM app.users WHERE mood = 'ok';
CREATE MATERIALIZED VIEW app.totals AS SELECT count(*) AS number FROM app.orders;
CREATE FUNCTION app.twice(a int) RETURNS int LANGUAGE sql AS 'SELECT a * 2';
CREATE FUNCTION app.fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE PROCEDURE app.tidy() LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE app.adds (int) (sfunc = int4pl, stype = int, initcond = '0');
CREATE AGGREGATE app.joins (text) (sfunc = textcat, stype = text, initcond = '');
CREATE FUNCTION app.same(app.pair, app.pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR app.=== (leftarg = app.pair, rightarg = app.pair, function = app.same);
CREATE OPERATOR CLASS app.plain FOR TYPE int USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);
CREATE OPERATOR FAMILY app.loners USING hash;
CREATE FUNCTION app.text_of(app.pair) RETURNS text LANGUAGE sql AS 'SELECT ''x''';
CREATE CAST (app.pair AS text) WITH FUNCTION app.text_of(app.pair) AS ASSIGNMENT;
CREATE FUNCTION app.from_sql(internal) RETURNS internal IMMUTABLE LANGUAGE internal AS 'textlike_support';
CREATE LANGUAGE other HANDLER plpgsql_call_handler;
CREATE TRIGGER firing BEFORE INSERT ON app.users FOR EACH ROW EXECUTE FUNCTION app.fire();
CREATE RULE quiet AS ON DELETE TO app.loose DO INSTEAD NOTHING;
CREATE POLICY mine ON app.users FOR SELECT TO schema_reader USING (id > 1);
CREATE STATISTICS app.together ON a, b FROM app.loose;
CREATE PUBLICATION news FOR TABLE app.users (id, email) WHERE (id > 3), app.children;
CREATE SUBSCRIPTION sub CONNECTION 'host=127.0.0.1 password=hidden' PUBLICATION p WITH (connect = false);
CREATE EVENT TRIGGER watching ON ddl_command_end EXECUTE FUNCTION app.watch();
CREATE TEXT SEARCH CONFIGURATION app.words (COPY = simple);
CREATE TEXT SEARCH DICTIONARY app.book (TEMPLATE = simple, stopwords = english);
CREATE COLLATION app.plain (locale = 'C');
CREATE CONVERSION app.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE FOREIGN DATA WRAPPER wrapping OPTIONS (debug 'yes');
CREATE SERVER far FOREIGN DATA WRAPPER wrapping OPTIONS (host 'a');
CREATE USER MAPPING FOR schema_reader SERVER far OPTIONS (user 'x', password 'hidden');
CREATE FOREIGN TABLE app.remote (id int OPTIONS (name 'x')) SERVER far OPTIONS (name 'y');
CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler;
GRANT SELECT ON app.users TO schema_reader;
COMMENT ON TABLE app.users IS 'Those who buy';
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO schema_reader;
"""


class Made(NamedTuple):
    """A change and the line that tells of it; `since`: the first version that knows it."""

    statement: str
    line: str
    since: int = 15
    icu: bool = False
    """Not every build of PostgreSQL has it."""
    dumped: bool = True
    """pg_dump -s shows it."""


CHANGES = (
    # schemas
    Made("CREATE SCHEMA more", "added: schema more"),
    Made("DROP SCHEMA public", "removed: schema public", dumped=False),
    Made("ALTER SCHEMA app OWNER TO schema_writer", "changed: schema app: owner: postgres -> schema_writer"),
    Made("GRANT USAGE ON SCHEMA app TO schema_reader", "changed: schema app: grants: default -> USAGE"),
    Made("COMMENT ON SCHEMA app IS 'x'", "changed: schema app: comment: default -> x"),
    # tables
    Made("CREATE TABLE app.extra (a int, b int)", "added: table app.extra (with 2 columns)"),
    Made("DROP TABLE app.loose", "removed: table app.loose (with 2 columns"),
    Made("ALTER TABLE app.loose RENAME TO tight", "added: table app.tight"),
    Made("ALTER TABLE app.loose SET SCHEMA public", "added: table public.loose"),
    Made("ALTER TABLE app.loose SET UNLOGGED", "changed: table app.loose: persistence: default -> unlogged"),
    Made("ALTER TABLE app.loose SET (fillfactor = 70)", "changed: table app.loose: options"),
    Made(
        "ALTER TABLE app.users SET (toast.autovacuum_enabled = off)",
        "changed: table app.users: toast options",
    ),
    Made("ALTER TABLE app.loose OWNER TO schema_writer", "changed: table app.loose: owner"),
    Made("GRANT INSERT ON app.loose TO schema_writer", "changed: table app.loose: grants"),
    Made("REVOKE SELECT ON app.users FROM schema_reader", "changed: table app.users: grants"),
    Made("REVOKE INSERT ON app.users FROM postgres", "not INSERT to postgres"),
    Made("GRANT SELECT ON app.users TO schema_reader WITH GRANT OPTION", "SELECT with grant option"),
    Made("COMMENT ON TABLE app.users IS 'x'", "changed: table app.users: comment: Those who buy -> x"),
    Made(
        "ALTER TABLE app.users ENABLE ROW LEVEL SECURITY",
        "changed: table app.users: row security: default -> yes",
    ),
    Made("ALTER TABLE app.users FORCE ROW LEVEL SECURITY", "changed: table app.users: row security forced"),
    Made(
        "ALTER TABLE app.users REPLICA IDENTITY FULL",
        "changed: table app.users: replica identity: default -> full",
    ),
    Made("ALTER TABLE app.users REPLICA IDENTITY NOTHING", "replica identity: default -> nothing"),
    Made(
        "ALTER TABLE app.loose REPLICA IDENTITY USING INDEX loose_key",
        "index app.loose_key: replica identity",
    ),
    Made("ALTER TABLE app.loose CLUSTER ON loose_unique", "changed: index app.loose_unique: clustered"),
    Made("ALTER TABLE app.loose SET ACCESS METHOD pile", "table app.loose: access method: heap -> pile"),
    Made(
        "ALTER TABLE app.parts DETACH PARTITION app.parts_2024",
        "changed: table app.parts_2024: partition bound",
    ),
    Made(
        "ALTER TABLE app.parts ATTACH PARTITION app.parts_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        "changed: table app.parts_2025: inherits: default -> app.parts",
    ),
    Made("CREATE TABLE app.rest PARTITION OF app.parts DEFAULT", "added: table app.rest"),
    Made(
        "ALTER TABLE app.children NO INHERIT app.orders",
        "table app.children: inherits: app.orders -> default",
    ),
    Made(
        "CREATE TYPE app.row AS (a int, b int); ALTER TABLE app.loose OF app.row", "table app.loose: of type"
    ),
    # columns
    Made("ALTER TABLE app.loose ADD c int", "added: column app.loose.c"),
    Made("ALTER TABLE app.loose DROP b", "removed: column app.loose.b"),
    Made("ALTER TABLE app.loose RENAME b TO c", "added: column app.loose.c"),
    Made("ALTER TABLE app.loose DROP a, ADD a int", "changed: table app.loose: column order: a, b -> b, a"),
    Made("ALTER TABLE app.loose ALTER b TYPE bigint", "changed: column app.loose.b: type: integer -> bigint"),
    Made("ALTER TABLE app.users ALTER note TYPE varchar(9)", "type: text -> character varying(9)"),
    Made("ALTER TABLE app.orders ALTER at TYPE timestamptz(3)", "type: timestamp with time zone ->"),
    Made(
        "ALTER TABLE app.loose ALTER b SET NOT NULL", "changed: column app.loose.b: not null: default -> yes"
    ),
    Made(
        "ALTER TABLE app.users ALTER email DROP NOT NULL", "column app.users.email: not null: yes -> default"
    ),
    Made("ALTER TABLE app.loose ALTER b SET DEFAULT 3", "changed: column app.loose.b: default: default -> 3"),
    Made("ALTER TABLE app.users ALTER mood SET DEFAULT 'sad'", "'ok'::app.mood -> 'sad'::app.mood"),
    Made("ALTER TABLE app.orders ALTER paid DROP DEFAULT", "app.orders.paid: default: false -> default"),
    Made("ALTER TABLE app.users ALTER body SET STORAGE EXTERNAL", "storage: default -> external"),
    Made("ALTER TABLE app.users ALTER body SET STORAGE PLAIN", "storage: default -> plain"),
    Made("ALTER TABLE app.users ALTER body SET COMPRESSION pglz", "compression: default -> pglz"),
    Made("ALTER TABLE app.users ALTER body SET STATISTICS 500", "statistics: default -> 500"),
    Made("ALTER TABLE app.users ALTER body SET STATISTICS 0", "statistics: default -> 0"),
    Made("ALTER TABLE app.users ALTER body SET (n_distinct = 5)", "options: default -> n_distinct=5"),
    Made(
        'ALTER TABLE app.users ALTER note TYPE text COLLATE "C"', "changed: column app.users.note: collation"
    ),
    Made("ALTER TABLE app.users ALTER id SET GENERATED BY DEFAULT", "identity: always -> by default"),
    Made("ALTER TABLE app.users ALTER id DROP IDENTITY", "identity: always -> default"),
    Made("ALTER TABLE app.users ALTER id SET INCREMENT 5", "sequence app.users_id_seq: increment: 1 -> 5"),
    Made("ALTER TABLE app.users ALTER shout DROP EXPRESSION", "changed: column app.users.shout: generated"),
    Made(
        "ALTER TABLE app.users ALTER shout SET EXPRESSION AS (lower(body))",
        "column app.users.shout: generated: stored: upper(body) -> stored: lower(body)",
        since=17,
    ),
    Made(
        "ALTER TABLE app.loose ADD v int GENERATED ALWAYS AS (a + 1) VIRTUAL",
        "added: column app.loose.v",
        since=18,
    ),
    Made("COMMENT ON COLUMN app.users.body IS 'x'", "changed: column app.users.body: comment"),
    Made("COMMENT ON COLUMN app.happy.id IS 'x'", "changed: column app.happy.id: comment"),
    Made("GRANT UPDATE (body) ON app.users TO schema_writer", "changed: column app.users.body: grants"),
    Made("ALTER VIEW app.happy ALTER email SET DEFAULT 'x'", "changed: column app.happy.email: default"),
    # constraints
    Made("ALTER TABLE app.loose ADD CHECK (b > 0)", "added: constraint app.loose.loose_b_check"),
    Made("ALTER TABLE app.loose ADD CHECK (b > 0) NOT VALID", "added: constraint app.loose.loose_b_check"),
    Made("ALTER TABLE app.orders DROP CONSTRAINT positive", "removed: constraint app.orders.positive"),
    Made("ALTER TABLE app.orders RENAME CONSTRAINT positive TO more", "added: constraint app.orders.more"),
    Made("ALTER TABLE app.loose ADD PRIMARY KEY (a)", "added: constraint app.loose.loose_pkey"),
    Made("ALTER TABLE app.loose ADD UNIQUE USING INDEX loose_key", "added: constraint app.loose.loose_key"),
    Made("ALTER TABLE app.loose ADD UNIQUE (b, a) DEFERRABLE", "added: constraint app.loose.loose_b_a_key"),
    Made("ALTER TABLE app.loose ADD EXCLUDE (b WITH =)", "added: constraint app.loose.loose_b_excl"),
    Made(
        "ALTER TABLE app.orders DROP CONSTRAINT orders_buyer_fkey",
        "removed: constraint app.orders.orders_buyer",
    ),
    Made(
        "ALTER TABLE app.orders ALTER CONSTRAINT orders_buyer_fkey DEFERRABLE INITIALLY DEFERRED",
        "changed: constraint app.orders.orders_buyer_fkey: definition",
    ),
    Made(
        "ALTER TABLE app.orders ALTER CONSTRAINT orders_buyer_fkey NOT ENFORCED",
        "constraint app.orders.orders_buyer_fkey: definition",
        since=18,
    ),
    Made(
        "ALTER TABLE app.orders ADD FOREIGN KEY (id) REFERENCES app.users ON DELETE CASCADE", "orders_id_fkey"
    ),
    Made(
        "ALTER TABLE app.orders DISABLE TRIGGER ALL",
        "orders_buyer_fkey: its triggers: default -> disabled",
        dumped=False,
    ),
    Made(
        "COMMENT ON CONSTRAINT positive ON app.orders IS 'x'",
        "changed: constraint app.orders.positive: comment",
    ),
    Made("ALTER TABLE app.loose ADD CONSTRAINT n NOT NULL b", "added: constraint app.loose.n", since=18),
    # indexes
    Made("CREATE INDEX more ON app.loose (b DESC)", "added: index app.more"),
    Made("DROP INDEX app.orders_buyer", "removed: index app.orders_buyer"),
    Made("ALTER INDEX app.orders_buyer RENAME TO other", "added: index app.other"),
    Made("ALTER INDEX app.orders_buyer SET (fillfactor = 50)", "changed: index app.orders_buyer: definition"),
    Made("ALTER INDEX app.users_lower ALTER COLUMN 1 SET STATISTICS 7", "index app.users_lower: statistics"),
    Made(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.orders_buyer'::regclass",
        "changed: index app.orders_buyer: invalid: default -> yes",
    ),
    Made("CREATE INDEX on_parts ON ONLY app.parts (id)", "added: index app.on_parts"),
    Made("CREATE INDEX on_parts ON app.parts (id)", "added: index app.parts_2024_id_idx"),
    Made("COMMENT ON INDEX app.orders_buyer IS 'x'", "changed: index app.orders_buyer: comment"),
    Made(
        "DROP INDEX app.loose_unique; CREATE UNIQUE INDEX loose_unique ON app.loose (b) INCLUDE (a) NULLS NOT DISTINCT",
        "changed: index app.loose_unique: definition",
    ),
    # sequences
    Made("CREATE SEQUENCE app.more", "added: sequence app.more"),
    Made("ALTER SEQUENCE app.numbers INCREMENT 2", "sequence app.numbers: increment: 1 -> 2"),
    Made("ALTER SEQUENCE app.numbers MAXVALUE 9", "changed: sequence app.numbers: maximum"),
    Made("ALTER SEQUENCE app.numbers MINVALUE -9", "changed: sequence app.numbers: minimum"),
    Made("ALTER SEQUENCE app.numbers START 7", "changed: sequence app.numbers: start"),
    Made("ALTER SEQUENCE app.numbers CACHE 5", "changed: sequence app.numbers: cache"),
    Made("ALTER SEQUENCE app.numbers CYCLE", "changed: sequence app.numbers: cycle"),
    Made("ALTER SEQUENCE app.numbers AS int", "changed: sequence app.numbers: type: bigint -> integer"),
    Made("ALTER SEQUENCE app.numbers OWNED BY app.loose.a", "owned by column: default -> a"),
    Made("ALTER SEQUENCE app.numbers SET UNLOGGED", "changed: sequence app.numbers: persistence"),
    Made("ALTER SEQUENCE app.numbers OWNER TO schema_writer", "changed: sequence app.numbers: owner"),
    Made("GRANT USAGE ON SEQUENCE app.numbers TO schema_reader", "changed: sequence app.numbers: grants"),
    # views
    Made("CREATE VIEW app.more AS SELECT 1 AS a", "added: view app.more (with 1 column)"),
    Made("DROP VIEW app.happy", "removed: view app.happy (with 2 columns)"),
    Made("CREATE OR REPLACE VIEW app.happy AS SELECT id, email FROM app.users", "view app.happy: definition"),
    Made("ALTER VIEW app.happy SET (security_barrier)", "view app.happy: options"),
    Made("ALTER VIEW app.happy SET (security_invoker = on)", "view app.happy: options"),
    Made("ALTER VIEW app.happy SET (check_option = local)", "view app.happy: options"),
    Made("GRANT SELECT ON app.happy TO schema_reader", "view app.happy: grants"),
    Made(
        "REFRESH MATERIALIZED VIEW app.totals WITH NO DATA",
        "materialized view app.totals: not populated",
        dumped=False,
    ),
    Made("ALTER MATERIALIZED VIEW app.totals SET (fillfactor = 50)", "materialized view app.totals: options"),
    Made("CREATE UNIQUE INDEX on_totals ON app.totals (number)", "added: index app.on_totals"),
    # routines
    Made(
        "CREATE FUNCTION app.twice(text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "added: function app.twice(text)",
    ),
    Made("DROP FUNCTION app.twice", "removed: function app.twice(integer)"),
    Made(
        "CREATE OR REPLACE FUNCTION app.twice(a int) RETURNS int LANGUAGE sql AS 'SELECT a + a'",
        "changed: function app.twice(integer): definition",
    ),
    Made("ALTER FUNCTION app.twice IMMUTABLE", "changed: function app.twice(integer): definition"),
    Made("ALTER FUNCTION app.twice STRICT", "changed: function app.twice(integer): definition"),
    Made("ALTER FUNCTION app.twice SECURITY DEFINER", "changed: function app.twice(integer): definition"),
    Made("ALTER FUNCTION app.twice LEAKPROOF", "changed: function app.twice(integer): definition"),
    Made("ALTER FUNCTION app.twice PARALLEL SAFE", "changed: function app.twice(integer): definition"),
    Made("ALTER FUNCTION app.twice COST 7", "changed: function app.twice(integer): definition"),
    Made(
        "ALTER FUNCTION app.twice SET search_path = app", "changed: function app.twice(integer): definition"
    ),
    Made("ALTER FUNCTION app.twice DEPENDS ON EXTENSION plpgsql", "depends on extension: default -> plpgsql"),
    Made("ALTER FUNCTION app.twice OWNER TO schema_writer", "changed: function app.twice(integer): owner"),
    Made("REVOKE EXECUTE ON FUNCTION app.twice FROM PUBLIC", "grants: default -> not EXECUTE to PUBLIC"),
    Made("COMMENT ON FUNCTION app.twice IS 'x'", "changed: function app.twice(integer): comment"),
    Made(
        "CREATE OR REPLACE PROCEDURE app.tidy() LANGUAGE sql AS 'SELECT 2'",
        "procedure app.tidy(): definition",
    ),
    Made("DROP PROCEDURE app.tidy", "removed: procedure app.tidy()"),
    Made(
        "CREATE OR REPLACE AGGREGATE app.adds (int) (sfunc = int4pl, stype = int, initcond = '1')",
        "changed: aggregate app.adds(integer): initial value: '0' -> '1'",
    ),
    Made(
        "CREATE OR REPLACE AGGREGATE app.adds (int) (sfunc = int4pl, stype = int, combinefunc = int4pl)",
        "changed: aggregate app.adds(integer): combine function",
    ),
    Made(
        "CREATE OR REPLACE AGGREGATE app.joins (text) (sfunc = textcat, stype = text)",
        "aggregate app.joins(text): initial value: '' -> default",
    ),
    # types
    Made("ALTER TYPE app.mood ADD VALUE 'glad'", "type app.mood: labels: 'sad', 'ok' -> 'sad', 'ok', 'glad'"),
    Made("ALTER TYPE app.mood ADD VALUE 'glad' BEFORE 'ok'", "'sad', 'ok' -> 'sad', 'glad', 'ok'"),
    Made("ALTER TYPE app.mood RENAME VALUE 'sad' TO 'low'", "'sad', 'ok' -> 'low', 'ok'"),
    Made("ALTER TYPE app.mood OWNER TO schema_writer", "changed: type app.mood: owner"),
    Made("REVOKE USAGE ON TYPE app.mood FROM PUBLIC", "changed: type app.mood: grants"),
    Made("COMMENT ON TYPE app.pair IS 'x'", "changed: type app.pair: comment"),
    Made("ALTER TYPE app.pair ADD ATTRIBUTE three int", "added: column app.pair.three"),
    Made(
        "ALTER TYPE app.pair ALTER ATTRIBUTE one TYPE bigint", "column app.pair.one: type: integer -> bigint"
    ),
    Made("ALTER DOMAIN app.email SET NOT NULL", "changed: domain app.email: not null"),
    Made("ALTER DOMAIN app.email SET DEFAULT 'c@d'", "changed: domain app.email: default"),
    Made("ALTER DOMAIN app.email DROP CONSTRAINT email_check", "removed: constraint app.email.email_check"),
    Made(
        "ALTER DOMAIN app.email ADD CHECK (length(value) < 9) NOT VALID",
        "added: constraint app.email.email_check1",
    ),
    Made("CREATE TYPE app.other AS RANGE (subtype = int)", "added: type app.other"),
    Made(
        "DROP TYPE app.span; CREATE TYPE app.span AS RANGE (subtype = float8)",
        "changed: type app.span: subtype difference",
    ),
    Made("CREATE TYPE app.later", "added: type app.later"),
    # triggers, rules, policies
    Made("DROP TRIGGER firing ON app.users", "removed: trigger app.users.firing"),
    Made(
        "ALTER TABLE app.users DISABLE TRIGGER firing", "trigger app.users.firing: fires: default -> disabled"
    ),
    Made("ALTER TABLE app.users ENABLE ALWAYS TRIGGER firing", "fires: default -> always"),
    Made("ALTER TABLE app.users ENABLE REPLICA TRIGGER firing", "fires: default -> replica only"),
    Made(
        "CREATE OR REPLACE TRIGGER firing AFTER INSERT ON app.users FOR EACH ROW EXECUTE FUNCTION app.fire()",
        "changed: trigger app.users.firing: definition",
    ),
    Made("COMMENT ON TRIGGER firing ON app.users IS 'x'", "changed: trigger app.users.firing: comment"),
    Made(
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON app.loose DEFERRABLE FOR EACH ROW EXECUTE FUNCTION app.fire()",
        "added: trigger app.loose.late",
    ),
    Made("DROP RULE quiet ON app.loose", "removed: rule app.loose.quiet"),
    Made("ALTER TABLE app.loose DISABLE RULE quiet", "rule app.loose.quiet: fires: default -> disabled"),
    Made(
        "CREATE OR REPLACE RULE quiet AS ON DELETE TO app.loose DO ALSO NOTHING",
        "rule app.loose.quiet: definition",
    ),
    Made("DROP POLICY mine ON app.users", "removed: policy app.users.mine"),
    Made(
        "ALTER POLICY mine ON app.users USING (id > 2)", "policy app.users.mine: using: (id > 1) -> (id > 2)"
    ),
    Made("ALTER POLICY mine ON app.users TO PUBLIC", "policy app.users.mine: roles: schema_reader -> PUBLIC"),
    Made("CREATE POLICY no ON app.users AS RESTRICTIVE USING (true)", "added: policy app.users.no"),
    Made("COMMENT ON POLICY mine ON app.users IS 'x'", "policy app.users.mine: comment"),
    # statistics
    Made("CREATE STATISTICS app.more (mcv) ON a, b FROM app.loose", "added: statistics app.more"),
    Made(
        "ALTER STATISTICS app.together SET STATISTICS 9", "statistics app.together: statistics: default -> 9"
    ),
    Made("DROP STATISTICS app.together", "removed: statistics app.together"),
    # publications, subscriptions
    Made("CREATE PUBLICATION more FOR ALL TABLES", "added: publication more"),
    Made("ALTER PUBLICATION news DROP TABLE app.children", "changed: publication news: tables"),
    Made("ALTER PUBLICATION news ADD TABLE app.parts", "changed: publication news: tables"),
    Made(
        "ALTER PUBLICATION news SET TABLE app.users (id), app.children", "changed: publication news: tables"
    ),
    Made("CREATE PUBLICATION more FOR TABLES IN SCHEMA app", "added: publication more"),
    Made("ALTER PUBLICATION news SET (publish = 'insert')", "changed: publication news: publishes"),
    Made("ALTER PUBLICATION news SET (publish_via_partition_root)", "publication news: via partition root"),
    Made(
        "ALTER PUBLICATION news SET (publish_generated_columns = stored)",
        "publication news: generated columns",
        since=18,
    ),
    Made("ALTER SUBSCRIPTION sub SET (slot_name = NONE)", "changed: subscription sub: slot"),
    Made("ALTER SUBSCRIPTION sub SET (binary = on)", "changed: subscription sub: binary"),
    Made("ALTER SUBSCRIPTION sub SET (origin = none)", "changed: subscription sub: origin", since=16),
    Made(
        "ALTER SUBSCRIPTION sub SET PUBLICATION q WITH (refresh = false)",
        "subscription sub: publications: p -> q",
    ),
    # event triggers, extensions, languages, transforms, access methods
    Made("DROP EVENT TRIGGER watching", "removed: event trigger watching"),
    Made("ALTER EVENT TRIGGER watching DISABLE", "event trigger watching: fires: default -> disabled"),
    Made("DROP EXTENSION plpgsql CASCADE", "removed: extension plpgsql"),
    Made("CREATE LANGUAGE third HANDLER plpgsql_call_handler", "added: language third"),
    Made(
        "CREATE OR REPLACE TRUSTED LANGUAGE other HANDLER plpgsql_call_handler",
        "language other: untrusted",
        dumped=False,
    ),
    Made(
        "CREATE TRANSFORM FOR app.pair LANGUAGE other (FROM SQL WITH FUNCTION app.from_sql(internal))",
        "added: transform for app.pair language other",
    ),
    Made("DROP ACCESS METHOD pile", "removed: access method pile"),
    # operators, classes, families, casts
    Made("DROP OPERATOR app.=== (app.pair, app.pair)", "removed: operator app.===(app.pair,app.pair)"),
    Made(
        "ALTER OPERATOR app.=== (app.pair, app.pair) SET (restrict = eqsel)",
        "operator app.===(app.pair,app.pair): rest",
    ),
    Made("DROP OPERATOR CLASS app.plain USING btree", "removed: operator class app.plain using btree"),
    Made(
        "ALTER OPERATOR CLASS app.plain USING btree RENAME TO fancy",
        "added: operator class app.fancy using btree",
    ),
    Made(
        "ALTER OPERATOR FAMILY app.loners USING hash ADD OPERATOR 1 = (int, int), FUNCTION 1 hashint4(int)",
        "operator family app.loners using hash: operators",
    ),
    Made("DROP OPERATOR FAMILY app.loners USING hash", "removed: operator family app.loners using hash"),
    Made("DROP CAST (app.pair AS text)", "removed: cast app.pair as text"),
    Made(
        "DROP CAST (app.pair AS text); CREATE CAST (app.pair AS text) WITH INOUT AS IMPLICIT",
        "cast app.pair as text: context: assignment -> implicit",
    ),
    # text search, collations, conversions
    Made(
        "ALTER TEXT SEARCH CONFIGURATION app.words ALTER MAPPING FOR word WITH english_stem",
        "text search configuration app.words: definition",
    ),
    Made("ALTER TEXT SEARCH DICTIONARY app.book (stopwords)", "text search dictionary app.book: definition"),
    Made(
        "CREATE TEXT SEARCH TEMPLATE app.t (lexize = dsimple_lexize, init = dsimple_init)",
        "added: text search template app.t",
    ),
    Made(
        "CREATE TEXT SEARCH PARSER app.p (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, "
        "lextypes = prsd_lextype)",
        "added: text search parser app.p",
    ),
    Made("DROP COLLATION app.plain", "removed: collation app.plain"),
    Made(
        "DROP COLLATION app.plain; CREATE COLLATION app.plain (locale = 'POSIX')",
        "collation app.plain: sort order: C -> POSIX",
    ),
    Made(
        "DROP COLLATION app.plain; CREATE COLLATION app.plain (provider = icu, locale = 'de')",
        "collation app.plain: locale: default -> de",
        icu=True,
    ),
    Made(
        "CREATE COLLATION app.nd (provider = icu, locale = 'de', deterministic = false)",
        "added: collation app.nd",
        icu=True,
    ),
    Made(
        "CREATE DEFAULT CONVERSION app.l FOR 'LATIN2' TO 'UTF8' FROM iso8859_to_utf8",
        "added: conversion app.l",
    ),
    Made("DROP CONVERSION app.latin", "removed: conversion app.latin"),
    # foreign data
    Made(
        "ALTER FOREIGN DATA WRAPPER wrapping OPTIONS (SET debug 'no')",
        "foreign data wrapper wrapping: server",
    ),
    Made("ALTER SERVER far OPTIONS (SET host 'b')", "server far: server options: host=a -> host=b"),
    Made("ALTER SERVER far VERSION '2'", "server far: version: default -> 2"),
    Made("GRANT USAGE ON FOREIGN SERVER far TO schema_reader", "server far: grants"),
    Made(
        "GRANT USAGE ON FOREIGN DATA WRAPPER wrapping TO schema_reader",
        "foreign data wrapper wrapping: grants",
    ),
    Made(
        "ALTER USER MAPPING FOR schema_reader SERVER far OPTIONS (SET user 'y')",
        "user mapping schema_reader on far: server options: password=***, user=x -> password=***, user=y",
    ),
    Made("CREATE USER MAPPING FOR PUBLIC SERVER far", "added: user mapping PUBLIC on far"),
    Made("ALTER FOREIGN TABLE app.remote OPTIONS (SET name 'z')", "foreign table app.remote: server options"),
    Made(
        "ALTER FOREIGN TABLE app.remote ALTER id OPTIONS (SET name 'z')",
        "column app.remote.id: server options",
    ),
    # what no object is
    Made(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT INSERT ON TABLES TO schema_writer",
        "default privileges of postgres in app on tables: grants",
    ),
    Made(
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        "added: default privileges of postgres on functions",
    ),
    Made(
        "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO schema_reader",
        "grants on function pg_catalog.pg_read_file",
    ),
    Made(
        "REVOKE EXECUTE ON FUNCTION pg_catalog.lower(text) FROM PUBLIC",
        "added: grants on function pg_catalog.lower",
    ),
    Made("ALTER DATABASE {database} SET work_mem = '9MB'", "added: setting work_mem"),
    Made(
        "ALTER ROLE schema_reader IN DATABASE {database} SET work_mem = '9MB'",
        "setting work_mem of schema_reader",
    ),
    Made("GRANT CREATE ON DATABASE {database} TO schema_reader", "database itself: grants"),
    Made("COMMENT ON DATABASE {database} IS 'x'", "database itself: comment: default -> x"),
)


def known(database: Database) -> list[Made]:
    """Give the changes that this server can make."""
    [(icu,)] = database.connect().execute(
        "SELECT EXISTS (SELECT FROM pg_collation WHERE collname = 'de-x-icu')"
    )
    return [made for made in CHANGES if database.server.major >= made.since and (icu or not made.icu)]


NOTHING = (
    "ANALYZE",
    "INSERT INTO app.loose VALUES (1, 2); UPDATE app.loose SET b = 3; DELETE FROM app.loose",
    "SELECT nextval('app.numbers')",
    "REFRESH MATERIALIZED VIEW app.totals",
    "REINDEX TABLE app.users",
    "CREATE TEMPORARY TABLE passing (a int PRIMARY KEY)",
    "CREATE TABLE app.passing (a int); DROP TABLE app.passing",
    "ALTER TABLE app.loose ADD c int, ADD d int; ALTER TABLE app.loose DROP c, DROP d",
    (
        "ALTER TABLE app.loose DROP b; ALTER TABLE app.loose ADD b int; "
        "CREATE UNIQUE INDEX loose_unique ON app.loose (b) INCLUDE (a); "
        "CREATE STATISTICS app.together ON a, b FROM app.loose"
    ),
    "ALTER TABLE app.loose RENAME TO tight; ALTER TABLE app.tight RENAME TO loose",
    "GRANT SELECT ON app.loose TO schema_reader; REVOKE SELECT ON app.loose FROM schema_reader",
    "GRANT ALL ON FUNCTION app.twice TO schema_reader; REVOKE ALL ON FUNCTION app.twice FROM schema_reader",
    "GRANT SELECT ON pg_class TO schema_reader; REVOKE SELECT ON pg_class FROM schema_reader",
    "GRANT EXECUTE ON FUNCTION lower(text) TO schema_reader; REVOKE EXECUTE ON FUNCTION lower(text) FROM schema_reader",
    "ALTER TABLE app.loose OWNER TO schema_writer; ALTER TABLE app.loose OWNER TO postgres",
    "ALTER TABLE app.loose SET (fillfactor = 70); ALTER TABLE app.loose RESET (fillfactor)",
    "ALTER TABLE app.users ALTER body SET STATISTICS 5; ALTER TABLE app.users ALTER body SET STATISTICS -1",
    "ALTER TABLE app.users ALTER body SET STORAGE MAIN; ALTER TABLE app.users ALTER body SET STORAGE EXTENDED",
    "ALTER TABLE app.users ALTER body SET COMPRESSION pglz; ALTER TABLE app.users ALTER body SET COMPRESSION default",
    "COMMENT ON TABLE app.loose IS 'x'; COMMENT ON TABLE app.loose IS NULL",
    "ALTER TABLE app.users DISABLE TRIGGER ALL; ALTER TABLE app.users ENABLE TRIGGER ALL",
    "DROP FUNCTION app.twice; CREATE FUNCTION app.twice(a int) RETURNS int LANGUAGE sql AS 'SELECT a * 2'",
    "DROP INDEX app.orders_buyer; CREATE INDEX orders_buyer ON app.orders (buyer) WHERE paid",
    (
        "DROP VIEW app.happy; CREATE VIEW app.happy AS SELECT id, email FROM app.users WHERE mood = 'ok'; "
        "REVOKE SELECT ON app.happy FROM schema_reader"
    ),  # which the default privileges grant
    "ALTER TABLE app.orders DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK (id > 0)",
    (
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO schema_writer; "
        "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM schema_writer"
    ),
    "ALTER DATABASE {database} SET work_mem = '9MB'; ALTER DATABASE {database} RESET work_mem",
    "SET timezone = 'Asia/Tokyo'; SET datestyle = 'German'; SET search_path = app; SET bytea_output = escape",
    "SET quote_all_identifiers = on; SET intervalstyle = iso_8601; SET extra_float_digits = -5",
)
