"""The service answers under the limits of the caller's plan, and says over HTTP what is left of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from fastapi.testclient import TestClient
from semantic_kernel.contents import ChatMessageContent

from examples.semantic_kernel_app import limits
from examples.semantic_kernel_app.offline import OfflineChat
from examples.semantic_kernel_app.web import application
from tests.database.support import rows, value
from tests.examples.support import ADA, LENA, settings_for
from tests.servers import Database

pytestmark = pytest.mark.one_version
QUESTION = {"text": "When does the shop open on holidays?"}


def plan(database: Database, *rules: tuple[str, str, int, str]) -> None:
    """Give Ada's tenant a plan with these limits (name, unit, amount, period)."""
    owner = database.connect()
    owner.execute("INSERT INTO plans VALUES ('tested', 'for a test')")
    for name, unit, amount, period in rules:
        owner.execute(
            "INSERT INTO rate_limits VALUES ('tested', %s, %s, 'subject', %s, %s, %s)",
            [name, unit, amount, period, amount],
        )
    owner.execute("UPDATE tenants SET plan_code = 'tested' WHERE tenant_id = %s", [ADA.tenant_id])


def left(database: Database, limit: str) -> Any:
    owner = database.connect(options=f"-c app.tenant_id={ADA.tenant_id}")
    return value(
        owner,
        "SELECT remaining FROM rate_limit_status(%s, %s) WHERE limit_name = %s",
        ADA.tenant_id,
        ADA.subject,
        limit,
    )


def test_the_answer_is_429_after_exactly_the_allowance_and_says_when_to_come_back(seeded: Database) -> None:
    plan(seeded, ("requests_per_day", "requests", 3, "1 day"), ("tokens_per_day", "tokens", 100000, "1 day"))
    with TestClient(application(settings_for(seeded))) as client:
        answers = [client.post("/api/chat", json=QUESTION) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    refused = answers[-1]
    assert 8 * 3600 - 120 < int(refused.headers["Retry-After"]) <= 8 * 3600
    assert '"requests_per_day";q=3;qu="requests";w=86400' in refused.headers["RateLimit-Policy"]
    assert '"requests_per_day";r=0;t=' in refused.headers["RateLimit"]
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers[:3]] == ["r=2", "r=1", "r=0"]
    assert refused.json()["detail"] == "the limit requests_per_day is used up"
    codes = "SELECT status_code, count(*) FROM api_usage WHERE endpoint = '/api/chat' GROUP BY 1 ORDER BY 1"
    assert rows(seeded.connect(), codes) == [(200, 3), (429, 2)]


def test_tokens_are_charged_as_they_were_used_and_not_as_estimated(seeded: Database) -> None:
    plan(seeded, ("tokens", "tokens", 10000, "31 days"))
    with TestClient(application(settings_for(seeded))) as client:
        turn = client.post("/api/chat", json=QUESTION).json()
    used = turn["prompt_tokens"] + turn["completion_tokens"]
    assert used > 0
    assert left(seeded, "tokens") == 10000 - used
    stored = "SELECT sum(prompt_tokens + completion_tokens) FROM messages WHERE conversation_id = %s"
    assert value(seeded.connect(), stored, turn["conversation_id"]) == used
    counted = "SELECT prompt_tokens + completion_tokens FROM api_usage WHERE conversation_id = %s"
    assert value(seeded.connect(), counted, turn["conversation_id"]) == used


