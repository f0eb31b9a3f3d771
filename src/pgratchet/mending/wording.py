"""How SQL names an item and writes lists: the parts of names, addresses, lists that stand in a property."""

from __future__ import annotations

import re

from pgratchet import sql
from pgratchet.schema import Item

IDENTIFIER = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
RELATIONS = ("materialized view ", "foreign table ", "table ", "view ", "type ", "domain ")
ROUTINES = {"function", "procedure", "aggregate"}
ON_TABLE = {"constraint", "trigger", "rule", "policy"}


def bare(item: Item) -> str:
    """The last part of its name: a column's own, an index's without its schema."""
    place = relation(item) if item.kind in ON_TABLE or item.kind == "column" else item.schema
    return item.name.removeprefix(f"{place}.") if place else item.name


def relation(item: Item) -> str:
    """The name of the table, view or type that it belongs to."""
    parent = item.parent or ""
    return next((parent.removeprefix(word) for word in RELATIONS if parent.startswith(word)), parent)


def keyword(item: Item) -> str:
    """The kind of what it belongs to, as ALTER has it."""
    parent = item.parent or ""
    return next((word.strip().upper() for word in RELATIONS if parent.startswith(word)), "TABLE")


def of_view(item: Item) -> bool:
    """Whether it is a column that a query makes."""
    return item.kind == "column" and (item.parent or "").startswith(("view ", "materialized view "))


def address(item: Item) -> str:
    """The item as COMMENT ON and ALTER … OWNER TO name it."""
    if item.kind == "constraint":
        domain = "DOMAIN " if keyword(item) == "DOMAIN" else ""
        return f"CONSTRAINT {bare(item)} ON {domain}{relation(item)}"
    if item.kind in ON_TABLE:
        return f"{item.kind.upper()} {bare(item)} ON {relation(item)}"
    if item.kind in ROUTINES:
        return f"ROUTINE {item.name}"
    if item.kind == "operator":
        return f"OPERATOR {operator(item.name)}"
    if item.kind == "cast":
        return f"CAST ({' AS '.join(item.name.split(' as '))})"
    if item.kind == "transform":
        return "TRANSFORM " + re.sub("^for (.*) language (.*)$", r"FOR \1 LANGUAGE \2", item.name)
    if item.kind.startswith("operator "):
        return f"{item.kind.upper()} {' USING '.join(item.name.rsplit(' using ', 1))}"
    return f"{item.kind.upper()} {item.name}"


def operator(name: str) -> str:
    """`app.+(a,b)` as SQL wants it where operands follow: `app.+ (a, b)`."""
    sign, _, operands = name.partition("(")
    return f"{sign} ({', '.join(listed(operands.removesuffix(')'), ','))})"


def sign(name: str) -> str:
    """`app.+(a,b)` as SQL wants it without its operands."""
    return f"OPERATOR({name.partition('(')[0]})"


def callee(routine: str) -> str:
    """The name of a routine without its arguments."""
    return re.sub(r"\([^()]*\)$", "", routine)


def listed(text: str | None, divider: str = ", ") -> list[str]:
    """The entries of a list; a divider in quotes or in brackets divides nothing."""
    entries, start, depth, quoted, place = [], 0, 0, "", 0
    text = text or ""
    while place < len(text):
        letter = text[place]
        if quoted:
            quoted = "" if letter == quoted else quoted
        elif letter in "\"'":
            quoted = letter
        elif letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        elif not depth and text.startswith(divider, place):
            entries.append(text[start:place])
            place += len(divider)
            start = place
            continue
        place += 1
    return [entry.strip() for entry in [*entries, text[start:]] if entry.strip()]


def options(text: str | None) -> dict[str, str]:
    """`a=1, b=2` by key; a value may hold anything but what looks like the next key."""
    entries = re.split(r", (?=[\w.-]+=)", text) if text else []
    pairs = (entry.partition("=") for entry in entries)
    return {key: value for key, _, value in pairs}


def storage_options(text: str | None, prefix: str = "") -> list[str]:
    """Storage parameters as WITH and SET take them."""
    return [f"{prefix}{key} = {sql.literal(value).strip()}" for key, value in options(text).items()]


def set_options(old: str | None, new: str | None, prefix: str = "") -> list[str]:
    """`SET (…)` and `RESET (…)` that lead from the one list of storage parameters to the other."""
    was, now = options(old), options(new)
    changed = {key: value for key, value in now.items() if was.get(key) != value}
    gone = [f"{prefix}{key}" for key in was if key not in now]
    text = ", ".join(f"{key}={value}" for key, value in changed.items())
    return [
        *([f"SET ({', '.join(storage_options(text, prefix))})"] if changed else []),
        *([f"RESET ({', '.join(gone)})"] if gone else []),
    ]
