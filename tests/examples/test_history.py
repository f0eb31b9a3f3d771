"""A chat is stored message by message and comes back byte for byte."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from semantic_kernel.connectors.ai.completion_usage import CompletionUsage
from semantic_kernel.contents import (
    AuthorRole,
    ChatHistory,
    ChatMessageContent,
    FinishReason,
    FunctionCallContent,
    FunctionResultContent,
    ReasoningContent,
    TextContent,
)

from examples.semantic_kernel_app import history
from examples.semantic_kernel_app.tenancy import Person, TenantPool
from tests.database.support import rows
from tests.examples.support import ADA, LENA, as_person
from tests.servers import Database

pytestmark = pytest.mark.one_version
SIGNATURE = "a\x00b \N{SNOWMAN}"
USAGE = CompletionUsage.model_validate(
    {"prompt_tokens": 212, "completion_tokens": 41, "prompt_tokens_details": {"cached_tokens": 128}}
)


def call(name: str, arguments: str) -> FunctionCallContent:
    plugin, function = name.split("-")
    return FunctionCallContent(
        id=f"call_{function}",
        index=0,
        name=name,
        plugin_name=plugin,
        function_name=function,
        arguments=arguments,
    )


def told() -> ChatHistory:
    """Everything that a history can hold, and what is easily lost on the way to a database."""
    said = ChatHistory()
    said.add_message(ChatMessageContent(role=AuthorRole.DEVELOPER, content="You help in a bookshop."))
    said.add_message(
        ChatMessageContent(role=AuthorRole.USER, name="Ada", content="How many? \N{OPEN BOOK} \x00")
    )
    said.add_message(
        ChatMessageContent(
            role=AuthorRole.ASSISTANT,
            ai_model_id="gpt-4o-mini",
            finish_reason=FinishReason.TOOL_CALLS,
            metadata={"usage": USAGE, "zebra": 1e5, "aa": 100000, "b": {"$type": "last", "a": None}},
            items=[
                ReasoningContent(text="Count first.", metadata={"signature": SIGNATURE}),
                call("stock-count", '{"title": "Sea Atlas", "a": 1, "a": 2}'),
                call("stock-reserve", '{"title":"Sea Atlas"}'),
            ],
        )
    )
    for name, result in (("stock-count", "3"), ("stock-reserve", '{"b":1,"a":2}')):
        answered = FunctionResultContent.from_function_call_content_and_result(call(name, "{}"), result)
        said.add_message(ChatMessageContent(role=AuthorRole.TOOL, items=[answered]))
    said.add_message(
        ChatMessageContent(
            role=AuthorRole.ASSISTANT,
            ai_model_id="gpt-4o-mini",
            finish_reason=FinishReason.STOP,
            metadata={"usage": CompletionUsage(prompt_tokens=288, completion_tokens=27)},
            items=[TextContent(text="There are three.")],
        )
    )
    return said


async def keep(pool: TenantPool, said: ChatHistory) -> UUID:
    """Store a history in two steps, as two turns of a chat would."""
    async with pool.connection() as connection:
        conversation = await history.begin(connection, ADA, "kept")
        await history.store(connection, ADA, conversation, said.messages[:2], after=0)
    async with pool.connection() as connection:
        await history.store(connection, ADA, conversation, said.messages[2:], after=2)
    return conversation


async def restored(pool: TenantPool, conversation: UUID) -> str:
    async with pool.connection() as connection:
        return str((await history.load(connection, ADA, conversation)).serialize())


def test_a_history_is_the_same_to_the_byte_after_the_round_trip(seeded: Database) -> None:
    async def round_trip(pool: TenantPool) -> str:
        return await restored(pool, await keep(pool, told()))

    assert as_person(seeded, ADA, round_trip) == told().serialize()


def test_a_row_holds_the_payload_verbatim_and_what_queries_ask_for(seeded: Database) -> None:
    said = told()
    conversation = as_person(seeded, ADA, lambda pool: keep(pool, said))
    owner = seeded.connect()
    stored = rows(
        owner,
        "SELECT seq, payload::text, role, author_name, finish_reason, content, payload_format FROM messages "
        "WHERE conversation_id = %s ORDER BY seq",
        conversation,
    )
    assert [row[:3] for row in stored] == [
        (number, message.model_dump_json(exclude_none=True), message.role.value)
        for number, message in enumerate(said, start=1)
    ]
    assert [row[2] for row in stored] == ["developer", "user", "assistant", "tool", "tool", "assistant"]
    assert (stored[1][3], stored[2][4], stored[3][5]) == ("Ada", "tool_calls", "3")
    assert stored[1][5] == "How many? \N{OPEN BOOK} \N{REPLACEMENT CHARACTER}"
    summary = rows(
        owner,
        "SELECT messages, tool_messages, prompt_tokens, completion_tokens, models FROM conversation_summary(%s, %s)",
        ADA.tenant_id,
        conversation,
    )
    assert summary == [(6, 2, 500, 68, ["gpt-4o-mini"])]


def test_the_conversations_of_the_seeds_can_be_read(seeded: Database) -> None:
    conversation = UUID("0d000000-0000-7000-8000-000000000101")
    said = json.loads(as_person(seeded, ADA, lambda pool: restored(pool, conversation)))
    assert [message["role"] for message in said["messages"]][:3] == ["developer", "user", "assistant"]


def test_nobody_but_its_person_reads_a_conversation(seeded: Database) -> None:
    conversation = as_person(seeded, ADA, lambda pool: keep(pool, told()))
    tomas = Person(ADA.tenant_id, UUID("0d000000-0000-7000-8000-000000000012"))

    for other in (tomas, LENA):

        async def load(pool: TenantPool, other: Person = other) -> None:
            async with pool.connection() as connection:
                await history.load(connection, other, conversation)

        with pytest.raises(history.UnknownConversation):
            as_person(seeded, other, load)


def test_of_two_turns_at_once_the_later_one_is_refused_and_nothing_of_it_is_stored(seeded: Database) -> None:
    async def twice(pool: TenantPool) -> UUID:
        conversation = await keep(pool, told())
        with pytest.raises(history.Overtaken):
            async with pool.connection() as connection:
                await history.store(connection, ADA, conversation, told().messages, after=4)
        return conversation

    conversation = as_person(seeded, ADA, twice)
    count = "SELECT next_seq - 1, (SELECT count(*) FROM messages WHERE conversation_id = %s)"
    count += " FROM conversations WHERE conversation_id = %s"
    assert rows(seeded.connect(), count, conversation, conversation) == [(6, 6)]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
MESSAGE = st.builds(
    ChatMessageContent,
    role=st.sampled_from(AuthorRole),
    name=st.none() | TEXT,
    metadata=st.dictionaries(TEXT.filter(lambda key: key != "usage"), JSON, max_size=3),
    items=st.lists(
        st.builds(TextContent, text=TEXT)
        | st.builds(call, name=st.just("stock-count"), arguments=st.builds(json.dumps, JSON))
        | st.builds(FunctionResultContent, id=TEXT, name=st.just("stock-count"), result=TEXT),
        min_size=1,
        max_size=3,
    ),
)


@given(messages=st.lists(MESSAGE, min_size=3, max_size=4))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_any_history_is_the_same_to_the_byte(seeded: Database, messages: list[ChatMessageContent]) -> None:
    said = ChatHistory(messages=messages)

    async def round_trip(pool: TenantPool) -> str:
        return await restored(pool, await keep(pool, said))

    assert as_person(seeded, ADA, round_trip) == said.serialize()
