"""What is wrong with the connector of Semantic Kernel 1.45, and what the migration-made table does about it.

When one of these fails, a newer release has mended it, and docs/guides/semantic_kernel.md has a line too many.
"""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from semantic_kernel.connectors.postgres import PostgresCollection, PostgresSettings
from semantic_kernel.data.vector import DistanceFunction, VectorStoreCollectionDefinition, VectorStoreField
from semantic_kernel.exceptions import (
    VectorSearchExecutionException,
    VectorStoreModelValidationError,
    VectorStoreOperationException,
)

from examples.semantic_kernel_app.offline import WordEmbedding, embed
from examples.semantic_kernel_app.tenancy import TenantPool
from tests.database.support import rows
from tests.examples.support import ADA, as_person
from tests.servers import Database

pytestmark = pytest.mark.one_version
CLOSED = "On Mondays the shop stays closed."


class ArrayEmbedding(WordEmbedding):
    """A generator as most are: arrays, and no raw embeddings of its own."""

    async def generate_raw_embeddings(self, texts: list[str], settings: Any = None, **kwargs: Any) -> Any:
        return await self.generate_embeddings(texts, settings, **kwargs)


def collection(pool: TenantPool, **vector: Any) -> PostgresCollection[str, dict[str, Any]]:
    """Give the table as a plain collection; `vector` says what differs in its vector field."""
    chosen = {"name": "embedding", "type": "float", "dimensions": 1536, **vector}
    definition = VectorStoreCollectionDefinition(
        fields=[
            VectorStoreField("key", name="key", type="str"),
            VectorStoreField("vector", **chosen),
            VectorStoreField("data", name="content", type="str"),
        ]
    )
    return PostgresCollection(
        record_type=dict,
        definition=definition,
        collection_name="embeddings",
        connection_pool=pool,
        settings=PostgresSettings(),
    )


async def nearest(stored: PostgresCollection[str, dict[str, Any]]) -> list[tuple[str, float | None]]:
    found = await stored.search(vector=embed(CLOSED), top=3)
    return [(result.record["content"], result.score) async for result in found.results]


def test_asked_for_a_similarity_it_gives_the_distance(seeded: Database) -> None:
    similar = {"distance_function": DistanceFunction.COSINE_SIMILARITY}
    found = as_person(seeded, ADA, lambda pool: nearest(collection(pool, **similar)))
    assert found[0][0] == CLOSED
    assert found[0][1] == pytest.approx(0, abs=1e-3)
    assert [score for _, score in found] == sorted(score or 0.0 for _, score in found)


def test_where_the_field_of_the_vector_is_called_otherwise_the_columns_behind_it_shift(
    seeded: Database,
) -> None:
    renamed = {"name": "vector", "storage_name": "embedding"}
    with pytest.raises((json.JSONDecodeError, VectorSearchExecutionException)):
        as_person(seeded, ADA, lambda pool: nearest(collection(pool, **renamed)))


def test_more_than_2000_dimensions_are_refused_even_where_the_column_has_them(seeded: Database) -> None:
    owner = seeded.connect()
    owner.execute(
        "INSERT INTO embedding_models (model_code, provider, dimensions, table_name) "
        "VALUES ('large', 'test', 3072, 'embeddings_large')"
    )
    owner.execute("SELECT create_embedding_table('large')")

    async def made(pool: TenantPool) -> None:
        collection(pool, dimensions=3072)

    with pytest.raises(VectorStoreModelValidationError, match="3072"):
        as_person(seeded, ADA, made)
    # The database itself has no such limit, and its function searches the table.
    vector = [1.0, *[0.0] * 3071]
    tenant = seeded.connect(options=f"-c app.tenant_id={ADA.tenant_id}")
    tenant.execute(
        "SELECT store_embedding(%s, 'notes', 'large', %s::float8[]::halfvec, p_model_code => 'large')",
        [ADA.tenant_id, vector],
    )
    search = "SELECT content FROM search_embeddings(%s, %s::float8[]::halfvec, p_model_code => 'large')"
    assert rows(tenant, search, ADA.tenant_id, vector) == [("large",)]


def test_a_generator_of_arrays_cannot_store(seeded: Database) -> None:
    async def store(pool: TenantPool) -> None:
        made = collection(pool, embedding_generator=ArrayEmbedding(ai_model_id="arrays"))
        await made.upsert({"key": "a", "content": "a", "embedding": "a"})

    with pytest.raises(VectorStoreOperationException) as refused:
        as_person(seeded, ADA, store)
    assert "ndarray" in f"{refused.value} {refused.value.__cause__}"


def test_the_table_is_seen_and_making_it_is_refused_without_harm(seeded: Database) -> None:
    before = rows(seeded.connect(), "SELECT * FROM embeddings ORDER BY key")

    async def seen(pool: TenantPool) -> bool:
        return await collection(pool).collection_exists()

    async def make(pool: TenantPool) -> None:
        await collection(pool).ensure_collection_exists()

    async def drop(pool: TenantPool) -> None:
        await collection(pool).ensure_collection_deleted()

    assert as_person(seeded, ADA, seen)
    for attempt in (make, drop):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, VectorStoreOperationException)):
            as_person(seeded, ADA, attempt)
    assert rows(seeded.connect(), "SELECT * FROM embeddings ORDER BY key") == before
