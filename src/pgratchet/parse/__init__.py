"""The text of a file to its statements, with all that can be known of them before anything is run."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NoReturn

from pgratchet.errors import ParseError, ScanError
from pgratchet.model import Concurrent, Control, CopyData, Ignore, Script, Segment, Statement
from pgratchet.parse import directives, nature, routines, scan
from pgratchet.parse.canonical import Digest, comments, spelling
from pgratchet.parse.lock_targets import Target, of_tree, worth_reading
from pgratchet.parse.nature import Nature
from pgratchet.parse.scan import Raw

KEPT = 4 << 20
"""Statements of larger files, in bytes, are read again when they are run, not kept."""

_AT_ONCE = 256 << 10
_DATA_ONLY = r"(?i)insert\b"
_VARIABLE = r":[\"'{]?\??[A-Za-z_]"


def read(path: Path) -> Script:
    """Everything that can be known of a file before it is run. Raises ParseError."""
    with path.open("rb") as stream:
        return _script(stream, _File(path), keep=path.stat().st_size <= KEPT)


def read_text(text: str, name: str) -> Script:
    """The same of a text in hand; errors name it as `name`."""
    content = text.encode()
    return _script(io.BytesIO(content), _File(Path(name), content), keep=True)


def statements(path: Path) -> Iterator[Statement]:
    """The statements of a file of any size, one after the other."""
    with path.open("rb") as stream:
        yield from _Reader(stream, _File(path), keep=path.stat().st_size <= KEPT, digest=None).statements()


def segments(of: Iterable[Statement]) -> Iterator[Segment]:
    """Statements in the transactions that they run in: as few as PostgreSQL and the file allow."""
    held: list[Statement] = []
    begin: Statement | None = None
    for statement in of:
        if held and begin is None and (statement.alone or statement.control):
            yield Segment(tuple(held))
            held = []
        if statement.control is Control.BEGIN:
            begin = statement
        elif statement.control is Control.COMMIT:
            yield Segment(tuple(held), begin=begin)
            held, begin = [], None
        elif statement.alone:
            yield Segment((statement,), alone=True)
        else:
            held.append(statement)
        if statement.closes and begin is None:
            yield Segment(tuple(held))
            held = []
    if held:
        yield Segment(tuple(held))


def concurrent(sql: str) -> Concurrent | None:
    """What a statement with CONCURRENTLY is about; None for any other."""
    found = tree(sql) if nature.matters(sql) else None
    return nature.concurrent(found) if found else None


def targets(sql: str) -> tuple[Target, ...]:
    """The tables that a statement locks against writers, with the mode of each."""
    found = tree(sql) if worth_reading(sql) else None
    return of_tree(found) if found else ()


def defines(sql: str) -> bool:
    """Whether a statement is a definition that runs no function: it leaves the session as it is."""
    return nature.defines(sql)


def guarded(sql: str) -> str | None:
    """The relation that a statement with IF NOT EXISTS makes, or adds columns to; quoted."""
    found = tree(sql) if "exists" in sql.lower() else None
    return nature.guarded(found) if found else None


def tree(sql: str) -> nature.Node | None:
    """What a statement says, as PostgreSQL's grammar has it; None where the grammar does not know it."""
    from pgratchet.parse import grammar  # a run with nothing to do needs none

    return grammar.tree(sql)


def body(sql: str, tree: nature.Node) -> routines.Body | None:
    """The statements in the body of a DO or of a function, with their places; None where there are none to be read."""
    return routines.read(sql, tree)


class _File:
    """Where the text comes from, for errors to show the line that they are about."""

    def __init__(self, path: Path, content: bytes | None = None) -> None:
        self.path = path
        self._content = content

    def refuse(self, line: int, column: int, reason: str, hint: str | None) -> NoReturn:
        raise ParseError(
            self.path, line=line, column=column, reason=reason, hint=hint, source=self._line(line)
        )

    def _line(self, number: int) -> str:
        stream: BinaryIO = io.BytesIO(self._content) if self._content is not None else self.path.open("rb")
        with stream:
            for count, line in enumerate(stream, 1):
                if count == number:
                    return line.decode(errors="replace").lstrip("\ufeff").rstrip("\r\n")
        return ""


