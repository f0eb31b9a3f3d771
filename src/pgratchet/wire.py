"""Sends statements, one a message and many in flight, and hands the replies back in order.

libpq's pipeline mode saves the round trips; a statement that PostgreSQL refuses in a pipeline (one that
cannot run in a transaction block, or COPY) goes alone.

A Sync ends all that is in flight at once. Without it the server takes us for active while it waits for us, and its
time-outs for idle sessions never free what a frozen client holds. Nothing goes out past a Sync before its reply is
here: what follows a failure would run.
"""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import psycopg
from psycopg import pq
from psycopg.errors import error_from_result

from pgratchet.model import Migration, Statement

WINDOW = 200
BYTES = 1 << 20
PATIENCE = 0.5

Connection = psycopg.Connection[tuple[Any, ...]]
FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE)


@dataclass(frozen=True, slots=True)
class Command:
    """One message to the server: a statement of a migration, or one of our own around it."""

    sql: str
    values: tuple[str | None, ...] = ()
    migration: Migration | None = None
    statement: Statement | None = None
    opens: bool = False
    """The first command of a step."""
    ends: bool = False
    """With its success the step is done and recorded."""
    pieces: Callable[[], Iterator[bytes]] | None = None
    """The inline data of a COPY."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A command that went well; `seconds` runs from the reply before it, or from when it was sent."""

    command: Command
    tag: str
    seconds: float


class Refused(Exception):
    """The server refused a command; nothing after it was run. The connection is in step again."""

    def __init__(self, command: Command, error: psycopg.Error, seconds: float) -> None:
        super().__init__(str(error))
        self.command = command
        self.error = error
        self.seconds = seconds


def send(
    connection: Connection,
    commands: Iterable[Command],
    *,
    window: int = WINDOW,
    started: Callable[[Command], None] = lambda _: None,
    idle: Callable[[float], None] = lambda _: None,
) -> Generator[Reply, None, None]:
    """Run commands in order; `started` hears which one the server is at, `idle` how long that already takes.

    Stopping early, by an exception too, cancels what runs. Raises Refused, or psycopg.OperationalError
    where the connection is lost.
    """
    for alone, group in groupby(commands, key=_goes_alone):
        if alone:
            for command in group:
                started(command)
                yield _alone(connection, command, idle)
        else:
            yield from _pipeline(connection, group, window, started, idle)


def ask(connection: Connection, query: str) -> list[tuple[str | None, ...]]:
    """Ask the session of a run something, between a reply that `send` has yielded and the next command.

    Only where one command is in flight at a time. The answer's values are texts. Raises psycopg.Error.
    """
    pgconn = connection.pgconn
    if pgconn.pipeline_status == pq.PipelineStatus.OFF:
        result = pgconn.exec_params(query.encode(), None)
    else:
        pgconn.get_result()  # the mark behind the reply; it and the Sync's are replaced by ours
        _next(pgconn)
        pgconn.send_query_params(query.encode(), None)
        pgconn.pipeline_sync()
        result = _next(pgconn)
    if result.status != pq.ExecStatus.TUPLES_OK:
        raise error_from_result(result)
    return [
        tuple(
            None if (value := result.get_value(row, column)) is None else value.decode()
            for column in range(result.nfields)
        )
        for row in range(result.ntuples)
    ]


def _next(pgconn: Any) -> Any:
    """Wait for the next reply."""
    while pgconn.is_busy() or (result := pgconn.get_result()) is None:
        _ready(pgconn)
    return result


def _goes_alone(command: Command) -> bool:
    return command.pieces is not None or (command.statement is not None and command.statement.alone)


def _pipeline(
    connection: Connection,
    commands: Iterator[Command],
    window: int,
    started: Callable[[Command], None],
    idle: Callable[[float], None],
) -> Iterator[Reply]:
    flying: deque[Command | None] = deque()  # None is a Sync
    pgconn = connection.pgconn
    pgconn.enter_pipeline_mode()
    pgconn.nonblocking = 1
    try:
        yield from _replies(pgconn, commands, flying, window, started, idle)
    except Refused:
        _leave(connection, flying)
        raise
    except BaseException:
        _leave(connection, flying, cancel=True)
        raise
    _leave(connection, flying)


def _replies(
    pgconn: Any,
    commands: Iterator[Command],
    flying: deque[Command | None],
    window: int,
    started: Callable[[Command], None],
    idle: Callable[[float], None],
) -> Iterator[Reply]:
    since, ready = time.monotonic(), _take(commands, window)
    while ready or flying:
        if not flying:
            _put(pgconn, ready, flying, started)
            ready = _take(commands, window)  # made while the server works
        for result in _results(pgconn, idle):
            now = time.monotonic()
            command = flying.popleft()
            if command is None:
                continue
            if result.status in FAILED:
                raise _failure(pgconn, command, result, now - since)
            yield Reply(command, (result.command_status or b"").decode(), now - since)
            since = now
            if following := flying[0]:
                started(following)


def _take(commands: Iterator[Command], window: int) -> list[Command]:
    """The commands that go out together, next."""
    taken: list[Command] = []
    size = 0
    while len(taken) < window and size < BYTES and (command := next(commands, None)):
        taken.append(command)
        size += len(command.sql)
    return taken


