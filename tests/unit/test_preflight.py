"""What the checks before a run decide, on facts made by hand; the real situations are in tests/db."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pgratchet import parse, preflight
from pgratchet.history import Names
from pgratchet.model import Check, Step, Verdict
from pgratchet.preflight.facts import Facts
from pgratchet.preflight.needs import Extension, Needs, read
from pgratchet.preflight.seen import (
    Available,
    Detach,
    Held,
    Index,
    Prepared,
    Seen,
    Server,
    Session,
    Size,
    Slot,
    Standby,
    Table,
)
from tests.unit.records import file

REFUSE, WARN, PASS = Verdict.REFUSE, Verdict.WARN, Verdict.PASS
SCRIPT = file(1).script
A = '"a"'
SERVER = Server(
    database="shop",
    role="deployer",
    superuser=False,
    standby=False,
    read_only=False,
    locks=1000,
    creates_in_database=True,
    creates_in_schema=True,
    has_history=True,
    missing_rights=(),
    provider=False,
)
READER = Session(
    pid=7,
    user="app",
    application="shop",
    kind="client backend",
    state="active",
    age=5.0,
    idle=0.0,
    query="SELECT",
    hidden=False,
)
TABLE = Table(table=A, oid=1, kind="r", owner="boss", owns=True, owns_schema=False, rights=(), relations=5)


def needs(*statements: str, done: int = 0, fresh: bool = False) -> Needs:
    script = parse.read_text(";\n".join(statements), SCRIPT)
    return read([Step(file(1), done)], {SCRIPT: script}, fresh=fresh)


def checks(
    needed: Needs | None = None, environment: str = "", server: dict[str, Any] | None = None, **seen: Any
) -> dict[str, Check]:
    """Give the first check of each name, which is the gravest."""
    facts = Facts(
        Seen(SERVER._replace(**(server or {})), **seen),
        Needs(steps=1) if needed is None else needed,
        Names("public", "schema_migrations"),
        environment,
    )
    found: dict[str, Check] = {}
    for check in preflight.decide(facts):
        found.setdefault(check.name, check)
    return found


def test_with_nothing_in_the_way_every_check_passes_with_a_reason() -> None:
    found = checks(needs("ALTER TABLE a ADD b int"), tables=(TABLE,))
    assert len(found) == len(preflight.RULES)
    assert {check.verdict for check in found.values()} == {PASS}
    assert all(check.reason for check in found.values())


def test_refusals_come_first_and_warnings_before_what_is_well() -> None:
    facts = Facts(
        Seen(SERVER._replace(standby=True), slots=(Slot("s", active=False, state="lost", retained=None),)),
        Needs(),
        Names("public", "h"),
    )
    verdicts = [check.verdict for check in preflight.decide(facts)]
    assert verdicts[:2] == [REFUSE, WARN]
    assert set(verdicts[2:]) == {PASS}


# What the statements need.


@pytest.mark.parametrize(
    ("statement", "right"),
    [
        ("ALTER TABLE a ADD b int", "OWNER"),
        ("CREATE INDEX ON a (b)", "OWNER"),
        ("ALTER TABLE a RENAME b TO c", "OWNER"),
        ("ALTER TABLE a SET SCHEMA s", "OWNER"),
        ("CREATE POLICY p ON a", "OWNER"),
        ("DROP TABLE a", "DROP"),
        ("DROP INDEX a", "DROP"),
        ("DROP TRIGGER t ON a", "OWNER"),
        ("TRUNCATE a", "TRUNCATE"),
        ("CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()", "TRIGGER"),
        ("CREATE TABLE b (id int REFERENCES a)", "REFERENCES"),
    ],
)
def test_a_statement_needs_a_right_on_its_table(statement: str, right: str) -> None:
    assert [(item.table, item.right) for item in needs(statement).rights] == [(A, right)]


def test_a_partition_that_is_attached_must_be_owned_too() -> None:
    found = needs("ALTER TABLE a ATTACH PARTITION s.b FOR VALUES IN (1)")
    assert {(item.table, item.right) for item in found.rights} == {(A, "OWNER"), ('"s"."b"', "OWNER")}


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("ALTER TABLE a ALTER b TYPE bigint", "rewrite"),
        ("ALTER TABLE a SET UNLOGGED", "rewrite"),
        ("ALTER TABLE a SET TABLESPACE x", "rewrite"),
        ("CLUSTER a USING b", "rewrite"),
        ("VACUUM (FULL) a", "rewrite"),
        ("CREATE INDEX ON a (b)", "index build"),
        ("ALTER TABLE a ADD UNIQUE (b)", "index build"),
    ],
)
def test_a_statement_that_writes_as_much_as_its_table_holds_is_known(statement: str, what: str) -> None:
    assert [(item.table, item.what) for item in needs(statement).bulk] == [(A, what)]


@pytest.mark.parametrize(
    "statement", ["ALTER TABLE a ADD b int", "VACUUM a", "ALTER TABLE a ADD PRIMARY KEY USING INDEX b"]
)
def test_a_statement_that_writes_little_needs_no_room(statement: str) -> None:
    assert needs(statement).bulk == ()


def test_statements_that_are_done_need_nothing() -> None:
    assert needs("DROP TABLE a", "DROP TABLE b", done=1).tables == ('"b"',)


def test_in_a_fresh_database_only_extensions_are_looked_for() -> None:
    found = needs("CREATE EXTENSION vector", "CREATE INDEX ON a (b)", fresh=True)
    assert found.tables == ()
    assert [item.name for item in found.extensions] == ["vector"]


def test_after_a_change_of_search_path_only_names_with_their_schema_count() -> None:
    found = needs("DROP TABLE a", "SET search_path = s", "DROP TABLE b", "DROP TABLE s.c")
    assert found.tables == (A, '"s"."c"')
    assert "search_path" in checks(found)["coverage"].reason


def test_a_function_with_its_own_search_path_changes_nothing() -> None:
    function = "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = s AS 'SELECT 1'"
    assert needs(function, "DROP TABLE a").tables == (A,)


def test_a_file_too_large_to_be_kept_is_said_not_to_be_looked_at() -> None:
    script = replace(parse.read_text("SELECT 1", SCRIPT), statements=None)
    found = read([Step(file(1))], {SCRIPT: script}, fresh=False)
    assert "too large" in checks(found)["coverage"].reason


def test_an_extension_in_a_comment_is_not_one() -> None:
    assert needs("SELECT 1 /* USING hnsw */", "-- hnsw\nSELECT 2").features == ()


# The server.


def test_a_standby_and_a_read_only_session_are_refused() -> None:
    assert checks(server={"standby": True})["writable"].verdict is REFUSE
    found = checks(server={"read_only": True})["writable"]
    assert found.verdict is REFUSE
    assert 'ALTER DATABASE "shop" RESET default_transaction_read_only' in str(found.hint)


@pytest.mark.parametrize(
    ("mark", "setting", "verdict"),
    [
        ("production", "staging", REFUSE),
        ("production", "production", PASS),
        ("production", "", PASS),
        (None, "production", PASS),
        (None, "", PASS),
    ],
)
def test_only_another_mark_than_the_setting_is_refused(
    mark: str | None, setting: str, verdict: Verdict
) -> None:
    assert checks(environment=setting, mark=mark)["environment"].verdict is verdict


@pytest.mark.parametrize(
    ("standby", "verdict"),
    [
        (Standby("s", "streaming", 1 << 20, 1.0), PASS),
        (Standby("s", "streaming", 17 << 20, None), WARN),
        (Standby("s", "streaming", 0, 31.0), WARN),
        (Standby("s", None, None, None), WARN),
    ],
)
def test_a_standby_far_behind_or_hidden_is_warned_of(standby: Standby, verdict: Verdict) -> None:
    assert checks(standbys=(standby,))["standbys"].verdict is verdict


@pytest.mark.parametrize(
    ("slot", "verdict"),
    [
        (Slot("s", active=False, state="reserved", retained=1 << 30), PASS),
        (Slot("s", active=False, state="extended", retained=(1 << 30) + 1), WARN),
        (Slot("s", active=True, state="extended", retained=5 << 30), PASS),
        (Slot("s", active=True, state="unreserved", retained=1), WARN),
        (Slot("s", active=False, state="lost", retained=None), WARN),
    ],
)
def test_a_slot_that_is_lost_or_keeps_much_unread_is_warned_of(slot: Slot, verdict: Verdict) -> None:
    assert checks(slots=(slot,))["replication-slots"].verdict is verdict


def test_what_a_server_refuses_to_show_is_said_and_not_passed() -> None:
    found = checks(unseen=(("slots", "permission denied"),))["replication-slots"]
    assert found.verdict is WARN
    assert "permission denied" in found.reason


# Who is in the way.

ADD = "ALTER TABLE a ADD b int"


def held(mode: str = "AccessShareLock", table: str = A) -> tuple[Held, ...]:
    return (Held(table, READER.pid, "3/7", mode),)


@pytest.mark.parametrize(
    ("age", "locks", "verdict"),
    [
        (59.0, held(), PASS),
        (61.0, held(), WARN),
        (599.0, held(), WARN),
        (601.0, held(), REFUSE),
        (601.0, (), WARN),
        (601.0, held(table='"b"'), WARN),
    ],
)
def test_a_transaction_is_refused_where_it_holds_our_lock_for_longer_than_we_wait(
    age: float, locks: tuple[Held, ...], verdict: Verdict
) -> None:
    found = checks(needs(ADD), sessions=(READER._replace(age=age),), held=locks)["transactions"]
    assert found.verdict is verdict
    assert verdict is PASS or all(
        word in found.reason for word in ("pid 7", "app", "shop", "active", "SELECT")
    )


def test_a_session_idle_in_a_transaction_is_warned_of_earlier() -> None:
    idle = READER._replace(state="idle in transaction", idle=11.0, age=12.0)
    assert checks(sessions=(idle,))["transactions"].verdict is WARN
    assert checks(sessions=(idle._replace(idle=9.0),))["transactions"].verdict is PASS


def test_a_lock_that_ours_goes_beside_is_in_nobodys_way() -> None:
    old = (READER._replace(age=700.0),)
    light = needs("ALTER TABLE a VALIDATE CONSTRAINT c")
    assert checks(light, sessions=old, held=held("RowExclusiveLock"))["transactions"].verdict is WARN
    assert checks(light, sessions=old, held=held("ShareLock"))["transactions"].verdict is REFUSE


def test_a_concurrent_build_waits_for_writers_and_for_every_old_transaction() -> None:
    build = needs("CREATE INDEX CONCURRENTLY i ON a (b)")
    old = (READER._replace(age=700.0),)
    assert checks(build, sessions=old, held=held("RowExclusiveLock"))["transactions"].verdict is REFUSE
    found = checks(build, sessions=old)["transactions"]
    assert (found.verdict, found.script) == (WARN, SCRIPT)
    assert f"{SCRIPT} waits for its end" in found.reason


def test_many_warnings_of_a_kind_are_counted_and_not_all_told() -> None:
    many = tuple(READER._replace(pid=pid, age=99.0) for pid in range(20))
    facts = Facts(Seen(SERVER, sessions=many), Needs(), Names("public", "h"))
    found = [check for check in preflight.decide(facts) if check.verdict is WARN]
    assert len(found) == 6
    assert found[-1].reason == "and 15 more like these"


def test_a_hidden_session_is_named_with_what_we_lack_to_see_it() -> None:
    blind = READER._replace(state=None, age=None, idle=None, query="<insufficient privilege>", hidden=True)
    found = checks(needs(ADD), sessions=(blind,), held=held())
    assert found["visibility"].verdict is WARN
    assert 'GRANT pg_monitor TO "deployer"' in str(found["visibility"].hint)
    assert found["transactions"].verdict is WARN
    assert "pid 7" in found["transactions"].reason


@pytest.mark.parametrize(
    ("mode", "verdict"), [("AccessShareLock", REFUSE), ("AccessExclusiveLock", REFUSE), (None, WARN)]
)
def test_a_prepared_transaction_is_refused_where_it_holds_our_lock(
    mode: str | None, verdict: Verdict
) -> None:
    locks = (Held(A, None, "-1/9", mode),) if mode else ()
    item = Prepared("it's", "app", 3.0, "-1/9")
    found = checks(needs(ADD), prepared=(item,), held=locks)["prepared-transactions"]
    assert found.verdict is verdict
    assert "ROLLBACK PREPARED 'it''s';" in str(found.hint)


@pytest.mark.parametrize(
    ("changes", "locks", "verdict"),
    [
        ({"application": "pg_dump", "age": 5.0}, held(), WARN),
        ({"application": "pg_dump", "age": 61.0}, held(), REFUSE),
        ({"query": "COPY public.b (id) TO stdout;", "age": 61.0}, held(), REFUSE),
        ({"application": "pg_dump", "age": 61.0}, (), WARN),
        ({"query": "COPY b FROM stdin", "age": 61.0}, held(), PASS),
    ],
)
def test_a_dump_is_refused_where_it_is_no_short_one_and_holds_our_table(
    changes: dict[str, Any], locks: tuple[Held, ...], verdict: Verdict
) -> None:
    found = checks(needs(ADD), sessions=(READER._replace(**changes),), held=locks)
    assert found["dumps"].verdict is verdict
    assert (found["transactions"].verdict is PASS) == (verdict is not PASS)


@pytest.mark.parametrize(
    ("query", "verdict"),
    [
        ("autovacuum: VACUUM public.a", PASS),
        ("autovacuum: VACUUM public.a (to prevent wraparound)", WARN),
    ],
)
def test_an_autovacuum_in_our_way_is_warned_of_where_it_does_not_yield(query: str, verdict: Verdict) -> None:
    worker = READER._replace(user=None, application="", kind="autovacuum worker", query=query, age=900.0)
    found = checks(needs(ADD), sessions=(worker,), held=held("ShareUpdateExclusiveLock"))
    assert found["autovacuum"].verdict is verdict
    assert "VACUUM public.a" in found["autovacuum"].reason
    assert found["transactions"].verdict is PASS


# What we may do.


def test_a_table_of_another_is_refused_with_its_owner_and_what_to_run() -> None:
    theirs = TABLE._replace(owns=False)
    found = checks(needs(ADD), tables=(theirs,))["privileges"]
    assert (found.verdict, found.script) == (REFUSE, SCRIPT)
    assert f"{A}, which boss owns" in found.reason
    assert 'GRANT "boss" TO "deployer"' in str(found.hint)


def test_a_right_that_was_granted_and_the_owner_of_the_schema_are_enough() -> None:
    theirs = TABLE._replace(owns=False, owns_schema=True, rights=("TRUNCATE",))
    assert checks(needs("TRUNCATE a", "DROP TABLE a"), tables=(theirs,))["privileges"].verdict is PASS
    assert (
        checks(needs("CREATE TABLE b (x int REFERENCES a)"), tables=(theirs,))["privileges"].verdict is REFUSE
    )


def test_a_file_that_takes_another_role_is_said_not_to_be_looked_at() -> None:
    found = checks(needs("SET ROLE boss", ADD), tables=(TABLE._replace(owns=False),))["privileges"]
    assert found.verdict is PASS
    assert "takes another role" in found.reason


@pytest.mark.parametrize(
    ("changes", "schema", "verdict"),
    [
        ({"has_history": False}, "public", PASS),
        ({"has_history": False, "creates_in_schema": False}, "public", REFUSE),
        ({"has_history": False, "creates_in_schema": None}, "other", PASS),
        ({"has_history": False, "creates_in_schema": None, "creates_in_database": False}, "other", REFUSE),
        ({"creates_in_schema": False}, "public", PASS),
        ({"missing_rights": ('INSERT ON "public"."schema_migrations"',)}, "public", REFUSE),
    ],
)
def test_the_history_must_be_there_for_us_to_write_or_to_make(
    changes: dict[str, Any], schema: str, verdict: Verdict
) -> None:
    facts = Facts(Seen(SERVER._replace(**changes)), Needs(steps=1), Names(schema, "schema_migrations"))
    found = next(check for check in preflight.decide(facts) if check.name == "history")
    assert found.verdict is verdict


# Extensions.

CREATE = "CREATE EXTENSION IF NOT EXISTS vector"
NONE = Available("vector", None, None, None, None, None)
SOME = Available("vector", None, "0.8.1", "0.8.1", superuser=True, trusted=False)
OURS = {"superuser": True}


def extension(statement: str, *versions: Available, **server: Any) -> Check:
    return checks(needs(statement), extensions=versions, server=server)["extensions"]


def test_an_extension_that_the_server_has_not_is_refused() -> None:
    found = extension(CREATE, NONE, **OURS)
    assert found.verdict is REFUSE
    assert "which this server does not have" in found.reason
    assert "pgvector" in str(found.hint)


def test_an_extension_that_takes_a_superuser_is_refused_with_the_words_to_run() -> None:
    found = extension(CREATE, SOME)
    assert found.verdict is REFUSE
    assert 'in database "shop": CREATE EXTENSION IF NOT EXISTS "vector";' in str(found.hint)
    assert extension(CREATE, SOME, superuser=True).verdict is PASS
    assert extension(CREATE, SOME, provider=True).verdict is WARN


def test_a_trusted_extension_takes_the_right_to_create_in_the_database() -> None:
    trusted = SOME._replace(trusted=True)
    assert extension(CREATE, trusted).verdict is PASS
    assert extension(CREATE, trusted, creates_in_database=False).verdict is REFUSE


def test_an_extension_that_is_there_must_not_be_made_again() -> None:
    there = SOME._replace(installed="0.8.1")
    assert extension(CREATE, there).verdict is PASS
    assert "IF NOT EXISTS" in str(extension("CREATE EXTENSION vector", there).hint)


def test_a_version_that_the_server_has_not_is_refused() -> None:
    found = extension(f"{CREATE} VERSION '0.9'", SOME, **OURS)
    assert found.verdict is REFUSE
    assert "vector 0.9; this server has 0.8.1" in found.reason


@pytest.mark.parametrize(
    ("version", "statement", "verdict"),
    [
        ("0.4.4", "CREATE INDEX ON a USING hnsw (e vector_l2_ops)", REFUSE),
        ("0.6.2", "CREATE INDEX ON a USING hnsw (e vector_l2_ops)", WARN),
        ("0.6.2", "CREATE TABLE a (e halfvec(3))", REFUSE),
        ("0.8.0", "CREATE TABLE a (e halfvec(3))", PASS),
        ("0.10.0", "SET hnsw.iterative_scan = strict_order", PASS),
        ("0.7.4", "SET hnsw.iterative_scan = strict_order", REFUSE),
    ],
)
def test_what_is_used_of_pgvector_must_be_in_the_version_that_is_there(
    version: str, statement: str, verdict: Verdict
) -> None:
    assert extension(statement, SOME._replace(installed=version)).verdict is verdict


def test_a_pending_update_counts_for_what_is_used() -> None:
    old = SOME._replace(installed="0.4.4")
    statements = "ALTER EXTENSION vector UPDATE;\nCREATE TABLE a (e halfvec(3))"
    assert extension(statements, old).verdict is PASS


def test_in_a_block_of_code_a_missing_extension_is_warned_of_alone() -> None:
    found = extension("DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS vector; END $$", NONE)
    assert found.verdict is WARN
    assert (
        Extension("vector", SCRIPT, guarded=True)
        in needs("DO $$ BEGIN CREATE EXTENSION vector; END $$").extensions
    )


# Tables.

LEFT = Index("public", "i", 1, "a", building=False)


@pytest.mark.parametrize(
    ("index", "statement", "verdict"),
    [
        (LEFT, ADD, WARN),
        (LEFT, "CREATE INDEX CONCURRENTLY i ON a (b)", PASS),
        (LEFT, "CREATE INDEX CONCURRENTLY i ON public.a (b)", PASS),
        (LEFT, "CREATE INDEX CONCURRENTLY i ON other.a (b)", WARN),
        (LEFT, "DROP INDEX i", PASS),
        (LEFT, "REINDEX INDEX CONCURRENTLY i", PASS),
        (LEFT._replace(building=True), ADD, PASS),
    ],
)
def test_an_invalid_index_is_warned_of_unless_the_plan_sees_to_it(
    index: Index, statement: str, verdict: Verdict
) -> None:
    found = checks(needs(statement), tables=(TABLE,), indexes=(index,))["indexes"]
    assert found.verdict is verdict
    assert verdict is PASS or '"public"."i"' in found.reason


def test_an_invalid_index_on_a_table_of_the_plan_is_told_first() -> None:
    other = LEFT._replace(name="h", table_oid=2, table="b")
    found = checks(needs(ADD), tables=(TABLE,), indexes=(other, LEFT))["indexes"]
    assert "on a, a table of the plan" in found.reason


def test_what_a_reindex_left_is_to_be_dropped_and_not_built_again() -> None:
    found = checks(indexes=(LEFT._replace(name="i_ccnew2"),))["indexes"]
    assert found.hint == 'DROP INDEX CONCURRENTLY "public"."i_ccnew2";'


def test_a_half_detached_partition_is_warned_of_unless_the_plan_detaches_it() -> None:
    left = Detach("public", "a1", "a")
    assert "FINALIZE" in str(checks(detached=(left,))["partitions"].hint)
    again = needs("ALTER TABLE a DETACH PARTITION a1 CONCURRENTLY")
    assert checks(again, detached=(left,))["partitions"].verdict is PASS


@pytest.mark.parametrize(("relations", "verdict"), [(500, PASS), (501, WARN)])
def test_more_locks_than_half_of_the_room_are_warned_of(relations: int, verdict: Verdict) -> None:
    found = checks(needs(ADD), tables=(TABLE._replace(relations=relations),))["lock-space"]
    assert found.verdict is verdict
    assert str(relations) in found.reason


@pytest.mark.parametrize(
    ("statement", "free", "verdict", "word"),
    [
        ("ALTER TABLE a ALTER b TYPE bigint", 5000, WARN, "4.9 kB is free"),
        ("ALTER TABLE a ALTER b TYPE bigint", 6000, PASS, "5.9 kB"),
        ("ALTER TABLE a ALTER b TYPE bigint", None, PASS, "not known"),
        ("CREATE INDEX ON a (b)", 900, WARN, "1000 bytes"),
        (ADD, 1, PASS, "no step rewrites"),
    ],
)
def test_more_than_the_free_room_is_warned_of_where_it_is_known(
    statement: str, free: int | None, verdict: Verdict, word: str
) -> None:
    sizes = (Size(A, 1000, 3000, ""),)
    found = checks(needs(statement), sizes=sizes, free=free)["disk"]
    assert found.verdict is verdict
    assert word in found.reason


def test_a_table_in_a_tablespace_of_its_own_is_not_counted_against_the_data_directory() -> None:
    sizes = (Size(A, 1000, 3000, "/mnt/large"),)
    found = checks(needs("CREATE INDEX ON a (b)"), sizes=sizes, free=1)["disk"]
    assert found.verdict is PASS
    assert "other tablespaces" in found.reason
