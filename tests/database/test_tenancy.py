"""No policy, view or function shows the rows of one tenant to another; without a tenant nothing is shown."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import errors

from tests.database.support import (
    FIRST,
    SECOND,
    SECOND_CONVERSATION,
    Connection,
    as_application,
    as_role,
    rows,
    value,
)
from tests.servers import Database

TENANT_TABLES = """
SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'tenant_id'
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname
"""
FUNCTIONS = """
SELECT pg_proc.oid::regprocedure::text, prosecdef, proargnames[1:pronargs],
       string_to_array(proargtypes::text, ' ')::oid[]::regtype[]::text[]
FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND 'p_tenant_id' = ANY (proargnames)
  AND has_function_privilege('semantic_kernel_app', pg_proc.oid, 'EXECUTE')
ORDER BY 1
"""
SAMPLES = {"uuid": "gen_random_uuid()", "text": "'noon'", "integer": "1", "bigint": "1", "interval": "'1 minute'",
           "jsonb": "'{}'", "boolean": "false", "double precision": "0", "timestamp with time zone": "now()",
           "halfvec": "(SELECT array_agg(1) FROM generate_series(1, 1536))::halfvec"}  # fmt: skip


REFUSING = ("require_tenant", "store_embedding", "take_rate_limit", "try_rate_limit")
"""Without the owner's rights, and yet with a refusal."""


def calls(connection: Connection, tenant: str) -> list[tuple[str, bool, str]]:
    """Every function that takes a tenant, called for one: its name, whether it has the owner's rights, the call."""
    return [
        (
            signature,
            definer,
            f"SELECT * FROM {signature.split('(')[0]}("
            + ", ".join(
                f"'{tenant}'::uuid" if name == "p_tenant_id" else f"{SAMPLES[kind]}::{kind}"
                for name, kind in zip(names, types, strict=True)
            )
            + ")",
        )
        for signature, definer, names, types in rows(connection, FUNCTIONS)
    ]


def test_every_table_with_a_tenant_has_row_level_security_and_the_same_policy(migrated: Database) -> None:
    connection = migrated.connect()
    tables = [row[0] for row in rows(connection, TENANT_TABLES)]
    assert {"users", "messages", "rate_limit_buckets", "rate_limit_leases"} <= set(tables)
    for table in tables:
        assert value(connection, "SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", table), table
        policies = rows(
            connection,
            "SELECT permissive, roles::text, cmd, qual, with_check FROM pg_policies WHERE tablename = %s",
            table,
        )
        assert policies == [
            (
                "PERMISSIVE",
                "{public}",
                "ALL",
                "(tenant_id = current_tenant_id())",
                "(tenant_id = current_tenant_id())",
            )
        ], table


@pytest.mark.parametrize("role", ["semantic_kernel_app", "semantic_kernel_reader"])
def test_a_role_sees_the_rows_of_its_tenant_and_no_others(migrated: Database, role: str) -> None:
    tables = [row[0] for row in rows(migrated.connect(), TENANT_TABLES)]
    one, two, nobody = (
        as_role(migrated, role, FIRST),
        as_role(migrated, role, SECOND),
        as_role(migrated, role),
    )
    seen = 0
    for table in tables:
        if not value(one, "SELECT has_table_privilege(%s, 'SELECT')", table):
            continue
        assert {row[0] for row in rows(one, f"SELECT DISTINCT tenant_id::text FROM {table}")} <= {FIRST}, (
            table
        )
        assert {row[0] for row in rows(two, f"SELECT DISTINCT tenant_id::text FROM {table}")} <= {SECOND}, (
            table
        )
        assert value(nobody, f"SELECT count(*) FROM {table}") == 0, table
        seen += value(one, f"SELECT count(*) FROM {table}")
    assert seen > 5


