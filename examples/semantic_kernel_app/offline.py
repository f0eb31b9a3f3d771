"""Stand-ins for a model that need no network and always say the same: an embedding and a chat."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

import numpy
from semantic_kernel.connectors.ai.chat_completion_client_base import ChatCompletionClientBase
from semantic_kernel.connectors.ai.completion_usage import CompletionUsage
from semantic_kernel.connectors.ai.embedding_generator_base import EmbeddingGeneratorBase
from semantic_kernel.contents import (
    AuthorRole,
    ChatHistory,
    ChatMessageContent,
    FinishReason,
    FunctionCallContent,
    FunctionResultContent,
    TextContent,
)

from examples.semantic_kernel_app import history

if TYPE_CHECKING:
    from semantic_kernel.connectors.ai.prompt_execution_settings import PromptExecutionSettings

DIMENSIONS = 1536
TOKEN = 4  # characters, roughly
REMEMBER = re.compile(
    r"(?:please\s+)?(?:remember|note)(?:\s+that)?[\s:,]+(?P<fact>.+)", re.IGNORECASE | re.DOTALL
)
CLOCK = re.compile(r"\b(what time|what day|what date|today|date is it)\b", re.IGNORECASE)
# Words that say nothing about what a question is about.
SMALL_WORDS = """a about am an and are at be can could did do does for from had has have how i in is it know me my of
on or please tell that the there they this to was we were what when where which who why will with would you your"""
EMPTY = frozenset(SMALL_WORDS.split())


def embed(text: str) -> list[float]:
    """Count each word in one of the dimensions; texts with words in common are near each other.

    The seeds of database/seeds/development are embedded in the same way. A text without any word counts whole:
    the zero vector has no direction, and the table refuses it.
    """
    counts = [0.0] * DIMENSIONS
    for word in re.findall("[a-z0-9]+", text.lower()) or [text]:
        counts[int.from_bytes(sha256(word.encode()).digest()[:4], "big") % DIMENSIONS] += 1.0
    length = math.sqrt(sum(count * count for count in counts))
    return [count / length for count in counts]


class WordEmbedding(EmbeddingGeneratorBase):
    """Embeddings by counting words."""

    async def generate_embeddings(
        self, texts: list[str], settings: PromptExecutionSettings | None = None, **kwargs: Any
    ) -> numpy.ndarray:
        """Give the embeddings as an array."""
        return numpy.array([embed(text) for text in texts])

    async def generate_raw_embeddings(
        self, texts: list[str], settings: PromptExecutionSettings | None = None, **kwargs: Any
    ) -> list[list[float]]:
        """Give them as lists, the only form that the connector can store."""
        return [embed(text) for text in texts]


class OfflineChat(ChatCompletionClientBase):
    """A chat that calls the kernel's functions as a model would, and answers from what they give."""

    SUPPORTS_FUNCTION_CALLING: ClassVar[bool] = True

    async def _inner_get_chat_message_contents(
        self, chat_history: ChatHistory, settings: PromptExecutionSettings
    ) -> list[ChatMessageContent]:
        last = chat_history.messages[-1]
        said = (
            _after_tools(chat_history)
            if last.role == AuthorRole.TOOL
            else [_call(history.text(last), len(chat_history))]
        )
        is_call = isinstance(said[0], FunctionCallContent)
        return [
            ChatMessageContent(
                role=AuthorRole.ASSISTANT,
                items=list(said),
                ai_model_id=self.ai_model_id,
                finish_reason=FinishReason.TOOL_CALLS if is_call else FinishReason.STOP,
                metadata={"usage": _usage(chat_history, said)},
            )
        ]


def keywords(question: str) -> str:
    """What a question is about; a model that searches leaves the small words out as well."""
    words = re.findall("[a-z0-9]+", question.lower())
    return " ".join(word for word in words if word not in EMPTY) or question


def _call(asked: str, number: int) -> FunctionCallContent:
    if found := REMEMBER.match(asked.strip()):
        plugin, function, arguments = "memory", "remember", {"fact": found["fact"].strip()}
    elif CLOCK.search(asked):
        plugin, function, arguments = "time", "now", {}
    else:
        plugin, function, arguments = "memory", "recall", {"question": keywords(asked)}
    return FunctionCallContent(
        id=f"call_{number}",
        index=0,
        name=f"{plugin}-{function}",
        plugin_name=plugin,
        function_name=function,
        arguments=json.dumps(arguments),
    )


def _after_tools(chat_history: ChatHistory) -> list[TextContent]:
    [result] = [item for item in chat_history.messages[-1].items if isinstance(item, FunctionResultContent)]
    given = str(result.result)
    match result.function_name:
        case "remember":
            answer = f"I will remember this: {json.loads(given)['remembered']}"
        case "now":
            answer = f"It is {given}."
        case _:
            answer = _from_memory([memory["content"] for memory in json.loads(given)])
    return [TextContent(text=answer)]


def _from_memory(found: list[str]) -> str:
    if not found:
        return "I remember nothing about that. Tell me with: Remember that …"
    first, *others = found
    return f"As far as I remember: {first}" + (f" Perhaps also: {others[0]}" if others else "")


def _usage(chat_history: ChatHistory, said: Sequence[FunctionCallContent | TextContent]) -> CompletionUsage:
    read = sum(len(history.text(message)) for message in chat_history)
    return CompletionUsage(
        prompt_tokens=1 + read // TOKEN, completion_tokens=1 + sum(len(str(item)) for item in said) // TOKEN
    )
