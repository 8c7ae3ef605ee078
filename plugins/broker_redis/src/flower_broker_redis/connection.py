"""One connection to Redis that is made for listening: the socket is read in slices, on the event loop.

redis-py takes 13 µs to receive a message, a slice through hiredis 1 to 3.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import hiredis

__all__ = ["Connection", "RefusedError"]

# Hiredis takes any buffer and any number of words, and is annotated for less.
_pack: Any = hiredis.pack_command
_Reader: Any = hiredis.Reader

_SLICE = 256 * 1024
_PIECE = 32 * 1024
_CATCH_UP_SECONDS = 0.016
_PAUSE_SECONDS = 0.04
_PAUSE_BYTES = 64 * 1024
_BUSY_SECONDS = 0.05
_CLOSING_SECONDS = 1.0


class RefusedError(Exception):
    """Redis answered a command with an error; `code` is its first word, which quotes nothing."""

    def __init__(self, reply: hiredis.ReplyError) -> None:
        self.code = str(reply).split(" ", 1)[0][:20]
        super().__init__(self.code)


class Connection(asyncio.BufferedProtocol):
    """Speaks RESP2: hands what subscriptions bring to `deliver`, in one list a slice, and the rest to `ask`.

    `ended` holds the reason once the connection is gone; `heard` is the loop's time of the last byte.

    Redis cuts off a listener that lags 32 MB. So when a slice is full, more are read at once, for up to
    16 ms: twice what the pump takes for decoding before it is the socket's turn again. That way messages
    pile up where they are bounded and counted. TLS has to do with one slice a turn.

    While messages come often, but less than 64 KB at once, the socket is left alone for 40 ms at a time,
    because waking up costs more than reading.
    """

    def __init__(self, deliver: Callable[[list[bytes]], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._reader = _Reader()
        self._buffer = memoryview(bytearray(_SLICE))
        self._awaited: deque[asyncio.Future[Any]] = deque()
        self._transport: asyncio.Transport | None = None
        self._resume: asyncio.TimerHandle | None = None
        self._descriptor = -1
        self.ended: asyncio.Future[Exception] = self._loop.create_future()
        self.heard = self._loop.time()

    async def ask(self, *command: str | bytes, seconds: float) -> Any:
        """Return the answer to a command. Raise RefusedError, ConnectionError or TimeoutError."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._awaited.append(answer)
        self.tell(*command)
        await asyncio.wait({answer, self.ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            reply = answer.result()
            if isinstance(reply, hiredis.ReplyError):
                raise RefusedError(reply)
            return reply
        if self.ended.done():
            raise ConnectionResetError("the connection ended") from self.ended.result()
        raise TimeoutError("no answer in time")

    def tell(self, *command: str | bytes) -> None:
        """Send a command whose answer is of no interest."""
        if self._transport is not None and not self.ended.done():
            self._transport.write(_pack(command))

    async def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()
            await asyncio.wait({self.ended}, timeout=_CLOSING_SECONDS)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if transport.get_extra_info("ssl_object") is None and hasattr(os, "readv"):
            self._descriptor = transport.get_extra_info("socket").fileno()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._resume is not None:
            self._resume.cancel()
        self._end(exc or ConnectionResetError("the server closed the connection"))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        now = self._loop.time()
        soon = now - self.heard < _BUSY_SECONDS
        self.heard = now
        try:
            number = self._read(nbytes)
            if nbytes == _SLICE and self._descriptor >= 0:
                self._catch_up(now + _CATCH_UP_SECONDS)
        except Exception as error:  # guards the loop: what the parser or the receiver raise ends this connection
            self._end(error)
            if self._transport is not None:
                self._transport.abort()
            return
        if nbytes < _PAUSE_BYTES and (soon or number > 1) and self._transport is not None:
            self._transport.pause_reading()
            self._resume = self._loop.call_later(_PAUSE_SECONDS, self._transport.resume_reading)

    def _catch_up(self, until: float) -> None:
        """Read what is left in the socket, past the transport, which reads one slice per turn of the loop."""
        while self._loop.time() < until:
            try:
                nbytes = os.readv(self._descriptor, [self._buffer])
            except BlockingIOError:
                return
            self._read(nbytes)
            if nbytes < _SLICE:
                return  # also at the end, which the transport finds out by itself

    def _read(self, nbytes: int) -> int:
        """Hand on what is complete; return how many messages that were."""
        take = self._reader.gets
        payloads: list[bytes] = []
        # In pieces: hiredis moves what is left of its buffer after each reply, which a large buffer makes dear.
        for start in range(0, nbytes, _PIECE):
            self._reader.feed(self._buffer, start, min(_PIECE, nbytes - start))
            while True:
                reply = take()
                if reply is False:
                    break
                if type(reply) is list and reply[0] == b"pmessage":
                    payloads.append(reply[3])
                else:
                    self._answer(reply)
        if payloads:
            self._deliver(payloads)
        return len(payloads)

    def _answer(self, reply: Any) -> None:
        if self._awaited:
            answer = self._awaited.popleft()
            if not answer.done():
                answer.set_result(reply)

    def _end(self, reason: Exception) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)
