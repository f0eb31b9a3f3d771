"""A rehearsal as text, as Markdown and as a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pgratchet import Answer, Rehearsal
from pgratchet.rehearsal import Part, Sample
from pgratchet.report import page, rehearsals
from tests.rehearsal.values import SEEN, VALUE

NOTHING = replace(
    VALUE,
    answer=Answer.GO,
    reasons=(),
    proofs=(),
    notes=(),
    findings=(),
    run=replace(VALUE.run, statements=(), blocked=(), workload=None),
)


class Page(HTMLParser):
    """What a browser finds: tags that are open at the end, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.tags.append(tag)
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("value", [VALUE, NOTHING])
def test_every_tag_of_the_page_is_closed_and_nothing_in_it_is_run(value: Rehearsal) -> None:
    found = Page(page.html(value))
    assert not found.open
    assert not {"script", "link", "img", "iframe"} & set(found.tags)


def test_the_page_shows_the_answer_first_and_all_that_it_draws_in_figures() -> None:
    found = Page(page.html(VALUE))
    words = found.words.partition("}\n")[2].rpartition("}")[2]
    assert words.split()[:2] == ["No", "go"]
    for figure in (
        "1,200",
        "5.0 MB",
        "-300 B",
        "not told",
        "1,990 ms",
        "AccessExclusiveLock",
        "rewrote public.users",
        "p50 0.4 ms, p99 2.5 ms, worst 12 ms of 900",
        "hnsw graph no longer fits",
        "seen-build",
    ):
        assert figure in words
    assert "<script>alert(1)</script>" in words
    assert found.tags.count("table") == 6
    assert "a note" in words


def test_reasons_with_one_place_and_one_safe_form_stand_together() -> None:
    assert [(where, found) for _, where, _, found in rehearsals.grouped(VALUE.reasons)] == [
        ("/m/V2__a<b.sql:3", ["reads of public.users blocked", "writes of public.users blocked"]),
        (None, ["without a place"]),
    ]


def test_the_text_has_each_reason_with_the_place_that_an_editor_opens() -> None:
    lines = rehearsals.text(VALUE).splitlines()
    assert lines[0] == "NO GO: V2__a<b.sql on a copy of shop (PostgreSQL 18)"
    assert "no go: /m/V2__a<b.sql:3: reads of public.users blocked" in lines
    assert lines.count("  safe form: Do it otherwise.") == 1


def test_no_cell_of_a_markdown_table_is_cut_by_what_is_in_it() -> None:
    text = rehearsals.markdown(VALUE)
    [_, row] = [line for line in text.splitlines() if "UPDATE users" in line]
    assert row.replace("\\|", "").count("|") == len(rehearsals.HEAD) + 1
    assert text.count("<details>") == text.count("</details>") == 4


def test_the_workload_and_what_check_says_otherwise_stand_in_text_and_markdown() -> None:
    for text in (rehearsals.text(VALUE), rehearsals.markdown(VALUE)):
        words = " ".join(text.replace("|", " ").split())
        assert "load.sql, 4 clients (pgbench 18)" in words
        assert "before the plan 900 0.4 ms 2.5 ms 12 ms" in words
        assert "7 1.8 s 2.0 s 2.0 s 1: column" in words
        assert "set-not-null was a warning, now a note: it looked through no table" in words
        assert "added: a build that no rule sees (built public.i)" in words
        assert "1 finding was seen to be so" in words
        assert "the session of the plan itself wrote 5 B in all" in words


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "0 B"), (999, "999 B"), (-1500, "-1.5 kB"), (2.5e6, "2.5 MB"), (3e12, "3000.0 GB")],
)
def test_sizes_are_said_as_people_say_them(number: float, told: str) -> None:
    assert rehearsals.size(number) == told


@pytest.mark.parametrize("form", [rehearsals.text, rehearsals.markdown, page.html])
def test_what_is_estimated_from_a_sample_is_marked_in_every_form(form: Callable[[Rehearsal], str]) -> None:
    sample = Sample(100, (Part("public.users", 100, 2000),))
    run = replace(VALUE.run, statements=(replace(SEEN, scaled=20.0),))
    text = form(replace(VALUE, copy=replace(VALUE.copy, way="sample", sample=sample), run=run))
    assert "estimated: 20 times what it took on the sample" in text
    assert "times and sizes of what worked on rows are scaled" in text
    assert "estimated: " not in form(VALUE)
