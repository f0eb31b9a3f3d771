"""The files themselves: run by psql, twice, by whom, and in one transaction."""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg
import pytest

import pgratchet
from tests.database.support import (
    MIGRATIONS,
    ROOT,
    SEEDS,
    apply,
    as_application,
    catalogue,
    psql,
    rows,
    value,
)
from tests.servers import Database, Server

HISTORY = ("schema_migrations", "schema_migrations_body", "schema_migrations_repeatable")
NAMES = {"B000", "V001", "V002", "V003", "V004", "V005"}

COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), attnotnull, attcollation, attidentity, attgenerated,
       pg_get_expr(adbin, adrelid)
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
CONSTRAINTS = (
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass ORDER BY 1"
)
INDEXES = "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass ORDER BY 1"


def runnable(server: Server) -> list[str]:
    return [file.name for file in MIGRATIONS if server.has_vector or not file.name.startswith("V002")]


@pytest.fixture
def owner(database: Database, run_on: Callable[[Server, str], None]) -> str:
    """Give the URL of an ordinary login that owns the database and may do nothing else."""
    run_on(
        database.server,
        """DO $$ BEGIN
            IF to_regrole('ordinary') IS NULL THEN
                CREATE ROLE ordinary LOGIN PASSWORD 'ordinary' NOSUPERUSER NOCREATEROLE NOCREATEDB;
            END IF;
        END $$""",
    )
    run_on(database.server, f"ALTER DATABASE {database.name} OWNER TO ordinary")
    return re.sub(r"//[^@]*@", "//ordinary:ordinary@", database.url)


def test_there_is_one_file_for_each_version() -> None:
    assert [file.name[:4] for file in MIGRATIONS] == sorted(NAMES)


@pytest.mark.parametrize("name", [file.name for file in MIGRATIONS])
def test_each_file_says_what_it_is_for_what_it_risks_and_how_to_reverse_it(name: str) -> None:
    text = (ROOT / "database" / "migrations" / name).read_bytes()
    header = text[:3000]
    for word in (b"-- Purpose", b"-- Risk", b"-- Reverse"):
        assert word in header
    assert b"\r" not in text
    assert text.endswith(b"\n")
    assert text.isascii()
    assert not re.search(rb"^\\|^\s*(BEGIN|COMMIT)\s*;", text, re.MULTILINE)


def test_no_file_holds_a_password() -> None:
    files = [*MIGRATIONS, *SEEDS.rglob("*.sql")]
    assert len(files) > 12
    secret = re.compile(r"password\s+'|identified\s+by|://[^/\s:]+:[^@\s]+@|\$2[aby]\$", re.IGNORECASE)
    assert not [file.name for file in files if secret.search(file.read_text())]


def test_each_file_run_twice_by_psql_leaves_the_same_catalogue(database: Database) -> None:
    for file in MIGRATIONS:
        if file.name in runnable(database.server):
            apply(database, file)
            once = catalogue(database)
            apply(database, file)
            assert catalogue(database) == once, file.name


def test_all_files_run_again_after_the_last_leave_the_same_catalogue(migrated: Database) -> None:
    before = catalogue(migrated)
    apply(migrated, *(file for file in MIGRATIONS if file.name in runnable(migrated.server)))
    assert catalogue(migrated) == before


def test_the_transactional_files_run_in_one_transaction(database: Database, migrated: Database) -> None:
    concurrent = [file for file in MIGRATIONS if "CONCURRENTLY IF NOT" in file.read_text()]
    assert [file.name[:4] for file in concurrent] == ["V003"]
    connection = database.connect(autocommit=False)
    for file in MIGRATIONS:
        if file.name in runnable(database.server) and file not in concurrent:
            connection.execute(file.read_text())
    connection.commit()
    apply(database, *concurrent)
    assert sorted(catalogue(database).splitlines()) == sorted(catalogue(migrated).splitlines())


def test_v001_makes_the_very_tables_that_the_engine_makes(database: Database) -> None:
    apply(database, MIGRATIONS[0], MIGRATIONS[1])
    connection = database.connect()
    resources = ROOT / "src" / "pgratchet" / "sql"
    connection.execute("CREATE SCHEMA engine")
    connection.execute("SET search_path = engine")
    for resource in ("create_history", "create_history_body", "create_history_repeatable"):
        sql = (resources / f"{resource}.sql").read_text()
        words = set(re.findall(r"\{(\w+)\}", sql))
        connection.execute(
            sql.format(**{word: word.replace("history", "schema_migrations") for word in words})
        )
    connection.execute("RESET search_path")
    for table in HISTORY:
        for query in (COLUMNS, CONSTRAINTS, INDEXES):
            theirs = rows(connection, query, f"engine.{table}")
            ours = rows(connection, query, f"public.{table}")
            assert theirs
            assert str(ours).replace("public.", "") == str(theirs).replace("engine.", ""), table


