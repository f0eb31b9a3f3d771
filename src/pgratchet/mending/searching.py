"""Text search, collations and conversions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgratchet import sql
from pgratchet.mending.records import Said, Sides
from pgratchet.mending.wording import callee
from pgratchet.schema import Item

COVERS = {"definition"}
PARSER = ("START", "GETTOKEN", "END", "HEADLINE", "LEXTYPES")
TEMPLATE = ("INIT", "LEXIZE")
COLLATION_COVERS = {"provider", "nondeterministic", "sort order", "character types", "locale", "rules"}
CONVERSION_COVERS = {"from", "to", "function", "default"}
OPTION = re.compile(r'((?:"[^"]*"|[\w$]+)) = (E?\'(?:[^\']|\'\')*\')')


def make(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a parser, template, dictionary or configuration."""
    text = item.properties["definition"]
    head = f"CREATE {item.kind.upper()} {item.name}"
    if item.kind.endswith(("parser", "template")):
        names = PARSER if item.kind.endswith("parser") else TEMPLATE
        pairs = zip(names, text.split(", "), strict=True)
        yield f"{head} ({', '.join(f'{name} = {function}' for name, function in pairs if function != '-')})"
    elif item.kind.endswith("dictionary"):
        template, _, given = text.partition(", ")
        yield f"{head} (TEMPLATE = {template}{f', {given}' if given else ''})"
    else:
        parser, *_ = text.splitlines()
        yield f"{head} (PARSER = {parser})"
        for token, dictionaries in _mappings(item).items():
            yield f"ALTER {item.kind.upper()} {item.name} ADD MAPPING FOR {token} WITH {dictionaries}"


def drop(item: Item) -> Iterator[str]:
    """Drop whatever has no more than a name; a conversion, a collation."""
    yield f"DROP {item.kind.upper()} {item.name}"


def replaces(old: Item, new: Item, sides: Sides) -> bool:
    """Whether it is of another parser or template."""
    if not new.kind.endswith(("dictionary", "configuration")):
        return old.properties != new.properties
    was, now = (re.split(r", |\n", item.properties["definition"], maxsplit=1)[0] for item in (old, new))
    return was != now


def alter(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Change the options of a dictionary, or which dictionaries a configuration asks."""
    if old.properties.get("definition") == new.properties.get("definition"):
        return
    name = f"ALTER {new.kind.upper()} {new.name}"
    if new.kind.endswith("dictionary"):
        was, now = (dict(OPTION.findall(item.properties["definition"])) for item in (old, new))
        given = [f"{key} = {value}" for key, value in now.items() if was.get(key) != value]
        yield f"{name} ({', '.join([*given, *(key for key in was if key not in now)])})"
        return
    before, after = _mappings(old), _mappings(new)
    for token in sorted(before.keys() | after.keys()):
        if token not in after:
            yield f"{name} DROP MAPPING FOR {token}"
        elif before.get(token) != after[token]:
            yield f"{name} {'ALTER' if token in before else 'ADD'} MAPPING FOR {token} WITH {after[token]}"


def make_collation(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a collation."""
    has = item.properties
    words = [f"PROVIDER = {has['provider']}"]
    names = {"locale": "LOCALE", "sort order": "LC_COLLATE", "character types": "LC_CTYPE", "rules": "RULES"}
    words += [f"{word} = {sql.literal(has[name])}" for name, word in names.items() if name in has]
    words += ["DETERMINISTIC = false"] if "nondeterministic" in has else []
    yield f"CREATE COLLATION {item.name} ({', '.join(words)})"


def make_conversion(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a conversion."""
    has = item.properties
    default = "DEFAULT " if "default" in has else ""
    encodings = f"FOR {sql.literal(has['from'])} TO {sql.literal(has['to'])}"
    yield f"CREATE {default}CONVERSION {item.name} {encodings} FROM {callee(has['function'])}"


def _mappings(item: Item) -> dict[str, str]:
    """The dictionaries of each kind of token, in the order in which they are asked."""
    found: dict[str, str] = {}
    for line in item.properties["definition"].splitlines()[1:]:
        token, _, dictionary = line.partition(": ")
        found[token] = f"{found[token]}, {dictionary}" if token in found else dictionary
    return found
