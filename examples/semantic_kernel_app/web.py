"""The service: a page that chats, and what it asks for."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field

from examples.semantic_kernel_app import conversation, history, limits, memory, services
from examples.semantic_kernel_app.conversation import Chat
from examples.semantic_kernel_app.settings import Settings
from examples.semantic_kernel_app.starting import started
from examples.semantic_kernel_app.tenancy import Person, find_person, working_for

PAGE = Path(__file__).parent / "page"
NEWEST = "SELECT max(version) FROM schema_migrations WHERE status = 'applied'"
WHO = """
SELECT users.display_name, tenants.tenant_name FROM users JOIN tenants USING (tenant_id)
WHERE tenant_id = %s AND user_id = %s
"""
REMEMBERED = """
SELECT content, collection_name FROM embeddings WHERE tenant_id = %s ORDER BY created_at DESC, key LIMIT 50
"""
# The page needs nothing from anywhere else.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Said(BaseModel):
    """A message, and the conversation that it belongs to; a new one where none is named."""

    text: Annotated[str, Field(min_length=1, max_length=4000)]
    conversation_id: UUID | None = None


def application(settings: Settings) -> FastAPI:
    """Make the service; its start migrates or waits, and fails where the application may not serve."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        model, embedding = services.models(settings)
        async with started(settings) as pool:
            stored = memory.memories(pool, embedding)
            app.state.settings = settings
            app.state.chat = Chat(pool, model, services.kernel_of(stored))
            yield

    app = FastAPI(title="Chat with memory", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.middleware("http")(_with_headers)
    app.get("/")(page)
    app.get("/health")(health)
    app.get("/api/me")(me)
    app.get("/api/conversations/{conversation_id}")(messages)
    app.post("/api/chat")(chat)
    app.mount("/page", StaticFiles(directory=PAGE))
    return app


async def person(request: Request) -> AsyncIterator[Person]:
    """Who asks, by API key; without one, the person of the demonstration, if the settings name one."""
    word, _, api_key = request.headers.get("Authorization", "").partition(" ")
    login = "" if word else request.app.state.settings.demo_login
    given = api_key.strip() if word.lower() == "bearer" else ""
    pool = request.app.state.chat.pool
    found = await find_person(pool, given, login) if given or login else None
    if found is None:
        raise HTTPException(401, "an API key is needed", {"WWW-Authenticate": "Bearer"})
    with working_for(found.tenant_id):
        yield found


Asking = Annotated[Person, Depends(person)]


async def page() -> FileResponse:
    """The page."""
    return FileResponse(PAGE / "index.html")


async def health(request: Request) -> dict[str, object]:
    """Whether the database answers, and its schema's version."""
    async with request.app.state.chat.pool.connection(timeout=3) as connection:
        row = await (await connection.execute(NEWEST)).fetchone()
    return {"status": "ok", "schema_version": row[0]}


async def me(request: Request, response: Response, asking: Asking) -> dict[str, object]:
    """Who asks, what is remembered for them, and what they may still use."""
    pool = request.app.state.chat.pool
    async with pool.connection() as connection:
        who = await (await connection.execute(WHO, [asking.tenant_id, asking.user_id])).fetchone()
        remembered = await (await connection.execute(REMEMBERED, [asking.tenant_id])).fetchall()
    return {
        "name": who[0] if who else "",
        "tenant": who[1] if who else "",
        "model": request.app.state.chat.model.ai_model_id,
        "memories": [{"content": content, "collection": collection} for content, collection in remembered],
        "limits": await _left(request, response, asking),
    }


async def messages(request: Request, conversation_id: UUID, asking: Asking) -> list[dict[str, str]]:
    """What was said in a conversation, as a person reads it."""
    async with request.app.state.chat.pool.connection() as connection:
        try:
            said = await history.load(connection, asking, conversation_id)
        except history.UnknownConversation:
            raise HTTPException(404, "there is no such conversation") from None
    spoken = ((message.role.value, history.text(message)) for message in said)
    return [{"role": role, "text": text} for role, text in spoken if role in {"user", "assistant"} and text]


async def chat(request: Request, response: Response, said: Said, asking: Asking) -> dict[str, object]:
    """Answer a message; 429 says when to come back."""
    try:
        turn = await conversation.take_turn(request.app.state.chat, asking, said.conversation_id, said.text)
    except history.UnknownConversation:
        raise HTTPException(404, "there is no such conversation") from None
    except history.Overtaken:
        raise HTTPException(409, "somebody else wrote to this conversation; ask again") from None
    except limits.Denied as denied:
        left = await limits.status(request.app.state.chat.pool, asking)
        fields = {**limits.retry_after(denied), **limits.headers(left, datetime.now(UTC))}
        raise HTTPException(429, str(denied), fields) from None
    return {**dataclasses.asdict(turn), "limits": await _left(request, response, asking)}


async def _left(request: Request, response: Response, asking: Person) -> list[dict[str, Any]]:
    left = await limits.status(request.app.state.chat.pool, asking)
    response.headers.update(limits.headers(left, datetime.now(UTC)))
    return [
        {"name": one.name, "unit": one.unit, "burst": one.burst, "remaining": one.remaining} for one in left
    ]


async def _with_headers(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await go_on(request)
    response.headers.update(HEADERS)
    return response