def test_v001_leaves_tables_alone_that_the_engine_has_made(database: Database) -> None:
    apply(database, MIGRATIONS[0], MIGRATIONS[1])
    connection = database.connect()
    connection.execute(
        "INSERT INTO schema_migrations (version, description, script) VALUES (0, 'schema', 'B000')"
    )
    before = rows(
        connection,
        "SELECT oid, relfilenode FROM pg_class WHERE relname LIKE 'schema_migrations%%' ORDER BY 1",
    )
    apply(database, MIGRATIONS[1])
    assert rows(connection, "SELECT version, description FROM schema_migrations ORDER BY version") == [
        (0, "schema")
    ]
    assert rows(connection, "SELECT version, status FROM schema_migrations_overview") == [(0, "running")]
    after = rows(
        connection,
        "SELECT oid, relfilenode FROM pg_class WHERE relname LIKE 'schema_migrations%%' ORDER BY 1",
    )
    assert after == before


def definitions(database: Database) -> list[str]:
    """The catalogue without owners and privileges, which differ by who migrates."""
    owners = re.sub(r"OWNER TO (ordinary|semantic_kernel_owner|postgres)", "", catalogue(database))
    return sorted(
        line
        for line in owners.splitlines()
        if line.strip() and not line.startswith(("GRANT", "REVOKE", "--"))
    )


@pytest.mark.pg(">=16")
@pytest.mark.parametrize("extension", ["made by the files", "installed before"])
def test_the_runner_leaves_the_catalogue_that_psql_leaves(
    database: Database, migrated: Database, extension: str
) -> None:
    if extension == "installed before":
        database.connect().execute("CREATE EXTENSION vector")
    outcome = pgratchet.up(database.url, MIGRATIONS[0].parent)
    assert outcome.version == 5
    assert sorted(catalogue(database).splitlines()) == sorted(catalogue(migrated).splitlines())
    assert not pgratchet.up(database.url, MIGRATIONS[0].parent).done


@pytest.mark.pg(">=16")
def test_an_ordinary_owner_is_told_by_the_runner_too_and_the_next_run_goes_on(
    database: Database, owner: str, migrated: Database
) -> None:
    with pytest.raises(pgratchet.StatementFailed) as refused:
        pgratchet.up(owner, MIGRATIONS[0].parent)
    assert "CREATE EXTENSION vector;" in str(refused.value.server_hint)
    database.connect().execute("CREATE EXTENSION vector")
    assert pgratchet.up(owner, MIGRATIONS[0].parent).version == 5
    assert definitions(database) == definitions(migrated)


@pytest.mark.pg(">=16")
def test_an_ordinary_owner_is_told_what_a_dba_has_to_do_and_can_then_go_on(
    database: Database, owner: str, migrated: Database
) -> None:
    apply(database, *MIGRATIONS[:2], url=owner)
    refused = psql(database, MIGRATIONS[2], owner)
    assert refused.returncode != 0
    assert "CREATE EXTENSION vector" in refused.stderr
    database.connect().execute("CREATE EXTENSION vector")
    apply(database, *MIGRATIONS, *MIGRATIONS, url=owner)
    assert definitions(database) == definitions(migrated)
    settings = value(
        database.connect(),
        "SELECT setconfig FROM pg_db_role_setting JOIN pg_database ON setdatabase = oid WHERE datname = %s",
        database.name,
    )
    assert "hnsw.iterative_scan=strict_order" in settings


@pytest.mark.pg(">=16")
def test_what_an_ordinary_owner_has_made_can_be_dumped_and_restored_by_one(
    database: Database, owner: str
) -> None:
    # A function that sets hnsw.* by a clause could be restored by superusers only.
    database.connect().execute("CREATE EXTENSION vector")
    apply(database, *MIGRATIONS, url=owner)
    with psycopg.connect(owner, autocommit=True) as connection:
        definition = value(connection, "SELECT pg_get_functiondef('search_embeddings'::regproc)")
        connection.execute("DROP FUNCTION search_embeddings")
        connection.execute(f"ALTER DATABASE {database.name} RESET ALL")  # a dump does not carry its settings
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(definition)  # in a session that has not loaded the library
    assert "SET search_path" in definition


