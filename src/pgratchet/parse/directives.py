"""Directives: `-- pgratchet: key=value` lines in the comments at the top of a file, and `ignore` in any comment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

KNOWN = {
    "build_deadline": "How long one index build or `VALIDATE CONSTRAINT` of this file may take, as `90s`, `30min` or "
    "`2h`, its waits included; then it is cancelled, and its INVALID index dropped. The default is that of the run.",
    "lock_budget": "How long this file tries again for a lock, as `90s`, `30min` or `2h`; the default is that of "
    "the run.",
    "lock_timeout": "How long one try of this file may wait for a lock, as `200ms` or `2s`: so long the application "
    "may wait behind it; the default is that of the run.",
    "transaction": "`none` runs every statement on its own, as for a CALL of a procedure that commits; "
    "`auto`, the default, makes one transaction of all that PostgreSQL allows in one.",
}
"""Each key, and what it is for, in a sentence."""

VALUES = {"transaction": ("auto", "none")}
"""The values that a key can take, where they are few."""

_SPAN = (re.compile(r"[1-9][0-9]{0,5}(s|min|h)"), "90s, 30min or 2h")
FORMS = {
    "build_deadline": _SPAN,
    "lock_budget": _SPAN,
    "lock_timeout": (re.compile(r"[1-9][0-9]{0,5}(ms|s)"), "200ms or 2s"),
}
"""The form of a value that can be anything of it, and an example."""

_IGNORE = re.compile(r"\s*ignore\b(?!=)\s*([a-z0-9-]+(?:\s*,\s*[a-z0-9-]+)*)?\s*(.*)")
_LINE = re.compile(r"/\*.*?\*/|--[ \t]*pgratchet:([^\n\r]*)|--[^\n\r]*", re.DOTALL)


class Found(NamedTuple):
    """The text behind `-- pgratchet:`, and its line, counted from 0 in the text that it was found in."""

    text: str
    line: int
    column: int


class Wrong(Exception):
    """A directive says something that nobody knows."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def find(comments: str) -> Iterator[Found]:
    """Every directive among comments."""
    for match in _LINE.finditer(comments):
        if match.group(1) is not None:
            before = comments[: match.start()]
            yield Found(match.group(1), before.count("\n"), len(before) - before.rfind("\n"))


def ignored(text: str) -> tuple[tuple[str, ...], str] | None:
    """The rules that a directive takes back, and the reason that it gives; None for any other directive."""
    match = _IGNORE.fullmatch(text)
    if match is None:
        return None
    rules, reason = match.groups()
    if rules is None:
        raise Wrong("`ignore` names no rule", "Write -- pgratchet: ignore <rule>[, <rule>] <the reason>")
    return tuple(rule.strip() for rule in rules.split(",")), reason.strip()


def read(text: str) -> dict[str, str]:
    """The keys and values of one directive."""
    found: dict[str, str] = {}
    for item in text.split():
        key, equals, value = item.partition("=")
        if key not in KNOWN:
            raise Wrong(f"there is no directive {key!r}", _nearest(key, tuple(KNOWN), "directives"))
        if not equals or not value:
            raise Wrong(f"the directive {key} has no value", f"Write -- pgratchet: {key}=…")
        if key in VALUES and value not in VALUES[key]:
            raise Wrong(f"{key} cannot be {value!r}", _nearest(value, VALUES[key], "values"))
        if key in FORMS and not FORMS[key][0].fullmatch(value):
            raise Wrong(f"{key} cannot be {value!r}", f"Write it as {FORMS[key][1]}.")
        found[key] = value
    return found


def seconds(span: str) -> float:
    """What a value such as `30min` means."""
    number, unit = re.findall(r"\d+|\D+", span)
    return float(number) * {"s": 1, "min": 60, "h": 3600}[unit]


def _nearest(word: str, known: tuple[str, ...], what: str) -> str:
    import difflib

    near = difflib.get_close_matches(word, known, 1, 0.5)
    return (f"Did you mean {near[0]}? " if near else "") + f"The known {what}: {', '.join(known)}."
