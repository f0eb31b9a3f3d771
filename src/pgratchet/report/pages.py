"""The page of a rule, and the list of all, as Markdown: what `explain` prints and the docs hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pgratchet.lint import Rule


def page(rule: Rule) -> str:
    """Everything about a rule."""
    return "\n".join(_lines(rule)) + "\n"


def listed(rules: Sequence[Rule]) -> str:
    """A line for each rule, by family."""
    lines = []
    for family, members in families(rules):
        lines += [f"{family}:", *(f"  {rule.id:<30} {rule.title}" for rule in members), ""]
    return "\n".join([*lines, "`pgratchet explain RULE` says more of one."])


def families(rules: Sequence[Rule]) -> Iterator[tuple[str, list[Rule]]]:
    """The rules by their families, in the order of their names."""
    for family in sorted({rule.family for rule in rules}):
        yield family, [rule for rule in rules if rule.family == family]


def _lines(rule: Rule) -> Iterator[str]:
    yield from (f"# {rule.id}", "", f"{rule.title}.", "", rule.why)
    facts = {
        "severity": f"{rule.severity.value}{f'; for {rule.target}, where it is an error' if rule.target else ''}",
        "family": rule.family,
        "lock": rule.lock,
    }
    yield from ("", *(f"- {name}: {text}" for name, text in facts.items() if text))
    yield from ("", "## What to do", "", *_sql_or_words(rule.safe))
    if rule.bad:
        yield from ("", "## Found", "", *_sql(rule.bad), "", "## Not found", "", *_sql(rule.good))
    if rule.setup:
        yield from ("", "Both where there is:", "", *_sql(rule.setup))
    if rule.on:
        waiver = f"-- pgratchet: ignore {rule.id} <the reason>"
        yield from (
            "",
            "## To take it back",
            "",
            "Before the statement, or above the first one for the whole file:",
        )
        yield from ("", *_sql(waiver))


def _sql_or_words(text: str) -> list[str]:
    return _sql(text) if text.rstrip().endswith(";") else [text]


def _sql(text: str) -> list[str]:
    return ["```sql", text.strip("\n"), "```"]
