"""The page, in Debian's chromium: a message is typed, an answer is seen, and nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.examples.support import await_health, free_port, process
from tests.servers import Database

pytestmark = [pytest.mark.one_version, pytest.mark.chromium]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
expect.set_options(timeout=60_000)  # how slow the machine is, is not what is tested
PAGE = Path(__file__).parent.parent.parent / "examples" / "semantic_kernel_app" / "page"


@dataclass(frozen=True)
class Seen:
    """A page, what its console said, and what it asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def seen(seeded: Database, tmp_path: Path) -> Iterator[Seen]:
    """Give the page in a browser of its own, opened and filled."""
    port, log = free_port(), tmp_path / "service.log"
    # Nothing comes back while the test runs, however slow the machine is.
    seeded.connect().execute("UPDATE rate_limits SET period = '1 day' WHERE unit = 'requests'")
    with process(seeded.url, port, log, DEMO_LOGIN="ada@harbour.example") as running:
        await_health(running, port, log)
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
            opened = Seen(browser.new_page(viewport={"width": 390, "height": 780}))
            opened.page.set_default_timeout(60_000)
            opened.page.on("console", lambda message: opened.said.append(message.text))
            opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
            opened.page.on("request", lambda request: opened.asked.append(request.url))
            opened.page.goto(f"http://127.0.0.1:{port}/")
            expect(opened.page.locator("#count")).to_have_text("(6)")
            yield opened
            browser.close()


def test_a_typed_message_is_answered_remembered_and_there_again_after_a_reload(seen: Seen) -> None:
    page = seen.page
    page.get_by_label("Your message").fill("Remember that Okafor comes on <b>Friday</b>.")
    page.get_by_label("Your message").press("Enter")
    expect(page.locator("#messages .assistant")).to_contain_text(
        "I will remember this: Okafor comes on <b>Friday</b>."
    )
    expect(page.locator("#memories")).to_contain_text("Okafor comes on <b>Friday</b>.")
    expect(page.locator("#count")).to_have_text("(7)")
    expect(page.locator("#limits")).to_contain_text("59 of 60")
    page.reload()
    expect(page.locator("#messages .user")).to_contain_text("Okafor comes on")
    page.get_by_role("button", name="New chat").click()
    page.get_by_role("button", name="When does Okafor come?").click()
    expect(page.locator("#messages .assistant")).to_contain_text("As far as I remember: Okafor comes on")
    expect(page.locator("#memories .used")).to_have_count(1)
    assert seen.said == []
    origins = {re.match(r"\w+:(//[^/]*)?", url)[0] for url in seen.asked}  # type: ignore[index]
    assert origins - {"data:"} == {page.url.rstrip("/")}


def test_a_refusal_is_told_on_a_phone_in_the_dark_and_what_was_typed_is_not_lost(
    seen: Seen, seeded: Database
) -> None:
    seeded.connect().execute("UPDATE rate_limits SET amount = 1, burst = 1 WHERE unit = 'requests'")
    page = seen.page
    page.set_viewport_size({"width": 320, "height": 640})
    page.emulate_media(color_scheme="dark")
    for text in ("What time is it?", "What day is it?"):
        page.get_by_label("Your message").fill(text)
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("button", name="Send")).to_be_enabled()
    expect(page.get_by_role("alert")).to_contain_text("is used up; try again in")
    expect(page.get_by_label("Your message")).to_have_value("What day is it?")
    expect(page.locator("#messages .user")).to_have_count(1)
    expect(page.locator("body")).to_have_css("background-color", "rgb(20, 24, 26)")
    for part in (
        page.locator("main"),
        page.get_by_label("Your message"),
        page.get_by_role("button", name="Send"),
    ):
        box = part.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
        assert box["y"] + box["height"] <= 640


def test_no_file_of_the_page_names_another_host() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PAGE.iterdir())
    assert re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]+", text.replace("http://www.w3.org/2000/svg", "")) == []