def _script(stream: BinaryIO, file: _File, *, keep: bool) -> Script:
    digest = Digest()
    reader = _Reader(stream, file, keep=keep, digest=digest)
    kept: list[Statement] = []
    total = 0
    first = last = split = None
    controls = 0
    for statement in reader.statements():
        total += 1
        first, last = first or statement, statement
        controls += statement.control is not None
        split = split or (statement if statement.alone or statement.closes else None)
        if keep:
            kept.append(statement)
    transactional = split is None and (controls == 0 or (controls == 2 and _outer(first, last)))
    if not keep and not transactional:
        _refuse_large(file, split or first)
    for key in sorted(reader.directives):
        digest.statement(f'"{key}={reader.directives[key]}"'.encode())
    statements = tuple(kept) if keep else None
    return Script(
        statements,
        total,
        digest.hexadecimal(),
        reader.directives,
        transactional,
        reader.header,
        tuple(sorted(reader.ignores, key=lambda ignore: ignore.line)),
    )


def _outer(first: Statement | None, last: Statement | None) -> bool:
    """Tell whether one plain BEGIN … COMMIT is around everything; one with options is a segment of its own."""
    begins = first is not None and nature.plain_begin(spelling(first.sql.encode()))
    return begins and last is not None and last.control is Control.COMMIT


def _refuse_large(file: _File, statement: Statement | None) -> NoReturn:
    file.refuse(
        statement.line if statement else 1,
        statement.column if statement else 1,
        f"a file of more than {KEPT >> 20} MiB has to be one transaction, and this one is not",
        "Split the file: put this statement in a migration of its own.",
    )


