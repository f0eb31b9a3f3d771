"""The page of a rehearsal, in Debian's chromium: nothing is said on the console, nothing loaded, all of it named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from pgratchet.report import page as report
from tests.rehearsal.values import VALUE

pytestmark = pytest.mark.chromium
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]
# A name without a place to break is what makes a page too wide.
LONG = replace(VALUE.run.blocked[0], table="public." + "a_very_long_name_" * 6)
WIDE = replace(VALUE, run=replace(VALUE.run, blocked=(*VALUE.run.blocked, LONG)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start it once."""
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET, timeout=120_000)
        yield started
        started.close()


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """Give the page; in the end its console must have been silent."""
    path = tmp_path / "rehearsal.html"
    path.write_text(report.html(WIDE), encoding="utf-8")
    said: list[str] = []
    asked: list[str] = []
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    yield page
    page.close()
    assert said == []
    assert asked == [path.as_uri()]


def test_the_time_line_has_the_statements_and_each_table_by_name(shown: Page) -> None:
    line = shown.get_by_role("region", name="Locks over time")
    names = [item.get_attribute("aria-label") or "" for item in line.get_by_role("img").all()]
    assert names[0] == "1 statement in 2.1 s"
    assert [name.partition(";")[0] for name in names[1:]] == sorted(["public.users", LONG.table])
    assert "public.users; blocks reads and writes for 2.0 s from 10 ms on" in names[-1]
    assert line.locator("rect.work title").all_text_contents() == [
        "V2__a<b.sql:3 UPDATE users SET a = '|' || b * 2 WHERE a < b: 1.5 s"
    ]


def test_a_reader_meets_the_answer_first_and_every_part_by_its_heading(shown: Page) -> None:
    told = shown.locator("body").aria_snapshot()
    assert told.index("No go") < told.index("heading ")
    assert re.findall(r'heading "(.+)" \[level=2\]', told) == [
        "Locks over time",
        "Statements",
        "Blocked time",
        "Workload",
        "Findings of check",
        "In figures",
        "Every lock that blocks somebody",
        "Every table that was blocked",
        "Proofs",
        "How far this goes",
    ]
    assert "img:" not in told
    assert not re.search(r"- img$", told, re.MULTILINE)


def test_the_tab_key_goes_through_the_tables_in_their_order(shown: Page) -> None:
    names = []
    for _ in range(7):
        shown.keyboard.press("Tab")
        names.append(shown.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert names == [
        "Transactions of the workload",
        "Findings of check, and what was seen",
        "Every statement",
        "Every lock that blocks somebody",
        "Every table that was blocked",
        "Proofs",
        None,
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_its_words_stand_out_from_the_ground(shown: Page, scheme: str) -> None:
    shown.set_viewport_size({"width": 320, "height": 640})
    shown.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert shown.evaluate("document.documentElement.scrollWidth") == 320
    for place in (".answer", "h1", "p.soft", ".value", "thead th", ".reasons .soft"):
        assert contrast(shown, place) >= 4.5, place


def contrast(page: Page, place: str) -> float:
    """Give the contrast of a text to the page's ground, as WCAG counts it."""
    colours = page.locator(place).first.evaluate(
        "item => [getComputedStyle(item).color, getComputedStyle(document.body).backgroundColor]"
    )
    one, other = sorted(map(luminance, colours))
    return (other + 0.05) / (one + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
