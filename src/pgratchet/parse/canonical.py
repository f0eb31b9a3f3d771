"""A hash of what a file says: of its tokens, in one spelling for all texts that have the same.

Comments, white space and the case of what is not quoted do not count; every token does. It is made
without the grammar, so that it is the same whatever the parser knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from pgratchet.parse import lexical

if TYPE_CHECKING:
    import hashlib

_NAME = lexical.NAME
_OPERATOR = rb"~!@#^&|`?+\-*/%<>="
_STRING = rb"[^']*+(?>(?:''[^']*+)*)'"
_QUOTED = rb"|".join(
    (
        rb"'(?<![eE]')" + _STRING,
        rb'"[^"]*+(?>(?:""[^"]*+)*)"',
        rb"\$(?<!["
        + _NAME
        + rb"]\$)(?P<tag>(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*+)?)\$.*?\$(?P=tag)\$",
        rb"/\*\+" + lexical.BLOCK_COMMENT.removeprefix(rb"/\*"),
        lexical.ESCAPE_STRING,
        rb"'(?<=[" + _NAME + rb"][eE]')" + _STRING,
    )
)
_PLAIN_COMMENT = lexical.LINE_COMMENT + rb"|" + lexical.BLOCK_COMMENT
# NUL stands for a string, \6 for any other quoted part, \1 for one with a prefix: of names U& is the only one.
_PREFIXED = (
    rb"[\0\6](?:(?<=[ebxn]\0)(?<![" + _NAME + rb"][ebxn]\0)|(?<=u&[\0\6])(?<![" + _NAME + rb"]u&[\0\6]))"
)
_PREFIXES = (b"e\0", b"b\0", b"x\0", b"n\0", b"u&")
# `=-1` is `=` and `-1`: an operator of these characters alone never ends with a sign.
_SIGNED = rb"[*/<>=+\-][+\-]"
_SIGNS = rb"(?<![" + _OPERATOR + rb"])[*/<>=+\-]++(?<=.[+\-])(?![" + _OPERATOR + rb"])"
# Without the space these would be one token: two words, two operators, 1 .5, 1. 5, : :, 'a' 'b'.
_NEEDLESS = (
    rb" (?!(?<=[" + _NAME + rb"] )[" + _NAME + rb"]|(?<=[" + _OPERATOR + rb"] )[" + _OPERATOR + rb"]"
    rb"|(?<=[0-9] )\.|(?<=\. )[0-9.]|(?<=: )[:=]|(?<=[\0\6] )[\0\6])"
)

_AT_ONCE = 1 << 16


def _hash(content: bytes = b"") -> hashlib.blake2b:
    import hashlib  # not before there is something to hash

    return hashlib.blake2b(content, digest_size=32)


@cache
def _pattern(text: bytes) -> re.Pattern[bytes]:
    return re.compile(text, re.DOTALL)


class Digest:
    """Takes statements and the data of COPY in the order of the file, and a good many at a time."""

    def __init__(self) -> None:
        self._spelling = _hash()
        self._quotes = _hash()
        self._data = _hash()
        self._cut = b""
        """A carriage return at the end of the last piece: a line end may follow."""
        self._held: list[bytes] = []
        self._size = 0

    def statement(self, text: bytes, *, with_data: bool = False) -> None:
        """Add a statement; the data that was given since the last one is its own."""
        plain, quoted = _parts(text)
        self._held.append(plain)
        self._quotes.update(quoted)
        if with_data:
            self._data.update(self._cut)
            self._quotes.update(self._data.digest())
            self._cut = b""
        self._size += len(plain)
        if self._size >= _AT_ONCE:
            self._spell()

    def data(self, piece: bytes) -> None:
        """Add a piece of data; a line end counts the same with a carriage return and without."""
        if self._cut or b"\r" in piece:
            piece = self._cut + piece
            self._cut = piece[-1:] if piece.endswith(b"\r") else b""
            piece = piece.removesuffix(b"\r").replace(b"\r\n", b"\n")
        self._data.update(piece)

    def hexadecimal(self) -> str:
        """What it all comes to."""
        self._spell()
        return _hash(self._spelling.digest() + self._quotes.digest()).hexdigest()

    def _spell(self) -> None:
        for_all = b"".join(plain + b"\4" for plain in self._held)
        self._spelling.update(_spelt(for_all))
        self._held.clear()
        self._size = 0


def _parts(text: bytes) -> tuple[bytes, bytes]:
    """The text with a NUL in place of each quoted part, and those parts.

    Most statements have no quotes but ' and no comments: there every second part is a string, and is given
    without its quotes. In the other way each part begins with its own, so no two statements come to the same.
    """
    text = text.replace(b"\r\n", b"\n")
    parts = text.split(b"'")
    plain = b"\0".join(parts[::2])
    if b"--" in plain or b"/*" in plain:
        text = _uncommented(text)
        parts = text.split(b"'")
        plain = b"\0".join(parts[::2])
    escapes = b"\\" in text and (b"e\0" in plain or b"E\0" in plain)
    if not (escapes or b'"' in plain or b"$" in plain or b"/*" in plain):
        return plain, b"'".join(parts[1::2]) + b"\0"
    if b"--" in text or b"/*" in text:
        text = _uncommented(text)
    found = _pattern(rb"(" + _QUOTED + rb")").split(text)
    quoted = found[1::3]
    found[1::3] = [b"\0" if part.startswith(b"'") else b"\6" for part in quoted]
    del found[2::3]
    return b"".join(found), b"\0".join(quoted) + b"\0"


def canonical(text: bytes) -> bytes:
    """Spell a statement so that two texts get the same spelling if and only if their tokens are the same."""
    plain, quoted = _parts(text)
    return _spelt(plain) + quoted


def spelling(text: bytes) -> str:
    """The tokens of a statement in lower case, with a NUL in place of each quoted part."""
    plain, _ = _parts(text)
    return _spelt(plain).replace(b"\6", b"\0").decode()


def comments(text: str) -> Iterator[tuple[str, int, int]]:
    """Every comment in a statement, with its line and column in it, from 1."""
    content = text.encode()
    for match in _pattern(rb"(" + _QUOTED + rb")|" + _PLAIN_COMMENT).finditer(content):
        if match.group(1) is None:
            before = content[: match.start()].decode()
            yield match.group().decode(), before.count("\n") + 1, len(before) - before.rfind("\n")


def _uncommented(text: bytes) -> bytes:
    """Put a space in place of each comment that is not a hint."""
    comments = _pattern(rb"(" + _QUOTED + rb")|" + _PLAIN_COMMENT)
    return comments.sub(lambda match: match.group(1) or b" ", text)


def _spelt(plain: bytes) -> bytes:
    """Lower case, with no more spaces than it takes to keep tokens apart."""
    plain = plain.lower().replace(b", ", b",")
    plain = b" ".join(plain.split()).replace(b" (", b"(").replace(b") ", b")")
    if (b"-" in plain or b"+" in plain) and _pattern(_SIGNED).search(plain):
        plain = _pattern(_SIGNS).sub(lambda match: _apart(match.group()), plain)
    # A prefix is one with its string only where no space stands between them.
    if any(prefix in plain for prefix in _PREFIXES):
        plain = _pattern(_PREFIXED).sub(b"\1", plain)
    return _pattern(_NEEDLESS).sub(b"", plain)


def _apart(operators: bytes) -> bytes:
    head = operators.rstrip(b"+-")
    signs = [operators[at : at + 1] for at in range(len(head), len(operators))]
    return b" ".join([head, *signs] if head else signs)
