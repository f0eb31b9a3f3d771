"""Encrypted files: what goes in comes out, and nothing else ever does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgratchet import ConfigurationError
from pgratchet.backup import sealing
from pgratchet.backup.sealing import PIECE, TAG, Damaged, OtherKey, seal, sealed_size, unseal

KEY = bytes(range(32))


def sealed(content: bytes, name: str = "a/b") -> bytes:
    return b"".join(seal([content], KEY, name))


def unsealed(content: bytes, key: bytes = KEY, name: str = "a/b") -> bytes:
    return b"".join(unseal([content], key, name))


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE])
def test_what_goes_in_comes_out_and_its_length_is_known(size: int) -> None:
    content = bytes(size)
    assert len(sealed(content)) == sealed_size(size)
    assert unsealed(sealed(content)) == content


@given(st.lists(st.binary(max_size=3000), max_size=8), st.integers(1, 4000))
def test_pieces_of_any_size_do(pieces: list[bytes], size: int) -> None:
    whole = b"".join(seal(pieces, KEY, "x"))
    parts = [whole[start : start + size] for start in range(0, len(whole), size)]
    assert b"".join(unseal(parts, KEY, "x")) == b"".join(pieces)


@given(st.binary(min_size=1, max_size=200), st.data())
def test_any_changed_bit_is_found(content: bytes, data: st.DataObject) -> None:
    whole = bytearray(sealed(content))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((Damaged, OtherKey)):
        unsealed(bytes(whole))


def test_pieces_cannot_be_left_out_exchanged_or_taken_from_another_file() -> None:
    head, piece = sealing.HEADER, PIECE + TAG
    whole = sealed(bytes(3 * PIECE))
    other = sealed(bytes(3 * PIECE), "a/c")
    for wrong in (
        whole[:-piece],
        whole[:head] + whole[head + piece :],
        whole[:head] + whole[head + piece : head + 2 * piece] + whole[head : head + piece] + whole[-piece:],
        whole[:-1],
        whole[:head],
        whole + b"x",
        whole[:-piece] + other[-piece:],
        b"",
    ):
        with pytest.raises(Damaged):
            unsealed(wrong)
    with pytest.raises(OtherKey):
        unsealed(other)


def test_another_key_is_told_apart_from_damage() -> None:
    with pytest.raises(OtherKey):
        unsealed(sealed(b"secret"), bytes(32))


def test_same_file_is_never_encrypted_the_same_and_shows_nothing() -> None:
    one, other = sealed(b"secret" * 10), sealed(b"secret" * 10)
    assert one[sealing.HEADER :] != other[sealing.HEADER :]
    assert b"secret" not in one


@pytest.mark.parametrize("text", ["", "secret", "ab" * 31, "zz" * 32])
def test_key_is_64_hexadecimal_digits_and_never_shown(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not 64 hexadecimal digits") as error:
        sealing.key_of(text)
    assert not text or text not in error.value.message
    assert sealing.key_of("AB" * 32 + "\n") == b"\xab" * 32
