"""What the chat remembers: the migration-made table `embeddings`, through Semantic Kernel's own connector."""

# No `from __future__ import annotations` here: the decorator reads the annotations as they are.
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from semantic_kernel.connectors.ai.embedding_generator_base import EmbeddingGeneratorBase
from semantic_kernel.connectors.postgres import PostgresCollection, PostgresSettings
from semantic_kernel.data.vector import DistanceFunction, VectorStoreField, vectorstoremodel

from examples.semantic_kernel_app.tenancy import TenantPool

DIMENSIONS = 1536
LIKE_NOTHING = 0.15


@vectorstoremodel
@dataclass
class Memory:
    """A row of `embeddings`. Columns that are not here have defaults, among them the tenant.

    The distance is asked for as a distance: asked for a similarity, the connector gives the distance as well.
    """

    key: Annotated[str, VectorStoreField("key")]
    collection_name: Annotated[str, VectorStoreField("data")]
    content: Annotated[str, VectorStoreField("data")]
    metadata: Annotated[dict[str, Any], VectorStoreField("data")] = field(default_factory=dict)
    embedding: Annotated[
        list[float] | str | None,
        VectorStoreField("vector", dimensions=DIMENSIONS, distance_function=DistanceFunction.COSINE_DISTANCE),
    ] = None


Memories = PostgresCollection[str, Memory]


@dataclass(frozen=True, slots=True)
class Recalled:
    """A text that was found; a similarity of 1 means the same direction."""

    content: str
    collection_name: str
    similarity: float


def memories(pool: TenantPool, generator: EmbeddingGeneratorBase) -> Memories:
    """Give the collection. Never `ensure_collection_exists()`: the table is a migration's business."""
    return PostgresCollection(
        record_type=Memory,
        collection_name="embeddings",
        embedding_generator=generator,
        connection_pool=pool,
        settings=PostgresSettings(),
    )


def key_of(tenant_id: UUID | str, collection_name: str, content: str) -> str:
    """The key under which equal texts meet, and two tenants never do; as embedding_key() makes it."""
    return sha256(f"{tenant_id}\x1f{collection_name}\x1f{content}".encode()).hexdigest()


async def remember(
    stored: Memories, tenant_id: UUID | str, content: str, collection_name: str = "notes"
) -> str:
    """Store a text; the same text again replaces itself. Gives the key."""
    key = key_of(tenant_id, collection_name, content)
    await stored.upsert(Memory(key, collection_name, content, {"source": "chat"}, embedding=content))
    return key


async def recall(stored: Memories, question: str, top: int = 3, collection_name: str = "") -> list[Recalled]:
    """Find the nearest texts, nearest first, without those that have nothing in common with the question.

    The connector queries when its results are read, so they are read here, while the tenant is known.
    """
    chosen = f"lambda memory: memory.collection_name == {collection_name!r}" if collection_name else None
    found = await stored.search(question, top=top, filter=chosen)
    nearest = [
        Recalled(result.record.content, result.record.collection_name, round(1 - (result.score or 0.0), 4))
        async for result in found.results
    ]
    return [memory for memory in nearest if memory.similarity >= LIKE_NOTHING]
