"""Both frameworks search the migration-made table as it is, each tenant its own rows."""

from __future__ import annotations

import psycopg
import pytest
from agent_framework.exceptions import IntegrationException
from semantic_kernel.exceptions import VectorStoreOperationException

from examples.semantic_kernel_app import memory, other_framework
from examples.semantic_kernel_app.offline import EMPTY, WordEmbedding, embed, keywords
from examples.semantic_kernel_app.settings import VECTOR_SEARCH
from examples.semantic_kernel_app.starting import application_url
from examples.semantic_kernel_app.tenancy import Person, TenantPool
from tests.database.support import rows, value
from tests.examples.support import ADA, LENA, as_person, settings_for
from tests.servers import Database

pytestmark = pytest.mark.one_version
CLOSED = "On Mondays the shop stays closed."


def stored_in(pool: TenantPool) -> memory.Memories:
    return memory.memories(pool, WordEmbedding(ai_model_id="words"))


async def everything(pool: TenantPool, question: str = "shop closed Mondays") -> list[memory.Recalled]:
    return await memory.recall(stored_in(pool), question, top=50)


def test_the_embedding_is_that_of_the_seeds_and_the_key_that_of_the_database(seeded: Database) -> None:
    owner = seeded.connect()
    for key, tenant, collection, content in rows(
        owner, "SELECT key, tenant_id, collection_name, content FROM embeddings"
    ):
        assert key == memory.key_of(tenant, collection, content)
        stored = "SELECT embedding <=> %s::float8[]::halfvec FROM embeddings WHERE key = %s"
        assert value(owner, stored, embed(content), key) == pytest.approx(0, abs=1e-3)


def test_a_search_finds_the_nearest_texts_of_its_tenant_and_none_of_another(seeded: Database) -> None:
    found = as_person(seeded, ADA, everything)
    assert [one.content for one in found][:1] == [CLOSED]
    assert found == sorted(found, key=lambda one: -one.similarity)
    assert {one.collection_name for one in found} <= {"shop", "books"}
    assert [(one.content, one.collection_name) for one in as_person(seeded, LENA, everything)] == [
        (CLOSED, "notes")
    ]


def test_a_score_is_a_distance_so_the_similarity_is_made_of_it(seeded: Database) -> None:
    [nearest, *_] = as_person(seeded, ADA, lambda pool: everything(pool, CLOSED))
    assert nearest.similarity == pytest.approx(1.0, abs=1e-3)
    function = "SELECT round(similarity::numeric, 3) FROM search_embeddings(%s, %s::float8[]::halfvec, 1)"
    owner = seeded.connect(options=f"-c app.tenant_id={ADA.tenant_id}")
    assert float(value(owner, function, ADA.tenant_id, embed(CLOSED))) == pytest.approx(
        nearest.similarity, abs=2e-3
    )


def test_a_search_can_be_narrowed_to_a_collection(seeded: Database) -> None:
    async def books(pool: TenantPool) -> list[memory.Recalled]:
        return await memory.recall(stored_in(pool), "the sea shop", collection_name="books")

    assert {one.collection_name for one in as_person(seeded, ADA, books)} == {"books"}


def test_what_is_remembered_belongs_to_the_tenant_and_is_there_once(seeded: Database) -> None:
    async def twice(pool: TenantPool) -> list[str]:
        return [
            await memory.remember(stored_in(pool), ADA.tenant_id, "Okafor comes on Friday.") for _ in range(2)
        ]

    [key] = set(as_person(seeded, ADA, twice))
    found = rows(
        seeded.connect(), "SELECT tenant_id, key FROM embeddings WHERE content = 'Okafor comes on Friday.'"
    )
    assert found == [(ADA.tenant_id, key)]