@pytest.mark.pg(">=16")
def test_an_extension_in_a_schema_of_its_own_is_accepted(database: Database) -> None:
    connection = database.connect()
    connection.execute("CREATE SCHEMA extensions; CREATE EXTENSION vector WITH SCHEMA extensions")
    connection.execute("GRANT USAGE ON SCHEMA extensions TO PUBLIC")
    apply(database, *MIGRATIONS[:2])
    refused = psql(database, MIGRATIONS[2])
    assert "not in search_path" in refused.stderr
    connection.execute(f"ALTER DATABASE {database.name} SET search_path = public, extensions")
    apply(database, *MIGRATIONS, *sorted((ROOT / "database" / "seeds" / "test").glob("*.sql")))
    tenant = "7e570000-0000-7000-8000-000000000001"
    application = as_application(database, tenant)
    query = "SELECT content FROM search_embeddings(%s, (SELECT embedding FROM embeddings WHERE content = 'second'), 1)"
    assert rows(application, query, tenant) == [("second",)]


@pytest.mark.pg(">=16")
def test_an_extension_that_is_too_old_is_refused_with_the_cure(database: Database) -> None:
    connection = database.connect()
    connection.execute("CREATE EXTENSION vector")
    connection.execute("UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector'")
    apply(database, *MIGRATIONS[:2])
    refused = psql(database, MIGRATIONS[2])
    assert "pgvector 0.8 or newer is needed" in refused.stderr
    assert "ALTER EXTENSION vector UPDATE" in refused.stderr


@pytest.mark.pg("==15")
def test_a_server_without_pgvector_is_refused_with_the_cure(database: Database) -> None:
    if database.server.has_vector:
        pytest.skip("this server has pgvector")
    apply(database, *MIGRATIONS[:2])
    refused = psql(database, MIGRATIONS[2])
    assert "Install pgvector" in refused.stderr


def test_an_index_that_a_cut_off_build_left_behind_is_not_passed_over_in_silence(migrated: Database) -> None:
    connection = migrated.connect()
    connection.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'messages_metadata_idx'::regclass"
    )
    refused = psql(migrated, MIGRATIONS[3])
    assert "DROP INDEX CONCURRENTLY messages_metadata_idx;" in refused.stderr
    connection.execute("DROP INDEX CONCURRENTLY messages_metadata_idx")
    apply(migrated, MIGRATIONS[3])
    assert value(
        connection, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'messages_metadata_idx'::regclass"
    )


def test_every_constraint_and_index_has_a_name_that_says_its_table(migrated: Database) -> None:
    named = rows(
        migrated.connect(),
        """SELECT conname, relname FROM pg_constraint JOIN pg_class ON conrelid = pg_class.oid
           WHERE connamespace = 'public'::regnamespace AND contype <> 'n' UNION ALL
           SELECT indexrelid::regclass::text, indrelid::regclass::text FROM pg_index
           JOIN pg_class ON indexrelid = pg_class.oid WHERE relnamespace = 'public'::regnamespace""",
    )
    assert len(named) > 50
    for name, table in named:
        assert name.startswith((table, table.removesuffix("s"))), (name, table)


def test_every_table_and_function_says_what_it_is(migrated: Database) -> None:
    silent = rows(
        migrated.connect(),
        """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')
             AND relname NOT IN ('schema_migrations', 'schema_migrations_body', 'schema_migrations_repeatable')
             AND obj_description(oid, 'pg_class') IS NULL
           UNION ALL
           SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
             AND obj_description(oid, 'pg_proc') IS NULL
             AND NOT EXISTS (
                 SELECT FROM pg_depend
                 WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e'
             )""",
    )
    assert silent == []


def test_no_table_has_a_trigger_and_no_index_is_ivfflat(migrated: Database) -> None:
    connection = migrated.connect()
    assert value(connection, "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") == 0
    assert rows(connection, "SELECT indexdef FROM pg_indexes WHERE indexdef LIKE '%%ivfflat%%'") == []


def test_no_index_is_there_twice(migrated: Database) -> None:
    twice = rows(
        migrated.connect(),
        """SELECT array_agg(indexrelid::regclass) FROM pg_index JOIN pg_class ON indexrelid = pg_class.oid
           WHERE relnamespace = 'public'::regnamespace
           GROUP BY indrelid, relam, indkey::text, indoption::text, indpred::text, indexprs::text
           HAVING count(*) > 1""",
    )
    assert twice == []