def _put(
    pgconn: Any,
    ready: Iterable[Command],
    flying: deque[Command | None],
    started: Callable[[Command], None],
) -> None:
    """Send commands, and a Sync."""
    unasked = False
    for command in ready:
        if unasked and command.statement is not None:
            pgconn.send_flush_request()  # the replies to what came before it are not to wait for its own
        values = [None if value is None else value.encode() for value in command.values]
        pgconn.send_query_params(command.sql.encode(), values or None)
        flying.append(command)
        if len(flying) == 1:
            started(command)
        unasked = command.statement is None and not command.ends
        if not unasked:
            pgconn.send_flush_request()  # else the server keeps the reply, and nobody sees how far it is
    pgconn.pipeline_sync()
    flying.append(None)


def _results(pgconn: Any, idle: Callable[[float], None]) -> Iterator[Any]:
    """Wait for at least one reply; yield those that have come by then, one a command.

    One at a time, so that the notices of a command are heard while it is the oldest one in flight.
    """
    began = time.monotonic()
    found = False
    while not found:
        if not _ready(pgconn):
            idle(time.monotonic() - began)
        while not pgconn.is_busy() and (result := pgconn.get_result()) is not None:
            found = True
            yield result
            if result.status != pq.ExecStatus.PIPELINE_SYNC:
                pgconn.get_result()  # the mark between two commands, always there


def _ready(pgconn: Any) -> bool:
    """Send what waits to be sent and take what has come; False when nothing came for a while."""
    unsent = pgconn.flush()
    socket = pgconn.socket
    readable, writable, _ = select.select([socket], [socket] if unsent else [], [], PATIENCE)
    if readable:
        pgconn.consume_input()
    return bool(readable or writable)


def _leave(connection: Connection, flying: deque[Command | None], *, cancel: bool = False) -> None:
    """End the pipeline and come back into step with the server."""
    pgconn = connection.pgconn
    if pgconn.status != pq.ConnStatus.OK:
        return
    pgconn.pipeline_sync()
    syncs = flying.count(None) + 1
    while syncs and pgconn.status == pq.ConnStatus.OK:
        if cancel:  # again and again: a cancel that comes between two commands is lost
            connection.cancel_safe(timeout=10)
        _ready(pgconn)
        while syncs and not pgconn.is_busy():
            result = pgconn.get_result()
            syncs -= result is not None and result.status == pq.ExecStatus.PIPELINE_SYNC
    pgconn.nonblocking = 0
    if not syncs:
        pgconn.exit_pipeline_mode()


def _alone(connection: Connection, command: Command, idle: Callable[[float], None]) -> Reply:
    """Send a command by itself; the inline data of a COPY goes after it."""
    pgconn = connection.pgconn
    began = time.monotonic()
    try:
        pgconn.nonblocking = 1  # else a server that takes no data would keep us from hearing a signal
        pgconn.send_query(command.sql.encode())
        last = _last_result(pgconn, idle)
        if last.status == pq.ExecStatus.COPY_IN and command.pieces is not None:
            _feed(pgconn, command.pieces(), idle)
            last = _last_result(pgconn, idle)
        pgconn.nonblocking = 0
    except BaseException:
        settle(connection)
        raise
    seconds = time.monotonic() - began
    if last.status in FAILED:
        raise _failure(pgconn, command, last, seconds)
    return Reply(command, (last.command_status or b"").decode(), seconds)


def _feed(pgconn: Any, pieces: Iterator[bytes], idle: Callable[[float], None]) -> None:
    """Send the data of a COPY as fast as the server takes it."""
    began = time.monotonic()
    for piece in pieces:
        while not pgconn.put_copy_data(piece):
            if not _ready(pgconn):
                idle(time.monotonic() - began)
        while pgconn.flush():  # the piece is queued: what is left of it goes out, and is never given again
            if not _ready(pgconn):
                idle(time.monotonic() - began)
    while not pgconn.put_copy_end():
        _ready(pgconn)


def _last_result(pgconn: Any, idle: Callable[[float], None]) -> Any:
    """Wait for the end of a command, or for the server to ask for the data of a COPY."""
    began = time.monotonic()
    last = None
    while True:
        while pgconn.is_busy():
            if not _ready(pgconn):
                idle(time.monotonic() - began)
        result = pgconn.get_result()
        if result is None:
            return last
        last = result
        if result.status == pq.ExecStatus.COPY_IN:
            return last


def settle(connection: Connection) -> None:
    """Cancel what still runs, and take the replies to it: after this the connection can be used again."""
    pgconn = connection.pgconn
    while pgconn.status == pq.ConnStatus.OK and pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
        connection.cancel_safe(timeout=10)  # again and again: the first may come before the command does
        _ready(pgconn)
        while not pgconn.is_busy() and (result := pgconn.get_result()) is not None:
            if result.status == pq.ExecStatus.COPY_IN:
                pgconn.put_copy_end(b"stopped")
    if pgconn.status == pq.ConnStatus.OK:
        pgconn.nonblocking = 0


def _failure(pgconn: Any, command: Command, result: Any, seconds: float) -> Exception:
    """A refusal of the command, or the end of the session, which is no verdict on the command."""
    error = error_from_result(result)
    ended = error.diag.severity_nonlocalized in {"FATAL", "PANIC"}
    if not ended and pgconn.status == pq.ConnStatus.OK:
        return Refused(command, error, seconds)
    pgconn.finish()
    return psycopg.OperationalError(str(error))
