"""The recipe of the guide, run as it stands there, while an application writes and deletes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.database.support import FIRST, ROOT, SECOND, Connection, as_application, rows, value
from tests.servers import Database

GUIDE = ROOT / "docs" / "guides" / "changing_the_embedding_model.md"
OLD, NEW = 1536, 3072


def vector(text: str, dimensions: int) -> str:
    """The vector of a text by a model that knows only its length and its first letter."""
    return str([len(text), ord(text[0]), *[1] * (dimensions - 2)])


def stored(text: str, tenant: str = FIRST) -> dict[str, str]:
    return {
        "tenant": tenant,
        "collection": "recipe",
        "content": text,
        "old_vector": vector(text, OLD),
        "new_vector": vector(text, NEW),
    }


def run(connection: Connection, block: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Every statement of a block; what the last one that returned rows has returned."""
    found: list[tuple[Any, ...]] = []
    for statement in block.split(";\n"):
        cursor = connection.execute(statement.encode(), values)
        found = cursor.fetchall() if cursor.description else found
    return found


@pytest.mark.one_version
def test_the_recipe_of_the_guide_loses_no_text_and_the_old_model_answers_until_the_switch(
    migrated: Database,
) -> None:
    create, both, batch, fill, check, switch, default, retire = re.findall(
        r"```sql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL
    )
    owner, application = migrated.connect(), as_application(migrated, FIRST)
    old_only = "SELECT store_embedding(%(tenant)s, %(collection)s, %(content)s, %(old_vector)s::halfvec)"
    owner.execute("DROP INDEX embeddings_embedding_idx")  # so few rows are read one by one in any case
    for number in range(600):
        application.execute(old_only, stored(f"text {number}"))
    as_application(migrated, SECOND).execute(old_only, stored("text of the second", SECOND))
    search = "SELECT content FROM search_embeddings(%s, %s::halfvec, 1)"

    run(owner, create)
    owner.execute("DROP INDEX embeddings_large_embedding_idx")
    run(application, both, stored("text 7"))
    run(application, both, stored("written meanwhile"))
    last_key, batches = "", 0
    while texts := run(owner, batch, {"last_key": last_key}):
        for key, tenant, collection, content, metadata in texts:
            if content == "text 9":
                application.execute("DELETE FROM embeddings WHERE key = %s", [key])
            values = {"key": key, "tenant": tenant, "collection": collection, "content": content}
            more = {"metadata": str(metadata).replace("'", '"'), "vector": vector(content or "-", NEW)}
            run(owner, fill, {**values, **more})
        last_key, batches = texts[-1][0], batches + 1
        assert rows(application, search, FIRST, vector("text 42", OLD))
    assert batches == 2
    assert run(owner, check.partition("ANALYZE")[0]) == [(0, 1)], "one was deleted in between"
    owner.execute(
        "DELETE FROM embeddings_large AS new WHERE NOT EXISTS (SELECT FROM embeddings WHERE key = new.key)"
    )
    assert run(owner, check.partition("ANALYZE")[0]) == [(0, 0)]

    run(owner, switch)
    assert run(application, default) == [("text-embedding-3-large",)]
    assert rows(application, search, FIRST, vector("written meanwhile", NEW)) == [("written meanwhile",)]
    assert (
        value(
            owner, "SELECT count(DISTINCT tenant_id) FROM embeddings_large WHERE collection_name = 'recipe'"
        )
        == 2
    )
    run(owner, retire)
    assert value(owner, "SELECT count(*) FROM embeddings_large WHERE collection_name = 'recipe'") == 601
    assert value(owner, "SELECT count(*) FROM embeddings") == 0