def test_a_tenant_cannot_write_the_rows_of_another(migrated: Database) -> None:
    one = as_application(migrated, FIRST)
    given_away = []
    for (table,) in rows(migrated.connect(), TENANT_TABLES):
        if value(one, "SELECT has_table_privilege(%s, 'UPDATE')", table):
            assert (
                one.execute(
                    f"UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id = %s", [SECOND]
                ).rowcount
                == 0
            )
            if value(one, f"SELECT count(*) FROM {table}"):
                with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
                    one.execute(f"UPDATE {table} SET tenant_id = %s", [SECOND])
                given_away.append(table)
        if value(one, "SELECT has_table_privilege(%s, 'DELETE')", table):
            assert one.execute(f"DELETE FROM {table} WHERE tenant_id = %s", [SECOND]).rowcount == 0
    assert {"users", "conversations", "messages"} <= set(given_away)
    with pytest.raises(errors.InsufficientPrivilege):
        one.execute("INSERT INTO users (tenant_id, email) VALUES (%s, 'x@y.example')", [SECOND])


def test_a_missing_setting_stores_nothing(migrated: Database) -> None:
    nobody = as_application(migrated)
    with pytest.raises(psycopg.Error) as refused:
        nobody.execute("INSERT INTO users (email) VALUES ('x@y.example')")
    assert isinstance(refused.value, errors.NotNullViolation | errors.InsufficientPrivilege)


def test_a_setting_that_is_no_tenant_is_an_error_and_an_empty_one_is_none(migrated: Database) -> None:
    application = as_application(migrated)
    application.execute("SET app.tenant_id = ''")
    assert value(application, "SELECT count(*) FROM messages") == 0
    application.execute("SET app.tenant_id = 'everybody'")
    with pytest.raises(errors.InvalidTextRepresentation):
        application.execute("SELECT count(*) FROM messages")


@pytest.mark.parametrize("session", ["of another tenant", "without a tenant"])
def test_no_function_answers_for_another_tenant_than_that_of_the_session(
    migrated: Database, session: str
) -> None:
    application = as_application(migrated, SECOND if session == "of another tenant" else "")
    made = calls(application, FIRST)
    assert len(made) >= (10 if migrated.server.has_vector else 8)
    for signature, definer, call in made:
        with application.transaction(force_rollback=True):
            if definer or signature.startswith(REFUSING):
                with pytest.raises(errors.InsufficientPrivilege, match="not the tenant of this session"):
                    application.execute(call)
                continue
            try:
                found = rows(application, call)
            except errors.NoDataFound:
                continue
            assert not any(cell for row in found for cell in row if cell and FIRST in str(cell)), signature
            if signature.startswith(("list_", "usage_")):
                assert found == [], signature


def test_every_function_with_the_rights_of_its_owner_is_shut(migrated: Database) -> None:
    definers = rows(
        migrated.connect(),
        """SELECT proname, proconfig, rolsuper, has_function_privilege('public', pg_proc.oid, 'EXECUTE')
           FROM pg_proc JOIN pg_roles ON proowner = pg_roles.oid
           WHERE pronamespace = 'public'::regnamespace AND prosecdef""",
    )
    assert len(definers) > 15
    for name, configuration, owner_is_superuser, public_may_execute in definers:
        path = next(setting for setting in configuration if setting.startswith("search_path="))
        assert path.endswith("pg_temp"), name
        assert "$user" not in path, name
        assert not owner_is_superuser, name
        assert not public_may_execute, name


def test_every_view_asks_as_the_one_who_reads_it(migrated: Database) -> None:
    views = rows(
        migrated.connect(),
        "SELECT relname, reloptions FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace",
    )
    assert len(views) == 2
    assert all(options == ["security_invoker=true"] for _, options in views)


def test_the_owner_is_refused_at_the_start_of_an_application_and_the_application_is_not(
    migrated: Database,
) -> None:
    as_application(migrated).execute("SELECT require_row_security()")
    with pytest.raises(errors.InsufficientPrivilege, match="row level security does not hold"):
        migrated.connect().execute("SELECT require_row_security()")