@pytest.mark.parametrize("framework", ["semantic kernel", "agent framework"])
def test_the_row_of_another_tenant_cannot_be_overwritten(seeded: Database, framework: str) -> None:
    owner = seeded.connect()
    key = value(owner, "SELECT key FROM embeddings WHERE tenant_id = %s LIMIT 1", ADA.tenant_id)
    before = rows(owner, "SELECT * FROM embeddings ORDER BY key")

    async def overwrite(pool: TenantPool) -> None:
        if framework == "semantic kernel":
            await stored_in(pool).upsert(memory.Memory(key, "notes", "mine now", embedding="mine now"))
        else:
            await other_framework.memories(pool).upsert(
                [other_framework.Memory(key, "notes", "mine", embed("mine"))], generate_vectors=False
            )

    with pytest.raises((VectorStoreOperationException, IntegrationException)) as refused:
        as_person(seeded, LENA, overwrite)
    causes = []
    cause: BaseException | None = refused.value
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__
    assert any(isinstance(cause, psycopg.errors.InsufficientPrivilege) for cause in causes), causes
    assert rows(owner, "SELECT * FROM embeddings ORDER BY key") == before


def test_without_a_tenant_nothing_is_found(seeded: Database) -> None:
    nobody = Person("", ADA.user_id)  # type: ignore[arg-type]
    assert as_person(seeded, nobody, everything) == []


def test_the_tenant_ends_with_the_transaction(seeded: Database) -> None:
    async def afterwards(pool: TenantPool) -> object:
        async with pool.connection() as connection:
            await connection.commit()
            found = await connection.execute("SELECT current_setting('app.tenant_id')")
            return await found.fetchone()

    assert as_person(seeded, ADA, afterwards) == ("",)


def test_the_settings_of_the_search_come_with_the_connection(seeded: Database) -> None:
    owner = seeded.connect()
    owner.execute(f"ALTER DATABASE {seeded.name} SET hnsw.ef_search = 40")
    with psycopg.connect(application_url(settings_for(seeded))) as connection:
        connection.execute("SELECT '[1]'::halfvec")  # loads the library, which checks what it was given
        shown = {name: value(connection, f"SHOW {name}") for name in VECTOR_SEARCH}
    assert shown == VECTOR_SEARCH


def test_the_application_can_change_no_table(seeded: Database) -> None:
    with psycopg.connect(application_url(settings_for(seeded)), autocommit=True) as connection:
        for statement in (
            "CREATE TABLE mine ()",
            "ALTER TABLE embeddings ADD mine int",
            "DROP TABLE embeddings",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_the_agent_framework_finds_what_semantic_kernel_stored(seeded: Database) -> None:
    async def store_then_search(pool: TenantPool) -> list[tuple[str, float]]:
        await memory.remember(stored_in(pool), ADA.tenant_id, "Okafor comes on Friday.")
        return await other_framework.search(other_framework.memories(pool), "okafor friday")

    [nearest, *_] = as_person(seeded, ADA, store_then_search)
    assert nearest[0] == "Okafor comes on Friday."
    assert nearest[1] == pytest.approx(2**-0.5, abs=1e-3)
    other = as_person(
        seeded, LENA, lambda pool: other_framework.search(other_framework.memories(pool), "okafor")
    )
    assert "Okafor comes on Friday." not in [content for content, _ in other]


def test_semantic_kernel_finds_what_the_agent_framework_stored(seeded: Database) -> None:
    async def store_then_search(pool: TenantPool) -> list[memory.Recalled]:
        made = other_framework.Memory(
            "a key", "notes", "Okafor comes.", embed("Okafor comes."), {"by": "agent"}
        )
        await other_framework.memories(pool).upsert([made], generate_vectors=False)
        return await memory.recall(stored_in(pool), "okafor")

    assert [one.content for one in as_person(seeded, ADA, store_then_search)][:1] == ["Okafor comes."]


@pytest.mark.parametrize("text", ["", "…", "the", "Mr. Okafor", "\N{SNOWMAN}"])
def test_no_text_has_the_zero_vector_for_its_embedding(text: str) -> None:
    assert sum(number * number for number in embed(text)) == pytest.approx(1)


def test_a_question_of_empty_words_alone_is_asked_as_it_is() -> None:
    assert keywords("When does the shop open?") == "shop open"
    assert keywords("What is it?") == "What is it?"
    assert "shop" not in EMPTY