def test_a_turn_that_fails_gives_its_tokens_back_and_leaves_no_message(
    seeded: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> list[ChatMessageContent]:
        raise RuntimeError("the model is out of order")

    plan(seeded, ("tokens", "tokens", 5000, "31 days"), ("places", "concurrent", 1, "1 hour"))
    monkeypatch.setattr(OfflineChat, "_inner_get_chat_message_contents", fail)
    before = value(seeded.connect(), "SELECT count(*) FROM messages")
    with TestClient(application(settings_for(seeded)), raise_server_exceptions=False) as client:
        assert [client.post("/api/chat", json=QUESTION).status_code for _ in range(2)] == [500, 500]
    assert left(seeded, "tokens") == 5000
    assert left(seeded, "places") == 1
    assert value(seeded.connect(), "SELECT count(*) FROM messages") == before


def test_more_at_once_than_there_are_places_is_refused_and_costs_no_tokens(
    seeded: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(seeded, ("places", "concurrent", 1, "1 hour"), ("tokens", "tokens", 10000, "31 days"))
    entered, leave = asyncio.Event(), asyncio.Event()
    answer = OfflineChat._inner_get_chat_message_contents

    async def held(self: OfflineChat, *given: Any) -> list[ChatMessageContent]:
        entered.set()
        await leave.wait()
        return await answer(self, *given)

    monkeypatch.setattr(OfflineChat, "_inner_get_chat_message_contents", held)

    async def both() -> tuple[int, int]:
        import httpx

        app = application(settings_for(seeded))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,
        ):
            first = asyncio.create_task(client.post("/api/chat", json=QUESTION))
            await entered.wait()
            second = await client.post("/api/chat", json=QUESTION)
            assert 0 < int(second.headers["Retry-After"]) <= 3600
            leave.set()
            return (await first).status_code, second.status_code

    assert asyncio.run(both()) == (200, 429)
    used = "SELECT prompt_tokens + completion_tokens FROM api_usage WHERE endpoint = '/api/chat' AND status_code = 200"
    assert left(seeded, "tokens") == 10000 - value(seeded.connect(), used)


def test_a_conversation_goes_on_where_it_was_and_remembers_for_the_next_one(seeded: Database) -> None:
    with TestClient(application(settings_for(seeded))) as client:
        first = client.post("/api/chat", json={"text": "Remember that Okafor comes on Friday."}).json()
        assert first["calls"] == ["memory-remember"]
        here = {"conversation_id": first["conversation_id"]}
        second = client.post("/api/chat", json={"text": "What time is it?", **here}).json()
        assert second["calls"] == ["time-now"]
        third = client.post("/api/chat", json={"text": "When does Okafor come?"}).json()
        spoken = client.get(f"/api/conversations/{first['conversation_id']}").json()
    assert third["conversation_id"] != first["conversation_id"]
    assert third["recalled"][0]["content"] == "Okafor comes on Friday."
    assert "Okafor comes on Friday." in third["answer"]
    assert [one["role"] for one in spoken] == ["user", "assistant"] * 2
    roles = "SELECT array_agg(role ORDER BY seq) FROM messages WHERE conversation_id = %s"
    turn = ["user", "assistant", "tool", "assistant"]
    assert value(seeded.connect(), roles, first["conversation_id"]) == ["developer", *turn, *turn]


def test_an_api_key_finds_its_person_and_nothing_else_does(seeded: Database) -> None:
    seeded.connect().execute(
        "INSERT INTO api_keys (key_hash, tenant_id, user_id, key_name, key_prefix, scopes) "
        "VALUES (%s, %s, %s, 'test', 'sk-', '{chat}')",
        [sha256(b"sk-lena").digest(), LENA.tenant_id, LENA.user_id],
    )
    with TestClient(application(settings_for(seeded, demo_login=""))) as client:
        given = ["", "Bearer", "Bearer wrong", "Basic sk-lena", "Bearer sk-lena"]
        answers = [client.get("/api/me", headers={"Authorization": word} if word else {}) for word in given]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 200]
        assert answers[-1].json()["name"] == "Lena Vogt"
        assert {one["collection"] for one in answers[-1].json()["memories"]} == {"notes"}
        of_ada = "0d000000-0000-7000-8000-000000000101"
        theirs = client.get(f"/api/conversations/{of_ada}", headers={"Authorization": "Bearer sk-lena"})
        assert theirs.status_code == 404
        asked = {**QUESTION, "conversation_id": of_ada}
        assert (
            client.post("/api/chat", json=asked, headers={"Authorization": "Bearer sk-lena"}).status_code
            == 404
        )


def test_the_fields_of_the_answer_round_up_so_that_nobody_comes_back_too_early() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    one = limits.Limit("a", "requests", 10, timedelta(minutes=1), 4, now + timedelta(seconds=35.2))
    assert limits.headers([one], now) == {
        "RateLimit-Policy": '"a";q=10;qu="requests";w=60',
        "RateLimit": '"a";r=4;t=36',
    }
    assert limits.headers([], now) == {}
    assert limits.retry_after(limits.Denied("a", timedelta(seconds=0.2))) == {"Retry-After": "1"}
    assert limits.retry_after(limits.Denied("a", timedelta(seconds=1.5))) == {"Retry-After": "2"}
    assert limits.retry_after(limits.Denied("a", None)) == {}