def test_logins_and_keys_are_found_before_a_tenant_is_known_and_only_exactly(migrated: Database) -> None:
    one, nobody = as_application(migrated, FIRST), as_application(migrated)
    user = value(one, "SELECT user_id FROM users")
    one.execute(
        "INSERT INTO api_keys (key_hash, user_id, key_name, key_prefix, scopes) "
        "VALUES (sha256('secret'), %s, 'k', 'sk-1', '{chat}')",
        [user],
    )
    assert rows(nobody, "SELECT * FROM find_login(' ONE@First.example')") == [(UUID(FIRST), user)]
    assert rows(nobody, "SELECT * FROM find_api_key(sha256('secret'))") == [(UUID(FIRST), user, ["chat"])]
    assert rows(nobody, "SELECT * FROM find_login('%')".replace("%", "%%")) == []
    assert value(nobody, "SELECT count(*) FROM api_keys") == 0
    one.execute("UPDATE api_keys SET revoked_at = now()")
    assert rows(nobody, "SELECT * FROM find_api_key(sha256('secret'))") == []


POOL = """
SELECT user_id::text FROM users UNION SELECT conversation_id::text FROM conversations
UNION SELECT lease_id::text FROM rate_limit_leases WHERE tenant_id = %(other)s
ORDER BY 1
"""
SECRETS = """
SELECT tenant_id::text FROM tenants WHERE tenant_id = %(other)s
UNION SELECT user_id::text FROM users WHERE tenant_id = %(other)s
UNION SELECT email FROM users WHERE tenant_id = %(other)s
UNION SELECT conversation_id::text FROM conversations WHERE tenant_id = %(other)s
UNION SELECT lease_id::text FROM rate_limit_leases WHERE tenant_id = %(other)s
"""
EVERY_FUNCTION = """
SELECT proname, pronargs - pronargdefaults, proargnames[1:pronargs],
       string_to_array(proargtypes::text, ' ')::oid[]::regtype[]::text[]
FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND has_function_privilege('semantic_kernel_app', pg_proc.oid, 'EXECUTE')
  AND proname NOT IN ('find_login', 'find_api_key')  -- they exist to be asked before a tenant is known
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
ORDER BY proname
"""
WIDE = {
    "text": ["'noon'", "'noon'", "'u'", "'messages'"],
    "integer": ["1", "1000"],
    "bigint": ["-5", "1", "9223372036854775807"],
    "interval": ["'1 minute'"],
    "jsonb": ["'{}'"],
    "boolean": ["true", "false", "NULL"],
    "double precision": ["NULL", "0"],
    "timestamp with time zone": ["'infinity'", "'-infinity'", "now()"],
    "bytea": ["'x'"],
    "halfvec": [SAMPLES["halfvec"]],
}


def rows_of(owner: Connection, tenant: str) -> str:
    """Every row that belongs to the tenant, as one digest."""
    parts = []
    for (table,) in rows(owner, TENANT_TABLES):
        query = f"SELECT md5(string_agg(one::text, ',' ORDER BY one::text)) FROM {table} AS one WHERE tenant_id = %s"
        parts.append(f"{table} {value(owner, query, tenant)}")
    return "\n".join(parts)


