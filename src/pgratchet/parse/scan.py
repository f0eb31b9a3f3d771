"""Cuts a stream of SQL into statements by the rules of psql's lexer; memory does not grow with the stream."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import BinaryIO, NamedTuple

from pgratchet.parse import lexical, psql
from pgratchet.parse.source import Source

PIECE = 1 << 20


class Raw(NamedTuple):
    """A statement as the file has it; lines and columns from 1, columns in characters, `start` in bytes."""

    text: str
    line: int
    column: int
    start: int
    copy: tuple[int, int] | None
    """From which byte to which the lines of data of a `COPY … FROM stdin` lie."""


def ignore(*_: object) -> None:
    """Take what nobody wants to know."""


def statements(
    stream: BinaryIO,
    *,
    comment: Callable[[str, int, int], object] = ignore,
    data: Callable[[bytes], object] = ignore,
    size: int = PIECE,
) -> Iterator[Raw]:
    """Every statement of a stream.

    `comment` is given what stands between statements where that is not blank, and its place; `data` the lines
    of data of each COPY, in pieces, before its statement is yielded.
    """
    source = Source(stream, size)
    simple = _pattern(lexical.SIMPLE).match
    while source.more():
        while True:
            if found := simple(source.buffer, source.position):
                start, end = found.span(1)
                stop = found.end()
            elif hard := _next(source):
                gap, start, end, stop = hard
                _report(source, gap, start, comment)
            else:
                break
            text = source.buffer[start:end].rstrip()
            if not text:
                source.position = stop
                continue
            line, column = source.place(start)
            offset = source.offset + start
            source.position = stop
            copy = None if found else _copied(source, data) if _takes_data(text) else None
            yield Raw(text.decode(), line, column, offset, copy)


@cache
def _pattern(text: bytes) -> re.Pattern[bytes]:
    """Compile at first use: a run with nothing to do needs none."""
    return re.compile(text, re.DOTALL)


# What may stand between two statements; a hint comment belongs to the statement that follows it.
_GAP = rb"(?>(?:[;" + lexical.SPACE + rb"]++|(?!/\*\+)" + lexical.COMMENT + rb")*)"
_PLAIN = lexical.stretch(lexical.PLAIN_RUN)
_ROUTINE = lexical.stretch(lexical.ROUTINE_RUN)
_WORD = rb"[" + lexical.NAME_START + rb"][" + lexical.NAME + rb"]*+"


def _next(source: Source) -> tuple[int, int, int, int] | None:
    """The next statement: where its gap begins, where it begins and ends, where the next gap begins.

    None where what has been read does not hold it to its end: then all of it is read again with more.
    """
    gap = position = source.position
    while True:
        position = _after_gap(source, position)
        if position < 0 or (position == len(source.buffer) and not source.ended):
            return None
        if position == len(source.buffer):
            return (gap, position, position, position) if gap < position else None
        found = _end(source, position)
        if found is None:
            return None
        end, stop = found
        if end > position:
            return gap, position, end, stop
        position = stop


def _after_gap(source: Source, position: int) -> int:
    """Where the next token begins; -1 where more has to be read to know."""
    buffer = source.buffer
    while True:
        found = _pattern(_GAP).match(buffer, position)
        position = found.end() if found else position
        if buffer.startswith(b"\\", position):
            position = _skip_command(source, position)
        elif buffer.startswith(b"/*", position) and not buffer.startswith(b"/*+", position):
            position = _comment_end(source, position)
        else:
            return position
        if position < 0:
            return -1


def _skip_command(source: Source, position: int, skipped: frozenset[str] = psql.SKIPPED) -> int:
    """Where the line of one of psql's own commands ends, if it is one to be skipped."""
    buffer = source.buffer
    end = buffer.find(b"\n", position)
    if end < 0 and not source.ended:
        return -1
    end = len(buffer) if end < 0 else end
    name = buffer[position + 1 : end]
    found = re.match(rb"[A-Za-z_]+|.?", name)
    command = found.group().decode(errors="ignore") if found else ""
    if command not in skipped:
        source.refuse(position, f"\\{command} is a command of psql, not SQL", psql.instead(command))
    return end


def _end(source: Source, start: int) -> tuple[int, int] | None:
    """Where the last token ends, perhaps with spaces, and where the text behind the semicolon begins."""
    buffer = source.buffer
    routine = _pattern(lexical.ROUTINE).match(buffer, start) is not None
    swallow = _pattern(_ROUTINE if routine else _PLAIN).match
    position = last = start
    depth = blocks = 0
    while position >= 0:
        found = swallow(buffer, position)
        if found and found.end() > position:
            position = last = found.end()
        char = buffer[position : position + 1]
        if not char:
            return (last, position) if source.ended else None
        if char == b";" and depth == blocks == 0:
            return last, position + 1
        if char in b"-/":
            position = _after_comments(source, position)
            continue
        if char in b";()":
            depth = max(0, depth + (char == b"(") - (char == b")"))
        elif depth == 0 and char.isalpha():
            blocks += _opens(buffer, position, blocks)
        position = last = _token_end(source, position)
    return None


