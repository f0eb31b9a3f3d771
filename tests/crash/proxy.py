"""A TCP proxy that understands where one message of PostgreSQL's protocol ends and the next begins, and cuts there."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

from psycopg import conninfo

from tests.servers import Database

CANCEL = 80877102
SYNC = b"S\0\0\0\4"


class Cut(Enum):
    """What becomes of the statement at which the client loses its connection."""

    LOST = "it does not reach the server"
    DELIVERED = "the server runs it, and the client never hears of that"


@dataclass
class Proxy:
    """Forwards to a database; at the message that `wanted` is true of, the connection is cut, once."""

    database: Database
    wanted: Callable[[int, bytes], bool]
    cut: Cut
    startup: Callable[[int, bytes], bytes]
    """What becomes of the first message of the n-th connection; the length must stay."""
    linger: float = 0.0
    """Seconds that a client still has its connection when the server has closed it."""
    connections: int = 0
    run: list[bytes] = field(default_factory=list)
    """The statements that clients have run, up to the cut."""
    done: bool = False
    _parsed: bytes = b""

    def url(self, port: int) -> str:
        return conninfo.make_conninfo(
            self.database.url, port=port, host="127.0.0.1", sslmode="disable", gssencmode="disable"
        )

    def serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._connection, args=(client,), daemon=True).start()

    def _connection(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.database.server.port)) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_pump, args=(server, client, self.linger), daemon=True)
            back.start()
            with suppress(OSError):
                self._forward(client, server)
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            back.join()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        head = _exactly(client, 8)
        length, code = struct.unpack("!ii", head)
        self.connections += 1
        server.sendall(head + self.startup(self.connections, _exactly(client, length - 8)))
        while code != CANCEL:
            head = _exactly(client, 5)
            message = head + _exactly(client, struct.unpack("!i", head[1:])[0] - 4)
            if not self.done and self._is_it(message):
                self.done = True
                client.shutdown(socket.SHUT_RDWR)
                if self.cut is Cut.DELIVERED:
                    server.sendall(message + SYNC)
                return
            server.sendall(message)

    def _is_it(self, message: bytes) -> bool:
        """A statement is run by a simple Query, or by the Execute that comes after its Parse."""
        if message[:1] == b"P":
            self._parsed = message
        if message[:1] not in {b"Q", b"E"}:
            return False
        self.run.append(self._parsed if message[:1] == b"E" else message)
        return self.wanted(len(self.run), self.run[-1])


def _pump(server: socket.socket, client: socket.socket, linger: float) -> None:
    gone = False
    while data := _received(server):
        try:
            client.sendall(data)
        except OSError:  # the server's answers are still taken, else it would not go on
            gone = True
    time.sleep(linger)
    if not gone:
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


def _received(server: socket.socket) -> bytes:
    with suppress(OSError):
        return server.recv(1 << 16)
    return b""


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = source.recv(count - len(data))
        if not piece:
            raise OSError
        data += piece
    return data


@contextmanager
def between(
    database: Database,
    wanted: Callable[[int, bytes], bool] = lambda *_: False,
    cut: Cut = Cut.LOST,
    startup: Callable[[int, bytes], bytes] = lambda _, message: message,
    linger: float = 0.0,
) -> Iterator[tuple[str, Proxy]]:
    """Give a URL that leads through a proxy."""
    proxy = Proxy(database, wanted, cut, startup, linger)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=proxy.serve, args=(listener,), daemon=True).start()
        try:
            yield proxy.url(listener.getsockname()[1]), proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