def with_rows_of_its_own(migrated: Database, owner: Connection) -> list[str]:
    """Give the second tenant rows wherever a function could find some; what must not be shown of them."""
    if not rows(owner, "SELECT FROM rate_limit_leases WHERE tenant_id = %s", SECOND):
        with as_application(migrated, SECOND) as second:
            second.execute(
                "SELECT acquire_lease(%s, 'u'), consume_rate_limit(%s, 'u', 1, 10)", [SECOND, SECOND]
            )
            second.execute("SELECT * FROM take_rate_limit(%s, 'u', 'noon', 1, '1 day')", [SECOND])
            second.execute(
                "INSERT INTO api_usage (endpoint, status_code, duration_ms) VALUES ('/of-the-second', 200, 1)"
            )
        owner.execute(
            "INSERT INTO messages (tenant_id, conversation_id, seq, role, content, payload, payload_format) "
            "VALUES (%s, %s, 90, 'user', 'noon of the second', '{}', 'test/1')",
            [SECOND, SECOND_CONVERSATION],
        )
    return ["/of-the-second", "noon of the second", *(row[0] for row in rows(owner, SECRETS, other=SECOND))]


@given(data=st.data())
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate],  # a failure names the call; to shrink it takes minutes
)
def test_no_call_with_any_ids_shows_or_changes_what_belongs_to_another_tenant(
    migrated: Database, data: st.DataObject
) -> None:
    session = data.draw(st.sampled_from([FIRST, ""]))
    with migrated.connect() as owner, as_application(migrated, session) as application:
        secrets = with_rows_of_its_own(migrated, owner)
        before = rows_of(owner, SECOND)
        ids = [f"'{row[0]}'" for row in rows(owner, POOL, other=SECOND)]
        functions = rows(owner, EVERY_FUNCTION)
        assert len(functions) > 15
        for name, needed, names, types in functions:
            number = data.draw(st.sampled_from([needed, needed, len(types)]))
            possible = [
                [f"'{SECOND}'", f"'{FIRST}'"] if one == "p_tenant_id" else WIDE.get(kind, ids)
                for one, kind in zip((names or [])[:number], types[:number], strict=True)
            ]
            chosen = [data.draw(st.sampled_from(values)) for values in possible]
            given = ", ".join(f"{one}::{kind}" for one, kind in zip(chosen, types[:number], strict=True))
            cells: list[str] = []
            with suppress(psycopg.Error):
                cells = [
                    str(cell) for row in rows(application, f"SELECT * FROM {name}({given})") for cell in row
                ]
            shown = [one for one in secrets if one not in given and any(one in cell for cell in cells)]
            assert not shown, (name, given)
        assert rows_of(owner, SECOND) == before


WORDS = st.sampled_from(["atlas", "harbour", "mole", "sail", "lighthouse"])
SAID = st.lists(st.tuples(st.booleans(), st.lists(WORDS, min_size=1, max_size=4)), min_size=1, max_size=12)


@given(said=SAID, wanted=WORDS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_a_search_finds_all_messages_of_the_tenant_with_the_word_and_none_of_another(
    migrated: Database, said: list[tuple[bool, list[str]]], wanted: str
) -> None:
    owner = migrated.connect()
    conversations: dict[str, Any] = {}
    for tenant in (FIRST, SECOND):
        user = value(owner, "SELECT user_id FROM users WHERE tenant_id = %s", tenant)
        conversations[tenant] = value(
            owner,
            "INSERT INTO conversations (tenant_id, user_id) VALUES (%s, %s) RETURNING conversation_id",
            tenant,
            user,
        )
    marker = f"m{uuid4().hex}"
    for number, (is_first, words) in enumerate(said, start=1):
        tenant = FIRST if is_first else SECOND
        owner.execute(
            "INSERT INTO messages (tenant_id, conversation_id, seq, role, content, payload, payload_format) "
            "VALUES (%s, %s, %s, 'user', %s, '{}', 'test/1')",
            [tenant, conversations[tenant], number, " ".join([marker, *words])],
        )
    for tenant in (FIRST, SECOND):
        found = rows(
            as_application(migrated, tenant),
            "SELECT seq FROM search_messages(%s, %s, 100)",
            tenant,
            f"{marker} {wanted}",
        )
        expected = {
            number
            for number, (is_first, words) in enumerate(said, start=1)
            if is_first == (tenant == FIRST) and wanted in words
        }
        assert {row[0] for row in found} == expected
