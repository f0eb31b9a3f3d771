"""The one place that chooses the models: OpenAI's where there is a key, the offline ones otherwise."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

from semantic_kernel import Kernel
from semantic_kernel.connectors.ai.chat_completion_client_base import ChatCompletionClientBase
from semantic_kernel.connectors.ai.embedding_generator_base import EmbeddingGeneratorBase
from semantic_kernel.functions import kernel_function

from examples.semantic_kernel_app import memory
from examples.semantic_kernel_app.offline import OfflineChat, WordEmbedding
from examples.semantic_kernel_app.settings import Settings
from examples.semantic_kernel_app.tenancy import TENANT

# The default model of V002, and so that of the table `embeddings`.
EMBEDDING_MODEL = "text-embedding-3-small"


def models(settings: Settings) -> tuple[ChatCompletionClientBase, EmbeddingGeneratorBase]:
    """Give the chat and the embedding."""
    if settings.openai_key:
        # Imported here: it takes a second.
        from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAITextEmbedding

        return (
            OpenAIChatCompletion(settings.chat_model, api_key=settings.openai_key),
            OpenAITextEmbedding(EMBEDDING_MODEL, api_key=settings.openai_key),
        )
    return OfflineChat(ai_model_id="offline"), WordEmbedding(ai_model_id="words")


def kernel_of(stored: memory.Memories) -> Kernel:
    """Give a kernel with the functions that a model may call."""
    kernel = Kernel()
    kernel.add_plugin(MemoryPlugin(stored), "memory")
    kernel.add_plugin(ClockPlugin(), "time")
    return kernel


class MemoryPlugin:
    """Remembering and recalling, for the tenant of the request. Results are JSON: others would be stored as repr."""

    def __init__(self, stored: memory.Memories) -> None:
        self.stored = stored

    @kernel_function(description="Remembers a fact for later conversations")
    async def remember(self, fact: Annotated[str, "The fact, as a sentence that can stand alone"]) -> str:
        """Store a fact."""
        await memory.remember(self.stored, TENANT.get(), fact)
        return json.dumps({"remembered": fact}, ensure_ascii=False)

    @kernel_function(description="Finds what is remembered about a question")
    async def recall(self, question: Annotated[str, "The words to look for"]) -> str:
        """Find facts, nearest first."""
        found = await memory.recall(self.stored, question)
        return json.dumps(
            [{"content": one.content, "similarity": one.similarity} for one in found], ensure_ascii=False
        )


class ClockPlugin:
    """The time."""

    @kernel_function(description="The current date and time")
    def now(self) -> str:
        """Give the time as a person reads it."""
        return f"{datetime.now(UTC):%A, %d %B %Y, %H:%M} UTC"
