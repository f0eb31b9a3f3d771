"""The same memories through Microsoft Agent Framework, the successor of Semantic Kernel.

    DATABASE_URL=… python -m examples.semantic_kernel_app.other_framework ada@harbour.example 'holiday hours'

Its connector is a pre-release. As with the other one, never call `ensure_collection_exists()`.
"""

import asyncio
import os
import sys
from dataclasses import dataclass, field
from typing import Annotated, Any

from agent_framework import VectorStoreField, vectorstoremodel
from agent_framework_postgres import PostgresCollection

from examples.semantic_kernel_app.memory import DIMENSIONS
from examples.semantic_kernel_app.offline import embed
from examples.semantic_kernel_app.settings import from_environment
from examples.semantic_kernel_app.starting import application_url
from examples.semantic_kernel_app.tenancy import TenantPool, find_person, working_for


@vectorstoremodel(collection_name="embeddings")
@dataclass
class Memory:
    """A row of `embeddings`; the score of this connector is the similarity that it is called."""

    key: Annotated[str, VectorStoreField("key", type_="str")]
    collection_name: Annotated[str, VectorStoreField("data", type_="str")]
    content: Annotated[str, VectorStoreField("data", type_="str")]
    embedding: Annotated[
        list[float] | None,
        VectorStoreField(
            "vector",
            type_="float",
            dimensions=DIMENSIONS,
            index_kind="hnsw",
            distance_function="cosine_similarity",
            provider_annotations={"postgres.vector_type": "halfvec"},
        ),
    ] = None
    metadata: Annotated[dict[str, Any], VectorStoreField("data", type_="dict")] = field(default_factory=dict)


Memories = PostgresCollection[str, Memory]


def memories(pool: TenantPool) -> Memories:
    """Give the collection over the application's own pool, and so under the tenant of the task."""
    return PostgresCollection(Memory, client=pool)


async def search(stored: Memories, question: str, top: int = 3) -> list[tuple[str, float]]:
    """Find the nearest texts and their similarity."""
    found = await stored.search(vector=embed(question), top=top)
    return [(result["record"].content, result["score"] or 0.0) async for result in found]


async def main(login: str, question: str) -> None:
    """Print what a person's tenant remembers about a question."""
    url = application_url(from_environment(os.environ))
    async with TenantPool(url, min_size=1, open=False) as pool:
        person = await find_person(pool, login=login)
        if person is None:
            raise SystemExit(f"nobody has the login {login}")
        with working_for(person.tenant_id):
            for content, similarity in await search(memories(pool), question):
                print(f"{similarity:.2f}  {content}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
