"""Encrypts the files of a backup with AES-GCM, piece by piece: memory stays flat, and every changed bit is found.

    header   magic, salt of this file, check of the key
    piece    1 MiB of the file encrypted, and a tag of 16 bytes; its nonce counts the pieces and marks the last

Each file has a key of its own, derived from ours, its salt and its name in the backup: pieces cannot be exchanged,
left out, cut off or moved to another file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from pgratchet.errors import ConfigurationError

# What type checkers take for true: cryptography is there only with the extra `backup`.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"pgratchet AES-256-GCM 1\n"
SALT = 16
CHECK = 16
HEADER = len(MAGIC) + SALT + CHECK
PIECE = 1 << 20
TAG = 16


class Damaged(Exception):
    """A file that is not as it was written."""


class OtherKey(Exception):
    """A file that was encrypted with another key, as far as its first bytes tell."""


def key_of(text: str) -> bytes:
    """Read a key: 64 hexadecimal digits. Raises ConfigurationError for anything else, and never shows it."""
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != 32:
        message = "the key of the backups is not 64 hexadecimal digits"
        raise ConfigurationError(message, "`openssl rand -hex 32` makes one. Keep a copy elsewhere.")
    _library()
    return key


def sealed_size(size: int) -> int:
    """How long a file of this size is when it is encrypted; even an empty one has a last piece."""
    return HEADER + size + TAG * max(1, -(-size // PIECE))


def seal(pieces: Iterable[bytes], key: bytes, name: str) -> Iterator[bytes]:
    """Encrypt a file that comes in pieces of any size."""
    salt = os.urandom(SALT)
    cipher, check = _cipher(key, salt, name)
    yield MAGIC + salt + check
    for number, (piece, last) in enumerate(_marked(_pieces(pieces, PIECE))):
        yield cipher.encrypt(_nonce(number, last=last), piece, None)


def unseal(pieces: Iterable[bytes], key: bytes, name: str) -> Iterator[bytes]:
    """Decrypt it again, with every piece proven before it is given out. Raises Damaged, or OtherKey."""
    from cryptography.exceptions import InvalidTag

    rest = _marked(_pieces(pieces, PIECE + TAG, HEADER))
    header = next(rest, (b"", True))[0]
    if len(header) != HEADER or not header.startswith(MAGIC):
        raise Damaged(name)
    cipher, check = _cipher(key, header[len(MAGIC) : -CHECK], name)
    if check != header[-CHECK:]:
        raise OtherKey(name)
    ended = False
    for number, (piece, last) in enumerate(rest):
        try:
            yield cipher.decrypt(_nonce(number, last=last), piece, None)
        except InvalidTag:
            raise Damaged(name) from None
        ended = last
    if not ended:
        raise Damaged(name)


def _pieces(pieces: Iterable[bytes], size: int, first: int = 0) -> Iterator[bytes]:
    """Cut into pieces of one size, after a first one of another; nothing at all still is one piece."""
    wanted, held, any_yet = first or size, bytearray(), False
    for piece in pieces:
        held += memoryview(piece)
        while len(held) >= wanted:
            yield bytes(held[:wanted])
            del held[:wanted]
            wanted, any_yet = size, True
    if held or not any_yet:
        yield bytes(held)


def _marked(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece, and whether it is the last."""
    before: bytes | None = None
    for piece in pieces:
        if before is not None:
            yield before, False
        before = piece
    if before is not None:
        yield before, True


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _cipher(key: bytes, salt: bytes, name: str) -> tuple[AESGCM, bytes]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    made = HKDF(SHA256(), 32 + CHECK, salt, b"pgratchet backup " + name.encode()).derive(key)
    return AESGCM(made[:32]), made[32:]


def _library() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError:
        message = "encrypted backups need the package cryptography"
        raise ConfigurationError(message, "Run: pip install 'pgratchet[backup]'") from None
