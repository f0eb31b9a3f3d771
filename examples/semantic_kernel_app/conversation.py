"""One turn of a chat: count it, let the model work, store what was said, settle what it cost."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from semantic_kernel import Kernel
from semantic_kernel.connectors.ai.chat_completion_client_base import ChatCompletionClientBase
from semantic_kernel.connectors.ai.function_choice_behavior import FunctionChoiceBehavior
from semantic_kernel.contents import (
    AuthorRole,
    ChatHistory,
    ChatMessageContent,
    FunctionCallContent,
    FunctionResultContent,
)

from examples.semantic_kernel_app import history, limits
from examples.semantic_kernel_app.tenancy import Person, TenantPool

INSTRUCTION = (
    "You help the people of a small firm. Recall what is remembered before you answer, and remember what you are "
    "asked to. Answer in one or two sentences."
)
ESTIMATE = 400  # tokens that a turn costs beyond what is there to read
USED = """
INSERT INTO api_usage (user_id, conversation_id, endpoint, model, status_code, duration_ms, prompt_tokens,
                       completion_tokens)
VALUES (%s, %s, '/api/chat', %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Chat:
    """What a turn needs."""

    pool: TenantPool
    model: ChatCompletionClientBase
    kernel: Kernel


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a turn: the answer, and the calls of functions that led to it."""

    conversation_id: UUID
    answer: str
    calls: tuple[str, ...]
    recalled: tuple[dict[str, object], ...]
    prompt_tokens: int
    completion_tokens: int


async def take_turn(chat: Chat, person: Person, conversation: UUID | None, text: str) -> Turn:
    """Answer a message under the limits of a person, and record the use."""
    began = time.monotonic()
    said = await _read(chat, person, conversation)
    try:
        made = await _limited(chat, person, conversation, said, text)
    except limits.Denied:
        await _record(chat, person, conversation, 429, began)
        raise
    await _record(chat, person, made.conversation_id, 200, began, made)
    return made


async def _limited(
    chat: Chat, person: Person, conversation: UUID | None, said: ChatHistory, text: str
) -> Turn:
    """Nothing is stored of a turn that fails, and its tokens are given back."""
    estimate = ESTIMATE + (sum(len(history.text(message)) for message in said) + len(text)) // 4
    await limits.consume(chat.pool, person, estimate)
    spent = 0
    try:
        async with limits.place(chat.pool, person):
            added = await _answer(chat, said, text)
        made = _turn(await _write(chat, person, conversation, said, added), added)
        spent = made.prompt_tokens + made.completion_tokens
    finally:
        await limits.settle(chat.pool, person, spent - estimate)
    return made


async def _read(chat: Chat, person: Person, conversation: UUID | None) -> ChatHistory:
    if conversation is None:
        return ChatHistory()
    async with chat.pool.connection() as connection:
        return await history.load(connection, person, conversation)


async def _answer(chat: Chat, said: ChatHistory, text: str) -> list[ChatMessageContent]:
    """Let the model work on a copy of the history, and give what it added. No connection is held meanwhile."""
    working = ChatHistory(messages=list(said.messages))
    if not working.messages:
        working.add_message(ChatMessageContent(role=AuthorRole.DEVELOPER, content=INSTRUCTION))
    working.add_user_message(text)
    settings = chat.model.get_prompt_execution_settings_class()(
        function_choice_behavior=FunctionChoiceBehavior.Auto()
    )
    answer = await chat.model.get_chat_message_content(working, settings, kernel=chat.kernel)
    assert answer is not None
    working.add_message(answer)
    return working.messages[len(said) :]


async def _write(
    chat: Chat,
    person: Person,
    conversation: UUID | None,
    said: ChatHistory,
    added: Sequence[ChatMessageContent],
) -> UUID:
    """Store what a turn added, all or nothing."""
    async with chat.pool.connection() as connection:
        if conversation is None:
            asked = next(message for message in added if message.role == AuthorRole.USER)
            conversation = await history.begin(connection, person, history.text(asked)[:60])
        await history.store(connection, person, conversation, added, after=len(said))
        return conversation


def _turn(conversation: UUID, added: Sequence[ChatMessageContent]) -> Turn:
    used = [history.usage(message) for message in added]
    items = [item for message in added for item in message.items]
    return Turn(
        conversation,
        history.text(added[-1]),
        tuple(item.name or "" for item in items if isinstance(item, FunctionCallContent)),
        tuple(
            memory for item in items if isinstance(item, FunctionResultContent) for memory in _recalled(item)
        ),
        sum(one.prompt_tokens or 0 for one in used),
        sum(one.completion_tokens or 0 for one in used),
    )


def _recalled(result: FunctionResultContent) -> list[dict[str, object]]:
    """What a call of memory-recall found."""
    if result.function_name != "recall":
        return []
    found: list[dict[str, object]] = json.loads(str(result.result))
    return found


async def _record(
    chat: Chat, person: Person, conversation: UUID | None, code: int, began: float, made: Turn | None = None
) -> None:
    took = round((time.monotonic() - began) * 1000)
    tokens = (made.prompt_tokens, made.completion_tokens) if made else (0, 0)
    async with chat.pool.connection() as connection:
        await connection.execute(
            USED, [person.user_id, conversation, chat.model.ai_model_id, code, took, *tokens]
        )
