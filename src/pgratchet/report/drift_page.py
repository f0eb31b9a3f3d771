"""Drift as one page of HTML that needs nothing else: read in a browser, on a phone, on paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from html import escape
from importlib.resources import files

from pgratchet.mending import Proposal
from pgratchet.report.differences import WORDS, written
from pgratchet.report.text import count
from pgratchet.schema import Action, Change, Drift, outermost

# A shape of its own for each: colour alone says nothing to some.
SIGNS = {Action.ADDED: "+", Action.REMOVED: "−", Action.CHANGED: "≠"}
MEANINGS = {
    Action.ADDED: "it is there, and no migration makes it",
    Action.REMOVED: "the migrations make it, and it is not there",
    Action.CHANGED: "it is not as the migrations make it",
}
DEFAULT = '<span class="soft">default</span>'
PARENTS = ("materialized view ", "foreign table ", "table ", "view ", "type ", "domain ")


def html(value: Drift, proposal: Proposal | None = None) -> str:
    """The whole page; with the file that was proposed, where there is one."""
    style = files("pgratchet.report").joinpath("drift.css").read_text(encoding="utf-8")
    name = escape(_title(value))
    body = "\n".join([*_head(value), *_groups(value), *(_file(proposal) if proposal else ()), *_foot(value)])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>"
    )


def _title(value: Drift) -> str:
    number = len(outermost(value.changes))
    return f"{count(number, 'difference')} from what the migrations make" if number else "No drift"


def _head(value: Drift) -> Iterator[str]:
    yield f'<h1 class="{"stop" if value.changes else "go"}">{escape(_title(value))}</h1>'
    version = "before any version" if value.version is None else f"at version {value.version}"
    yield f'<p class="soft">The schema of the database beside the one that its own history makes, {version}.</p>'
    yield from (f'<p class="note">{escape(note)}</p>' for note in value.notes)
    numbers = Counter(change.action for change in outermost(value.changes))
    if not numbers:
        return
    yield '<div class="figures">'
    for action, word in WORDS.items():
        said = f"<b>{_sign(action)} {numbers[action]} {word}</b>"
        yield f'<div class="card">{said}<span class="small soft">{MEANINGS[action]}</span></div>'
    yield "</div>"


def _groups(value: Drift) -> Iterator[str]:
    """A card for each table, view or other thing, with all that is another in it."""
    groups: dict[str, list[Change]] = {}
    for change in value.changes:
        groups.setdefault(change.item.parent or change.item.title, []).append(change)
    for title in sorted(groups):
        yield f'<section class="card"><h2><span class="soft">{_kind(title)}</span> <code>{_name(title)}</code></h2>'
        yield "<table><tbody>"
        yield from (row for change in groups[title] for row in _row(change, title))
        yield "</tbody></table></section>"


def _row(change: Change, title: str) -> Iterator[str]:
    item = change.item
    whole = item.title == title
    what = "" if whole and change.property else escape(item.title.removeprefix(f"{_kind(title)} "))
    if not whole:
        place = next((title.removeprefix(word) for word in PARENTS if title.startswith(word)), "")
        name = escape(item.name.removeprefix(f"{place}."))
        what = f'<span class="soft">{escape(item.kind)}</span> <code>{name}</code>'
    elif not change.property:
        what = "all of it"
    yield f'<tr><td class="sign">{_sign(change.action)}</td><td>{what}'
    yield f" {escape(change.property)}</td>" if change.property else "</td>"
    yield f"<td>{_values(change)}</td></tr>"


def _values(change: Change) -> str:
    if change.property is None:
        shown = [
            f"{name}: {text}"
            for name, text in change.item.properties.items()
            if name not in {"owner", "grants"}
        ]
        text = "\n".join(shown)
        return (
            f"<details><summary>{WORDS[change.action]}</summary><pre>{escape(text)}</pre></details>"
            if text
            else ""
        )
    old, new = change.old or "", change.new or ""
    if "\n" in old + new:
        return f"<pre>{''.join(_lines(old.splitlines(), new.splitlines()))}</pre>"
    return (
        f'<del>{escape(old) or DEFAULT}</del> <span class="soft">→</span> <ins>{escape(new) or DEFAULT}</ins>'
    )


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    for tag, i, j, m, n in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from (f"  {escape(line)}\n" for line in new[m:n])
            continue
        yield from (f"<del>- {escape(line)}</del>\n" for line in old[i:j])
        yield from (f"<ins>+ {escape(line)}</ins>\n" for line in new[m:n])


def _file(proposal: Proposal) -> Iterator[str]:
    yield "<h2>The file that takes it away</h2>"
    yield from (f"<p>{escape(line)}</p>" for line in written(proposal))
    if proposal.mending.statements:
        statements = "\n\n".join(f"{statement};" for statement in proposal.mending.statements)
        yield f'<pre class="card">{escape(statements)}</pre>'


def _foot(value: Drift) -> Iterator[str]:
    yield (
        '<p class="soft small">On the left of an arrow stands what the migrations make, on the right what is there. '
        f"Schema {value.fingerprint[:16]}.</p>"
    )


def _kind(title: str) -> str:
    words = (word for word in PARENTS if title.startswith(word))
    return escape(next(words, title.partition(" ")[0]).strip())


def _name(title: str) -> str:
    return escape(title.removeprefix(_kind(title)).strip())


def _sign(action: Action) -> str:
    return f'<span class="{action.value}" aria-label="{WORDS[action]}">{SIGNS[action]}</span>'
