"""File names and contents: what a name says, what it should have been, and a content's checksum.

Every start of a container pays for this module: it imports nothing that most starts do not use.
"""

from __future__ import annotations

import os
import re
from collections import namedtuple
from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

GREATEST_VERSION = 2**63 - 1
PIECE = 1 << 16
FEW = 3
"""As many files are told by their names."""
BOM = b"\xef\xbb\xbf"
LOCK = "migrations.lock"
"""The file of the folder that says what each migration holds; `integrity` reads and writes it."""

NAME = re.compile(r"(?:([VB])([0-9]+)|R)__([a-z0-9]+(?:_[a-z0-9]+)*)\.sql")
LOOSE = re.compile(r"(?i)([a-z]*)([-_ .]*)([0-9]+(?:[._][0-9]+)*)?(.*?)(\.(?:pg|p)?sql)?")
PREFIXES = {"B": "B", "BASE": "B", "BASELINE": "B", "R": "R", "REPEAT": "R", "REPEATABLE": "R"}
PREFIXES |= dict.fromkeys(("", "V", "VER", "VERSION", "MIGRATION"), "V")


class Name(namedtuple("Name", ("prefix", "version", "description"))):
    """What a file's name says; `prefix` is V, B or R, and `version` is None for R alone."""

    __slots__ = ()
    prefix: str
    version: int | None
    description: str


def read(name: str) -> Name | None:
    """The parts of a good name, or None."""
    match = NAME.fullmatch(name)
    if match is None:
        return None
    version = int(match[2]) if match[2] else None
    if version is not None and version > GREATEST_VERSION:
        return None
    return Name(match[1] or "R", version, match[3])


def ignored(name: str) -> bool:
    """Whether a folder of migrations may hold this beside them: README.md, migrations.lock and dot-files."""
    return name.startswith(".") or name == LOCK or name.lower() == "readme.md"


def few(scripts: Sequence[str]) -> str:
    """Files in a few words: up to three by their names, more by the first and the last."""
    if len(scripts) <= FEW:
        return ", ".join(scripts)
    return f"{scripts[0]} … {scripts[-1]} ({len(scripts):,} files)"


def snake(text: str) -> str:
    """A description in the form that a name needs: lower case, no accents, words joined by one underscore."""
    if not text.isascii():
        import unicodedata

        letters = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in letters if not unicodedata.combining(letter))
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


def suggestion(name: str) -> str | None:
    """The name that a wrong one should have, or None where it cannot be guessed."""
    match = LOOSE.fullmatch(name)
    if match is None:
        return None
    letters, gap, digits, rest, ending = match.groups(default="")
    letters = letters.upper()
    prefix = PREFIXES.get(letters, "V" if len(letters) == 1 and letters != "U" else "")
    if prefix == "R":
        digits, rest = "", f"{digits}{rest}" if gap else rest
    better = f"{prefix}{digits}__{snake(rest) or 'change'}.sql"
    another_kind = not ending and "." in rest
    return better if prefix and not another_kind and read(better) else None


def checksum(path: str) -> str | None:
    """SHA-256 of a file's content as it counts, in hexadecimal, or None for an empty file.

    The BOM, the kind of line ends and a missing last newline do not count: editors and Git change them.
    The file is read in pieces. Raises OSError.
    """
    hasher, blank, last, held = sha256(), True, b"", b""
    file = os.open(path, os.O_RDONLY)  # a file object costs as much as all the rest of a small file
    try:
        piece = os.read(file, PIECE).removeprefix(BOM)
        while piece:
            piece = held + piece
            held = b"\r" if piece.endswith(b"\r") else b""
            body = _line_feeds(piece[: len(piece) - len(held)])
            hasher.update(body)
            blank = blank and not body.strip()
            last = body[-1:] or last
            piece = os.read(file, PIECE)
    finally:
        os.close(file)
    if held or last != b"\n":
        hasher.update(b"\n")
    return None if blank else hasher.hexdigest()


def _line_feeds(body: bytes) -> bytes:
    return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in body else body


def digest(lines: list[str]) -> str:
    """One checksum for many, in their order; the server computes the same over its history."""
    return sha256("\n".join(lines).encode()).hexdigest()