class _Reader:
    """Goes over a file once; its directives and its digest are whole when its statements are at an end."""

    def __init__(self, stream: BinaryIO, file: _File, *, keep: bool, digest: Digest | None) -> None:
        self.directives: dict[str, str] = {}
        self.header = ""
        self.ignores: list[Ignore] = []
        self._stream = stream
        self._file = file
        self._keep = keep
        self._digest = digest
        self._seen = 0
        """How many statements have begun."""
        self._escapes = False
        self._open: Raw | None = None
        self._created: set[tuple[str, ...]] = set()

    def statements(self) -> Iterator[Statement]:
        """Every statement, one behind, as the last of a file closes nothing."""
        waiting: Statement | None = None
        told = (item for batch in self._batches() for item in self._told(batch))
        for number, (raw, kind, doubtful) in enumerate(told, 1):
            if waiting:
                yield waiting
            waiting = self._statement(number, raw, kind, doubtful=doubtful)
        if self._open:
            hint = "Write COMMIT where it ends, or delete BEGIN: a migration is one transaction by itself."
            self._refuse(self._open, "BEGIN without COMMIT", hint)
        if waiting:
            yield replace(waiting, closes=False)

    def _raws(self) -> Iterator[Raw]:
        try:
            data = self._digest.data if self._digest else scan.ignore
            for raw in scan.statements(self._stream, comment=self._comment, data=data):
                self._seen += 1
                if self._digest:
                    self._digest.statement(raw.text.encode(), with_data=raw.copy is not None)
                yield raw
        except ScanError as error:
            self._file.refuse(error.line, error.column, error.message, error.hint)

    def _comment(self, text: str, line: int, column: int) -> None:
        """Take the comments between two statements."""
        if not self._seen:
            self.header = text
        self._directives(text, line, column, self._seen + 1 if self._seen else 0)

    def _directives(self, text: str, line: int, column: int, statement: int) -> None:
        for found in directives.find(text):
            place = (line + found.line, found.column if found.line else column + found.column - 1)
            try:
                if ignored := directives.ignored(found.text):
                    self.ignores.append(Ignore(*ignored, statement, *place))
                    continue
                if statement:
                    hint = "Move it to the comments at the top of the file, before the first statement."
                    self._file.refuse(*place, "a directive behind the first statement", hint)
                self.directives.update(directives.read(found.text))
            except directives.Wrong as wrong:
                self._file.refuse(*place, wrong.message, wrong.hint)

    def _batches(self) -> Iterator[list[Raw]]:
        """Statements in as many at once as are worth a call of the grammar."""
        batch: list[Raw] = []
        size = 0
        for raw in self._raws():
            batch.append(raw)
            size += len(raw.text)
            if size >= _AT_ONCE:
                yield batch
                batch, size = [], 0
        yield batch

    def _told(self, batch: list[Raw]) -> Iterator[tuple[Raw, Nature, bool]]:
        from pgratchet.parse import grammar

        # The rows of a large file are for the server to check: the grammar takes longer than it does.
        checked = batch if self._keep else [raw for raw in batch if not re.match(_DATA_ONLY, raw.text)]
        doubtful = set() if grammar.agrees([raw.text for raw in checked]) else set(self._doubtful(checked))
        for raw in batch:
            if raw.start in doubtful:
                yield raw, nature.of_words(spelling(raw.text.encode())), True
            elif nature.matters(raw.text) and (tree := grammar.tree(raw.text)):
                yield raw, nature.of_tree(tree), False
            else:
                yield raw, nature.PLAIN, False

    def _doubtful(self, batch: list[Raw]) -> Iterator[int]:
        from pgratchet.parse import grammar

        for raw in batch:
            found = grammar.starts(raw.text.encode())
            if isinstance(found, grammar.Refusal):
                before, there = raw.text[: found.character], raw.text[max(0, found.character) :]
                if re.match(_VARIABLE, there):
                    self._refuse(raw, "a variable of psql", "Write the value itself.", at=before)
                yield raw.start
            elif len(found) != 1:
                yield raw.start

    def _statement(self, number: int, raw: Raw, kind: Nature, *, doubtful: bool) -> Statement:
        self._check(raw, kind, number)
        self._control(raw, kind.control)
        inside = self._open is not None or kind.control is not None
        alone = kind.alone or (self.directives.get("transaction") == "none" and not inside)
        added = kind.adds_value_to
        closes = bool(added) and added not in self._created and not inside and not alone
        if alone or closes:
            self._created.clear()
        self._created.add(kind.creates_type)
        copy = CopyData(*raw.copy) if raw.copy else None
        return Statement(raw.text, number, raw.line, raw.column, copy, kind.control, alone, closes, doubtful)

    def _check(self, raw: Raw, kind: Nature, number: int) -> None:
        if kind.refusal:
            self._refuse(raw, *kind.refusal)
        if kind.alone and self._open:
            self._refuse(
                raw,
                f"PostgreSQL refuses this inside a transaction, and line {self._open.line} began one",
                "Move it behind COMMIT, or delete BEGIN and COMMIT.",
            )
        if kind.takes_data and raw.copy is None:
            self._refuse(raw, *nature.UNREAD_DATA)
        if self._escapes and "\\" in raw.text:
            self._refuse(
                raw,
                "a backslash in a statement, while standard_conforming_strings is off",
                "Delete the line that sets it, and write E'…' where a backslash is an escape.",
            )
        if kind.escapes is not None:
            self._escapes = kind.escapes
        if "pgratchet:" in raw.text:
            for text, line, column in comments(raw.text):
                there = column if line > 1 else raw.column + column - 1
                self._directives(text, raw.line + line - 1, there, number)

    def _control(self, raw: Raw, control: Control | None) -> None:
        if control is None:
            return
        if control is Control.BEGIN and self._open:
            self._refuse(raw, f"BEGIN inside the transaction that line {self._open.line} began", "Delete it.")
        if control is Control.COMMIT and not self._open:
            self._refuse(raw, "COMMIT without BEGIN", "Delete it: pgratchet commits a migration itself.")
        self._open = raw if control is Control.BEGIN else None
        self._created.clear()

    def _refuse(self, raw: Raw, reason: str, hint: str, *, at: str = "") -> NoReturn:
        lines = at.count("\n")
        column = len(at) - at.rfind("\n") if lines else raw.column + len(at)
        self._file.refuse(raw.line + lines, column, reason, hint)
