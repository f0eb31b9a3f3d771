"""A stream of bytes in pieces, checked to be UTF-8 text, that knows the line and column of each place."""

from __future__ import annotations

import codecs
from typing import BinaryIO, NoReturn

from pgratchet.errors import ScanError


class Source:
    """What has been read of a stream; from `position` on it is still to be told."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.buffer = b""
        self.position = 0
        self.offset = 0
        self.ended = False
        self._stream = stream
        self._size = size
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._line = 1
        self._column = 1
        self._counted = 0
        """How far into the buffer `_line` and `_column` have come."""

    def more(self) -> bool:
        """Read on, twice as much as is left over, so that a long statement is not gone over too often."""
        if self.ended:
            return False
        self.place(self.position)
        self.buffer = self.buffer[self.position :]
        self.offset += self.position
        self._counted = self.position = 0
        piece = self._read(max(self._size, len(self.buffer)))
        self.buffer = self.buffer + piece if self.buffer else piece
        return True

    def place(self, position: int) -> tuple[int, int]:
        """Line and column of a position that is not before one asked for earlier."""
        lines = self.buffer.count(b"\n", self._counted, position)
        if lines:
            self._line += lines
            self._column = 1
            self._counted = self.buffer.rfind(b"\n", self._counted, position) + 1
        self._column += len(self.buffer[self._counted : position].decode(errors="ignore"))
        self._counted = position
        return self._line, self._column

    def refuse(self, position: int, message: str, hint: str) -> NoReturn:
        """Raise the error about a position."""
        line, column = self.place(position)
        raise ScanError(message, line, column, hint)

    def _read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        first = self.offset == 0 and not self.buffer
        while first and 0 < len(piece) < 3 and (rest := self._stream.read(size)):
            piece += rest
        self.ended = not piece
        if first and piece.startswith(codecs.BOM_UTF8):
            piece = piece[3:]
            self.offset = 3
        self._check(piece)
        return piece

    def _check(self, piece: bytes) -> None:
        pending = len(self._decoder.getstate()[0])
        try:
            self._decoder.decode(piece, final=self.ended)
        except UnicodeDecodeError as error:
            self.buffer += piece
            place = len(self.buffer) - len(piece) - pending + error.start
            byte = self.offset + place + 1
            self.refuse(place, f"byte {byte} is not UTF-8", "Save the file as UTF-8.")
        if (nul := piece.find(b"\0")) >= 0:
            self.buffer += piece
            place = len(self.buffer) - len(piece) + nul
            self.refuse(place, "a NUL byte", "Save the file as UTF-8 text; PostgreSQL takes no NUL.")
