"""Takes connections in, and watches how far the requests on them have come."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from tornado.httputil import HTTPInputError
from tornado.iostream import IOStream, SSLIOStream

from flower.quiet import QuietLog
from flower.web.connections import Connection, Connections

__all__ = ["Acceptor", "WatchedStream", "WatchedTLSStream", "connection_of"]

log = logging.getLogger(__name__)

_AT_ONCE = 8
"""Connections taken in one turn of the loop, fewer than may wait: those just taken are read before one must go."""
_PAUSE_SECONDS = 0.1
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_FULL = b"Too many connections. Try again in a moment.\n"
_TURNED_AWAY = (
    b"HTTP/1.1 503 Service Unavailable\r\nServer: Flower\r\nConnection: close\r\nRetry-After: 5\r\n"
    b"Content-Type: text/plain; charset=UTF-8\r\nX-Content-Type-Options: nosniff\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_FULL), _FULL)
)


class _Watched(IOStream):
    """Tells its connection what arrives, and refuses headers whose lines end in a line feed alone.

    Proxies disagree about such lines, and that is how a request is smuggled past one.
    """

    connection: Connection | None = None

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        count = super().read_from_fd(buf)
        if count and self.connection is not None:
            self.connection.heard()
        return count

    def close_fd(self) -> None:
        super().close_fd()
        if self.connection is not None:
            self.connection.gone()

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        return _strict(super().read_until_regex(regex, max_bytes))


class WatchedStream(_Watched):
    """A connection in clear."""


class WatchedTLSStream(_Watched, SSLIOStream):
    """A connection under TLS."""


class Acceptor:
    """Accepts on listening sockets until it is stopped.

    `serve` gets every stream that was let in. When the process has no file descriptor left, the connection that
    waits longest for its client goes; without one, nothing is accepted for a tenth of a second.
    """

    def __init__(
        self,
        connections: Connections,
        context: ssl.SSLContext | None,
        serve: Callable[[IOStream, Any], object],
        max_buffer_size: int,
    ) -> None:
        self._connections, self._context, self._serve = connections, context, serve
        self._max_buffer_size = max_buffer_size
        self._sockets: list[socket.socket] = []
        self._paused: dict[socket.socket, asyncio.TimerHandle] = {}
        self._quiet = QuietLog(log)

    def start(self, sockets: Sequence[socket.socket]) -> None:
        """Accept on these sockets, which belong to the acceptor from now on."""
        for listening in sockets:
            self._sockets.append(listening)
            self._resume(listening)

    def stop(self) -> None:
        """Accept no more, and close the listening sockets."""
        loop = asyncio.get_running_loop()
        for listening in self._sockets:
            if (pause := self._paused.pop(listening, None)) is not None:
                pause.cancel()
            loop.remove_reader(listening)
            listening.close()
        self._sockets.clear()

    def _resume(self, listening: socket.socket) -> None:
        self._paused.pop(listening, None)
        asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                taken, place = listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:
                continue  # gone before it was accepted
            except OSError as error:
                self._quiet.warning("accept", f"A connection could not be accepted: {error.strerror or error}")
                if not self._connections.relieve():
                    self._pause(listening)
                    return
                continue
            self._take(taken, place)

    def _pause(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening)
        self._paused[listening] = loop.call_later(_PAUSE_SECONDS, self._resume, listening)

    def _take(self, taken: socket.socket, place: Any) -> None:
        taken.setblocking(False)
        address = place[0] if taken.family in (socket.AF_INET, socket.AF_INET6) else ""
        connection = self._connections.admit(address)
        if connection is None:
            self._turn_away(taken)
            return
        try:
            stream = self._stream(taken)
        except OSError:  # ssl.SSLError is one; the client left between two packets
            connection.gone()
            taken.close()
            return
        stream.connection, connection.close = connection, stream.close
        self._serve(stream, place)

    def _stream(self, taken: socket.socket) -> _Watched:
        if self._context is None:
            return WatchedStream(taken, max_buffer_size=self._max_buffer_size)
        wrapped = self._context.wrap_socket(taken, server_side=True, do_handshake_on_connect=False)
        return WatchedTLSStream(wrapped, max_buffer_size=self._max_buffer_size)

    def _turn_away(self, taken: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._context is None:
                taken.send(_TURNED_AWAY)
        taken.close()


def connection_of(server_conn: object) -> Connection | None:
    """Return the connection behind what Tornado hands around, None where no acceptor let it in."""
    stream = getattr(server_conn, "stream", None)
    return stream.connection if isinstance(stream, _Watched) else None


async def _strict(reading: Awaitable[bytes]) -> bytes:
    """Return what was read. Raise HTTPInputError when a line of it ends without a carriage return."""
    data = await reading
    if _BARE_LINE_FEED.search(data):
        raise HTTPInputError("a header line ends in a line feed alone")
    return data
