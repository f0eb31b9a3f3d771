"""The history of a chat in the table `messages`: one row a message, its payload byte for byte."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from semantic_kernel.connectors.ai.completion_usage import CompletionUsage
from semantic_kernel.contents import ChatHistory, ChatMessageContent, FunctionResultContent, TextContent

from examples.semantic_kernel_app.tenancy import Connection, Person

FORMAT = "semantic-kernel-python/1"

# payload::text, since the driver would parse json and so lose the order of keys and how numbers are written.
LOAD = """
SELECT messages.payload::text FROM messages JOIN conversations USING (tenant_id, conversation_id)
WHERE tenant_id = %s AND conversation_id = %s AND user_id = %s AND payload_format = %s ORDER BY seq
"""
STORE = """
INSERT INTO messages (conversation_id, seq, role, author_name, model, finish_reason, prompt_tokens,
                      completion_tokens, content, payload, payload_format)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class UnknownConversation(Exception):
    """The person has no conversation with this id."""


class Overtaken(Exception):
    """Somebody else has written to the conversation since it was read."""


async def begin(connection: Connection, person: Person, title: str) -> UUID:
    """Begin a conversation and give its id."""
    made = await connection.execute(
        "INSERT INTO conversations (user_id, title) VALUES (%s, %s) RETURNING conversation_id",
        [person.user_id, title],
    )
    row = await made.fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


async def load(connection: Connection, person: Person, conversation: UUID) -> ChatHistory:
    """Restore a conversation: `serialize()` gives the very bytes that it gave before it was stored."""
    found = await connection.execute(LOAD, [person.tenant_id, conversation, person.user_id, FORMAT])
    payloads = [payload for (payload,) in await found.fetchall()]
    if not payloads:
        raise UnknownConversation
    return restore(payloads)


async def store(
    connection: Connection,
    person: Person,
    conversation: UUID,
    messages: Sequence[ChatMessageContent],
    after: int,
) -> None:
    """Append messages to a conversation that had `after` of them when it was read."""
    reserved = await connection.execute(
        "SELECT reserve_message_seq(%s, %s, %s)", [person.tenant_id, conversation, len(messages)]
    )
    row = await reserved.fetchone()
    if row != (after + 1,):
        raise Overtaken
    async with connection.cursor() as cursor:
        await cursor.executemany(
            STORE,
            [(conversation, seq, *columns(message)) for seq, message in enumerate(messages, start=after + 1)],
        )


def restore(payloads: Iterable[str]) -> ChatHistory:
    """Make a history of payloads."""
    return ChatHistory(messages=[ChatMessageContent.model_validate_json(payload) for payload in payloads])


def columns(message: ChatMessageContent) -> tuple[object, ...]:
    """What is stored of a message: what queries ask for, then the whole of it as the kernel writes it."""
    used = usage(message)
    return (
        message.role.value,
        storable(message.name) if message.name else None,
        message.ai_model_id,
        message.finish_reason.value if message.finish_reason else None,
        used.prompt_tokens,
        used.completion_tokens,
        storable(text(message)),
        message.model_dump_json(exclude_none=True),
        FORMAT,
    )


def storable(words: str) -> str:
    """Give a text without the one character that a text of PostgreSQL cannot hold; the payload keeps it, escaped."""
    return words.replace("\x00", "\ufffd")


def text(message: ChatMessageContent) -> str:
    """Give what a person would read of a message: its text, or what a tool answered."""
    parts = (
        item.text if isinstance(item, TextContent) else item.result
        for item in message.items
        if isinstance(item, TextContent | FunctionResultContent)
    )
    return "\n".join(str(part) for part in parts if part is not None)


def usage(message: ChatMessageContent) -> CompletionUsage:
    """The tokens that a message cost; after a round trip the metadata is a plain dict."""
    return CompletionUsage.model_validate(message.metadata.get("usage") or {}, from_attributes=True)
