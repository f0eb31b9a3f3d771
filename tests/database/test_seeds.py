"""Seeds can be run again, hold together, and stay out of production."""

from __future__ import annotations

import pytest

from tests.database.support import FIRST, SECOND, SEEDS, apply, as_application, psql, rows, value
from tests.servers import Database

SHOP = "0d000000-0000-7000-8000-000000000001"
TABLES = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
)

pytestmark = pytest.mark.pg(">=16")


def contents(database: Database) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    owner = database.connect()
    return {
        table: sorted(row[0] for row in rows(owner, f"SELECT one::text FROM {table} AS one"))
        for (table,) in rows(owner, TABLES)
    }


@pytest.mark.parametrize("environment", ["development", "test"])
def test_seeds_run_twice_leave_the_same_rows(migrated: Database, environment: str) -> None:
    seeds = sorted((SEEDS / environment).glob("*.sql"))
    assert len(seeds) >= 4
    apply(migrated, *seeds)
    once = contents(migrated)
    apply(migrated, *seeds)
    assert contents(migrated) == once
    assert all(once[table] for table in ("users", "skills", "conversations", "messages", "embeddings"))


def test_development_data_holds_together(migrated: Database) -> None:
    apply(migrated, *sorted((SEEDS / "development").glob("*.sql")))
    owner = migrated.connect()
    behind = """SELECT title FROM conversations AS c WHERE next_seq <> 1 + (
                    SELECT count(*) FROM messages AS m WHERE m.conversation_id = c.conversation_id)"""
    assert rows(owner, behind) == []
    called = """SELECT count(*) FROM messages, json_array_elements(payload -> 'items') AS item
                WHERE item ->> 'content_type' = 'function_call' AND NOT EXISTS (
                    SELECT FROM skills WHERE skills.tenant_id = messages.tenant_id
                      AND plugin_name = item ->> 'plugin_name' AND function_name = item ->> 'function_name')
                  AND messages.tenant_id = %s"""
    assert value(owner, called, SHOP) == 0
    assert value(owner, "SELECT count(*) FROM messages WHERE role = 'tool' AND tenant_id = %s", SHOP) == 2


def test_the_seeded_embeddings_are_near_each_other_when_they_share_words(migrated: Database) -> None:
    apply(migrated, *sorted((SEEDS / "development").glob("*.sql")))
    application = as_application(migrated, SHOP)
    query = value(application, "SELECT embedding::text FROM embeddings WHERE content LIKE 'On Mondays%%'")
    found = rows(
        application, "SELECT content FROM search_embeddings(%s, %s::halfvec, 2, 'shop')", SHOP, query
    )
    assert [row[0] for row in found] == [
        "On Mondays the shop stays closed.",
        "The shop opens at nine on working days and at eleven on holidays.",
    ]


def test_a_database_marked_as_production_takes_no_seeds(migrated: Database) -> None:
    owner = migrated.connect()
    owner.execute(f"ALTER DATABASE {migrated.name} SET pgratchet.environment = 'production'")
    for seed in sorted(SEEDS.glob("*/*.sql")):
        refused = psql(migrated, seed)
        assert refused.returncode != 0, seed
        assert "marked as production" in refused.stderr
    assert value(owner, "SELECT count(*) FROM tenants WHERE tenant_id <> ALL (%s)", [FIRST, SECOND]) == 0
