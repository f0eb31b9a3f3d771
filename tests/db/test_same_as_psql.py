"""What `up` leaves in a database is what `psql -f` of each file leaves, byte for byte of a dump."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pgratchet
from pgratchet import pgtools
from tests.folders import write_migrations
from tests.servers import Database

FILES = {
    "V1__quotes.sql": """\
/* a comment; with a semicolon /* and a nested one; */ */
CREATE TABLE "odd; name" (id int PRIMARY KEY, "a""b" text DEFAULT 'it''s; fine', c text DEFAULT E'\\';\\n');
-- a comment; here
COMMENT ON TABLE "odd; name" IS $$dollar; 'quoted' $x$ ; $$;
INSERT INTO "odd; name" ("id") VALUES (1);;
INSERT INTO "odd; name" VALUES (2, U&'\\0041;', E'a'
  '\\'b');
""",
    "V2__routines.sql": """\
CREATE FUNCTION one() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;
CREATE OR REPLACE PROCEDURE two(x int) LANGUAGE plpgsql AS $body$
BEGIN
  IF x > 0 THEN PERFORM 1; END IF;
END;
$body$;
CREATE FUNCTION after_insert() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t AFTER INSERT ON "odd; name" FOR EACH ROW EXECUTE FUNCTION after_insert();
CREATE RULE r AS ON DELETE TO "odd; name" DO ALSO (SELECT 1; SELECT 2);
""",
    "V3__copy.sql": """\
CREATE TABLE copied (a int, b text);
COPY copied (a, b) FROM stdin;
1\tone; two
2\t\\N
\\.
INSERT INTO copied SELECT 3, 'three';
COPY copied FROM stdin WITH (FORMAT csv);
4,"four
lines; here"
\\.
""",
    "V4__transactions.sql": """\
BEGIN;
CREATE TYPE mood AS ENUM ('sad', 'glad');
SAVEPOINT s;
CREATE TABLE forgotten (x int);
ROLLBACK TO SAVEPOINT s;
COMMIT;
ALTER TYPE mood ADD VALUE 'angry' BEFORE 'glad';
CREATE TABLE moods (m mood DEFAULT 'angry');
""",
    "V5__concurrently.sql": """\
CREATE INDEX CONCURRENTLY copied_a ON copied (a);
CREATE INDEX CONCURRENTLY ON copied (b);
REINDEX TABLE CONCURRENTLY copied;
DROP INDEX CONCURRENTLY copied_a;
VACUUM (ANALYZE) copied;
""",
    "V6__session.sql": """\
CREATE SCHEMA inner_schema;
SET search_path = inner_schema;
CREATE TABLE placed (x int);
SET ROLE pg_read_all_data;
RESET ROLE;
CREATE TEMP TABLE passing (x int);
""",
    "V7__after_session.sql": "CREATE TABLE public_again (x int);\n",
    "V8__partitions.sql": """\
CREATE TABLE parent (k int, v text) PARTITION BY LIST (k);
CREATE TABLE child PARTITION OF parent FOR VALUES IN (1);
CREATE TABLE other PARTITION OF parent FOR VALUES IN (2);
ALTER TABLE parent DETACH PARTITION other CONCURRENTLY;
CREATE VIEW v AS SELECT * FROM parent WHERE v ~ ';' OR v @@ 'x' OR k = ANY (ARRAY[1,2]);
ALTER TABLE parent ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON parent USING (current_user = 'x; y');
""",
    "V9__crlf.sql": "\ufeffCREATE TABLE windows (\r\n  x int -- c;\r\n);\r\n"
    "DO $$\r\nBEGIN\r\n  EXECUTE 'CREATE TABLE done (x int)';\r\nEND\r\n$$;",
}


def dump(database: Database) -> str:
    program = database.server.bin / "pg_dump"
    command = [str(program), "--exclude-table=schema_migrations*", "--inserts"]
    done = subprocess.run(
        command, env=pgtools.environment(database.url), capture_output=True, text=True, check=True
    )
    # Since the summer of 2025 a dump holds a random key in its first and last line.
    return "\n".join(
        line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))
    )


def run_with_psql(database: Database, paths: list[Path]) -> None:
    for path in paths:
        command = [
            str(database.server.bin / "psql"),
            "--no-psqlrc",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-f",
            str(path),
        ]
        subprocess.run(command, env=pgtools.environment(database.url), check=True, stdout=subprocess.DEVNULL)


def clear(database: Database) -> None:
    with database.connect() as connection:
        for schema in ("public", "inner_schema"):
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
        connection.execute("CREATE SCHEMA public AUTHORIZATION pg_database_owner")
        connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
        connection.execute("COMMENT ON SCHEMA public IS 'standard public schema'")


def test_files_of_every_kind_leave_what_psql_leaves(database: Database, folder: Path) -> None:
    paths = write_migrations(folder, FILES)
    run_with_psql(database, paths)
    wanted = dump(database)
    clear(database)

    pgratchet.up(database.url, folder)

    assert "CREATE TABLE inner_schema.placed" in wanted
    assert dump(database) == wanted


def test_the_same_when_every_file_is_a_run_of_its_own(database: Database, folder: Path) -> None:
    paths = write_migrations(folder, FILES)
    run_with_psql(database, paths)
    wanted = dump(database)
    clear(database)
    texts = {path: path.read_bytes() for path in paths}
    for path in paths:
        path.unlink()

    for path in paths:
        path.write_bytes(texts[path])
        pgratchet.up(database.url, folder)

    assert dump(database) == wanted
