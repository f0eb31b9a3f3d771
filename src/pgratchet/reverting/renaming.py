"""What a migration renamed: a comparison of schemas sees one thing go and another one come."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pgratchet import parse
from pgratchet.lint.tree import Node, strings
from pgratchet.reverting.reading import Found, texts
from pgratchet.schema import Item, Snapshot

NAME = r'(?:"(?:[^"]|"")+"|[^.(" ]+)'

CHECKS = ("NOT NULL", "CHECK", "FOREIGN KEY")


def renames(found: Sequence[Found], before: Snapshot, after: Snapshot) -> Mapping[str, str]:
    """What each item that was renamed is called before, by the title that it has after."""
    names: dict[str, str] = {}
    """Of every step, the new bare name and the old one, so that one renamed twice is followed."""
    pairs: dict[str, str] = {}
    for _, statement in found:
        for text in texts(statement):
            if re.search(r"(?i)\brename\b|\bset\s+schema\b", text) and (tree := parse.tree(text)):
                for old, new in _steps(tree):
                    names[new] = names.pop(old, old)
    there, here = ({item.title: item for item in side.items} for side in (before, after))
    gone = [item for title, item in there.items() if title not in here]
    come = [item for title, item in here.items() if title not in there]
    for new, old in names.items():
        for item in come:
            if (match := _before(item, new, old, gone, pairs)) is not None:
                pairs[item.title] = match.title
    return pairs


def alike(now: Snapshot, wanted: Snapshot) -> Mapping[str, str]:
    """Constraints that say the same under another name: by a name that is made up, when a table is made again."""
    there, here = ({item.title for item in side.items} for side in (now, wanted))
    come = [item for item in wanted.items if item.title not in there and _checks(item)]
    pairs = {}
    for item in now.items:
        if item.title not in here and _checks(item):
            same = [one for one in come if one.parent == item.parent and one.properties == item.properties]
            pairs.update({item.title: same[0].title} if len(same) == 1 else {})
    return pairs


def _checks(item: Item) -> bool:
    """Whether it is a constraint that has no index."""
    return item.kind == "constraint" and item.properties["definition"].startswith(CHECKS)


def _steps(tree: Node) -> Iterator[tuple[str, str]]:
    """The old and the new name, without schema and table; of SET SCHEMA, the name stays."""
    name, node = next(iter(tree.items()))
    if name == "RenameStmt":
        old = node.get("subname") or _last(node)
        if old:
            yield old, node["newname"]
    elif name == "AlterObjectSchemaStmt" and (old := _last(node)):
        yield old, old


def _last(node: Node) -> str:
    """The last part of the name of what a statement is about."""
    if "relation" in node:
        return str(node["relation"]["relname"])
    target = node.get("object", {})
    items = target.get("List", {}).get("items") or target.get("ObjectWithArgs", {}).get("objname")
    items = items or target.get("TypeName", {}).get("names") or [target]
    parts = strings(items)
    return parts[-1] if parts else ""


def _before(item: Item, new: str, old: str, gone: Sequence[Item], pairs: Mapping[str, str]) -> Item | None:
    """The one item that is gone and may be what this one was called before; of one table, if there are several."""
    if last(item) != new:
        return None
    alike = [
        other
        for other in gone
        if other.kind == item.kind and last(other) == old and _rest(other) == _rest(item)
    ]
    near = [other for other in alike if other.parent in {item.parent, pairs.get(item.parent or "")}]
    found = near if len(alike) > 1 else alike
    return found[0] if len(found) == 1 else None


def last(item: Item) -> str:
    """The last part of a name, without quotes and arguments."""
    plain = re.sub(r"(?s)\(.*$| using .*$", "", item.name)
    part = re.findall(NAME, plain)[-1] if re.findall(NAME, plain) else plain
    return part[1:-1].replace('""', '"') if part.startswith('"') else part


def _rest(item: Item) -> tuple[str, ...]:
    """What of a name stays when its last part changes: the arguments of a function."""
    return tuple(re.findall(r"(?s)\(.*$| using \w+$", item.name))
