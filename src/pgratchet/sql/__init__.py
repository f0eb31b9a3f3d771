"""SQL longer than three lines, one statement a file, and its loader."""

from __future__ import annotations

from functools import cache
from os.path import dirname


def load(resource: str, **identifiers: str) -> str:
    """The text of `<resource>.sql`; each `{name}` in it becomes an identifier, quoted.

    A value may be a qualified name: its parts are divided by a NUL, which no identifier can hold.
    """
    quoted = {key: qualified(*value.split("\0")) for key, value in identifiers.items()}
    return _text(resource).format_map(quoted)


def quote(identifier: str) -> str:
    """An identifier as SQL writes it, always in quotes."""
    return '"' + identifier.replace('"', '""') + '"'


def qualified(*parts: str) -> str:
    """A qualified name, each part quoted."""
    return ".".join(quote(part) for part in parts)


def literal(text: str) -> str:
    """A string as SQL writes it, the same under every setting of `standard_conforming_strings`."""
    escaped = text.replace("'", "''")
    return f" E'{escaped.replace(chr(92), chr(92) * 2)}'" if "\\" in text else f"'{escaped}'"


@cache
def _text(resource: str) -> str:
    with open(f"{dirname(__file__)}/{resource}.sql", encoding="utf-8") as file:
        return file.read()