def _opens(buffer: bytes, position: int, blocks: int) -> int:
    """What BEGIN, CASE or END does to the number of open blocks of a routine's body."""
    if blocks == 0:
        return int(_pattern(lexical.ATOMIC).match(buffer, position) is not None)
    return {b"c": 1, b"e": -1}.get(buffer[position : position + 1].lower(), 0)


def _token_end(source: Source, position: int) -> int:
    """Where a token ends that no stretch takes in; -1 where more has to be read to know."""
    char = source.buffer[position : position + 1]
    if char in b";()":
        return position + 1
    if word := _pattern(_WORD).match(source.buffer, position):
        return word.end()
    if char == b"$":
        return _dollar_end(source, position)
    if char == b"\\":
        return _skip_command(source, position, skipped=frozenset())
    if source.ended:
        what = "quoted name" if char == b'"' else "string"
        source.refuse(position, f"a {what} begins here that never ends", f"Close it with {char.decode()}.")
    return -1


def _after_comments(source: Source, position: int) -> int:
    """Where comments, and the spaces behind them, end; -1 where more has to be read to know."""
    while position >= 0:
        if found := _pattern(lexical.SOME_TRIVIA).match(source.buffer, position):
            position = found.end()
        if not source.buffer.startswith(b"/*", position):
            break
        position = _comment_end(source, position)
    return position


def _comment_end(source: Source, position: int) -> int:
    depth = 0
    for mark in _pattern(rb"/\*|\*/").finditer(source.buffer, position):
        depth += 1 if mark.group() == b"/*" else -1
        if depth == 0:
            return mark.end()
    if source.ended:
        source.refuse(
            position, "a comment begins here that never ends", "Close it with */, once for each /*."
        )
    return -1


def _dollar_end(source: Source, position: int) -> int:
    tag = _pattern(lexical.TAG).match(source.buffer, position)
    if tag is None:
        return position + 1
    end = source.buffer.find(tag.group(), tag.end())
    if end < 0 and source.ended:
        name = tag.group().decode()
        source.refuse(
            position, f"a text quoted by {name} begins here that never ends", f"Close it with {name}."
        )
    return end + len(tag.group()) if end >= 0 else -1


def _report(source: Source, gap: int, start: int, comment: Callable[[str, int, int], object]) -> None:
    between = source.buffer[gap:start]
    if b"-" in between or b"/" in between:
        line, column = source.place(gap)
        comment(between.decode(), line, column)


def _takes_data(text: bytes) -> bool:
    could = text[:4].lower() == b"copy" or text.startswith(b"/*")
    return could and _pattern(lexical.COPY_FROM_STDIN).match(text) is not None


def _copied(source: Source, data: Callable[[bytes], object]) -> tuple[int, int]:
    """Pass the lines of data on, up to a line `\\.`; return from which byte of the file to which they lie."""
    _to_line_end(source)
    start = source.offset + source.position + 1
    look = source.position
    while True:
        buffer, passed = source.buffer, source.position + 1
        mark = buffer.find(b"\n\\.", look)
        found = _pattern(rb"\n\\\.\r?(?:\n|\Z)").match(buffer, mark) if mark >= 0 else None
        if mark >= 0 and found is None:
            look = mark + 1
        elif found and (source.ended or found.group().endswith(b"\n")):
            data(buffer[passed : mark + 1])
            source.position = found.end()
            return start, source.offset + mark + 1
        elif source.ended:
            data(buffer[passed:])
            source.position = len(buffer)
            return min(start, source.offset + len(buffer)), source.offset + len(buffer)
        else:
            # The last bytes may be the beginning of the mark.
            source.position = max(source.position, mark if found else len(buffer) - 3)
            data(buffer[passed : source.position + 1])
            source.more()
            look = source.position


def _to_line_end(source: Source) -> None:
    """Move to the line end behind the semicolon; the data begins after it."""
    while (end := source.buffer.find(b"\n", source.position)) < 0 and source.more():
        pass
    end = len(source.buffer) if end < 0 else end
    rest = _pattern(rb"[ \t\r\f\v]*+(?:--[^\n]*+|(?>(?:/\*[^\n]*?\*/[ \t\r\f\v]*+)*))").match(
        source.buffer, source.position
    )
    if rest and rest.end() < end:
        hint = "The data of COPY begins in the next line: move the rest of this line below the line `\\.`."
        source.refuse(rest.end(), "text behind a COPY … FROM stdin in its line", hint)
    source.position = end
